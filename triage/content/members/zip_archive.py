"""Zip archives, and what is one under another name: office documents, e-books, Java archives, Android packages.

The directory at the end names the members; where it is gone or damaged, the header in front of each member does. The
standard library's reader is not used: it holds every entry at once, refuses a whole archive for one bad name, and
reads nothing without a directory.

Source: PKWARE's APPNOTE 6.3.10; times: the extra fields 0x5455 (Info-ZIP) and 0x000a (NTFS). DOS times are local times
of an unknown zone and are left out.
"""

from collections.abc import Callable, Iterator
from functools import partial

from triage.content.content import Content
from triage.content.members import compression
from triage.content.members.decoding import Coded, Pieces, decoded
from triage.content.members.lzma_filters import lzma_filter
from triage.content.members.member import (
    Container,
    Found,
    Member,
    Obstacle,
    ObstacleError,
    as_name,
    damaged,
    unsupported,
)
from triage.content.members.zip_headers import (
    Entry,
    central_entries,
    central_place,
    data_place,
)
from triage.content.members.zip_places import Places, left_out
from triage.model.trouble import TroubleCode

_AES, _STORED, _LZMA = 99, 0, 14
_ENCRYPTED = 1
_EMPTY = 64  # bytes: no method stores nothing in more
_METHODS = {
    1: "shrink", 6: "implode", 9: "deflate64", 10: "implode (DCL)", 18: "TERSE", 19: "LZ77",
    96: "JPEG", 97: "WavPack", 98: "PPMd",
}  # fmt: skip


def zip_members(container: Container) -> Found:
    """Yield the members of a zip archive, those that the directory leaves out last."""
    archive = _Archive(container)
    start = container.size
    try:
        place = central_place(container)
        for entry in central_entries(container, place):
            yield from archive.members(entry)
        start = place.start
        trouble = None
    except ObstacleError as error:
        if error.obstacle.code is not TroubleCode.DAMAGED:
            raise
        trouble = Obstacle(TroubleCode.DAMAGED, f"{error}: members are read by their own headers")
        yield trouble
    for entry in left_out(container, archive.places, start):
        if trouble is None:
            trouble = Obstacle(TroubleCode.DAMAGED, "the directory leaves out members: they are read by their headers")
            yield trouble
        yield from archive.members(entry, listed=False)


class _Archive:
    """Gives out the members of entries, each byte once for all entries of the directory."""

    def __init__(self, container: Container) -> None:
        self.places = Places()
        self._container = container

    def members(self, entry: Entry, *, listed: bool = True) -> Iterator[Member]:
        """Yield the member of an entry, nothing for a folder."""
        if entry.name.endswith(b"/") and not entry.size and entry.stored <= _EMPTY:
            return
        name = as_name(entry.name)
        try:
            content, obstacle = self._content(entry, listed=listed)
        except ObstacleError as error:
            content, obstacle = None, error.obstacle
        yield Member(name, entry.size, entry.modified, content, obstacle)

    def _content(self, entry: Entry, *, listed: bool) -> tuple[Content | None, Obstacle | None]:
        place = data_place(self._container, entry) if not entry.flags & _ENCRYPTED else entry.header
        if listed and not self.places.take(entry.header, place + entry.stored):
            raise ObstacleError(TroubleCode.LIMIT, "lies on top of another member, as only bombs do: it is not decoded")
        if entry.size == 0 and entry.stored > _EMPTY:
            content, obstacle = decoded(self._container, _coded(self._container, entry._replace(size=None, crc=None)))
            return content, obstacle or Obstacle(TroubleCode.DAMAGED, f"said to be empty, with {entry.stored} bytes")
        return decoded(self._container, _coded(self._container, entry))


def _coded(container: Container, entry: Entry) -> Coded:
    """Return a member as it is stored. Raises ObstacleError where it cannot be decoded."""
    if entry.flags & _ENCRYPTED:
        raise ObstacleError(TroubleCode.ENCRYPTED, "encrypted (AES)" if entry.method == _AES else "encrypted")
    offset = data_place(container, entry)
    if offset + entry.stored > container.size:
        raise damaged("the archive ends before the member does")
    return Coded(
        pieces=_opened(container, entry, offset),
        stored=entry.stored,
        size=entry.size,
        crc=entry.crc,
        plain=offset if entry.method == _STORED else None,
    )


def _opened(container: Container, entry: Entry, offset: int) -> Callable[[], Pieces]:
    if entry.method == _STORED:
        return partial(compression.stored, container, offset, entry.stored)
    if entry.method == _LZMA:
        header = container.exactly(offset, 4)
        size = int.from_bytes(header[2:], "little")
        start = compression.unlzma([lzma_filter(container.exactly(offset + 4, size), entry.size or 0, container)])
        return partial(compression.pieces, start, container, offset + 4 + size, entry.stored - 4 - size)
    starts: dict[int, Callable[[], compression.Decompressor]] = {
        8: compression.inflate(compression.RAW),
        12: compression.bunzip2,
        93: compression.unzstd,
        95: compression.unxz(container),
    }
    if entry.method not in starts:
        raise unsupported(f"the compression method {_METHODS.get(entry.method, entry.method)} is not read")
    return partial(compression.pieces, starts[entry.method], container, offset, entry.stored)
