"""Byte runs by the million: the arithmetic of `triage.model.runs` on arrays.

Spans are an array of shape (n, 2), int64: each row is a half-open range of bytes [start, end). Those that `merge`
returns are sorted and disjoint; the other functions take and return such.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.model.runs import ByteRun

Spans = NDArray[np.int64]
Numbers = NDArray[np.int64]


def spans_of(runs: Iterable[ByteRun], size: int) -> Spans:
    """Return what of the runs lies inside a source of `size` bytes, merged."""
    return merge([np.array([(min(run.offset, size), min(run.end, size)) for run in runs], np.int64).reshape(-1, 2)])


def merge(parts: Sequence[Spans]) -> Spans:
    """Sort spans in any order and join those that touch or overlap; empty ones vanish."""
    spans = np.concatenate(parts) if parts else np.empty((0, 2), np.int64)
    spans = spans[spans[:, 0] < spans[:, 1]]
    if not len(spans):
        return spans
    spans = spans[np.argsort(spans[:, 0])]
    reached = np.maximum.accumulate(spans[:, 1])
    first = np.flatnonzero(np.concatenate(([True], spans[1:, 0] > reached[:-1])))
    last = np.concatenate((first[1:], [len(spans)])) - 1
    return np.stack((spans[first, 0], reached[last]), axis=1)


def intersect(left: Spans, right: Spans) -> Spans:
    """Return the bytes that lie in both."""
    lowest = np.searchsorted(right[:, 1], left[:, 0], "right")
    number = np.searchsorted(right[:, 0], left[:, 1], "left") - lowest  # how many of `right` each of `left` meets
    before = np.cumsum(number) - number
    one = np.repeat(np.arange(len(left)), number)
    other = np.arange(len(one)) + np.repeat(lowest - before, number)
    return np.stack((np.maximum(left[one, 0], right[other, 0]), np.minimum(left[one, 1], right[other, 1])), axis=1)


def subtract(spans: Spans, taken: Spans) -> Spans:
    """Return the bytes of `spans` that are not in `taken`."""
    if not len(spans) or not len(taken):
        return spans
    edges = np.concatenate(([spans[0, 0]], taken.ravel(), [spans[-1, 1]])).reshape(-1, 2)
    return intersect(spans, edges[edges[:, 0] < edges[:, 1]])


def before(spans: Spans, places: Numbers) -> Numbers:
    """Return for each place, in an array of any shape, how many bytes of the spans lie before it."""
    begun = np.searchsorted(spans[:, 0], places)
    lengths = np.concatenate(([0], np.cumsum(spans[:, 1] - spans[:, 0])))
    ends = np.concatenate(([0], spans[:, 1]))
    return np.asarray(lengths[begun] - np.maximum(ends[begun] - places, 0), np.int64)


def disjoint(spans: Spans, owners: Numbers) -> tuple[Spans, Numbers]:
    """Return spans in any order with the number of the owner of each, so cut that those of one owner are disjoint.

    They are sorted by owner, and then by where they begin; what is cut to nothing stays as an empty one.
    """
    if not len(spans):
        return spans, owners
    order = np.lexsort((spans[:, 0], owners))
    spans, owners = spans[order], owners[order]
    # The farthest end so far among those of one owner: numbers that grow from owner to owner, and with the ends.
    ends, rank = np.unique(spans[:, 1], return_inverse=True)
    reached = ends[np.maximum.accumulate(owners * len(ends) + rank) % len(ends)]
    floor = np.where(owners[1:] == owners[:-1], reached[:-1], 0)
    starts = np.minimum(np.maximum(spans[:, 0], np.concatenate(([0], floor))), spans[:, 1])
    return np.stack((starts, spans[:, 1]), axis=1), owners


def total(spans: Spans) -> int:
    """Return the number of bytes in spans."""
    return int((spans[:, 1] - spans[:, 0]).sum())
