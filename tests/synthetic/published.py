"""Published hash sets that are in memory only, and what a reader makes of them, record by record."""

import io
from collections.abc import Iterable
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from triage.hashsets.batch import UNKNOWN_SIZE, Batch
from triage.hashsets.formats.reader import HEAD_BYTES, Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import HASH_BITS, HASH_BYTES, VARIANT, Record


class InMemory(Published):
    """A published file of these bytes, or of this text in UTF-8."""

    def __init__(self, content: bytes | str) -> None:
        super().__init__(Path("set.txt"))
        self.__dict__["content"] = content.encode() if isinstance(content, str) else content

    @cached_property
    def _looked_at(self) -> tuple[int, bytes]:
        content = self.__dict__["content"]
        return len(content), content[:HEAD_BYTES]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.__dict__["content"])


def read(reader: Reader, content: bytes | str) -> tuple[list[Record], ReadReport]:
    """Return the records in the order in which they come, and the report."""
    report = ReadReport("set.txt", reader=reader.name, unit=reader.unit)
    return [record for _, record in placed(reader.read(InMemory(content), report))], report


def placed(batches: Iterable[Batch]) -> list[tuple[int, Record]]:
    """Return each record after its place, in their order: further records of a row come last in a batch."""
    found = [(int(batch.place[row]), _record(batch, row)) for batch in batches for row in range(len(batch))]
    return sorted(found, key=itemgetter(0))


def _record(batch: Batch, row: int) -> Record:
    present = int(batch.present[row])
    hashes = (batch.hashes[name][row].tobytes() if present & HASH_BITS[name] else None for name in HASH_BYTES)
    md5, sha1, sha256, pdq, phash = hashes
    size = None if batch.size[row] == UNKNOWN_SIZE else int(batch.size[row])
    category, grade, series, flags = batch.labels[batch.label[row]]
    altered = bool(present & VARIANT)
    return Record(md5, sha1, sha256, pdq, phash, size, category, grade, series, flags, altered)


def is_digest(raw: bytes) -> bool:
    """Tell whether these bytes can be a file's digest and not what fills a column."""
    return raw not in (bytes(len(raw)), b"\xff" * len(raw))
