"""The shape of a reader: one format, found by content and streamed as records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import Record

HEAD_BYTES = 1 << 16

Read = Callable[[BinaryIO, ReadReport], Iterator[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format: `recognise` looks at the first 64 KiB at most, `read` streams with memory that does not grow.

    `read` raises SourceError (one line) where the file as a whole is not what it seemed; a bad row or value is
    counted in the report and the reading goes on. `unit` is what a place in the report counts.
    """

    name: str
    unit: str
    recognise: Callable[[bytes], bool]
    read: Read
