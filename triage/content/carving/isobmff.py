"""ISO base media files (ISO/IEC 14496-12): MP4, QuickTime with a file type, HEIC and AVIF: a chain of boxes.

The chain ends where no box of a kind that stands at the top of a file follows. A file is whole with what it cannot do
without: `moov` and the data that it describes, or `meta` and them. What lies in `mdat` is passed over by its length:
that the next box is where it must be shows that no byte is missing, not that none is foreign; where `mdat` is the
last box not even that. A QuickTime film without `ftyp` is not looked for, nor is one whose last box has no length.
"""

from typing import NamedTuple

from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"\0\0[\0\1].ftyp"

_BRAND_NAMES = """
isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 mp41 mp42 mp71 avc1 hvc1 hev1 dash msdh cmfc f4v M4V M4VH M4VP qt MSNV mmp4
3gp3 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 3g2a 3g2b 3g2c kddi XAVC NDSH NDSC
mif1 mif2 msf1 heic heix heim heis hevc hevx avif avis
"""
_BRANDS = frozenset(name.ljust(4).encode() for name in _BRAND_NAMES.split())
_TOP = frozenset(
    b"moov mdat meta moof mfra free skip wide uuid udta sidx ssix styp emsg prft pdin idat "
    b"pnot PICT junk thum mpvd sefd".split()
)
_FILE_TYPE = b"ftyp"
_WHOLE = ({b"moov", b"mdat"}, {b"meta", b"mdat"})
_FILMS = frozenset({b"mvhd", b"cmov", b"rmra"})
_HANDLER = b"hdlr"
_HEADER, _LONG_HEADER = 8, 16
_LEAST_FILE_TYPE = 16
_LONGEST_FILE_TYPE = 512
_LONG, _OPEN = 1, 0  # sizes with a meaning of their own
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_\xa9")


class _Box(NamedTuple):
    """Its kind, where its data begin, and where it ends."""

    kind: bytes
    data: int
    end: int


def follow(view: View) -> int:
    """Return the length of the file."""
    offset = _file_type(view)
    seen: set[bytes] = set()
    while (box := _next(view, offset)) is not None:
        view.sound = box.data
        if box.end == offset:
            raise BrokenOffError("the last box has no length")
        view.reach(box.end)
        if box.kind == b"moov":
            _check_film(view, box)
        elif box.kind == b"meta":
            _check_meta(view, box)
        seen.add(box.kind)
        offset = view.sound = box.end
    if not any(seen >= needed for needed in _WHOLE):
        raise BrokenOffError("the chain of boxes ends before the file is whole")
    return offset


def _file_type(view: View) -> int:
    """Return the end of the box with the brands, one of which must be known."""
    head = view.take(0, _HEADER)
    size = int.from_bytes(head[:4], "big")
    if not _LEAST_FILE_TYPE <= size <= _LONGEST_FILE_TYPE or size % 4:
        raise BrokenOffError("a file type of no sound size")
    words = view.take(_HEADER, size - _HEADER)
    brands = {words[:4], *(words[at : at + 4] for at in range(8, len(words), 4))}
    if not brands & _BRANDS:
        raise BrokenOffError("brands that are of no picture or film")
    return size


def _next(view: View, offset: int) -> _Box | None:
    """Return the box at the top of the file that follows, None where none does."""
    if offset + _HEADER > view.size:
        return None
    box = _box(view, offset)
    return box if box is not None and box.kind in _TOP else None


def _box(view: View, offset: int) -> _Box | None:
    """Return the box at an offset, None where its size cannot be; one without a length ends where it begins."""
    head = view.take(offset, _HEADER)
    size, kind = int.from_bytes(head[:4], "big"), head[4:]
    if size == _LONG and kind in _TOP:
        size = int.from_bytes(view.take(offset + _HEADER, 8), "big")
        return _Box(kind, offset + _LONG_HEADER, offset + size) if size >= _LONG_HEADER else None
    if size == _OPEN:
        return _Box(kind, offset + _HEADER, offset)
    return _Box(kind, offset + _HEADER, offset + size) if size >= _HEADER else None


def _check_film(view: View, film: _Box) -> None:
    """Break off where the boxes inside a `moov` do not fill it, or its header is not among them."""
    offset, kinds = film.data, set()
    while offset + _HEADER <= film.end:
        box = _box(view, offset)
        if box is None or not _NAME.issuperset(box.kind) or not offset < box.end <= film.end:
            raise BrokenOffError("the description of the film is not sound")
        kinds.add(box.kind)
        offset = box.end
    if offset != film.end or not kinds & _FILMS:
        raise BrokenOffError("the description of the film is not sound")


def _check_meta(view: View, meta: _Box) -> None:
    """Break off where a `meta` does not begin with its handler, after the version that QuickTime's has not."""
    start = view.take(meta.data, min(12, meta.end - meta.data))
    if _HANDLER not in {start[4:8], start[8:12]}:
        raise BrokenOffError("the description of the picture is not sound")
