"""Windows' thumbs.db: small pictures of a folder's pictures, which stay when those are gone.

A stream holds a short header and a JPEG; in Windows XP a catalogue says of which file it is, and when that was changed.
Streams of Windows 2000, whose JPEGs lack their tables, are told and not read.

Source: the notes of the vinetto project on the format.
"""

from collections.abc import Iterator

from triage.content.content import Content
from triage.content.members.carving import carved
from triage.content.members.compound import Compound, StreamEntry
from triage.content.members.member import Found, Member, Obstacle, ObstacleError, from_filetime
from triage.model.trouble import TroubleCode

_CATALOG = "Catalog"
_ENTRY = 16

Catalog = dict[str, tuple[str, int | None]]


def is_cache(streams: list[StreamEntry]) -> bool:
    """Return whether the streams are those of a thumbs.db: a catalogue, or names of a size and an identifier alone."""
    names = [stream.path[-1] for stream in streams]
    return _CATALOG in names or (bool(names) and all(_is_sized(name) for name in names))


def _is_sized(name: str) -> bool:
    size, mark, identifier = name.partition("_")
    return bool(mark) and size.isdigit() and identifier.isalnum()


def catalog(compound: Compound, streams: list[StreamEntry]) -> Catalog:
    """Return file names and times (ns since 1970) by the names of streams, as far as the catalogue goes.

    A stream is named by the digits of its entry's number in reverse.
    """
    stream = next((stream for stream in streams if stream.path == (_CATALOG,)), None)
    data = compound.read(stream) if stream else b""
    found: Catalog = {}
    position = int.from_bytes(data[:2], "little")
    while position and position + _ENTRY < len(data):
        length = int.from_bytes(data[position : position + 4], "little")
        number = int.from_bytes(data[position + 4 : position + 8], "little")
        modified = from_filetime(int.from_bytes(data[position + 8 : position + 16], "little"))
        if length <= _ENTRY:
            break
        name = data[position + _ENTRY : position + length].decode("utf-16-le", "replace").split("\0")[0]
        found[str(number)[::-1]] = name, modified
        position += length
    return found


def thumbnails(compound: Compound, streams: list[StreamEntry], named: Catalog) -> Found:
    """Yield the small pictures."""
    for stream in streams:
        if stream.path != (_CATALOG,):
            yield from _thumbnail(compound, stream, named)


def _thumbnail(compound: Compound, stream: StreamEntry, named: Catalog) -> Iterator[Member]:
    name, modified = named.get(stream.path[-1], ("/".join(stream.path), stream.modified))
    try:
        data = compound.read(stream)
    except ObstacleError as error:
        yield Member(name, stream.size, modified, None, error.obstacle)
        return
    picture = next(carved(data), None)
    if picture is None:
        text = "a thumbnail in a form that is not read"
        yield Member(name, stream.size, modified, None, Obstacle(TroubleCode.UNSUPPORTED, text))
        return
    content = Content.of(memoryview(data)[picture.offset : picture.offset + picture.length])
    obstacle = None if picture.whole else Obstacle(TroubleCode.DAMAGED, "the stream ends before the picture does")
    yield Member(name, picture.length, modified, content, obstacle)
