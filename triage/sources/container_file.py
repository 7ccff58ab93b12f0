"""The file of a container, opened read-only, and the files that a container names."""

import os
import stat
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

from triage.model.errors import EvidenceError, SourceError
from triage.model.item import printable

PLAUSIBLE_SIZE = 1 << 50
"""A virtual disk beyond this many bytes is taken for a damaged header: no such disk fits what tools make."""


_PAGE = 4096


class MediumError(EvidenceError):
    """The medium under a file cannot be read at a place; `length` bytes from there are given up."""

    def __init__(self, text: str, length: int) -> None:
        super().__init__(text)
        self.length = length


class ContainerFile:
    """One file, opened O_RDONLY; `size` in bytes at the time of opening. Raises SourceError if it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"{path}: cannot be opened: {reason}; check the path and the permissions") from error

    @property
    def stream(self) -> BinaryIO:
        """The file as an object that a library can seek and read; this class itself does not use its position."""
        return self._file

    def read_some(self, offset: int, length: int) -> bytes:
        """Return the first of the bytes, at least one: short where the file ends or before a bad place.

        Raises EvidenceError where the file ends before the offset, MediumError where the first byte cannot be read.
        """
        if offset >= self.size:
            raise EvidenceError(f"{printable(self.path.name)}: the file is cut, it ends at {self.size} bytes")
        try:
            data = os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            text = f"{printable(self.path.name)}: read error: {error.strerror}"
            raise MediumError(text, _PAGE - offset % _PAGE) from error
        if not data:
            raise EvidenceError(f"{printable(self.path.name)}: the file has become shorter")
        return data

    def read_up_to(self, offset: int, length: int) -> bytes:
        """Return bytes, fewer where the file ends. Raises EvidenceError when the medium cannot be read."""
        length = min(length, self.size - offset)
        pieces: list[bytes] = []
        while length > 0:
            pieces.append(self.read_some(offset, length))
            offset += len(pieces[-1])
            length -= len(pieces[-1])
        return b"".join(pieces)

    def read_exactly(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes. Raises EvidenceError where the file ends before or cannot be read."""
        data = self.read_up_to(offset, length)
        if len(data) < length:
            raise EvidenceError(f"{printable(self.path.name)}: the file is cut, it ends at {self.size} bytes")
        return data

    def peek(self, offset: int, length: int) -> bytes:
        """Return bytes to recognise a format by: none where they cannot be read."""
        try:
            return self.read_up_to(max(0, offset), length)
        except EvidenceError:
            return b""

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        self._file.close()


class ByteCache:
    """The most recently used byte strings, bounded by the sum of their lengths."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._entries: OrderedDict[int, bytes] = OrderedDict()

    def get(self, key: int) -> bytes | None:
        """Return what was kept under the key, or None."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: int, data: bytes) -> None:
        """Keep the bytes under a key that is not kept yet, dropping the oldest ones."""
        self._entries[key] = data
        self._held += len(data)
        while self._held > self._limit and len(self._entries) > 1:
            self._held -= len(self._entries.popitem(last=False)[1])


def beside(path: Path, name: str) -> Path | None:
    r"""Return the regular file in the folder of `path` that has the base name of `name`, or None.

    Only the base name counts, with `/` and `\` as separators: a name inside evidence must not lead anywhere else on
    this machine. Letter case counts only where two files differ in nothing else. `path` itself is never the answer.
    """
    base = name.replace("\\", "/").rpartition("/")[2].rstrip("\0 ")
    if not base or base in (".", "..") or "\0" in base:
        return None
    folded = base.casefold()
    try:
        alike = sorted(entry for entry in path.parent.iterdir() if entry.name.casefold() == folded)
        alike = [entry for entry in alike if stat.S_ISREG(entry.stat().st_mode) and not entry.samefile(path)]
    except OSError:
        return None
    return next((entry for entry in alike if entry.name == base), alike[0] if alike else None)
