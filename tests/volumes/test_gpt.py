import struct
import zlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.trouble import TroubleCode
from triage.volumes.partition_tables import survey

from .plain import Sparse, check_tiling, fat_boot_sector, named, table_sector, volumes

SIZE = 8 * 2**20
BASIC = UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
DYNAMIC = UUID("af9b60a0-1431-4f62-bc68-3311714a69ad")
PROTECTIVE = (0xEE, 1, 0xFFFFFFFF)


def entry(first: int, last: int, name: str = "", kind: UUID = BASIC) -> bytes:
    head = kind.bytes_le + bytes(range(16)) + struct.pack("<QQQ", first, last, 0)
    return head + name.encode("utf-16-le").ljust(72, b"\0")


def header(entries: bytes, *, own: int, alternate: int, at: int) -> bytes:
    count = len(entries) // 128
    rest = struct.pack("<QQQQ", own, alternate, 34, 100) + bytes(16)
    rest += struct.pack("<QIII", at, count, 128, zlib.crc32(entries))
    head = b"EFI PART" + struct.pack("<II", 0x10000, 92)
    checksum = zlib.crc32(head + bytes(8) + rest)
    return head + struct.pack("<II", checksum, 0) + rest


def disk(*entries: bytes, unit: int = 512, size: int = SIZE) -> Sparse:
    array = b"".join(entries).ljust(128 * 128, b"\0")
    last = size // unit - 1
    at = last - len(array) // unit
    source = Sparse(size).put(0, table_sector(PROTECTIVE))
    source.put(unit, header(array, own=1, alternate=last, at=2)).put(2 * unit, array)
    return source.put(at * unit, array).put(last * unit, header(array, own=last, alternate=1, at=at))


@pytest.mark.parametrize("unit", [512, 4096])
def test_partitions_names_and_tables(unit: int) -> None:
    found = survey(disk(entry(64, 127, "PHOTOS"), bytes(128), entry(256, 511, "a\x1bb"), unit=unit))
    check_tiling(found, SIZE)
    assert volumes(found) == [(64 * unit, 64 * unit), (256 * unit, 256 * unit)]
    assert named(found, "partition 1").description == "PHOTOS, Microsoft basic data"
    assert named(found, "partition 3").description == "a\\u001bb, Microsoft basic data"
    assert found.troubles == ()
    assert named(found, "partition table 2").run.end == SIZE
    assert {each.scheme for each in found.regions} == {"gpt"}


@pytest.mark.parametrize("hurt", [512 + 40, 1024 + 33])
def test_a_damaged_primary_gives_way_to_the_backup(hurt: int) -> None:
    source = disk(entry(64, 127), entry(256, 511)).put(hurt, b"\xa5")
    found = survey(source)
    assert volumes(found) == [(64 * 512, 32768), (256 * 512, 131072)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]
    assert f"backup at {SIZE - 512}" in found.troubles[0].text


def test_a_primary_that_is_gone_gives_way_to_the_backup() -> None:
    source = disk(entry(64, 127)).put(512, bytes(40 * 512))
    assert volumes(survey(source)) == [(64 * 512, 32768)]
    without_mbr = disk(entry(64, 127)).put(0, bytes(41 * 512))
    assert volumes(survey(without_mbr)) == [(64 * 512, 32768)]


def test_both_damaged_the_primary_is_used_as_it_stands() -> None:
    source = disk(entry(64, 127)).put(512 + 40, b"\xa5").put(SIZE - 512 + 40, b"\xa5")
    found = survey(source)
    assert volumes(found) == [(64 * 512, 32768)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]


def test_an_announced_table_that_is_not_there_is_told() -> None:
    found = survey(Sparse(SIZE).put(0, table_sector(PROTECTIVE)))
    assert volumes(found) == [(0, SIZE)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]


def test_tables_that_disagree_are_ambiguous() -> None:
    source = disk(entry(64, 127))
    other = entry(300, 400).ljust(128 * 128, b"\0")
    last, at = SIZE // 512 - 1, SIZE // 512 - 33
    source.put(at * 512, other).put(last * 512, header(other, own=last, alternate=1, at=at))
    found = survey(source)
    assert volumes(found) == [(64 * 512, 32768)]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS]


