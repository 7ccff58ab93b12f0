"""Windows' thumbnail caches (`thumbcache_*.db`, from Vista on): one record after another, each with a picture file.

Where a record is damaged, the next signature is looked for. Records without data are left out: they hold no picture.

Source: the format specification of the libwtcdb project.
"""

import struct
from typing import NamedTuple

from triage.content.members.member import Container, Found, Member, Obstacle
from triage.model.trouble import TroubleCode

SIGNATURE = b"CMMM"
_FILE_HEADER = 24
_VISTA, _SEVEN, _FIRST_WITH_SIZES = 20, 21, 26
_ENDINGS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"BM", "bmp"))
_LONGEST_NAME = 4096


class _Layout(NamedTuple):
    """Of a version's records: the length of the header, and where in it the sizes of name, padding and data are."""

    header: int
    sizes: int


_LAYOUTS = {_VISTA: _Layout(56, 24), _SEVEN: _Layout(48, 16)}
_LATER = _Layout(56, 16)


def thumbcache_members(container: Container) -> Found:
    """Yield the small pictures of a cache, each under the identifier of what it is of."""
    version = int.from_bytes(container.read(4, 4), "little")
    layout = _LAYOUTS.get(version, _LATER)
    if version not in _LAYOUTS and version < _FIRST_WITH_SIZES:
        yield Obstacle(TroubleCode.UNSUPPORTED, f"version {version} of thumbnail caches is not known")
        return
    position = container.find(SIGNATURE, _FILE_HEADER)
    while position >= 0:
        size = int.from_bytes(container.read(position + 4, 4), "little")
        record = container.read(position, layout.header)
        if len(record) < layout.header or size < layout.header or position + size > container.size:
            yield Obstacle(TroubleCode.DAMAGED, f"the record at {position} is damaged")
            position = container.find(SIGNATURE, position + 4)
            continue
        yield from _thumbnail(container, position, size, record[layout.sizes :])
        position = container.find(SIGNATURE, position + size)


def _thumbnail(container: Container, position: int, size: int, record: bytes) -> Found:
    """Yield the picture of a record, which ends with it."""
    name_size, padding, data_size = struct.unpack_from("<III", record)
    if not data_size:
        return
    start = position + size - data_size
    first = start - padding - name_size
    if first <= position:
        yield Obstacle(TroubleCode.DAMAGED, f"the record at {position} is damaged")
        return
    name = container.read(first, min(name_size, _LONGEST_NAME)).decode("utf-16-le", "replace")
    head = container.read(start, 4)
    ending = next((ending for signature, ending in _ENDINGS if head.startswith(signature)), "bin")
    yield Member(f"{name}.{ending}", data_size, None, container.window(start, data_size))
