import struct
import zlib

import pytest
from images.pictures import scene
from synthetic.carvable import avi, box, chunk, files, mp4, riff, saved

from triage.content.carving.carver import Carved, carve
from triage.content.carving.formats import format_at

SAMPLES = files(1)
JPEG, RESTARTS = SAMPLES["baseline"][0], SAMPLES["restarts"][0]
PNG, GIF, BMP = SAMPLES["png"][0], SAMPLES["gif"][0], SAMPLES["bmp"][0]
FTYP = box(b"ftyp", b"isom" + bytes(4) + b"isom")
MOOV = box(b"moov", box(b"mvhd", bytes(100)))
TAIL = bytes(4096)


def first(data: bytes) -> Carved | None:
    data += TAIL
    found = carve(lambda offset, length: data[offset : offset + length], len(data))
    return next((one for one in found if isinstance(one, Carved) and one.offset == 0), None)


def reason(data: bytes) -> str:
    found = first(data)
    assert found is not None
    assert not found.whole
    return found.reason


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (JPEG[: JPEG.index(b"\xff\xda") + 60] + b"\xff\xd9", "the image ends before its last pixel"),
        (JPEG[:-900] + b"\xff\xd0" + JPEG[-900:], "a restart marker that is not due"),
        (replaced(RESTARTS, b"\xff\xd1", b"\xff\xd2"), "a restart marker that is not due"),
        (JPEG[:-2] + b"\xff\x77", "marker 0x77 has no place here"),
        (JPEG[:-2] + b"\xff\xda\0\x0c\x09", "the scan header is not sound"),
        (PNG[:33] + PNG[-12:], "the end comes before the image data"),
        (PNG[:33] + png_chunk(b"1234", b""), "no chunk where one is due"),
        (PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:], "the checksum of a chunk is wrong"),
        (GIF[:-1] + b"\0", "no block where one is due"),
        (riff(b"WEBP", chunk(b"VP8X", bytes(10)), chunk(b"EXIF", bytes(10))), "a file without a picture"),
        (riff(b"WEBP", chunk(b"VP8X", bytes(10)), b"VP8 \xff\xff\0\0"), "no chunk where one is due"),
        (replaced(avi(bytes(99)), b"movi", b"mov?"), "a film without its headers or its frames"),
        (FTYP + MOOV, "the chain of boxes ends before the file is whole"),
        (FTYP + box(b"mdat", bytes(99)), "the chain of boxes ends before the file is whole"),
        (FTYP + MOOV + b"\0\0\0\0mdat", "the last box has no length"),
        (FTYP + box(b"moov", bytes(108)), "the description of the film is not sound"),
        (FTYP + box(b"moov", box(b"trak", bytes(99))), "the description of the film is not sound"),
        (FTYP + box(b"meta", bytes(99)), "the description of the picture is not sound"),
    ],
)
def test_what_is_wrong_with_a_file_that_breaks_off_is_said(data: bytes, expected: str) -> None:
    assert reason(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xdb\0\0",
        PNG[:33].replace(b"IHDR", b"IHDR\0\0\0\0"),
        b"GIF89a\0\0\0\0\0\0\0,",
        b"GIF89a and the signature of other formats in a text",
        riff(b"WEBP", chunk(b"VP8 ", bytes(30))),
        riff(b"WEBP", chunk(b"VP8L", bytes(30))),
        replaced(BMP, b"BM", b"BM\1"),
        BMP[:2] + struct.pack("<I", len(BMP) + 99) + BMP[6:],
        BMP[:18] + bytes(4) + BMP[22:],
        BMP[:28] + b"\7" + BMP[29:],
        mp4(bytes(99), brand=b"M4A ").replace(b"mp42", b"M4B "),
        box(b"ftyp", b"isom"),
        FTYP,
    ],
)
def test_what_does_not_even_begin_soundly_is_no_file(data: bytes) -> None:
    assert first(data) is None


def test_a_photograph_cut_in_its_exif_data_counts_as_far_as_their_segment_goes() -> None:
    data = SAMPLES["thumbnail"][0]
    start = data.index(b"\xff\xe1")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    found = first(data[: end - 100].ljust(end + 100, b"\0"))
    assert found == Carved(0, end, "image/jpeg", False, "no marker where one is due")


@pytest.mark.parametrize("extra", [0, 2])
def test_a_bmp_may_be_followed_by_the_few_bytes_that_its_size_counts(extra: int) -> None:
    size = len(BMP) + extra
    data = BMP[:2] + struct.pack("<I", size) + BMP[6:] + bytes(extra)
    assert first(data) == Carved(0, size, "image/bmp", whole=True)


def test_a_bmp_of_the_first_kind_and_one_upside_down_are_known() -> None:
    core = b"BM" + struct.pack("<IHHIIHHHH", 26 + 8 * 24, 0, 0, 26, 12, 8, 8, 1, 24) + bytes(8 * 24)
    assert first(core) == Carved(0, len(core), "image/bmp", whole=True)
    height = struct.unpack_from("<i", BMP, 22)[0]
    assert first(BMP[:22] + struct.pack("<i", -height) + BMP[26:]) == Carved(0, len(BMP), "image/bmp", whole=True)


def test_fill_bytes_before_a_marker_belong_to_the_file() -> None:
    data = JPEG[:-2] + b"\xff\xff\xff\xff\xd9"
    assert first(data) == Carved(0, len(data), "image/jpeg", whole=True)


def test_a_jpeg_of_four_colours_and_one_of_one_pixel_are_whole() -> None:
    for picture in (scene(3, (64, 48)).convert("CMYK"), scene(3, (8, 8)).resize((1, 1))):
        data = saved(picture, "JPEG")
        assert first(data) == Carved(0, len(data), "image/jpeg", whole=True)


def test_a_continuation_of_a_film_that_is_cut_off_takes_its_wholeness() -> None:
    film = SAMPLES["avi"][0] + riff(b"AVIX", chunk(b"LIST", b"movi" + bytes(9000)))[:-6000]
    assert reason(film) == "cut off by the end of the stretch"


def test_the_format_is_told_at_any_offset() -> None:
    assert format_at(b"\0" + PNG, 1) is not None
    assert format_at(PNG, 1) is None
    assert format_at(b"", 0) is None
