"""A file inside evidence, in the place where the readers of disk images expect one of this machine."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from triage.model.errors import EvidenceError
from triage.model.trouble import TroubleCode
from triage.sources.container_file import ContainerFile
from triage.sources.evidence_files import EvidenceFiles


class InnerBytes(Protocol):
    """The bytes of a file inside evidence; reading raises EvidenceError where they cannot be had."""

    @property
    def size(self) -> int:
        """How many they are."""

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return the bytes at an offset, fewer at the end."""

    def open(self) -> object:
        """Return a seekable file over them."""


class ImageError(EvidenceError):
    """A disk image that cannot be opened; `code` says of what kind the trouble is."""

    def __init__(self, code: TroubleCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class InnerFile(ContainerFile):
    """A file inside evidence in the place of one of this machine; the path is no more than its name."""

    def __init__(self, name: str, content: InnerBytes) -> None:
        self.path = Path(name)
        self.size = content.size
        self.content = content

    @property
    def stream(self) -> BinaryIO:
        """The file as an object that a library can seek and read."""
        return cast("BinaryIO", self.content.open())

    def read_some(self, offset: int, length: int) -> bytes:
        """Return the first of the bytes, at least one. Raises EvidenceError where there is none."""
        data = self.content.read_at(offset, length) if offset < self.size else b""
        if not data:
            raise EvidenceError(f"the image is cut, it ends at {min(offset, self.size)} bytes")
        return data

    def close(self) -> None:
        """Do nothing: the bytes belong to the evidence."""


class InnerFiles(EvidenceFiles):
    """The one segment of an EWF image inside evidence, whatever path is asked for."""

    def __init__(self, content: InnerBytes) -> None:
        super().__init__()
        self.content = content

    def read(self, path: Path, offset: int, length: int) -> bytes:  # noqa: ARG002 - there is one file
        """Return bytes of the file, short at its end. Raises OSError where they cannot be had."""
        try:
            return self.content.read_at(offset, length) if offset < self.content.size else b""
        except EvidenceError as error:
            raise OSError(errno.EIO, str(error)) from error

    def read_into(self, path: Path, offset: int, buffers: Sequence[memoryview]) -> int:
        """Fill buffers one after the other, and return how many bytes came. Raises OSError."""
        data = self.read(path, offset, sum(map(len, buffers)))
        done = 0
        for buffer in buffers:
            piece = data[done : done + len(buffer)]
            buffer[: len(piece)] = piece
            done += len(piece)
        return done

    def size(self, path: Path) -> int:  # noqa: ARG002 - there is one file
        """Return where the file ends."""
        return self.content.size
