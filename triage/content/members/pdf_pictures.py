"""Pictures that a PDF holds as samples, made into files by the header that is missing: nothing is decoded here.

PDF's LZW, CCITT and deflate are TIFF's, and samples under a PNG predictor are the very data of a PNG file.

Sources: ISO 32000-1, 7.4.4, 7.4.6, 8.6 and 8.9.5; TIFF 6.0 and its technical notes; PNG (ISO/IEC 15948).
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from triage.content.members.member import damaged, unsupported
from triage.content.members.pdf_objects import Value

SAMPLES = frozenset({b"FlateDecode", b"LZWDecode", b"CCITTFaxDecode", b"JBIG2Decode"})
"""The filters whose input becomes a part of the file that is made."""

_COMPONENTS = {
    b"DeviceGray": 1,
    b"CalGray": 1,
    b"G": 1,
    b"DeviceRGB": 3,
    b"CalRGB": 3,
    b"RGB": 3,
    b"DeviceCMYK": 4,
    b"CMYK": 4,
}
_DEEPEST = 4
_INDEXED = frozenset({b"Indexed", b"I"})
_INKS = frozenset({b"Separation", b"DeviceN"})
_PNG_COLOURS = {1: 0, 3: 2}
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_NONE, _T4, _T6, _LZW, _DEFLATE = 1, 3, 4, 5, 8
_PNG_PREDICTORS = 10
_SHORT, _LONG = 3, 4

Resolved = Callable[[Value], Value]
Text = Callable[[Value], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples as they are stored. `filter`: what they are still compressed with, empty if with nothing."""

    filter: bytes
    parameters: dict[bytes, Value]
    about: dict[bytes, Value]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """`inverse`: the highest sample of a grey picture is black. `palette`: RGB triples."""

    width: int
    height: int
    bits: int
    components: int
    inverse: bool
    palette: bytes | None


def file_of_samples(samples: Samples, resolved: Resolved, text: Text) -> tuple[str, bytes]:
    """Return the ending and the bytes of a PNG or TIFF file.

    `text` gives the bytes of a string or of a whole stream. Raises ObstacleError for colours and filters not read.
    """
    shape = _shape(samples, resolved, text)
    number = _numbers(samples.parameters, resolved)
    if samples.filter == b"JBIG2Decode":
        raise unsupported("JBIG2 pictures are not read")
    if samples.filter == b"CCITTFaxDecode":
        return "tif", _fax(samples, shape, number)
    predictor = number(b"Predictor", 1)
    if predictor < _PNG_PREDICTORS:
        compression = {b"": _NONE, b"FlateDecode": _DEFLATE, b"LZWDecode": _LZW}[samples.filter]
        if compression == _LZW and number(b"EarlyChange", 1) != 1:
            raise unsupported("LZW with late changes is not read")
        return "tif", _tiff(samples.data, shape, compression, predictor)
    expected = shape.width, shape.components, shape.bits
    given = number(b"Columns", 1), number(b"Colors", 1), number(b"BitsPerComponent", 8)
    if samples.filter != b"FlateDecode" or given != expected or shape.components not in _PNG_COLOURS or shape.inverse:
        raise unsupported("samples under a predictor that no PNG file has")
    return "png", _png(samples.data, shape)


def _numbers(about: dict[bytes, Value], resolved: Resolved) -> Callable[[bytes, int], int]:
    def number(key: bytes, default: int) -> int:
        value = resolved(about.get(key))
        return value if isinstance(value, int) else default

    return number


def _shape(samples: Samples, resolved: Resolved, text: Text) -> _Shape:
    number = _numbers(samples.about, resolved)
    width, height = number(b"Width", 0), number(b"Height", 0)
    if not (0 < width < 1 << 31 and 0 < height < 1 << 31):
        raise damaged("a picture without a width or a height")
    is_mask = bool(number(b"ImageMask", 0)) or samples.filter == b"CCITTFaxDecode"
    bits = 1 if is_mask else number(b"BitsPerComponent", 8)
    if bits not in {1, 2, 4, 8, 16}:
        raise damaged(f"samples of {bits} bits")
    space = samples.about.get(b"ColorSpace")
    palette = None if is_mask else _palette(space, resolved, text)
    components = 1 if is_mask or palette is not None else _components(space, resolved, _DEEPEST)
    decode = resolved(samples.about.get(b"Decode"))
    turned = isinstance(decode, list) and [resolved(value) for value in decode] == [1, 0]
    inks = _family(space, resolved) in _INKS and components == 1
    return _Shape(width=width, height=height, bits=bits, components=components, inverse=turned != inks, palette=palette)


def _family(space: Value, resolved: Resolved) -> bytes:
    found = resolved(space)
    first = resolved(found[0]) if isinstance(found, list) and found else found
    return first if isinstance(first, bytes) else b""


