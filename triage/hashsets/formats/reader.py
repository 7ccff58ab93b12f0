"""The shape of a reader: one format, found by content and streamed as batches of records."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from triage.hashsets.batch import Batch
from triage.hashsets.formats.decoding import is_binary
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.regular_file import open_regular
from triage.model.errors import SourceError
from triage.model.item import printable

HEAD_BYTES = 1 << 16

_BUFFER = 1 << 20

Advance = Callable[[int], None]
Read = Callable[["Published", ReadReport], Iterator[Batch]]
ReadStream = Callable[[BinaryIO, ReadReport], Iterator[Batch]]


@dataclass(frozen=True)
class Published:
    """One file as its publisher made it. `advance` is told of every byte that was read, for the progress.

    Raises SourceError where it is not a file that can be read.
    """

    path: Path
    advance: Advance = field(default=lambda _count: None, compare=False)

    @property
    def shown(self) -> str:
        """The path as it can be printed."""
        return printable(str(self.path))

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return self._looked_at[0]

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        return self._looked_at[1]

    @cached_property
    def is_binary(self) -> bool:
        """Whether the head holds what no text does."""
        return is_binary(self.head)

    @cached_property
    def _looked_at(self) -> tuple[int, bytes]:
        try:
            with open_regular(self.path) as file:
                return os.fstat(file.fileno()).st_size, file.read(HEAD_BYTES)
        except OSError as error:
            raise self.unreadable(error) from error

    def open(self) -> BinaryIO:
        """Return a stream of the bytes, which tells `advance`. Its errors are OSError."""
        return io.BufferedReader(_Watched(self.path, self.advance), _BUFFER)

    def unreadable(self, error: OSError) -> SourceError:
        """Return the error for a file that cannot be read."""
        return SourceError(f"{self.shown}: cannot be read: {error.strerror or error}: check the path")


class _Watched(io.FileIO):
    """A file that tells how many bytes were read of it."""

    def __init__(self, path: Path, on_read: Advance) -> None:
        super().__init__(path, "rb")
        self._on_read = on_read

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        count = super().readinto(buffer) or 0
        self._on_read(count)
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format: `recognise` looks at the head (or, in a database, at its tables), `read` streams in flat memory.

    `read` raises SourceError (one line) where the file as a whole is not what it seemed; a bad row or value is
    counted in the report and the reading goes on. `unit` is what a place in the report counts. `binary`: whether a
    file of the format may hold zero bytes; other readers are never asked about one that does. `categorised`: whether
    a file of this format can tell what membership means.
    """

    name: str
    unit: str
    recognise: Callable[[Published], bool]
    read: Read
    binary: bool = False
    categorised: bool = False


def streamed(read: ReadStream) -> Read:
    """Return the reader of a published file for one of a stream, whose errors become SourceError."""

    def batches(published: Published, report: ReadReport) -> Iterator[Batch]:
        try:
            with published.open() as stream:
                yield from read(stream, report)
        except OSError as error:
            raise published.unreadable(error) from error

    return batches
