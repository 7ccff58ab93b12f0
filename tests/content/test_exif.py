import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.content.exif import Exif, parse_exif


def structure(order: str, first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]) -> bytes:
    """Return a TIFF structure of two directories of (tag, type, value)."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    start = 8 + 2 + 12 * len(first) + 4
    return b"".join((mark, struct.pack(order + "I", 8), directory(order, first, start), directory(order, second, 0)))


def directory(order: str, entries: list[tuple[int, int, int]], following: int) -> bytes:
    packed = b"".join(
        struct.pack(order + "HHI", tag, kind, 1)
        + struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
        for tag, kind, value in entries
    )
    return struct.pack(order + "H", len(entries)) + packed + struct.pack(order + "I", following)


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_and_thumbnail_are_read_in_both_orders(order: str) -> None:
    tiff = structure(order, [(0x0112, 3, 6)], [(0x0103, 3, 6), (0x0201, 4, 500), (0x0202, 4, 7000)])
    assert parse_exif(tiff) == Exif(orientation=6, thumbnail=(500, 7000))


def test_what_is_missing_or_meaningless_is_left_out() -> None:
    assert parse_exif(structure("<", [], [])) == Exif(orientation=1, thumbnail=None)
    assert parse_exif(structure("<", [(0x0112, 3, 9)], [(0x0201, 4, 500)])) == Exif(orientation=1, thumbnail=None)
    assert parse_exif(structure("<", [(0x0112, 2, 6)], [])) == Exif(orientation=1, thumbnail=None)


def test_what_is_no_tiff_structure_is_none() -> None:
    assert parse_exif(b"") is None
    assert parse_exif(b"II+\0" + bytes(50)) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_not(data: bytes) -> None:
    for mark in (b"II*\0", b"MM\0*"):
        found = parse_exif(mark + data)
        assert found is not None
        assert 1 <= found.orientation <= 8
