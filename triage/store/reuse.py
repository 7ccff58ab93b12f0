"""How much of the space of deleted items belongs to allocated ones by now, as far as the runs of both tell."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triage.store.database import Database
from triage.store.rows import CARVED, spans_of
from triage.store.spans import Spans, before, disjoint, merge

# Members lie in their container, and carved items, which stand behind all others, have no name: neither is listed.
_LISTED = "region_id = ? AND sequence >= ? AND sequence < ? AND container IS NULL AND runs <> ''"
_DELETED = f"SELECT id, runs FROM item WHERE {_LISTED} AND NOT allocated"  # noqa: S608 - a constant
_ALLOCATED = f"SELECT group_concat(runs, ' ') AS runs FROM item WHERE {_LISTED} AND allocated"  # noqa: S608 - as above
_LAST = f"SELECT coalesce(max(sequence), -1) AS last FROM item WHERE region_id = ? AND sequence < {CARVED}"  # noqa: S608 - as above
_MEASURED = "UPDATE item SET space = ?, reused = ? WHERE id = ?"
_AT_ONCE = 1 << 13  # items whose runs are turned into numbers at once

Measures = NDArray[np.int64]


def measure_reuse(database: Database, region: int, size: int) -> None:
    """Write `space` and `reused` of every deleted item of a region with runs, inside the open transaction.

    All its names must be listed; `size` is that of the source in bytes. An allocated item has its blocks to their ends,
    behind its last byte too. A file that has another name still, beside a deleted one, is allocated.
    """
    deleted = list(_deleted(database, region, size))
    if not deleted:
        return
    allocated = _allocated(database, region, size)
    for numbers, spans, counts in deleted:
        measures = measured(spans, counts, allocated)
        rows = zip(measures[:, 0].tolist(), measures[:, 1].tolist(), numbers, strict=True)
        database.execute_many(_MEASURED, rows)


def measured(spans: Spans, counts: NDArray[np.int64], allocated: Spans) -> Measures:
    """Return for each item how many bytes its spans hold, and how many of them are in `allocated`, shape (items, 2).

    `counts` says how many of the spans, in their order, belong to each item; `allocated` is sorted and disjoint.
    """
    items = np.repeat(np.arange(len(counts)), counts)
    spans, items = disjoint(spans, items)
    inside = before(allocated, spans)
    measures = np.zeros((len(counts), 2), np.int64)
    np.add.at(measures[:, 0], items, spans[:, 1] - spans[:, 0])
    np.add.at(measures[:, 1], items, inside[:, 1] - inside[:, 0])
    return measures


def _deleted(database: Database, region: int, size: int) -> Iterator[tuple[list[int], Spans, NDArray[np.int64]]]:
    """Yield the numbers of deleted items, all their spans, and how many of these each of them has."""
    for some in _parts(database, region):
        rows = list(database.tuples(_DELETED, some))
        if rows:
            numbers, texts = zip(*rows, strict=True)
            counts = np.array([text.count("+") for text in texts], np.int64)
            yield list(numbers), spans_of(texts, size), counts


def _allocated(database: Database, region: int, size: int) -> Spans:
    """Return what the blocks of allocated items hold. Every run begins where a block does, whatever lies before it."""
    held = database.one("SELECT block_size FROM region WHERE id = ?", (region,))
    block = max(1, min(size, (held and held["block_size"]) or 1))
    parts: list[Spans] = []
    for some in _parts(database, region):
        for (text,) in database.tuples(_ALLOCATED, some):
            spans = spans_of([text], size)
            spans[:, 1] += (spans[:, 0] - spans[:, 1]) % block
            parts.append(merge([np.minimum(spans, size)]))
    return merge(parts)


def _parts(database: Database, region: int) -> Iterator[tuple[int, int, int]]:
    """Yield the region and where some items begin and end in the order of its walk, until all are told."""
    last = database.one(_LAST, (region,))
    assert last is not None
    return ((region, first, first + _AT_ONCE) for first in range(0, last["last"] + 1, _AT_ONCE))