def _components(space: Value, resolved: Resolved, depth: int) -> int:
    """Return how many samples a pixel has in a colour space."""
    found, family = resolved(space), _family(space, resolved)
    if family in _COMPONENTS:
        return _COMPONENTS[family]
    if isinstance(found, list) and len(found) > 1 and depth:
        second = resolved(found[1])
        if family == b"ICCBased" and isinstance(second, dict):
            count = resolved(second.get(b"N"))
            if count in {1, 3, 4} and isinstance(count, int):
                return count
        if family == b"Separation" or (family == b"DeviceN" and isinstance(second, list) and len(second) == 1):
            return 1
    raise unsupported("a colour space that is not read")


def _palette(space: Value, resolved: Resolved, text: Text) -> bytes | None:
    """Return the RGB triples of an indexed colour space, None for another one."""
    found = resolved(space)
    if _family(space, resolved) not in _INDEXED or not isinstance(found, list) or len(found) < 4:  # noqa: PLR2004 - name, base, highest index, colours
        return None
    components, colours = _components(found[1], resolved, _DEEPEST), text(found[3])[: 4 << 8]
    if components == 1:
        return bytes(value for value in colours for _ in range(3))
    if components == 3:  # noqa: PLR2004 - red, green, blue
        return colours
    pixels = (colours[at : at + 4] for at in range(0, len(colours) - 3, 4))
    return bytes((255 - ink) * (255 - pixel[3]) // 255 for pixel in pixels for ink in pixel[:3])


def _fax(samples: Samples, shape: _Shape, number: Callable[[bytes, int], int]) -> bytes:
    """Return a TIFF file of CCITT fax data, in which a 1 is black unless it is said otherwise."""
    kind = number(b"K", 0)
    if number(b"EncodedByteAlign", 0) or number(b"Columns", 1728) != shape.width:
        raise unsupported("fax data that no TIFF file has")
    black_is_one = bool(number(b"BlackIs1", 0))
    photometric = _MINISBLACK if black_is_one != shape.inverse else _MINISWHITE
    options = [(292, _LONG, [1 if kind > 0 else 0])] if kind >= 0 else []
    return _tiff_file(samples.data, shape, _T6 if kind < 0 else _T4, photometric, options)


def _tiff(data: bytes, shape: _Shape, compression: int, predictor: int) -> bytes:
    kinds = {1: _MINISWHITE if shape.inverse else _MINISBLACK, 3: _RGB, 4: _CMYK}
    photometric = _PALETTE if shape.palette is not None else kinds[shape.components]
    fields = [(317, _SHORT, [2])] if predictor == 2 else []  # noqa: PLR2004 - TIFF's own predictor, of the same number
    if shape.palette is not None:
        colours = shape.palette.ljust(3 << shape.bits, b"\0")[: 3 << shape.bits]
        fields.append((320, _SHORT, [257 * colours[at] for start in range(3) for at in range(start, len(colours), 3)]))
    return _tiff_file(data, shape, compression, photometric, fields)


def _tiff_file(
    data: bytes, shape: _Shape, compression: int, photometric: int, more: list[tuple[int, int, list[int]]]
) -> bytes:
    """Return a TIFF file of one strip: its header, its directory, the longer values, the data."""
    fields = sorted([
        (256, _LONG, [shape.width]),
        (257, _LONG, [shape.height]),
        (258, _SHORT, [shape.bits] * shape.components),
        (259, _SHORT, [compression]),
        (262, _SHORT, [photometric]),
        (273, _LONG, [0]),
        (277, _SHORT, [shape.components]),
        (278, _LONG, [shape.height]),
        (279, _LONG, [len(data)]),
        (284, _SHORT, [1]),
        *more,
    ])  # fmt: skip
    values = 8 + 2 + 12 * len(fields) + 4
    start = values + sum(_length(field) for field in fields if _length(field) > 4)  # noqa: PLR2004 - as many fit in the entry
    entries, longer = b"", b""
    for tag, kind, numbers in fields:
        packed = struct.pack(f">{len(numbers)}{'H' if kind == _SHORT else 'L'}", *([start] if tag == 273 else numbers))  # noqa: PLR2004 - where the strip is
        if len(packed) > 4:  # noqa: PLR2004
            longer, packed = longer + packed, struct.pack(">L", values + len(longer))
        entries += struct.pack(">HHL", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    return b"".join((b"MM\0*\0\0\0\x08", struct.pack(">H", len(fields)), entries, bytes(4), longer, data))


def _length(field: tuple[int, int, list[int]]) -> int:
    _tag, kind, numbers = field
    return len(numbers) * (2 if kind == _SHORT else 4)


def _png(data: bytes, shape: _Shape) -> bytes:
    colour = 3 if shape.palette is not None else _PNG_COLOURS[shape.components]
    head = struct.pack(">LLBBBBB", shape.width, shape.height, shape.bits, colour, 0, 0, 0)
    palette = shape.palette[: 3 << shape.bits] if shape.palette is not None else b""
    chunks = [(b"IHDR", head), (b"PLTE", palette[: len(palette) // 3 * 3]), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
        for kind, body in chunks
        if body or kind == b"IEND"
    )
