"""From the blocks of files to the columns of a sealed set, in memory that hardly grows with their number.

Blocks wait with the number of their file; which record that file is, is known when the records have their numbers. 4
bytes a file are all that stays in memory. Equal contents are one file. What is left out does not depend on the order.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.blocks import BlockCounts, Bytes, KnownBlocks
from triage.hashsets.columns import KEY_BYTES, Column
from triage.hashsets.exact import DigestColumn, prefix_table
from triage.hashsets.external_sort import ExternalSort, Field, Spill, Table
from triage.hashsets.record import DIGEST_BYTES
from triage.hashsets.sealing import SealedWriter
from triage.model.blocks import BLOCK_DIGEST_BYTES
from triage.model.errors import SourceError, StoreError

MOST_PLACES = 20
"""A block that occurs at more places of the set is left out: it belongs to a format or a program, not to a file."""

_MOST = (1 << 32) - 1
_FIELDS: Mapping[str, Field] = {"raw": Field("u1", BLOCK_DIGEST_BYTES), "record": Field("<u4"), "index": Field("<u4")}
_REST = f"S{BLOCK_DIGEST_BYTES - KEY_BYTES}"
_FILE = f"S{DIGEST_BYTES['sha256']}"
_LEFT_OUT = 3  # plain, common, partial

Numbers = NDArray[np.int64]


class BlockBuilder:
    """Takes the blocks of files; `write` sorts them and writes those that are kept.

    Use as a context manager: it holds temporary files in `folder`. Its methods raise OSError where they cannot be
    written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows = ExternalSort(folder, _FIELDS, _leading, distinct=True)
        self._files, self._left_out = Spill(folder), Spill(folder)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for held in (self._rows, self._files, self._left_out):
            held.__exit__()

    @property
    def work(self) -> int:
        """How many rows `write` will say are done."""
        return self._rows.added

    def add(self, blocks: KnownBlocks) -> None:
        """Take the blocks of one file. Raises SourceError for more files, or a larger one, than numbers can tell."""
        left_out = np.zeros(_LEFT_OUT, "<u8")
        for part in blocks.parts:
            if self._number >= _MOST or (len(part.indexes) and int(part.indexes[-1]) > _MOST):
                raise SourceError(f"more than {_MOST} files, or blocks of one: divide the set into several")
            kept = _first_places(part.digests)
            number = np.full(len(kept), self._number, "<u4")
            row = {"raw": part.digests[kept], "record": number, "index": part.indexes[kept].astype("<u4")}
            self._rows.add(row, len(kept))
            left_out += np.array([part.plain, len(part.indexes) - len(kept), part.partial], "<u8")
        self._files.append(np.frombuffer(blocks.file, np.uint8))
        self._left_out.append(left_out)
        self._number += 1

    def write(self, writer: SealedWriter, files: DigestColumn, advance: Callable[[int], None]) -> BlockCounts:
        """Write the columns; `files` are the SHA-256 of the set, of which each record is known.

        Raises StoreError where a file is not in the set, or a block would be lost.
        """
        records = self._records(files)
        plain, common, partial = self._sums(records).tolist()
        written = 0

        def kept() -> Iterator[Table]:
            nonlocal common, written
            for block in self._rows.blocks(lambda table: {**table, "record": records[table["record"]]}):
                keep = _at_few_places(block["raw"])
                common += len(keep) - int(np.count_nonzero(keep))
                written += len(keep)
                yield {name: column[keep] for name, column in block.items()}
                advance(len(keep))

        held = self._write_columns(writer, kept())
        if written != self._rows.added - self._rows.dropped:
            raise StoreError(f"of {self._rows.added} blocks only {written} came back: report this defect")
        return BlockCounts(held=held, plain=plain, common=common, partial=partial)

    def _write_columns(self, writer: SealedWriter, blocks: Iterator[Table]) -> int:
        with Spill(self._folder) as rests, Spill(self._folder) as records, Spill(self._folder) as indexes:

            def keys() -> Iterator[Column]:
                for block in blocks:
                    rests.append(block["raw"][:, KEY_BYTES:])
                    records.append(block["record"])
                    indexes.append(block["index"])
                    yield _leading(block)

            written = writer.column("block_key", keys())
            if len(written):
                writer.column("block_table", prefix_table(written))
            writer.column("block_rest", rests.blocks(_REST))
            writer.column("block_record", records.blocks("<u4"))
            writer.column("block_index", indexes.blocks("<u4"))
        return len(written)

    def _records(self, files: DigestColumn) -> NDArray[np.uint32]:
        """Return the record of each file that was given, the first where there are several."""
        found = [np.empty(0, "<u4")]
        for digests in self._files.blocks(_FILE):
            queries, records = files.find(digests)
            if len(np.unique(queries)) != len(digests):
                raise StoreError("a file whose blocks were given is not in the set: report this defect")
            found.append(records[np.unique(queries, return_index=True)[1]].astype("<u4"))
        return np.concatenate(found)

    def _sums(self, records: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """Return how many blocks were left out so far, by cause, each content counted once."""
        first = np.zeros(len(records), np.bool_)
        first[np.unique(records, return_index=True)[1]] = True
        sums, start = np.zeros(_LEFT_OUT, np.uint64), 0
        for numbers in self._left_out.blocks("<u8", _LEFT_OUT << 16):
            table = numbers.reshape(-1, _LEFT_OUT)
            sums += table[first[start : start + len(table)]].sum(axis=0, dtype=np.uint64)
            start += len(table)
        return sums


def _leading(table: Table) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each digest as a big-endian number."""
    return np.ascontiguousarray(table["raw"][:, :KEY_BYTES]).view(">u8").ravel().astype(np.uint64)


def _first_places(digests: Bytes) -> Numbers:
    """Return the rows of a part without those of a block beyond one place more than are kept.

    The place more tells that it is common; without the others even a file of one block over and over is soon sorted.
    """
    order, place, _ = _places(digests)
    return np.sort(order[place <= MOST_PLACES])


def _at_few_places(raw: Bytes) -> NDArray[np.bool_]:
    """Tell for each row, sorted by digest, whether its block is at few enough places."""
    order, _, places = _places(raw)
    few = np.empty(len(raw), np.bool_)
    few[order] = places <= MOST_PLACES
    return few


def _places(digests: Bytes) -> tuple[Numbers, Numbers, Numbers]:
    """Return an order in which equal digests lie together; along it the place of each among equals, and how many."""
    halves = np.ascontiguousarray(digests).view(">u8")
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    ordered = halves[order]
    begins = np.flatnonzero(
        np.concatenate([np.ones(min(1, len(order)), np.bool_), np.any(ordered[1:] != ordered[:-1], axis=1)])
    )
    lengths = np.diff(begins, append=len(order))
    return order, np.arange(len(order)) - np.repeat(begins, lengths), np.repeat(lengths, lengths)
