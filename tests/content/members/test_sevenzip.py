import io
import random
import struct
import zlib

import py7zr
import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import packed

from triage.content.members.member import Budget, Limits, Member

JPEG, PNG = picture(), picture("PNG")
CODE = random.Random(1).randbytes(300) * 300
FILES = {"a/photo.jpg": JPEG, "b.png": PNG, "empty": b"", "über.txt": b"text" * 5000, "code": CODE}


@pytest.mark.parametrize(
    "methods",
    [
        [py7zr.FILTER_LZMA2],
        [py7zr.FILTER_LZMA],
        [py7zr.FILTER_BZIP2],
        [py7zr.FILTER_DEFLATE],
        [py7zr.FILTER_ZSTD],
        [py7zr.FILTER_COPY],
        [py7zr.FILTER_X86, py7zr.FILTER_LZMA2],
        [py7zr.FILTER_X86, py7zr.FILTER_LZMA],
        [py7zr.FILTER_ARM, py7zr.FILTER_LZMA],
        [py7zr.FILTER_DELTA, py7zr.FILTER_LZMA2],
        [py7zr.FILTER_X86, py7zr.FILTER_BZIP2],
    ],
)
def test_members_are_given_as_they_were(methods: list[int]) -> None:
    filters = [{"id": method} for method in methods]
    assert contents(packed(FILES, filters)) == FILES


def test_several_folders_and_a_plain_header_are_read() -> None:
    file = io.BytesIO(packed({"a.jpg": JPEG}))
    with py7zr.SevenZipFile(file, "a") as archive:
        archive.writestr(PNG, "b.png")
    assert contents(file.getvalue()) == {"a.jpg": JPEG, "b.png": PNG}
    assert contents(packed(FILES, header_encryption=False)) == FILES


def test_methods_not_read_are_told() -> None:
    filters = [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}]
    assert told(found(packed({"a.jpg": JPEG, "b": b"b"}, filters))) == [
        ("a.jpg", "unsupported", False),
        ("b", "unsupported", False),
    ]


def test_encrypted_files_and_headers_are_told() -> None:
    assert told(found(packed({"a.jpg": JPEG}, password="invented"))) == [("a.jpg", "encrypted", False)]
    assert told(found(packed({"a.jpg": JPEG}, password="invented", header_encryption=True))) == [
        ("", "encrypted", False)
    ]


def test_a_damaged_header_is_told() -> None:
    data = bytearray(packed({"a.jpg": JPEG}))
    data[-5] ^= 1
    assert told(found(bytes(data))) == [("", "damaged", False)]
    assert told(found(bytes(data[:-9]))) == [("", "damaged", False)]
    assert told(found(bytes(data[:20]), "application/x-7z-compressed")) == [("", "damaged", False)]


def test_damage_in_the_middle_costs_what_follows() -> None:
    parts = {f"{number}": random.Random(number).randbytes(100_000) for number in range(5)}
    data = bytearray(packed(parts))
    data[250_000:250_100] = bytes(100)
    inside = found(bytes(data))
    assert told(inside)[:3] == [("0", "", True), ("1", "", True), ("2", "damaged", True)]


def test_zeros_without_end_are_cut_off() -> None:
    data = packed({"zeros": bytes(30 << 20), "a.jpg": JPEG})
    budget = Budget.of(len(data))
    before = budget.bytes
    assert told(found(data, budget=budget)) == [("zeros", "limit", False), ("a.jpg", "limit", False)]
    assert before - budget.bytes <= 17 << 20


def test_a_decoder_that_would_hold_too_much_is_refused() -> None:
    filters = [{"id": py7zr.FILTER_LZMA2, "dict_size": 64 << 20}]
    data = packed({"a": random.Random(1).randbytes(1 << 17) * 24}, filters)
    assert told(found(data)) == [("a", "", True)]
    assert told(found(data, limits=Limits(dictionary=1 << 20))) == [("a", "limit", False)]


def test_large_members_are_decoded_as_they_are_read() -> None:
    parts = {f"{number}": random.Random(number).randbytes(1 << 17) * 12 for number in range(3)}
    inside = found(packed(parts, [{"id": py7zr.FILTER_LZMA2, "preset": 0}]), limits=Limits(held=1 << 20))
    assert [item.name for item in inside if isinstance(item, Member)] == list(parts)
    for item in reversed(inside):
        assert isinstance(item, Member)
        assert item.obstacle is None
        assert item.content
        assert b"".join(item.content.blocks()) == parts[item.name]


def test_times_are_given() -> None:
    member = found(packed({"a": b"a"}))[0]
    assert isinstance(member, Member)
    assert member.modified is None or member.modified > 1_600_000_000 * 10**9


def test_a_header_that_counts_more_files_than_it_has_room_for_is_damaged() -> None:
    header = b"\x01\x05" + b"\xf0\xff\xff\xff\x0f"
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    data = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + header
    assert told(found(data)) == [("", "damaged", False)]
