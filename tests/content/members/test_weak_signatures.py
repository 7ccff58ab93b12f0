"""Formats whose first bytes alone say too little."""

import lzma
import struct
import zlib

import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import image, pdf

from triage.content.members.reading import holds_members

JPEG = picture()
MAIN_HEADER = bytes([30]) + bytes(33) + b"a.arj\0\0"
ARJ = b"\x60\xea" + struct.pack("<H", len(MAIN_HEADER)) + MAIN_HEADER + struct.pack("<I", zlib.crc32(MAIN_HEADER))
LHA = b"\x20\x00-lh5-" + bytes(13) + b"\0" + b"\5a.jpg"
CPIO = b"070701" + b"0" * 104 + b"a.jpg\0"
CPIO_OLD = b"070707" + b"0" * 70 + b"a.jpg\0"
CPIO_BINARY = b"\xc7\x71" + bytes(18) + struct.pack("<HHH", 6, 0, 9) + b"a.jpg\0"


@pytest.mark.parametrize("head", [ARJ, LHA, CPIO, CPIO_OLD, CPIO_BINARY])
@pytest.mark.parametrize("kind", [None, "text/plain"])
def test_archives_that_are_not_read_are_told_whoever_names_the_type(head: bytes, kind: str | None) -> None:
    assert holds_members(kind, head)
    assert [code for _, code, _ in told(found(head + bytes(300), kind or "application/octet-stream"))] == [
        "unsupported"
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"\x60\xea" + bytes(200),
        ARJ[:-1] + bytes([ARJ[-1] ^ 1]),
        LHA.replace(b"-lh5-", b"-lh5x"),
        b"a -lh5- in a text",
        b"070701 is a number",
        b"070707" + b"9" * 100,
        b"\xc7\x71" + bytes(200),
        b"\x5d\0\0\1\0" + b"\xff" * 8 + b"\0" + b"\xa5" * 200,
        bytes(600),
        b"see %PDF-files",
    ],
)
def test_what_only_begins_like_one_is_none(head: bytes) -> None:
    assert not holds_members(None, head)


def test_a_bare_lzma_file_is_known_by_its_header() -> None:
    data = lzma.compress(JPEG, lzma.FORMAT_ALONE)
    assert holds_members(None, data[:4096])
    assert contents(data, "application/octet-stream", name="a.jpg.lzma") == {"a.jpg": JPEG}


def test_a_pdf_behind_other_bytes_is_read() -> None:
    data = b"\n\x1b%-12345X\n" + pdf(image(b"/Filter /DCTDecode", JPEG))
    assert holds_members("text/plain", data[:4096])
    assert list(contents(data, "text/plain").values()) == [JPEG]