def test_a_source_shorter_than_its_disk_is_told() -> None:
    source = disk(entry(64, 127), entry(10000, 12000))
    source.size = 4 * 2**20
    found = survey(source)
    check_tiling(found, source.size)
    assert volumes(found) == [(64 * 512, 32768)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED] * 2


def test_a_backwards_partition_is_told_and_the_others_stay() -> None:
    found = survey(disk(entry(127, 64), entry(256, 511)))
    assert volumes(found) == [(256 * 512, 131072)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]


def test_a_hybrid_mbr_adds_what_the_gpt_does_not_name() -> None:
    source = disk(entry(64, 127)).put(0, table_sector(PROTECTIVE, (0x07, 64, 64), (0x07, 1000, 64)))
    found = survey(source)
    assert volumes(found) == [(64 * 512, 32768), (1000 * 512, 32768)]
    assert named(found, "partition 3 (MBR)").scheme == "gpt"


def test_a_leftover_gpt_behind_a_real_mbr_is_ambiguous() -> None:
    source = disk(entry(64, 127)).put(0, table_sector((0x07, 1000, 64)))
    found = survey(source)
    assert volumes(found) == [(512000, 32768)]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS]


def test_a_leftover_backup_behind_a_file_system_is_nothing() -> None:
    source = disk(entry(64, 127)).put(0, bytes(40 * 512)).put(1080, b"\x53\xef")
    found = survey(source)
    assert volumes(found) == [(0, SIZE)]
    assert found.troubles == ()
    assert volumes(survey(disk(entry(64, 127)).put(0, fat_boot_sector() + bytes(39 * 512)))) == [(0, SIZE)]


def test_dynamic_disk_data_is_told() -> None:
    found = survey(disk(entry(64, 127, kind=DYNAMIC)))
    assert [each.code for each in found.troubles] == [TroubleCode.UNSUPPORTED]


def test_an_iso_hybrid_is_one_volume() -> None:
    source = disk(entry(64, 127), entry(200, 300))
    source.put(64 * 512, fat_boot_sector()).put(0x8001, b"CD001")
    found = survey(source)
    assert [each.name for each in found.regions] == ["whole source"]
    assert found.troubles == ()


def test_a_partition_behind_an_iso_image_is_a_volume_of_its_own() -> None:
    blocks = 1024
    source = disk(entry(64, 127), entry(blocks * 4, 9000))
    source.put(0x8000, b"\x01CD001" + bytes(74) + blocks.to_bytes(4, "little"))
    found = survey(source)
    check_tiling(found, SIZE)
    assert volumes(found) == [(0, blocks * 2048), (blocks * 2048, (9001 - blocks * 4) * 512)]
    assert named(found, "partition 0").description == "ISO 9660 image"
    assert found.troubles == ()


def test_a_second_file_system_inside_an_iso_image_is_told() -> None:
    source = disk(entry(64, 127)).put(0x8001, b"CD001").put(64 * 512 + 1024, b"H+\0\x04")
    found = survey(source)
    assert [each.name for each in found.regions] == ["whole source"]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS]


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=8), st.integers(0, 2**40))
def test_any_entries_tile_the_source(ranges: list[tuple[int, int]], size: int) -> None:
    source = disk(*(entry(first, last) for first, last in ranges))
    source.size = size
    check_tiling(survey(source), size)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=12))
def test_crowded_entries_tile_the_source(ranges: list[tuple[int, int]]) -> None:
    found = survey(disk(*(entry(first, last) for first, last in ranges), size=120 * 1024))
    check_tiling(found, 120 * 1024)


@given(st.binary(min_size=84, max_size=500), st.integers(1, 200000))
def test_any_header_tiles_the_source(data: bytes, size: int) -> None:
    source = Sparse(size).put(0, table_sector(PROTECTIVE)).put(512, b"EFI PART" + data)
    check_tiling(survey(source), size)
