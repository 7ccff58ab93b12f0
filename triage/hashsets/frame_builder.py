"""From the frames of videos to the columns of a sealed set, in memory that hardly grows with their number.

Frames wait with the number of their video; which record that video is, is known when the records have their numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import INDEXED, KEY_BYTES, Column
from triage.hashsets.exact import DigestColumn
from triage.hashsets.external_sort import ExternalSort, Field, Spill, Table
from triage.hashsets.frames import FrameCounts, KnownFrames
from triage.hashsets.index_columns import write_index
from triage.hashsets.record import DIGEST_BYTES, PDQ_BYTES
from triage.hashsets.sealing import SealedWriter
from triage.model.errors import StoreError

_FIELDS: Mapping[str, Field] = {"raw": Field("u1", PDQ_BYTES), "record": Field("<u4"), "time": Field("<u4")}
_FILE = f"S{DIGEST_BYTES['sha256']}"
_LATEST = (1 << 32) - 1  # milliseconds: 49 days

Records = NDArray[np.uint32]


class FrameBuilder:
    """Takes the frames of videos; `write` sorts them and writes them.

    Use as a context manager: it holds temporary files in `folder`. Its methods raise OSError where they cannot be
    written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows = ExternalSort(folder, _FIELDS, _leading, distinct=True)
        self._files = Spill(folder)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for held in (self._rows, self._files):
            held.__exit__()

    @property
    def work(self) -> int:
        """How many rows `write` will say are done."""
        return self._rows.added

    def add(self, frames: KnownFrames) -> None:
        """Take the frames of one video."""
        count = len(frames.hashes)
        row = {
            "raw": frames.hashes,
            "record": np.full(count, self._number, "<u4"),
            "time": np.minimum(frames.milliseconds, _LATEST).astype("<u4"),
        }
        self._rows.add(row, count)
        self._files.append(np.frombuffer(frames.file, np.uint8))
        self._number += 1

    def write(self, writer: SealedWriter, files: DigestColumn, advance: Callable[[int], None]) -> FrameCounts:
        """Write the columns; `files` are the SHA-256 of the set, of which each record is known.

        Raises StoreError where a video is not in the set.
        """
        records = self._records(files)

        def told() -> Iterator[Table]:
            for block in self._rows.blocks(lambda table: {**table, "record": records[table["record"]]}):
                yield block
                advance(len(block["record"]))

        held = self._write_columns(writer, told())
        return FrameCounts(videos=len(np.unique(records)), held=held)

    def _write_columns(self, writer: SealedWriter, frames: Iterator[Table]) -> int:
        with Spill(self._folder) as records, Spill(self._folder) as times:

            def words() -> Iterator[Column]:
                yield np.empty((0, INDEXED["frame"]), "<u8")
                for block in frames:
                    records.append(block["record"])
                    times.append(block["time"])
                    yield np.ascontiguousarray(block["raw"]).view(">u8").astype("<u8")

            written = writer.column("frame", words())
            writer.column("frame_record", records.blocks("<u4"))
            writer.column("frame_time", times.blocks("<u4"))
        write_index(writer, "frame", written)
        return len(written)

    def _records(self, files: DigestColumn) -> Records:
        """Return the record of each video that was given, the first where there are several."""
        found = [np.empty(0, "<u4")]
        for digests in self._files.blocks(_FILE):
            queries, records = files.find(digests)
            numbers, first = np.unique(queries, return_index=True)
            if len(numbers) != len(digests):
                raise StoreError("a video whose frames were given is not in the set: report this defect")
            found.append(records[first].astype("<u4"))
        return np.concatenate(found)


def _leading(table: Table) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each hash as a big-endian number."""
    return np.ascontiguousarray(table["raw"][:, :KEY_BYTES]).view(">u8").ravel().astype(np.uint64)
