"""The 512-byte headers of tar archives, and the records of the pax form.

Sources: POSIX.1-2017, pax interchange format and ustar; numbers too large for octal digits: the GNU tar manual.
"""

from typing import NamedTuple

from triage.content.members.member import Container, damaged

BLOCK = 512
_LOOK = 1 << 18
_MAGIC_AT, _MAGIC = 257, b"ustar"
_CHECKSUM = slice(148, 156)


class Header(NamedTuple):
    """A header: `kind` is the type flag, `target` what a link points at, `size` in bytes, `modified` ns since 1970."""

    name: bytes
    kind: bytes
    size: int
    modified: int | None
    target: bytes


def read_header(block: bytes) -> Header | None:
    """Return the header that a block is, None for one whose checksum is not its own."""
    if len(block) < BLOCK or not block[0]:
        return None
    checksum = _number(block[_CHECKSUM])
    unsigned = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
    signed = unsigned - 256 * sum(byte > 127 for at, byte in enumerate(block) if not 148 <= at < 156)  # noqa: PLR2004 - as some old programs add up
    if checksum not in {unsigned, signed}:
        return None
    size, seconds = _number(block[124:136]), _number(block[136:148])
    if size is None or size < 0:
        return None
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0] if block[_MAGIC_AT : _MAGIC_AT + 6] == b"ustar\0" else b""
    return Header(
        name=prefix + b"/" + name if prefix else name,
        kind=block[156:157],
        size=size,
        modified=None if seconds is None else seconds * 1_000_000_000,
        target=block[157:257].split(b"\0")[0],
    )


def next_header(container: Container, start: int) -> int | None:
    """Return where the next whole header with a magic is, in steps of a block from `start`."""
    at = container.find(_MAGIC, start + _MAGIC_AT)
    while at >= 0:
        place = at - _MAGIC_AT
        if (place - start) % BLOCK == 0 and read_header(container.read(place, BLOCK)) is not None:
            return place
        at = container.find(_MAGIC, at + 1)
    return None


def behind_end(container: Container, start: int) -> int | None:
    """Return where another archive begins behind the empty blocks at `start`; None where there is none."""
    for offset in range(start, container.size, _LOOK):
        data = container.read(offset, _LOOK)
        container.budget.spend(len(data))
        filling = len(data) - len(data.lstrip(b"\0"))
        if filling == len(data):
            continue
        place = offset + filling // BLOCK * BLOCK
        if read_header(container.read(place, BLOCK)) is not None:
            return place
        return next_header(container, place)
    return None


def pax_records(text: bytes) -> dict[bytes, bytes]:
    """Return the records of an extended header: each begins with its length in decimal digits."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(text) and text[position]:
        digits = text[position : position + 20].split(b" ")[0]
        if not digits.isdigit() or int(digits) <= len(digits) + 1:
            raise damaged("an extended header is damaged")
        key, _, value = text[position + len(digits) + 1 : position + int(digits)].partition(b"=")
        records[key] = value.removesuffix(b"\n")
        position += int(digits)
    return records


def _number(field: bytes) -> int | None:
    """Return a number in octal digits, or in GNU's base 256."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else None  # noqa: PLR2004 - others are negative
    digits = field.strip(b" \0")
    if not digits:
        return 0
    try:
        return int(digits, 8)
    except ValueError:
        return None
