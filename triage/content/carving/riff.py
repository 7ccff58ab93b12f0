"""RIFF (Microsoft, Multimedia Programming Interface and Data Specifications): chunks with a name and a size."""

from collections.abc import Iterator
from typing import NamedTuple

from triage.content.carving.stretch import BrokenOffError, View

START = 12
"""Where the first chunk is: after the name, the size and the type of the file."""

_HEADER = 8
_PRINTABLE = frozenset(range(0x20, 0x7F))


class Chunk(NamedTuple):
    """Its name, where its data begin and how many bytes they are."""

    name: bytes
    data: int
    size: int


def end_of(view: View, offset: int = 0) -> int:
    """Return the end that a RIFF header at this offset gives."""
    return offset + _HEADER + int.from_bytes(view.take(offset + 4, 4), "little")


def chunks(view: View, offset: int, end: int) -> Iterator[Chunk]:
    """Yield the chunks between two offsets, which they must fill; those that were passed are sound."""
    while offset + _HEADER <= end:
        head = view.take(offset, _HEADER)
        chunk = Chunk(head[:4], offset + _HEADER, int.from_bytes(head[4:], "little"))
        if not _PRINTABLE.issuperset(chunk.name) or chunk.data + chunk.size > end:
            raise BrokenOffError("no chunk where one is due")
        yield chunk
        offset = chunk.data + chunk.size + chunk.size % 2
        view.reach(min(offset, end))
        view.sound = min(offset, end)
    if offset < end:
        raise BrokenOffError("the chunks do not fill the file")
