"""From batches of records to the columns of a sealed set, in memory that hardly grows with their number.

The records are sorted by their first hash and made distinct (`external_sort.py`), which gives each its number; then
each hash is sorted for itself with the numbers of the records that carry it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import Batch
from triage.hashsets.block_builder import BlockBuilder
from triage.hashsets.blocks import KnownBlocks
from triage.hashsets.columns import KEY_BYTES, WORDS, Column, Columns
from triage.hashsets.exact import DigestColumn, prefix_table
from triage.hashsets.external_sort import ExternalSort, Field, Spill, Table
from triage.hashsets.frame_builder import FrameBuilder
from triage.hashsets.frames import KnownFrames
from triage.hashsets.index_columns import write_index
from triage.hashsets.labels import Labels
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS, HASH_BYTES, VARIANT
from triage.hashsets.sample import Sample
from triage.hashsets.sealed import SetHeader, SetMeta
from triage.hashsets.sealing import SealedWriter
from triage.model.errors import SourceError, StoreError

MAX_RECORDS = (1 << 32) - 1

_FIELDS: Mapping[str, Field] = {
    **{name: Field("u1", length) for name, length in HASH_BYTES.items()},
    "present": Field("u1"),
    "label": Field("<u4"),
    "size": Field("<i8"),  # the last, so that records that differ in nothing else lie together
}
_BY_RECORD = ("present", "size", "label")

Advance = Callable[[int], None]


class SetBuilder:
    """Takes batches; `write` sorts them, drops records that say the same twice, and writes the sealed file.

    Use as a context manager: it holds temporary files in `folder`. Its methods raise OSError where they cannot be
    written. `sample` are some of the records it was given, by which the set that was made can be checked.
    `with_blocks`: the set is one with hashes of blocks, even if no file has one.
    """

    def __init__(self, folder: Path, *, with_blocks: bool = False) -> None:
        self.added = 0
        self.sample = Sample()
        self._folder = folder
        self._hashes = self._merged = 0
        self._labels = Labels()
        self._rows = ExternalSort(folder, _FIELDS, _first_hash, distinct=True)
        self._blocks = BlockBuilder(folder) if with_blocks else None
        self._frames: FrameBuilder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._rows.__exit__(kind, error, at)
        if self._blocks is not None:
            self._blocks.__exit__(kind, error, at)
        if self._frames is not None:
            self._frames.__exit__(kind, error, at)

    @property
    def series_dropped(self) -> bool:
        """Whether no series was kept because there were too many different ones."""
        return self._labels.series_dropped

    @property
    def duplicates(self) -> int:
        """Records that say what another one says; known when the set is written."""
        return self._rows.dropped + self._merged

    @property
    def work(self) -> int:
        """How often `write` will say that rows are done: once for each record, each of its hashes, block and frame."""
        beside = sum(one.work for one in (self._blocks, self._frames) if one is not None)
        return self._rows.added + self._hashes + beside

    def add(self, batch: Batch) -> None:
        """Take records. Raises SourceError where they have more different labels than any set."""
        label = self._labels.numbers(batch.labels)[batch.label]
        self._hashes += sum(int(np.count_nonzero(batch.present & bit)) for bit in HASH_BITS.values())
        self._rows.add({**batch.hashes, "present": batch.present, "size": batch.size, "label": label}, len(batch))
        self.sample.take(batch)
        self.added += len(batch)

    def add_blocks(self, blocks: KnownBlocks) -> None:
        """Take the blocks of a file whose record is given, too. Raises SourceError as `BlockBuilder.add` does."""
        assert self._blocks is not None, "the set is made without blocks"
        self._blocks.add(blocks)

    def add_frames(self, frames: KnownFrames) -> None:
        """Take the frames of a video whose record is given, too."""
        self._frames = self._frames or FrameBuilder(self._folder)
        self._frames.add(frames)

    def write(self, file: BinaryIO, meta: SetMeta, advance: Advance) -> SetHeader:
        """Write the sealed set to an empty file that can be read, too, and flush it to the disc.

        `advance` is told how many rows more are done; see `work`. Raises StoreError where a record would be lost.
        """
        with ExitStack() as stack:
            writer = SealedWriter(file)
            lists = {
                name: stack.enter_context(ExternalSort(self._folder, _list_fields(name), _leading))
                for name in HASH_BYTES
            }
            counts = self._write_records(writer, lists, advance)
            written: dict[str, Column] = {}
            for name in DIGEST_BYTES:
                written |= self._write_digests(writer, name, _told(lists[name].blocks(), advance))
            for name in WORDS:
                self._write_words(writer, name, _told(lists[name].blocks(), advance))
            files = DigestColumn("sha256", written)
            blocks = None if self._blocks is None else self._blocks.write(writer, files, advance)
            frames = None if self._frames is None else self._frames.write(writer, files, advance)
            return writer.finish(meta, {**counts, **{name: lists[name].added for name in HASH_BYTES}}, blocks, frames)

    def _write_records(
        self, writer: SealedWriter, lists: Mapping[str, ExternalSort], advance: Advance
    ) -> dict[str, int]:
        """Give each distinct record its number, write what there is of it, and hand its hashes on."""
        records = variants = 0
        used = np.zeros(max(1, len(self._labels)), np.bool_)
        with ExitStack() as stack:
            spills = {name: stack.enter_context(Spill(self._folder)) for name in _BY_RECORD}
            for block in _told(self._distinct(), advance):
                present = block["present"]
                if records + len(present) > MAX_RECORDS:
                    raise SourceError(f"more than {MAX_RECORDS} records: divide the set into several")
                numbers = np.arange(records, records + len(present), dtype="<u4")
                for name, spill in spills.items():
                    spill.append(block[name])
                for name, bit in HASH_BITS.items():
                    some = np.flatnonzero(present & bit)
                    lists[name].add({"raw": block[name][some], "record": numbers[some]}, len(some))
                records += len(present)
                variants += int(np.count_nonzero(present & VARIANT))
                used[block["label"]] = True
            if records + self.duplicates != self.added:
                raise StoreError(f"of {self.added} records only {records} were written: report this defect")
            renumbered = (np.cumsum(used) - 1).astype("<u4")
            writer.column("present", spills["present"].blocks("u1"))
            writer.column("size", spills["size"].blocks("<i8"))
            writer.column("label", (renumbered[part] for part in spills["label"].blocks("<u4")))
        for name, column in self._labels.columns(used).items():
            writer.column(name, [column])
        return {"records": records - variants, "variants": variants}

    def _distinct(self) -> Iterator[Table]:
        final = self._labels.final_numbers()
        for block in self._rows.blocks(lambda table: {**table, "label": final[table["label"]]}):
            merged = _sizes_merged(block)
            self._merged += len(block["size"]) - len(merged["size"])
            yield merged

    def _write_digests(self, writer: SealedWriter, name: str, digests: Iterator[Table]) -> Columns:
        """Write the columns of one digest and return them as they were written."""
        with Spill(self._folder) as rests, Spill(self._folder) as records:

            def keys() -> Iterator[Column]:
                for block in digests:
                    rests.append(block["raw"][:, KEY_BYTES:])
                    records.append(block["record"])
                    yield _leading(block)

            written = writer.column(f"{name}_key", keys())
            table = writer.column(f"{name}_table", prefix_table(written)) if len(written) else written
            return {
                f"{name}_key": written,
                f"{name}_table": table,
                f"{name}_rest": writer.column(f"{name}_rest", rests.blocks(f"S{DIGEST_BYTES[name] - KEY_BYTES}")),
                f"{name}_record": writer.column(f"{name}_record", records.blocks("<u4")),
            }

    def _write_words(self, writer: SealedWriter, name: str, hashes: Iterator[Table]) -> None:
        with Spill(self._folder) as records:

            def words() -> Iterator[Column]:
                yield np.empty((0, WORDS[name]), "<u8")
                for block in hashes:
                    records.append(block["record"])
                    yield np.ascontiguousarray(block["raw"]).view(">u8").astype("<u8")

            written = writer.column(name, words())
            writer.column(f"{name}_record", records.blocks("<u4"))
        write_index(writer, name, written)


def _sizes_merged(block: Table) -> Table:
    """Return a block with one record of those that differ in size alone: of one content, so the size is not known."""
    others = [column for name, column in block.items() if name != "size"]
    same = np.all([_equal_neighbours(column) for column in others], axis=0)
    if not same.any():
        return block
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    sizes = block["size"]
    disputed = np.minimum.reduceat(sizes, first) != np.maximum.reduceat(sizes, first)
    return {**{name: column[first] for name, column in block.items()}, "size": np.where(disputed, -1, sizes[first])}


def _equal_neighbours(column: Column) -> NDArray[np.bool_]:
    equal = column[1:] == column[:-1]
    return np.asarray(equal.all(axis=1) if equal.ndim > 1 else equal)


def _told(blocks: Iterator[Table], advance: Advance) -> Iterator[Table]:
    for block in blocks:
        yield block
        advance(len(next(iter(block.values()))))


def _list_fields(name: str) -> dict[str, Field]:
    return {"raw": Field("u1", HASH_BYTES[name]), "record": Field("<u4")}


def _leading(table: Table) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each hash as a big-endian number."""
    return _big_endian(table["raw"])


def _first_hash(table: Table) -> NDArray[np.uint64]:
    """Return the first 8 bytes of the first hash that each row carries."""
    present = table["present"]
    key = np.zeros(len(present), np.uint64)
    left = np.ones(len(present), np.bool_)
    for name, bit in HASH_BITS.items():
        if name in table:
            some = left & (present & bit != 0)
            key[some] = _big_endian(table[name][some])
            left &= ~some
    return key


def _big_endian(raw: Column) -> NDArray[np.uint64]:
    return np.ascontiguousarray(raw[:, :KEY_BYTES]).view(">u8").ravel().astype(np.uint64)
