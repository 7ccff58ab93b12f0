"""Items and what became of them: listed once, each with one outcome, so that a killed run can be resumed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.model.digest import PictureHashes
from triage.model.errors import StoreError
from triage.model.finding import Finding
from triage.model.item import Item, ItemKind, Outcome, printable
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.layout import Layout
from triage.store.rows import INSERT_ITEM, item_of, item_row, spans_of

BATCH = 5000

NO_PICTURE = PictureHashes()

_PENDING = """
SELECT * FROM item WHERE region_id = ? AND (sequence, id) > (?, ?) AND outcome = 'not-reached'
ORDER BY sequence, id LIMIT ?
"""
_RESULT = """
UPDATE item SET md5 = ?, sha1 = ?, sha256 = ?, media_type = ?, pdq = ?, pdq_quality = ?, phash = ?,
                picture_damaged = ?, outcome = ?, reason = ?
WHERE id = ? AND outcome = 'not-reached'
"""
_FINDING = """
INSERT INTO finding (item_id, set_name, set_version, set_digest, set_kind, category, grade, match, distance,
                     confirmed, found_at, seconds, analyzer, analyzer_version, series, flags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_STANDING = """
SELECT coalesce(sum(item.outcome <> 'not-reached'), 0) AS items_done, count(*) AS items_total,
       cast(total(item.size * (item.outcome <> 'not-reached')) AS INTEGER) AS bytes_done,
       cast(total(item.size) AS INTEGER) AS bytes_total
FROM region JOIN item ON item.region_id = region.id WHERE region.exhibit_id = ?
"""
_ACCOUNT = """
SELECT item.kind, item.allocated, item.outcome, item.reason, item.picture_damaged, item.runs
FROM region CROSS JOIN item ON item.region_id = region.id WHERE region.exhibit_id = ?
"""
_GATHERED = 4 << 20  # characters of runs that are turned into numbers at once
_ROW = 64  # what a row counts besides

_Alike = tuple[str, int, str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItem:
    """An item without an outcome: its number in the case, and its volume."""

    number: int
    volume: ByteRun
    item: Item


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
class Standing:
    """How many items and bytes of content have an outcome, and how many there are."""

    items_done: int
    items_total: int
    bytes_done: int
    bytes_total: int


class Journal:
    """Writes items and results, and says what is left to do."""

    def __init__(self, database: Database, exhibits: Exhibits, layout: Layout) -> None:
        self._database = database
        self._exhibits = exhibits
        self._layout = layout

    def add_items(self, reference: str, volume_offset: int, items: Sequence[Item], *, first: int) -> int:
        """Store listed items in one transaction; return how many were new. What has no content is examined by that.

        `first` is the position of the first of them in the walk of the volume, from 0: a walk that is begun again
        after a kill adds nothing twice and ends with the rows of an uninterrupted one.
        """
        region = self._layout.key(reference, volume_offset)
        rows = (item_row(region, sequence, item) for sequence, item in enumerate(items, first))
        with self._database.transaction():
            return self._database.execute_many(INSERT_ITEM, rows)

    def pending(self, reference: str, *, batch: int = BATCH) -> Iterator[tuple[PendingItem, ...]]:
        """Yield the items without an outcome, volume by volume in the order of the walk.

        Results may be recorded between two batches; an item handed out is not handed out again.
        """
        for region in self._layout.regions(reference):
            key = self._layout.key(reference, region.run.offset)
            last = (-1, -1)
            while rows := list(self._database.rows(_PENDING, (key, *last, batch))):
                last = (rows[-1]["sequence"], rows[-1]["id"])
                yield tuple(PendingItem(number=row["id"], volume=region.run, item=item_of(row)) for row in rows)

    def standing(self, reference: str) -> Standing:
        """Return how far the examination of an exhibit is."""
        row = self._database.one(_STANDING, (self._exhibits.key(reference),))
        assert row is not None
        return Standing(**dict(row))

    def record_results(self, results: Sequence[ItemResult], *, found_at: str, seconds: float) -> None:
        """Store outcomes and findings in one transaction.

        `found_at` (ISO 8601 UTC) and `seconds` (since the examination began) go to every finding. An item that has
        its outcome already is refused with StoreError, and nothing of the batch is stored.
        """
        with self._database.transaction():
            if self._database.execute_many(_RESULT, map(_result_row, results)) != len(results):
                raise StoreError(
                    f"the case file {self._database.path}: a second outcome for one item, or one for an item "
                    "that is not stored; run again to resume, and report this as a defect"
                )
            self._database.execute_many(
                _FINDING,
                (
                    _finding_row(result.item, finding, found_at, seconds)
                    for result in results
                    for finding in result.findings
                ),
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


def _result_row(result: ItemResult) -> tuple[object, ...]:
    """Return the parameters of `_RESULT`."""
    pictures = result.pictures or NO_PICTURE
    reason = result.reason
    return (
        result.digests.md5,
        result.digests.sha1,
        result.digests.sha256,
        result.media_type,
        pictures.pdq,
        pictures.quality,
        pictures.phash,
        pictures.damaged if result.pictures else None,
        result.outcome.value,
        None if reason is None else printable(reason),
        result.item,
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
