"""Byte runs and their arithmetic: the ground that coverage stands on."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ByteRun:
    """A half-open range of bytes, `[offset, offset + length)`."""

    offset: int
    length: int

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        if self.offset < 0 or self.length < 0:
            raise ValueError(f"not a byte run: offset {self.offset}, length {self.length}")

    def __reduce__(self) -> "tuple[type[ByteRun], tuple[int, int]]":
        """Travel between processes by the shortest way: a walk hands over millions of runs."""
        return ByteRun, (self.offset, self.length)

    @property
    def end(self) -> int:
        """The first offset after the run."""
        return self.offset + self.length


Runs = tuple[ByteRun, ...]


def merge(runs: Iterable[ByteRun]) -> Runs:
    """Sort runs and join those that touch or overlap; empty runs vanish."""
    merged: list[ByteRun] = []
    for run in sorted(run for run in runs if run.length):
        if merged and run.offset <= merged[-1].end:
            last = merged[-1]
            merged[-1] = ByteRun(last.offset, max(last.end, run.end) - last.offset)
        else:
            merged.append(run)
    return tuple(merged)


def intersect(left: Runs, right: Runs) -> Runs:
    """Return the bytes that lie in both; both sides as `merge` returns them."""
    shared: list[ByteRun] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i].offset, right[j].offset)
        end = min(left[i].end, right[j].end)
        if start < end:
            shared.append(ByteRun(start, end - start))
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1
    return tuple(shared)


def subtract(runs: Runs, taken: Runs) -> Runs:
    """Return the bytes of `runs` that are not in `taken`; both as `merge` returns them."""
    left: list[ByteRun] = []
    j = 0
    for run in runs:
        position = run.offset
        while j < len(taken) and taken[j].end <= position:
            j += 1
        k = j
        while k < len(taken) and taken[k].offset < run.end:
            if taken[k].offset > position:
                left.append(ByteRun(position, taken[k].offset - position))
            position = max(position, taken[k].end)
            k += 1
        if position < run.end:
            left.append(ByteRun(position, run.end - position))
    return tuple(left)


def total(runs: Iterable[ByteRun]) -> int:
    """Return the number of bytes in disjoint runs."""
    return sum(run.length for run in runs)
