"""The blocks of a sample read, compared with the sets, and what they lead to looked at: no file system is asked.

One block of a known file is a lead. Its neighbours are read as well, and where as many as `LEAST_RUN` of them follow
each other as they do in the file, that is a finding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.content.blocks import block_digests
from triage.hashsets.blocks import BlockRun, runs_of
from triage.hashsets.hashset import HashSet
from triage.items.block_sample import BlockBatch, BlockSample, BlockSpace, Part
from triage.model.blocks import BLOCK_BYTES, BlockStratum
from triage.sources.watched import WatchedSource

REACH = 15
"""Blocks before and after a lead that are read as well: 124 KiB in all, which a disk reads as fast as one block."""

_MOST_FOLLOWED = 128  # leads of a batch: a device full of known files must not be read many times over

Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """A run of blocks of one file of one set; it may go on further than the neighbours that were read."""

    known: HashSet
    run: BlockRun


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSearched:
    """What one batch showed: `leads` of the `read` blocks are of known files, `unreadable` ones are no part of these.

    `followed` leads, all of them or as many as suffice, spread evenly, were looked at with their neighbours; `runs` are
    all that these make. The neighbours are no part of the numbers, for they were not drawn.
    """

    part: Part
    done: int
    read: int
    unreadable: int
    leads: int
    followed: int
    runs: tuple[KnownRun, ...]


class BlockSearch:
    """Looks blocks of one source up in the sets that have hashes of blocks; where none has, nothing is found."""

    def __init__(self, source: WatchedSource, sets: Sequence[HashSet]) -> None:
        self._source = source
        self._sets = [one for one in sets if one.has_blocks]

    def search(self, space: BlockSpace, batch: BlockBatch) -> BatchSearched:
        """Read a batch and what it leads to."""
        read, leads = self.compare(batch.offsets)
        offsets = neighbours(space, leads)
        return BatchSearched(
            part=batch.part,
            done=batch.done,
            read=read,
            unreadable=len(batch.offsets) - read,
            leads=len(leads),
            followed=min(len(leads), len(leads[:: _step(leads)])),
            runs=tuple(self.runs(offsets)),
        )

    def compare(self, offsets: Numbers) -> tuple[int, Numbers]:
        """Return how many blocks could be read, and at which of the offsets there are leads."""
        blocks, readable = self._read(offsets)
        found = self._compared(offsets, blocks)
        leads = np.unique(np.concatenate([np.empty(0, np.int64), *(offsets for _, offsets, _, _ in found)]))
        return int(np.count_nonzero(readable)), leads

    def runs(self, offsets: Numbers) -> Iterator[KnownRun]:
        """Yield the runs of blocks of known files at some offsets, set by set."""
        if not len(offsets):
            return
        for known, where, records, indexes in self._compared(offsets, self._read(offsets)[0]):
            for run in runs_of(where, records, indexes):
                yield KnownRun(known=known, run=run)

    def _compared(self, offsets: Numbers, blocks: Bytes) -> list[tuple[HashSet, Numbers, Numbers, Numbers]]:
        """Return by set the hits: offsets of blocks, records and numbers in their files."""
        digests = block_digests(blocks)
        hits = [(known, known.match_blocks(digests)) for known in self._sets]
        return [(known, offsets[found.queries], found.records, found.indexes) for known, found in hits]

    def _read(self, offsets: Numbers) -> tuple[Bytes, NDArray[np.bool_]]:
        """Return blocks, and whether each could be read as a whole; neighbours are read together."""
        blocks = np.empty((len(offsets), BLOCK_BYTES), np.uint8)
        first = np.flatnonzero(np.diff(offsets, prepend=-2 * BLOCK_BYTES) != BLOCK_BYTES)
        for start, end in zip(first.tolist(), [*first[1:].tolist(), len(offsets)], strict=True):
            self._source.read_into(int(offsets[start]), blocks[start:end].data)
        bad = self._source.unreadable_runs()
        if not bad:
            return blocks, np.ones(len(offsets), np.bool_)
        starts, ends = np.array([(one.run.offset, one.run.end) for one in bad], np.int64).T
        # The runs are sorted and apart: a block meets one if more begin before its end than end before its start.
        meets = starts.searchsorted(offsets + BLOCK_BYTES) > ends.searchsorted(offsets, "right")
        return blocks, ~meets


def neighbours(space: BlockSpace, leads: Numbers) -> Numbers:
    """Return which blocks are to be read around leads, or around as many of them as suffice, spread evenly."""
    return space.around(leads[:: _step(leads)], REACH) if len(leads) else leads


def _step(leads: Numbers) -> int:
    return max(1, -(-len(leads) // _MOST_FOLLOWED))


class StratumCount:
    """What was read of one stratum so far, batch after batch in the order of the sample.

    `before` is what an earlier run had read.
    """

    def __init__(self, sample: BlockSample, label: str, before: BlockStratum | None = None) -> None:
        self._sample = sample
        self._label = label
        self._done = dict.fromkeys(Part, 0)
        self._unreadable = dict.fromkeys(Part, 0)
        self._leads = self._alone = 0
        if before is not None:
            self._done = {Part.GRID: before.grid_read, Part.DRAW: before.drawn}
            self._unreadable = {Part.GRID: before.grid_unreadable, Part.DRAW: before.drawn_unreadable}
            self._leads, self._alone = before.leads, before.alone

    def add(self, batch: BlockBatch, *, unreadable: int, leads: int, alone: int = 0) -> None:
        """Count a batch of which all was read; `alone` of the leads are in no finding."""
        self._done[batch.part] = batch.done
        self._unreadable[batch.part] += unreadable
        self._leads += leads
        self._alone += alone

    def has(self, batch: BlockBatch) -> bool:
        """Tell whether a batch is counted already."""
        return batch.done <= self._done[batch.part]

    @property
    def stratum(self) -> BlockStratum:
        """The stratum as `triage.policy.block_bounds` judges it."""
        return BlockStratum(
            label=self._label,
            blocks=self._sample.space.size,
            grid=self._sample.grid,
            grid_read=self._done[Part.GRID],
            drawn=self._done[Part.DRAW],
            leads=self._leads,
            alone=self._alone,
            grid_unreadable=self._unreadable[Part.GRID],
            drawn_unreadable=self._unreadable[Part.DRAW],
            left_bytes=self._sample.space.left_bytes,
        )
