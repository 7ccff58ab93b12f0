"""The structures of zip archives: the directory and its end, and the header in front of each member.

Source: PKWARE's APPNOTE 6.3.10, 4.3.7 to 4.3.16 and 4.5.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from triage.content.members.member import Container, damaged, from_filetime

LOCAL, _CENTRAL, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_DESCRIPTOR, _END64, _LOCATOR64 = b"PK\7\x08", b"PK\6\6", b"PK\6\7"
_LOCAL_SIZE, _CENTRAL_SIZE, _END_SIZE, _END64_SIZE, _LOCATOR64_SIZE = 30, 46, 22, 56, 20
_LONGEST_COMMENT = 0xFFFF
_FULL = 0xFFFFFFFF
_SIZES_BEHIND = 8  # the flag that says that size and checksum follow the member, in a descriptor
_ZIP64, _NTFS, _UNIX_TIME = 0x0001, 0x000A, 0x5455


class Entry(NamedTuple):
    """What the archive says of a member. `header`: where its own header is; sizes in bytes; `size` None if unknown."""

    name: bytes
    flags: int
    method: int
    crc: int | None
    stored: int
    size: int | None
    header: int
    modified: int | None


class _Directory(NamedTuple):
    """`shift`: how far all offsets are off, because something stands before the archive."""

    start: int
    end: int
    shift: int


def central_place(container: Container) -> _Directory:
    """Find the directory. Raises ObstacleError where there is none."""
    tail = max(0, container.size - _END_SIZE - _LONGEST_COMMENT)
    data = container.read(tail, container.size - tail)
    at = data.rfind(_END)
    if at < 0 or len(data) - at < _END_SIZE:
        raise damaged("no directory")
    size, offset = struct.unpack_from("<II", data, at + 12)
    end = tail + at
    if _FULL in {size, offset}:
        end, size, offset = _end64(container, end, size, offset)
    start = end - size
    if size and (start < 0 or container.read(start, 4) != _CENTRAL):
        start, end = offset, offset + size
        if container.read(start, 4) != _CENTRAL:
            raise damaged("the directory is not where it should be")
    return _Directory(start, end, start - offset if size else 0)


def _end64(container: Container, end: int, size: int, offset: int) -> tuple[int, int, int]:
    """Return where the directory ends, its size and its offset as the zip64 record says, which stands before."""
    locator = container.read(end - _LOCATOR64_SIZE, _LOCATOR64_SIZE) if end >= _LOCATOR64_SIZE else b""
    if not locator.startswith(_LOCATOR64):
        return end, size, offset
    claimed = int.from_bytes(locator[8:16], "little")
    for place in (claimed, end - _LOCATOR64_SIZE - _END64_SIZE):
        record = container.read(place, _END64_SIZE) if 0 <= place < container.size else b""
        if record.startswith(_END64) and len(record) == _END64_SIZE:
            size, offset = struct.unpack_from("<QQ", record, 40)
            return place, size, offset
    raise damaged("the zip64 record is gone")


def central_entries(container: Container, place: _Directory) -> Iterator[Entry]:
    """Yield what the directory says. Raises ObstacleError where it is damaged, or ends early."""
    position = place.start
    while position < place.end:
        header = container.read(position, _CENTRAL_SIZE)
        if len(header) < _CENTRAL_SIZE or not header.startswith(_CENTRAL):
            raise damaged("the directory is damaged")
        flags, method, _time, _date, crc, stored, size, name, extra, comment = struct.unpack_from(
            "<8xHHHHIIIHHH", header
        )
        local = int.from_bytes(header[42:46], "little")
        variable = container.exactly(position + _CENTRAL_SIZE, name + extra)
        fields = _fields(variable[name:])
        size, stored, local = _widened((size, stored, local), fields.get(_ZIP64, b""))
        yield Entry(variable[:name], flags, method, crc, stored, size, local + place.shift, _modified(fields))
        position += _CENTRAL_SIZE + name + extra + comment


def data_place(container: Container, entry: Entry) -> int:
    """Return where the data of a member begins. Raises ObstacleError where its header is not."""
    header = container.read(entry.header, _LOCAL_SIZE) if entry.header >= 0 else b""
    if len(header) < _LOCAL_SIZE or not header.startswith(LOCAL):
        raise damaged("the member is not where the directory says")
    name, extra = struct.unpack_from("<HH", header, 26)
    return entry.header + _LOCAL_SIZE + int(name) + int(extra)


def next_local_entry(container: Container, start: int, end: int) -> tuple[Entry | None, int | None]:
    """Return the next entry by a header before `end`, and where to look on; None where there is no other."""
    at = container.find(LOCAL, start, end)
    if at < 0:
        return None, None
    header = container.read(at, _LOCAL_SIZE)
    if len(header) < _LOCAL_SIZE:
        return None, None
    flags, method, _time, _date, crc, stored, size, name, extra = struct.unpack_from("<6xHHHHIIIHH", header)
    variable = container.read(at + _LOCAL_SIZE, name + extra)
    fields = _fields(variable[name:])
    size, stored = _widened((size, stored), fields.get(_ZIP64, b""))
    entry = Entry(variable[:name], flags, method, crc, stored, size, at, _modified(fields))
    data = at + _LOCAL_SIZE + name + extra
    if flags & _SIZES_BEHIND and not stored:
        entry = _described(container, entry, data)
    end = data + entry.stored
    return entry, end if end <= container.size else data


def _described(container: Container, entry: Entry, data: int) -> Entry:
    """Return an entry with what the descriptor behind the member says: the first that fits the place it is at.

    Without one the member may go on to the next header or the end.
    """
    at = container.find(_DESCRIPTOR, data)
    while at >= 0:
        descriptor = container.read(at, 24).ljust(24, b"\0")
        for shape in ("<4xIII", "<4xIQQ"):
            crc, stored, size = struct.unpack_from(shape, descriptor)
            if stored == at - data:
                return entry._replace(crc=crc, stored=stored, size=size)
        at = container.find(_DESCRIPTOR, at + 4)
    ends = [end for end in (container.find(mark, data) for mark in (LOCAL, _CENTRAL)) if end >= 0]
    return entry._replace(crc=None, stored=min([*ends, container.size]) - data, size=None)


def _fields(extra: bytes) -> dict[int, bytes]:
    """Return the extra fields by their numbers, as far as they go."""
    found: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, position)
        found.setdefault(number, extra[position + 4 : position + 4 + length])
        position += 4 + length
    return found


def _widened(values: tuple[int, ...], wide: bytes) -> tuple[int, ...]:
    """Return values with those that did not fit in 32 bits taken from the zip64 field, which has them in order."""
    found = []
    for value in values:
        if value == _FULL and len(wide) >= 8:  # noqa: PLR2004 - a 64-bit number
            found.append(int.from_bytes(wide[:8], "little"))
            wide = wide[8:]
        else:
            found.append(value)
    return tuple(found)


def _modified(fields: dict[int, bytes]) -> int | None:
    ntfs, unix = fields.get(_NTFS, b""), fields.get(_UNIX_TIME, b"")
    if ntfs[4:8] == b"\1\0\x18\0" and len(ntfs) >= 16:  # noqa: PLR2004 - a reserved word, tag 1 of 24 bytes, the first of three times
        return from_filetime(int.from_bytes(ntfs[8:16], "little"))
    if len(unix) >= 5 and unix[0] & 1:  # noqa: PLR2004 - flags, of which bit 0 says that this time is there
        return int.from_bytes(unix[1:5], "little", signed=True) * 1_000_000_000
    return None
