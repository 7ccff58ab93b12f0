"""Items and what became of them: listed once, each with one outcome, so that a killed run can be resumed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from triage.model.errors import StoreError
from triage.model.finding import EXACT, Finding
from triage.model.item import ItemKind, Outcome
from triage.model.runs import ByteRun
from triage.store.carved import Carved
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.findings import store_findings
from triage.store.layout import Layout
from triage.store.listing import Listing
from triage.store.members import Members
from triage.store.rows import UPDATE_RESULT, Row, spans_of

_ACCOUNT = """
SELECT item.kind, item.allocated, item.outcome, item.reason, item.picture_damaged,
       CASE WHEN item.container IS NULL THEN item.runs ELSE '' END AS runs
FROM region CROSS JOIN item ON item.region_id = region.id WHERE region.exhibit_id = ?
"""
_FINDINGS = """
SELECT count(*) AS findings FROM finding JOIN item ON item.id = finding.item_id
JOIN region ON region.id = item.region_id WHERE region.exhibit_id = ?
"""
_MATCHED = f"""
SELECT DISTINCT item.runs FROM finding JOIN item ON item.id = finding.item_id
JOIN region ON region.id = item.region_id
WHERE region.exhibit_id = ? AND item.container IS NULL AND finding.match IN ({", ".join("?" * len(EXACT))})
"""  # noqa: S608 - places of parameters
_DELETED = """
SELECT item.position, item.size FROM region JOIN item ON item.region_id = region.id
WHERE region.exhibit_id = ? AND NOT item.allocated AND item.direct AND item.encrypted IS NULL
  AND item.kind NOT IN ('carved', 'member') AND item.size > 0 AND instr(item.runs, ' ') = 0
  AND cast(substr(item.runs, instr(item.runs, '+') + 1) AS INTEGER) >= item.size
ORDER BY item.position
"""
_DRAWN = """
SELECT item.tier, item.draw, item.outcome,
       substr(item.reason, 1, instr(item.reason || ':', ':') - 1) AS code, count(*) AS items,
       sum(EXISTS (SELECT 1 FROM finding WHERE finding.item_id = item.id AND coalesce(finding.confirmed, 1))) AS matches
