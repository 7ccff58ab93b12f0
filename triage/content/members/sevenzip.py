"""7z archives: each folder (in 7-Zip's words, what was compressed as one) is decoded once, in order, file after file.

Read are LZMA, LZMA2, bzip2, deflate, zstd and plain copies, behind filters for machine code and the delta filter;
PPMd, Deflate64 and BCJ2 are not. Encrypted folders and headers are told.

Source: `7zFormat.txt` and `Methods.txt` of the LZMA SDK, which are in the public domain.
"""

import zlib
from collections.abc import Callable, Iterator
from functools import partial

from triage.content.content import Content
from triage.content.members.decoding import Coded, Pieces, decoded
from triage.content.members.member import Container, Found, Member, Obstacle, ObstacleError, damaged
from triage.content.members.sevenzip_coders import folder_pieces
from triage.content.members.sevenzip_header import (
    ENCODED_HEADER,
    HEADER,
    Fields,
    File,
    Folder,
    read_files,
    read_streams,
    skip_to_streams,
)
from triage.model.trouble import TroubleCode

_START = 32
_MOST_LAYERS = 4


def sevenzip_members(container: Container) -> Found:
    """Yield the files of a 7z archive."""
    folders, files = _header(container)
    for file in files:
        if not file.has_stream and not file.is_folder:
            yield Member(file.name, 0, file.modified, Content.of(b""))
    with_stream = (file for file in files if file.has_stream)
    for folder in folders:
        yield from _folder_members(container, folder, with_stream)
    for file in with_stream:
        yield Member(
            file.name, None, file.modified, None, Obstacle(TroubleCode.DAMAGED, "the header has no bytes for it")
        )


def _header(container: Container) -> tuple[list[Folder], list[File]]:
    """Return what the header says, decoded as often as it is encoded."""
    start = container.exactly(0, _START)
    if zlib.crc32(start[12:]) != int.from_bytes(start[8:12], "little"):
        raise damaged("the start header is damaged: members cannot be found")
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    if not size:
        return [], []
    if size > container.limits.held:
        raise ObstacleError(TroubleCode.LIMIT, f"a header of {size} bytes")
    data = container.exactly(_START + offset, size)
    if zlib.crc32(data) != int.from_bytes(start[28:], "little"):
        raise damaged("the header is damaged: members cannot be found")
    for _ in range(_MOST_LAYERS):
        fields = Fields(data)
        if fields.expect(HEADER, ENCODED_HEADER) == HEADER:
            folders = skip_to_streams(fields)
            return folders, read_files(fields) if fields.left else []
        data = _decoded_header(container, read_streams(fields))
    raise damaged("the header is encoded again and again")


def _decoded_header(container: Container, folders: list[Folder]) -> bytes:
    if not folders or folders[0].size > container.limits.held:
        raise ObstacleError(TroubleCode.LIMIT, "an encoded header that is too large")
    folder = folders[0]
    content, obstacle = decoded(
        container, _coded(container, folder, partial(folder_pieces, container, folder), *folder.parts[0])
    )
    if obstacle is not None or content is None:
        raise ObstacleError(*(obstacle or Obstacle(TroubleCode.DAMAGED, "an empty header")))
    return bytes(content.whole())


def _coded(container: Container, folder: Folder, pieces: Callable[[], Pieces], size: int, crc: int | None) -> Coded:
    return Coded(pieces=pieces, stored=min(folder.packed, container.size), size=size, crc=crc)


def _folder_members(container: Container, folder: Folder, files: Iterator[File]) -> Iterator[Member]:
    """Yield the files of a folder from one pass of decoding, which ends where something is wrong."""
    running = _Running(partial(folder_pieces, container, folder))
    broken: Obstacle | None = None
    offset = 0
    for size, crc in folder.parts:
        file = next(files, None)
        if file is None:
            return
        content = None
        obstacle = broken
        if broken is None:
            opening = _Opening(running, offset, size)
            content, obstacle = decoded(container, _coded(container, folder, opening, size, crc))
            broken = obstacle if running.position != offset + size else None
        yield Member(file.name, size, file.modified, content, obstacle)
        offset += size


class _Running:
    """The one pass over a folder's decoded bytes."""

    def __init__(self, start: Callable[[], Pieces]) -> None:
        self.start = start
        self.position = 0
        self._pieces: Pieces | None = None
        self._rest = b""
        self._consumed = 0

    def take(self, length: int) -> Pieces:
        """Yield the next bytes, so many of them."""
        if self._pieces is None:
            self._pieces = self.start()
        while length > 0:
            if not self._rest:
                self._rest, self._consumed = next(self._pieces, (b"", self._consumed))
            piece, self._rest = self._rest[:length], self._rest[length:]
            if not piece:
                return
            length -= len(piece)
            self.position += len(piece)
            yield piece, self._consumed


class _Opening:
    """Starts a file's decoding: the first time in the pass that is under way, then from the start of the folder."""

    def __init__(self, running: _Running, offset: int, size: int) -> None:
        self._running = running
        self._offset = offset
        self._size = size
        self._opened = False

    def __call__(self) -> Pieces:
        """Return the file's bytes."""
        if not self._opened:
            self._opened = True
            return self._running.take(self._size)
        again = _Running(self._running.start)
        for _ in again.take(self._offset):
            pass
        return again.take(self._size)
