import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.trouble import TroubleCode
from triage.volumes.partition_tables import survey

from .plain import Sparse, check_tiling, fat_boot_sector, named, table_sector, volumes

SIZE = 8 * 2**20
MIB = 2048


def disk(*entries: tuple[int, int, int], flag: int = 0, size: int = SIZE) -> Sparse:
    return Sparse(size).put(0, table_sector(*entries, flag=flag))


def test_primary_partitions_table_and_gaps_tile_the_source() -> None:
    found = survey(disk((0x07, MIB, 4096), (0x83, 3 * MIB, 4096)))
    check_tiling(found, SIZE)
    assert [(each.name, each.run.offset // 512, each.run.length // 512) for each in found.regions] == [
        ("partition table 1", 0, 1),
        ("gap 1", 1, MIB - 1),
        ("partition 1", MIB, 4096),
        ("partition 2", 3 * MIB, 4096),
        ("gap 2", 3 * MIB + 4096, SIZE // 512 - 3 * MIB - 4096),
    ]
    assert found.troubles == ()
    assert {each.scheme for each in found.regions} == {"mbr"}
    assert named(found, "partition 1").description == "NTFS / exFAT (0x07)"


@pytest.mark.parametrize("kind", [0x05, 0x0F, 0x85])
def test_extended_chain(kind: int) -> None:
    source = disk((0x06, 64, 100), (kind, 1000, 5000))
    source.put(1000 * 512, table_sector((0x83, 8, 100), (kind, 500, 600)))
    source.put(1500 * 512, table_sector((0x07, 8, 200), (kind, 2000, 600)))
    source.put(3000 * 512, table_sector((0x0B, 8, 300)))
    found = survey(source)
    check_tiling(found, SIZE)
    assert volumes(found) == [(64 * 512, 51200), (1008 * 512, 51200), (1508 * 512, 102400), (3008 * 512, 153600)]
    assert [each.name for each in found.regions if each.is_volume] == [
        "partition 1", "partition 5", "partition 6", "partition 7",
    ]  # fmt: skip
    assert sum(each.name.startswith("partition table") for each in found.regions) == 4
    assert found.troubles == ()


def test_an_extended_table_may_hold_more_than_two_entries() -> None:
    source = disk((0x05, 1000, 5000))
    source.put(1000 * 512, table_sector((0x83, 8, 100), (0x05, 500, 600), (0x83, 200, 100), (0x05, 2000, 600)))
    source.put(1500 * 512, table_sector((0x07, 8, 200)))
    source.put(3000 * 512, table_sector((0x0B, 8, 300)))
    starts = [offset // 512 for offset, _ in volumes(survey(source))]
    assert starts == [1008, 1200, 1508, 3008]


def test_a_chain_in_a_circle_ends_and_is_told() -> None:
    source = disk((0x05, 1000, 5000))
    source.put(1000 * 512, table_sector((0x83, 8, 100), (0x05, 500, 600)))
    source.put(1500 * 512, table_sector((0x83, 8, 100), (0x05, 0, 600), (0x05, 500, 600)))
    found = survey(source)
    assert volumes(found) == [(1008 * 512, 51200), (1508 * 512, 51200)]
    assert [(each.code, each.address.value) for each in found.troubles] == [
        (TroubleCode.DAMAGED, str(1000 * 512)),
        (TroubleCode.DAMAGED, str(1500 * 512)),
    ]


def test_a_chain_without_end_is_bounded() -> None:
    size = 4 * 2**20
    source = Sparse(size).put(0, table_sector((0x05, 1, 8000)))
    chain = b"".join(table_sector((0x05, place, 1)) for place in range(1, 8000))
    found = survey(source.put(512, chain))
    check_tiling(found, size)
    assert [each.code for each in found.troubles] == [TroubleCode.LIMIT]


def test_an_extended_partition_without_a_table_is_examined_itself() -> None:
    found = survey(disk((0x05, 1000, 5000)))
    assert volumes(found) == [(512000, 5000 * 512)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]


def test_a_fat_boot_sector_is_no_table() -> None:
    found = survey(Sparse(SIZE).put(0, fat_boot_sector()))
    assert [(each.name, each.scheme, each.is_volume) for each in found.regions] == [("whole source", "none", True)]
    assert found.regions[0].description == "no partition table; FAT from the first byte"
    assert found.troubles == ()


def test_a_fat_volume_with_an_entry_over_itself_is_a_volume() -> None:
    sector = bytearray(fat_boot_sector())
    sector[446:510] = table_sector((0x06, 0, SIZE // 512))[446:510]
    assert volumes(survey(Sparse(SIZE).put(0, bytes(sector)))) == [(0, SIZE)]


def test_a_leftover_boot_sector_with_a_living_table_is_ambiguous() -> None:
    sector = bytearray(fat_boot_sector())
    sector[446:510] = table_sector((0x06, MIB, 4096))[446:510]
    found = survey(Sparse(SIZE).put(0, bytes(sector)).put(MIB * 512, fat_boot_sector()))
    assert volumes(found) == [(MIB * 512, 4096 * 512)]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS]


def test_boot_flags_that_are_text_are_no_table() -> None:
    found = survey(disk((0x74, 2000, 2000), flag=0x20))
    assert volumes(found) == [(0, SIZE)]


def test_an_entry_marked_unused_over_a_file_system_is_a_volume() -> None:
    found = survey(disk((0x00, MIB, 4096)).put(MIB * 512, fat_boot_sector()))
    assert volumes(found) == [(MIB * 512, 4096 * 512)]
    assert survey(disk((0x00, MIB, 4096))).regions[0].name == "whole source"


def test_sectors_of_4096_bytes_are_found_where_the_source_says_512() -> None:
    source = disk((0x06, 256, 100), (0x83, 512, 100)).put(256 * 4096, fat_boot_sector())
    assert volumes(survey(source)) == [(256 * 4096, 409600), (512 * 4096, 409600)]


def test_past_the_end_cut_and_dropped() -> None:
    found = survey(disk((0x83, MIB, SIZE), (0x83, SIZE, 10)))
    check_tiling(found, SIZE)
    assert volumes(found) == [(2**20, SIZE - 2**20)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED] * 2
    assert "partition 1 ends at" in found.troubles[0].text
    assert "partition 2 begins at" in found.troubles[1].text


def test_same_start_the_larger_wins() -> None:
    found = survey(disk((0x83, MIB, 100), (0x83, MIB, 200)))
    assert [each.name for each in found.regions if each.is_volume] == ["partition 2"]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS]
    assert "partition 1" in found.troubles[0].text
    assert "partition 2" in found.troubles[0].text


def test_a_partition_inside_another_keeps_its_start() -> None:
    found = survey(disk((0x83, 100, 1000), (0x83, 200, 100), (0x83, 400, 100)))
    check_tiling(found, SIZE)
    assert volumes(found) == [(51200, 51200), (102400, 51200), (204800, 51200)]
    rests = [each.run.offset // 512 for each in found.regions if each.description == "rest of partition 1"]
    assert rests == [300, 500]
    assert [each.code for each in found.troubles] == [TroubleCode.AMBIGUOUS] * 2


def test_dynamic_disk_is_told() -> None:
    assert [each.code for each in survey(disk((0x42, 63, 4096))).troubles] == [TroubleCode.UNSUPPORTED]


def test_disk_encryption_boot_code_before_a_table_is_told() -> None:
    sector = bytearray(table_sector((0x07, MIB, 4096)))
    sector[3:11] = b"SafeBoot"
    found = survey(Sparse(SIZE).put(0, bytes(sector)))
    assert [each.code for each in found.troubles] == [TroubleCode.ENCRYPTED]
    assert volumes(found) == [(2**20, 2**21)]


ENTRY = st.tuples(st.sampled_from([0, 5, 7, 0x0F, 0x83, 0xA5, 0xEE]), st.integers(0, 70), st.integers(0, 80))


@given(st.dictionaries(st.integers(0, 63), st.lists(ENTRY, max_size=4), max_size=12), st.integers(0, 40000))
def test_any_tables_tile_the_source(tables: dict[int, list[tuple[int, int, int]]], size: int) -> None:
    source = Sparse(size)
    for sector, entries in tables.items():
        source.put(sector * 512, table_sector(*entries))
    found = survey(source)
    check_tiling(found, size)
    assert survey(source) == found


@given(st.binary(max_size=3000), st.integers(0, 100000))
def test_any_bytes_tile_the_source(data: bytes, size: int) -> None:
    marked = data[:446].ljust(510, b"\0") + b"\x55\xaa" + data[446:]
    for head in (data, marked):
        check_tiling(survey(Sparse(size).put(0, head)), size)
