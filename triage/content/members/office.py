"""Compound files: the pictures in old Word, Excel and PowerPoint documents, objects embedded in them, messages, caches.

Of each stream: what begins as a file of a known type is a member as it is, and of the others the pictures in them are
(see `carving`). Metafiles (EMF, WMF) and bitmaps without a file's header are not looked for.

Sources: [MS-DOC] 2.5.1 (encryption flag), [MS-XLS] 2.1.4, 2.4.117 (FilePass) and 2.4.171 (MsoDrawingGroup), [MS-PPT]
2.3.2 (CurrentUserAtom), [MS-OFFCRYPTO] 2.3.4.4 (EncryptedPackage), [MS-OLEDS] 2.3.6 (packages).
"""

import struct
from collections.abc import Iterator

from triage.content.content import Content
from triage.content.mediatype import quick_type
from triage.content.members.carving import carved
from triage.content.members.compound import Compound, StreamEntry
from triage.content.members.member import Container, Found, Member, Obstacle, ObstacleError, damaged
from triage.content.members.outlook import is_message, message_members
from triage.content.members.thumbs_db import catalog, is_cache, thumbnails
from triage.model.trouble import TroubleCode

_FILE_PASS, _DRAWING_GROUP, _CONTINUE = 0x2F, 0xEB, 0x3C
_ENCRYPTED_WORD = 0x0100
_ENCRYPTED_POWERPOINT = 0xF3D1C4DF
_WORKBOOKS = frozenset({"Workbook", "Book"})
_PACKAGE = "\x01Ole10Native"
_NO_FILES = frozenset({None, "text/plain", "inode/x-empty", "image/bmp", "image/jpeg", "image/png"})
_HEAD = 4096


def compound_members(container: Container) -> Found:
    """Yield what is in a compound file, by what kind of document it is."""
    compound = Compound(container)
    streams = list(compound.streams())
    names = {stream.path[-1] for stream in streams}
    if "EncryptedPackage" in names:
        yield Obstacle(TroubleCode.ENCRYPTED, "an Office document that is encrypted")
        return
    if is_message(streams):
        yield from message_members(compound, streams)
        return
    if is_cache(streams):
        yield from thumbnails(compound, streams, catalog(compound, streams))
        return
    for stream in streams:
        yield from _stream_members(compound, stream)


def _stream_members(compound: Compound, stream: StreamEntry) -> Found:
    """Yield what is in a stream; an obstacle where that is encrypted or cannot be read."""
    name = "/".join(stream.path)
    try:
        data = compound.read(stream)
    except ObstacleError as error:
        yield Member(name, stream.size, stream.modified, None, error.obstacle)
        return
    if _is_encrypted(stream.path[-1], data):
        yield Obstacle(TroubleCode.ENCRYPTED, f"encrypted, as the stream {name!a} says")
        return
    if stream.path[-1] == _PACKAGE:
        yield _package(stream, name, data)
    elif quick_type(data[:_HEAD]) not in _NO_FILES:
        yield Member(name, len(data), stream.modified, Content.of(data))
    else:
        yield from _pictures(stream, name, _drawings(data) if stream.path[-1] in _WORKBOOKS else data)
    if len(data) < stream.size:
        yield Obstacle(TroubleCode.DAMAGED, f"the stream {name!a} ends after {len(data)} of {stream.size} bytes")


def _pictures(stream: StreamEntry, name: str, data: bytes) -> Iterator[Member]:
    for number, picture in enumerate(carved(data), 1):
        content = Content.of(memoryview(data)[picture.offset : picture.offset + picture.length])
        obstacle = None if picture.whole else Obstacle(TroubleCode.DAMAGED, "the stream ends before the picture does")
        yield Member(f"{name}/{number}.{picture.ending}", picture.length, stream.modified, content, obstacle)


def _is_encrypted(name: str, data: bytes) -> bool:
    if name == "WordDocument" and len(data) >= 12:  # noqa: PLR2004 - up to the flags
        return bool(int.from_bytes(data[10:12], "little") & _ENCRYPTED_WORD)
    if name == "Current User" and len(data) >= 16:  # noqa: PLR2004 - up to the token
        return int.from_bytes(data[12:16], "little") == _ENCRYPTED_POWERPOINT
    return name in _WORKBOOKS and any(kind == _FILE_PASS for kind, _ in _records(data[:_HEAD]))


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a workbook."""
    position = 0
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, position)
        yield kind, data[position + 4 : position + 4 + length]
        position += 4 + length


def _drawings(data: bytes) -> bytes:
    """Return the drawings of a workbook in one piece: its records cut them into parts of 8 KiB."""
    parts, inside = list[bytes](), False
    for kind, body in _records(data):
        inside = kind == _DRAWING_GROUP or (inside and kind == _CONTINUE)
        if inside:
            parts.append(body)
    return b"".join(parts)


def _package(stream: StreamEntry, name: str, data: bytes) -> Member:
    """Return the file in a package, behind a size, a mark, a label, a path, another path and its own size."""
    try:
        label, position = _text(data, 6)
        _path, position = _text(data, position)
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        start = position + 8 + length
        size = int.from_bytes(data[start : start + 4], "little")
        content = data[start + 4 : start + 4 + size]
    except ObstacleError as error:
        return Member(name, stream.size, stream.modified, Content.of(data), error.obstacle)
    obstacle = None if len(content) == size else Obstacle(TroubleCode.DAMAGED, "the stream ends before the file does")
    return Member(f"{name}/{label}", size, stream.modified, Content.of(content), obstacle)


def _text(data: bytes, start: int) -> tuple[str, int]:
    """Return a text that a zero ends, and what follows it."""
    end = data.find(b"\0", start)
    if end < 0:
        raise damaged("a package without a name")
    return data[start:end].decode("utf-8", "surrogateescape"), end + 1