FROM region JOIN item ON item.region_id = region.id
WHERE region.exhibit_id = ? AND item.draw IS NOT NULL
GROUP BY item.tier, item.draw, item.outcome, code ORDER BY item.tier, item.draw
"""
_GATHERED = 4 << 20  # characters of runs that are turned into numbers at once
_ROW = 64  # what a row counts besides

_Alike = tuple[str, int, str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountedItems:
    """What the coverage account needs of `items` items that are alike.

    `code` is their reason up to its first colon, empty without a reason. `damaged`: a picture that was decoded in
    part, or not at all where False and the code says so; None of what was not to be decoded as a picture.
    `spans` are their runs as an int64 array of [start, end), inside the source, in no order; members have none, for
    their bytes are those of their container.
    """

    kind: ItemKind
    allocated: bool
    outcome: Outcome
    code: str
    damaged: bool | None
    items: int
    spans: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnItems:
    """How many `items` of one tier and one class of its random sample have the same outcome and `code` of a reason.

    `matches` are those of them with a finding that nobody rejected.
    """

    tier: int
    draw: int
    outcome: Outcome
    code: str
    items: int
    matches: int


class Journal:
    """Writes items and results, and says what became of them."""

    def __init__(self, database: Database, exhibits: Exhibits, layout: Layout) -> None:
        self._database = database
        self._exhibits = exhibits
        self._layout = layout
        self._listing = Listing(database)
        self._members = Members(database)
        self._carved = Carved(database, exhibits)

    def add_items(self, reference: str, volume_offset: int, rows: Sequence[Row], *, first: int) -> int:
        """Store listed items (see `listed_row`) in one transaction; return how many were new.

        What has no content is examined by that. `first` is the position of the first of them in the walk of the volume,
        from 0: a walk that is begun again after a kill adds nothing twice and ends with the rows of an uninterrupted
        one.
        """
        region = self._layout.key(reference, volume_offset)
        with self._database.transaction():
            return self._listing.add(region, rows, first)

    def record_results(
        self, rows: Sequence[Row], found: Sequence[tuple[int, Finding]], *, found_at: str, seconds: float
    ) -> None:
        """Store outcomes (see `result_row`) and findings, each with the number of its item, in one transaction.

        `found_at` (ISO 8601 UTC) and `seconds` (since the examination began) go to every finding. An item that has
        its outcome already is refused with StoreError, and nothing of the batch is stored.
        """
        with self._database.transaction():
            if self._database.execute_many(UPDATE_RESULT, rows) != len(rows):
                raise StoreError(
                    f"the case file {self._database.path}: a second outcome for one item, or one for an item "
                    "that is not stored; run again to resume, and report this as a defect"
                )
            store_findings(self._database, found, found_at=found_at, seconds=seconds)

    def add_members(
        self,
        container: int,
        rows: Sequence[Row],
        found: Sequence[tuple[int, Finding]],
        *,
        first: int,
        found_at: str,
        seconds: float,
    ) -> int:
        """Store members of a container (see `member_row`) with their findings, together; return how many were new.

        `container` is the number of the outermost one, in whose place in the order of the walk they stand: its volume,
        deleted where it is. `first` is the position of the first of them among all its members, from 0, and
        `found` holds positions within `rows`. Those that are stored already are passed over with their findings, so
        that a container gone through again after a kill has nothing twice. Raises StoreError where some would be left
        out before `first`.
        """
        with self._database.transaction():
            return self._members.add(container, rows, found, first=first, found_at=found_at, seconds=seconds)

    def end_container(self, container: int, *, whole: bool) -> None:
        """Record that a container was gone through, `whole` or in part. Raises StoreError unless it was still to be."""
        self._members.end(container, whole=whole)

    def add_carved(self, reference: str, rows: Sequence[Row], searched: Sequence[ByteRun]) -> int:
        """Store carved items (see `listed_row`) and that some bytes were searched, together; return how many were new.

        They stand behind what the walk of their region lists, in the order in which they lie, and wait to be examined.
        The same again changes nothing.
        """
        with self._database.transaction():
            return self._carved.add(reference, rows, searched)

    def add_found(
        self,
        reference: str,
        rows: Sequence[Row],
        found: Sequence[tuple[int, Finding]],
        *,
        found_at: str,
        seconds: float,
    ) -> frozenset[int]:
        """Store places that match known content, with outcome and findings (see `member_row`), in one transaction.

        `found` holds positions within `rows`; returned are those of the rows that were new. They stand where carved
        items do.
        """
        with self._database.transaction():
            return self._carved.add_found(reference, rows, found, found_at=found_at, seconds=seconds)

    def searched(self, reference: str) -> tuple[ByteRun, ...]:
        """Return the bytes of a source that were searched for content without a name, merged and sorted."""
        return self._carved.searched(reference)

    def matched(self, reference: str) -> NDArray[np.int64]:
        """Return the runs of all items that match a set by digest, as an int64 array of [start, end), in no order."""
        texts = (row["runs"] for row in self._database.rows(_MATCHED, (self._exhibits.key(reference), *EXACT)))
        return spans_of(texts, self._size(reference))

    def deleted(self, reference: str) -> NDArray[np.int64]:
        """Return [offset, length] of every deleted item with a name whose content lies in one run, by offset."""
        rows = self._database.tuples(_DELETED, (self._exhibits.key(reference),))
        return np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)

    def findings(self, reference: str) -> int:
        """Return the number of findings of an exhibit."""
        row = self._database.one(_FINDINGS, (self._exhibits.key(reference),))
        assert row is not None
        return int(row["findings"])

    def drawn(self, reference: str) -> tuple[DrawnItems, ...]:
        """Return the pictures of an exhibit, counted, in the order of tiers and of the classes of their samples."""
        rows = self._database.rows(_DRAWN, (self._exhibits.key(reference),))
        return tuple(
            DrawnItems(**{**dict(row), "outcome": Outcome(row["outcome"]), "code": row["code"] or ""}) for row in rows
        )

    def accounted(self, reference: str) -> Iterator[AccountedItems]:
        """Stream what the coverage account needs of every item, some thousands of items at a time."""
        size = self._size(reference)
        alike: defaultdict[_Alike, list[str]] = defaultdict(list)
        gathered = 0
        for kind, allocated, outcome, reason, damaged, runs in self._database.rows(
            _ACCOUNT, (self._exhibits.key(reference),)
        ):
            code = reason.partition(":")[0] if reason else ""
            alike[kind, allocated, outcome, code, damaged].append(runs)
            gathered += _ROW + len(runs)
            if gathered >= _GATHERED:
                yield from _accounted(alike, size)
                alike.clear()
                gathered = 0
        yield from _accounted(alike, size)

    def _size(self, reference: str) -> int:
        record = self._exhibits.get(reference)
        return 0 if record is None else record.info.size


def _accounted(alike: Mapping[_Alike, list[str]], size: int) -> Iterator[AccountedItems]:
    for (kind, allocated, outcome, code, damaged), texts in alike.items():
        yield AccountedItems(
            kind=ItemKind(kind),
            allocated=bool(allocated),
            outcome=Outcome(outcome),
            code=code,
            damaged=None if damaged is None else bool(damaged),
            items=len(texts),
            spans=spans_of(texts, size),
        )
