"""Items and what became of them: listed once, each with one outcome, so that a killed run can be resumed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.model.errors import StoreError
from triage.model.finding import Finding
from triage.model.item import ItemKind, Outcome
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.layout import Layout
from triage.store.listing import Listing
from triage.store.rows import UPDATE_RESULT, Row, spans_of

_FINDING = """
INSERT INTO finding (item_id, set_name, set_version, set_digest, set_kind, category, grade, match, distance,
                     confirmed, found_at, seconds, analyzer, analyzer_version, series, flags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ACCOUNT = """
SELECT item.kind, item.allocated, item.outcome, item.reason, item.picture_damaged, item.runs
FROM region CROSS JOIN item ON item.region_id = region.id WHERE region.exhibit_id = ?
"""
_FINDINGS = """
SELECT count(*) AS findings FROM finding JOIN item ON item.id = finding.item_id
JOIN region ON region.id = item.region_id WHERE region.exhibit_id = ?
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

    `code` is their reason up to its first colon, empty without a reason. `damaged`: a picture that was decoded in part.
    `spans` are their runs as an int64 array of [start, end), inside the source, in no order.
    """

    kind: ItemKind
    allocated: bool
    outcome: Outcome
    code: str
    damaged: bool
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
            self._database.execute_many(
                _FINDING, (_finding_row(number, finding, found_at, seconds) for number, finding in found)
            )

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
        record = self._exhibits.get(reference)
        size = 0 if record is None else record.info.size
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


def _accounted(alike: Mapping[_Alike, list[str]], size: int) -> Iterator[AccountedItems]:
    for (kind, allocated, outcome, code, damaged), texts in alike.items():
        yield AccountedItems(
            kind=ItemKind(kind),
            allocated=bool(allocated),
            outcome=Outcome(outcome),
            code=code,
            damaged=bool(damaged),
            items=len(texts),
            spans=spans_of(texts, size),
        )


def _finding_row(item: int, finding: Finding, found_at: str, seconds: float) -> tuple[object, ...]:
    match = finding.match
    return (
        item,
        match.set.name,
        match.set.version,
        match.set.digest,
        match.set.kind.value,
        match.category,
        match.grade,
        match.by.value,
        match.distance,
        finding.confirmed,
        found_at,
        seconds,
        finding.analyzer,
        finding.analyzer_version,
        match.series,
        " ".join(match.flags) or None,
    )
