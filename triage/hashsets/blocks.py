"""The hashes of the blocks of a set's files: what is given to be kept, what is kept, and what a look-up finds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import Column, Columns
from triage.hashsets.exact import DigestColumn
from triage.model.blocks import BLOCK_BYTES, BLOCK_DIGEST_BYTES

LEAST_RUN = 4
"""Blocks: a run of so many of one known file is a finding, a shorter one a lead that somebody may follow."""

Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class BlockPart(NamedTuple):
    """Some blocks of one file, aligned to its start: those that say where they are from, and how many others.

    `digests`: (n, 16), `indexes`: (n,) the number of each in the file, ascending. `plain` blocks say nothing of their
    file; `partial` is 1 for the part that has the last block, if that is not whole.
    """

    digests: Bytes
    indexes: Numbers
    plain: int
    partial: int


class KnownBlocks(NamedTuple):
    """The blocks of the file whose SHA-256 (32 bytes) is `file`, part by part, in their order.

    The parts of one content are always cut in the same way.
    """

    file: bytes
    parts: Iterable[BlockPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCounts:
    """Whole blocks of the files of a set: `held` in it, and left out.

    `plain` say nothing of where they are from, `common` occur at too many places of the set; `partial` are the ends of
    files that are no whole block.
    """

    held: int = 0
    plain: int = 0
    common: int = 0
    partial: int = 0

    @property
    def text(self) -> str:
        """One line for a person."""
        return (
            f"{self.held:,} held; left out: {self.plain:,} that say nothing of their file, {self.common:,} that are "
            f"at too many places, {self.partial:,} ends of files that are no whole block"
        )

    @classmethod
    def parsed(cls, told: Mapping[str, Any]) -> Self:
        """Return what a header tells. Raises ValueError, KeyError or TypeError for what makes no sense."""
        numbers = {field.name: told[field.name] for field in fields(cls)}
        if any(type(number) is not int or number < 0 for number in numbers.values()):
            raise ValueError("a number of blocks is none")
        return cls(**numbers)


class BlockHits(NamedTuple):
    """Each pair of a query and a block of the set that is equal to it, ordered by query, record and index, all (m,).

    `queries`: the numbers of the queries; `records`: of the files in the set; `indexes`: of the blocks in the files,
    from 0 on.
    """

    queries: Numbers
    records: Column
    indexes: Column


class BlockIndex:
    """The blocks of one set, looked up as digests are (`exact.py`); a block is in it at few places."""

    def __init__(self, columns: Columns) -> None:
        self._digests = DigestColumn("block", columns)
        self._records: Column = columns["block_record"]
        self._indexes: Column = columns["block_index"]

    def __len__(self) -> int:
        return len(self._digests)

    def match(self, digests: Bytes) -> BlockHits:
        """Return where each of some blocks is in the set, by digests of shape (n, 16). Raises ValueError for others."""
        if digests.dtype != np.uint8 or digests.shape[1:] != (BLOCK_DIGEST_BYTES,):
            raise ValueError(f"digests of blocks are of shape (n, {BLOCK_DIGEST_BYTES}), these of {digests.shape}")
        packed = np.ascontiguousarray(digests).reshape(-1).view(f"S{BLOCK_DIGEST_BYTES}")
        numbers, positions = self._digests.positions(packed)
        return BlockHits(numbers, self._records.take(positions), self._indexes.take(positions))

    def member(self, position: int) -> tuple[int, int, bytes]:
        """Return record, index and digest of one block, by its position in the order of all."""
        record, digest = self._digests.member(position)
        return record, int(self._indexes[position]), digest


@dataclass(frozen=True, slots=True, order=True)
class BlockRun:
    """So many blocks from an offset of a device on that are those of one file from number `index` on, one by one."""

    offset: int
    record: int
    index: int
    blocks: int

    @property
    def is_finding(self) -> bool:
        """Whether it is long enough that it is no chance, nor a part that unrelated files share."""
        return self.blocks >= LEAST_RUN


def runs_of(offsets: Numbers, records: Column, indexes: Column) -> list[BlockRun]:
    """Return the runs that hits make, ordered by offset: every hit, all (m,) in any order, lies in one run of its file.

    A run goes on where the next block of the device is the next one of the same file. `offsets` are in bytes and need
    not be multiples of a block, as the start of a volume is none.
    """
    if not len(offsets):
        return []
    records, indexes = records.astype(np.int64), indexes.astype(np.int64)
    begins = offsets - BLOCK_BYTES * indexes  # where the file would begin: the same all along a run
    order = np.lexsort((indexes, begins, records))
    records, indexes, begins = records[order], indexes[order], begins[order]
    same = (np.diff(records) == 0) & (np.diff(begins) == 0)
    first = np.concatenate(([True], ~same | (np.diff(indexes) > 1)))
    bounds = [*np.flatnonzero(first).tolist(), len(first)]
    found = []
    for start, end in pairwise(bounds):
        index, last = int(indexes[start]), int(indexes[end - 1])
        offset = int(begins[start]) + BLOCK_BYTES * index
        found.append(BlockRun(offset=offset, record=int(records[start]), index=index, blocks=last - index + 1))
    return sorted(found)
