"""Zip archives, and what is one under another name: office documents, e-books, Java archives, Android packages.

The directory at the end names the members; where it is gone or damaged, the header in front of each member does. The
standard library's reader is not used: it holds every entry at once, refuses a whole archive for one bad name, and
reads nothing without a directory.

Source: PKWARE's APPNOTE 6.3.10; times: the extra fields 0x5455 (Info-ZIP) and 0x000a (NTFS). DOS times are local times
of an unknown zone and are left out.
"""

from collections.abc import Callable, Iterator
from functools import partial

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
    LOCAL,
    Entry,
    central_entries,
    central_place,
    data_place,
    next_local_entry,
)
from triage.model.trouble import TroubleCode

_AES, _STORED, _LZMA = 99, 0, 14
_ENCRYPTED = 1
_METHODS = {
    1: "shrink", 6: "implode", 9: "deflate64", 10: "implode (DCL)", 18: "TERSE", 19: "LZ77",
    96: "JPEG", 97: "WavPack", 98: "PPMd",
}  # fmt: skip


def zip_members(container: Container) -> Found:
    """Yield the members of a zip archive; those without a directory entry only where the directory is damaged."""
    told: set[int] = set()
    try:
        for entry in central_entries(container, central_place(container)):
            told.add(entry.header)
            yield from _members(container, entry)
        if 0 in told or container.read(0, 4) != LOCAL:
            return
        text = "the directory leaves out the first member: others are read by their own headers"
        trouble = Obstacle(TroubleCode.DAMAGED, text)
    except ObstacleError as error:
        if error.obstacle.code is not TroubleCode.DAMAGED:
            raise
        trouble = Obstacle(TroubleCode.DAMAGED, f"{error}: members are read by their own headers")
    yield trouble
    for entry in _local_entries(container):
        if entry.header not in told:
            yield from _members(container, entry)


def _local_entries(container: Container) -> Iterator[Entry]:
    """Yield what the headers in front of the members say, wherever one is found."""
    position: int | None = 0
    while position is not None:
        entry, position = next_local_entry(container, position)
        if entry is not None:
            yield entry


def _members(container: Container, entry: Entry) -> Iterator[Member]:
    """Yield the member of an entry, nothing for a folder."""
    if entry.name.endswith(b"/") and not entry.size:
        return
    name = as_name(entry.name)
    try:
        content, obstacle = decoded(container, _coded(container, entry))
    except ObstacleError as error:
        content, obstacle = None, error.obstacle
    yield Member(name, entry.size, entry.modified, content, obstacle)


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
