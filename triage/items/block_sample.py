"""Which blocks of a device to read, and in which order, so that few of them say much of all.

A grid and a random draw. A grid of every so-manieth block meets every run of blocks that is as long, without doubt; it
is read from coarse to fine, so that one that is stopped early still meets the longer runs. What lies scattered is left
to the draw: of the blocks that are not on the grid, without replacement, in an order that a seed decides. The first n
of that order are a random sample for every n, so it can be stopped after any whole batch, and nothing is read twice.
`triage.policy.block_bounds` says what it proves.

Nothing here reads evidence, and memory does not grow with the device: no order of all blocks is ever kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from triage.items.permutation import Permutation
from triage.model.blocks import BLOCK_BYTES
from triage.model.runs import ByteRun, merge

BATCH = 4096
"""Blocks of a batch: 16 MiB, a second or less of a disk that must seek for each few of them."""

_COARSEST = 1 << 8  # how many times as coarse as the grid its first pass is

Numbers = NDArray[np.int64]


class Part(StrEnum):
    """Why a block is read."""

    GRID = "grid"
    DRAW = "draw"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockBatch:
    """Blocks to read together: `offsets` (n,) in bytes, ascending.

    A batch counts when all of it was read; `done` is how many blocks of its part are then read.
    """

    part: Part
    offsets: Numbers
    done: int


class BlockSpace:
    """The whole blocks of spans of a device, numbered in their order from 0 on; two numbers of memory for each span.

    In a span a block begins every `step` bytes from its start on, so spans should begin where a file can: at a cluster.
    Clusters smaller than a block are the step: a block begins at each of them, and most bytes lie in several blocks.
    Spans that touch are one if the second begins at a step of the first. What a span has beyond its last whole block,
    and the `cut` bytes before spans, are `left_bytes` in all: in no block. Raises ValueError for spans that overlap,
    and for a step of which a block is no multiple.
    """

    def __init__(self, spans: Iterable[ByteRun], *, step: int = BLOCK_BYTES, cut: int = 0) -> None:
        if step < 1 or BLOCK_BYTES % step:
            raise ValueError(f"blocks cannot begin every {step} bytes")
        ordered = sorted(spans)
        if any(before.end > after.offset for before, after in pairwise(ordered)):
            raise ValueError("spans of a device overlap")
        joined = [run for group in _in_step(ordered, step) for run in merge(group)]
        lengths = np.array([run.length for run in joined], np.int64)
        counts = np.maximum((lengths - BLOCK_BYTES) // step + 1, 0)
        covered = np.where(counts > 0, (counts - 1) * step + BLOCK_BYTES, 0)
        self.step = step
        self._starts = np.array([run.offset for run in joined], np.int64)
        self._ends = np.cumsum(counts)
        self.size = int(self._ends[-1]) if joined else 0
        self.left_bytes = cut + int((lengths - covered).sum())

    def offsets(self, numbers: Numbers) -> Numbers:
        """Return where blocks begin, in bytes from the start of the device."""
        span = self._ends.searchsorted(numbers, "right")
        before = np.where(span > 0, self._ends[span - 1], 0)
        return np.asarray(self._starts[span] + (numbers - before) * self.step, np.int64)

    def around(self, offsets: Numbers, reach: int) -> Numbers:
        """Return where the blocks begin that are at most `reach` blocks from some of these, in their spans, once each.

        They lie as whole blocks before and after each other, whatever the step. The blocks themselves are among them.
        Raises ValueError where one begins at no block.
        """
        numbers = self._numbers(offsets)
        near = (numbers[:, None] + np.arange(-reach, reach + 1) * (BLOCK_BYTES // self.step)).ravel()
        span = np.repeat(self._ends.searchsorted(numbers, "right"), 2 * reach + 1)
        kept = np.unique(near[(near >= 0) & (self._ends.searchsorted(near, "right") == span)])
        return self.offsets(kept)

    def _numbers(self, offsets: Numbers) -> Numbers:
        span = np.maximum(self._starts.searchsorted(offsets, "right") - 1, 0)
        before = np.where(span > 0, self._ends[span - 1], 0)
        numbers = np.asarray(before + (offsets - self._starts[span]) // self.step, np.int64)
        if ((numbers < 0) | (numbers >= self.size)).any() or (self.offsets(numbers) != offsets).any():
            raise ValueError("an offset at which no block begins")
        return numbers


class BlockSample:
    """The sample of one stratum; the same space, name, seed and stride give the same batches.

    `stride` is that of the grid in numbers of blocks: as many neighbours, such as `stride_for` says of a size, are met
    without doubt. None for no grid. `name` parts the strata of one device, `seed` has up to 64 bytes.
    """

    def __init__(self, space: BlockSpace, name: str, *, seed: bytes, stride: int | None) -> None:
        if stride is not None and stride < 1:
            raise ValueError(f"no grid of stride {stride}")
        self.space = space
        self._stride = stride
        own = blake2b(name.encode(), key=seed).digest()
        self._first = int.from_bytes(own[:8]) % stride if stride else 0
        self.grid = 0 if stride is None else len(range(self._first, space.size, stride))
        self._order = Permutation(space.size - self.grid, own)

    @property
    def others(self) -> int:
        """Blocks that are not on the grid: what is drawn from."""
        return self._order.size

    def batches(self, draws: int, size: int = BATCH) -> Iterator[BlockBatch]:
        """Yield the whole grid, then so many draws, or as many as there are."""
        yield from self.grid_batches(size)
        yield from self.draw_batches(0, draws, size)

    def grid_batches(self, size: int = BATCH) -> Iterator[BlockBatch]:
        """Yield the grid: every 256th block of it, then those half-way between, and so on."""
        done = 0
        for first, step in _passes():
            for start in range(first, self.grid, step * size):
                some = np.arange(start, min(self.grid, start + step * size), step)
                done += len(some)
                numbers = self._first + some * (self._stride or 1)
                yield BlockBatch(part=Part.GRID, offsets=self.space.offsets(numbers), done=done)

    def draw_batches(self, start: int, end: int, size: int = BATCH) -> Iterator[BlockBatch]:
        """Yield the draws from number `start` to `end` - 1, fewer where there are no more."""
        end = min(end, self.others)
        for first in range(start, end, size):
            last = min(end, first + size)
            numbers = np.sort(self._off_grid(self._order.numbers(first, last)))
            yield BlockBatch(part=Part.DRAW, offsets=self.space.offsets(numbers), done=last)

    def _off_grid(self, others: Numbers) -> Numbers:
        """Return the numbers of blocks by their numbers among those that are not on the grid."""
        if not self.grid or self._stride is None:
            return others
        behind = others - self._first  # how many of them, from 0 on, lie after the first of the grid
        return others + np.where(behind < 0, 0, behind // max(1, self._stride - 1) + 1)


def stride_for(size: int) -> int:
    """Return the stride of a grid that meets every unbroken content of so many bytes, at least one block.

    It is odd, so that where blocks begin every half, quarter or eighth of a block, 2, 4 or 8 neighbours on the grid are
    of as many phases: the same stride meets the content at every step that a space can have.
    """
    if size < BLOCK_BYTES:
        raise ValueError(f"no block of {BLOCK_BYTES} bytes is sure to lie in {size}")
    return (size // BLOCK_BYTES - 1) | 1


def _passes() -> Iterator[tuple[int, int]]:
    """Yield first number and step of each pass over a grid, so that all of them together take every number once."""
    step = _COARSEST
    yield 0, step
    while step > 1:
        yield step // 2, step
        step //= 2


def _in_step(ordered: list[ByteRun], step: int) -> Iterator[list[ByteRun]]:
    """Yield groups of spans, one after the other, that touch and whose steps fall in one row."""
    group: list[ByteRun] = []
    for run in ordered:
        if group and (run.offset != group[-1].end or (run.offset - group[0].offset) % step):
            yield group
            group = []
        group.append(run)
    if group:
        yield group
