"""What is in containers: members, stored with their results and counted in their container, nothing twice."""

import sqlite3
from collections.abc import Sequence

from triage.model.errors import StoreError
from triage.model.finding import Finding
from triage.store.database import Database
from triage.store.findings import store_findings
from triage.store.rows import INSERT_MEMBER, ITEM_COLUMNS, Row

_CONTAINER = """
SELECT region_id, sequence, allocated, recovered, members, (SELECT max(id) FROM item) AS last
FROM item WHERE id = ? AND container IS NULL
"""
_END = "UPDATE item SET opens = ? WHERE id = ? AND opens = 1"
_WHOLE, _IN_PART = 2, 3
_ALLOCATED = ITEM_COLUMNS.split(", ").index("allocated")  # `recovered` is next to it


class Members:
    """Stores the members of containers, each of which is named by its number in the case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        container: int,
        rows: Sequence[Row],
        found: Sequence[tuple[int, Finding]],
        *,
        first: int,
        found_at: str,
        seconds: float,
    ) -> int:
        """Store members inside the open transaction, and return how many were new; see `Journal.add_members`."""
        held = self._database.one(_CONTAINER, (container,))
        if held is None or first > held["members"]:
            raise self._refused(f"members of item {container} from the {first}th on, before those that come first")
        skipped = held["members"] - first
        before = held["region_id"], held["sequence"], container
        new = [
            (held["last"] + number, *before, *row[:_ALLOCATED], *_as_held(held, row), *row[_ALLOCATED + 2 :])
            for number, row in enumerate(rows[skipped:], 1)
        ]
        self._database.execute_many(INSERT_MEMBER, new)
        self._database.execute("UPDATE item SET members = members + ? WHERE id = ?", (len(new), container))
        numbered = [
            (held["last"] + 1 + position - skipped, finding) for position, finding in found if position >= skipped
        ]
        store_findings(self._database, numbered, found_at=found_at, seconds=seconds)
        return len(new)

    def end(self, container: int, *, whole: bool) -> None:
        """Record that a container was gone through."""
        with self._database.transaction():
            ended = self._database.execute(_END, (_WHOLE if whole else _IN_PART, container))
        if ended != 1:
            raise self._refused(f"item {container} is no container that is still to be gone through")

    def _refused(self, what: str) -> StoreError:
        return StoreError(
            f"the case file {self._database.path}: {what}; run again to resume, and report this as a defect"
        )


def _as_held(held: sqlite3.Row, row: Row) -> tuple[bool, bool]:
    """Return whether a member is allocated, and recovered: in a deleted container nothing is more than it is."""
    allocated, recovered = row[_ALLOCATED : _ALLOCATED + 2]
    return bool(allocated and held["allocated"]), bool(recovered or held["recovered"])
