"""Content without a name: carved items, and which bytes of the source were searched for them."""

from collections.abc import Sequence
from typing import cast

from triage.model.errors import UsageError
from triage.model.finding import Finding
from triage.model.runs import ByteRun, merge
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.findings import store_findings
from triage.store.rows import CARVED, INSERT_CARVED, INSERT_FOUND, LISTED_POSITION, Row, storable

_REGION = """
SELECT id FROM region WHERE exhibit_id = ? AND offset <= ? ORDER BY offset DESC, is_volume DESC, length DESC LIMIT 1
"""
_SEARCHED = "INSERT INTO searched VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADDRESS = 0


class Carved:
    """Stores carved items, and says where the search for them is done."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def add(self, reference: str, rows: Sequence[Row], searched: Sequence[ByteRun]) -> int:
        """Store carved items inside the open transaction, and return how many were new; see `Journal.add_carved`.

        They are few at one place, so that the index of the order tells which of them are there.
        """
        key = self._exhibits.key(reference)
        self._database.execute_many(_SEARCHED, ((key, run.offset, run.length) for run in searched))
        return self._database.execute_many(INSERT_CARVED, [self._placed(key, reference, row) for row in rows])

    def add_found(
        self,
        reference: str,
        rows: Sequence[Row],
        found: Sequence[tuple[int, Finding]],
        *,
        found_at: str,
        seconds: float,
    ) -> frozenset[int]:
        """Store items and their findings inside the open transaction; see `Journal.add_found`."""
        key = self._exhibits.key(reference)
        numbers: dict[int, int] = {}
        for position, row in enumerate(rows):
            if self._database.execute(INSERT_FOUND, self._placed(key, reference, row)):
                last = self._database.one("SELECT last_insert_rowid() AS id")
                assert last is not None
                numbers[position] = last["id"]
        new = [(numbers[position], finding) for position, finding in found if position in numbers]
        store_findings(self._database, new, found_at=found_at, seconds=seconds)
        return frozenset(numbers)

    def searched(self, reference: str) -> tuple[ByteRun, ...]:
        """Return the bytes that were searched, merged and sorted."""
        rows = self._database.rows(
            "SELECT offset, length FROM searched WHERE exhibit_id = ? ORDER BY offset",
            (self._exhibits.key(reference),),
        )
        return merge(ByteRun(row["offset"], row["length"]) for row in rows)

    def _placed(self, key: int, reference: str, row: Row) -> Row:
        offset = cast("int", row[LISTED_POSITION])
        region = self._database.one(_REGION, (key, offset))
        if region is None:
            raise UsageError(f"exhibit {reference} has no region that holds byte {offset}; record its regions first")
        place = region["id"], storable(CARVED + offset)
        return *place, *row, *place, row[_ADDRESS]
