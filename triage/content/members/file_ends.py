"""Where a picture or a program ends by its own account: what follows belongs to something else.

Sources: ITU-T T.81, annex B; PNG (ISO/IEC 15948) 5; Microsoft's PE format (headers, section table, certificate table).
"""

import struct

import numpy as np

from triage.content.carving import gif
from triage.content.carving.stretch import BrokenOffError, Stretch, View
from triage.content.content import BLOCK, Content
from triage.content.jpeg import jpeg_head
from triage.model.runs import ByteRun

_SECTIONS_MOST = 96
_COUNTS = struct.Struct("<H12xH")
_SECTION = struct.Struct("<16xII16x")
_CERTIFICATES_AT = {0x10B: 128, 0x20B: 144}  # of the signature, by the kind of optional header
_CHUNK = struct.Struct(">I4s")
_MARK, _END = 0xFF, 0xD9
_GIF_END = b";"
_GIF_FOLLOWED = 64 << 20


def program_rest(head: bytes, size: int) -> ByteRun:
    """Return what lies behind a program's last section and before its signature; all of it where it has none."""
    everything = ByteRun(0, size)
    at = int.from_bytes(head[0x3C:0x40], "little")
    if head[at : at + 4] != b"PE\0\0" or len(head) < at + 26:
        return everything
    count, optional = _COUNTS.unpack_from(head, at + 6)
    table = at + 24 + optional
    if not 0 < count <= _SECTIONS_MOST or len(head) < table + count * _SECTION.size:
        return everything
    sections = _SECTION.iter_unpack(head[table : table + count * _SECTION.size])
    end = max(start + length if length else 0 for length, start in sections)
    if end >= size:
        return ByteRun(size, 0)
    stop = min(size, _signature(head, at, size))
    return ByteRun(end, stop - end) if stop >= end else ByteRun(end, size - end)


def _signature(head: bytes, at: int, size: int) -> int:
    """Return where the certificates are, if they are the last of the file."""
    place = at + 24 + _CERTIFICATES_AT.get(int.from_bytes(head[at + 24 : at + 26], "little"), len(head))
    if len(head) < place + 8:
        return size
    offset, length = struct.unpack_from("<II", head, place)
    return offset if offset and offset + length + 8 >= size else size


def jpeg_end(content: Content) -> int | None:
    """Return where a JPEG ends: at the first such mark in or behind its first scan. None where there is none."""
    data = content.whole()
    head = jpeg_head(data)
    if head is None:
        return None
    octets = np.frombuffer(data, np.uint8)
    for start in range(head.scan, len(octets), BLOCK):
        block = octets[start : start + BLOCK + 1]
        marks = np.flatnonzero(block[:-1] == _MARK)
        ends = marks[block[marks + 1] == _END]
        if len(ends):
            return start + int(ends[0]) + 2
    return None


def png_end(content: Content) -> int | None:
    """Return where a PNG ends, None where it does not."""
    data = content.whole()
    position: int = 8
    while position + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, position)
        position += 12 + length
        if kind == b"IEND":
            return position
    return None


def gif_end(content: Content) -> int | None:
    """Return where a GIF ends; it is followed only where its last byte is not the one that ends it."""
    if content.read_at(content.size - 64, 64).rstrip(b"\0").endswith(_GIF_END):
        return content.size
    view = View(Stretch(content.read_at, content.size), 0, longest=content.size, budget=_GIF_FOLLOWED)
    try:
        return gif.follow(view)
    except BrokenOffError:
        return None
