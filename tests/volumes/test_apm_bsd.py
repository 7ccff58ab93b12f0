import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.trouble import TroubleCode
from triage.volumes.partition_tables import survey

from .plain import Sparse, check_tiling, fat_boot_sector, named, table_sector, volumes

SIZE = 4 * 2**20
MAGIC = 0x82564557


def map_entry(count: int, first: int, blocks: int, name: str, kind: str) -> bytes:
    head = b"PM\0\0" + struct.pack(">III", count, first, blocks)
    return (head + name.encode().ljust(32, b"\0") + kind.encode().ljust(32, b"\0")).ljust(512, b"\0")


def apple_disk(block: int, said: int, *partitions: tuple[int, int, str, str]) -> Sparse:
    source = Sparse(SIZE).put(0, b"ER" + said.to_bytes(2, "big"))
    entries = [(1, len(partitions) + 1, "Apple", "Apple_partition_map"), *partitions]
    for index, (first, blocks, name, kind) in enumerate(entries, 1):
        source.put(block * index, map_entry(len(entries), first, blocks, name, kind))
    return source


@pytest.mark.parametrize(("block", "said"), [(512, 512), (2048, 2048), (512, 2048)])
def test_apple_partition_map(block: int, said: int) -> None:
    source = apple_disk(
        block, said,
        (64, 32, "Macintosh", "Apple_Driver43"),
        (128, 256, "Disk \x07", "Apple_HFS"),
        (384, 100, "Extra", "Apple_Free"),
    )  # fmt: skip
    found = survey(source)
    check_tiling(found, SIZE)
    assert volumes(found) == [(128 * block, 256 * block)]
    assert named(found, "partition 3").description == "Disk \\u0007, Apple_HFS"
    assert not named(found, "partition 2").is_volume
    assert named(found, "partition 2").description == "Macintosh, Apple_Driver43"
    assert found.troubles == ()


def test_a_driver_partition_with_a_file_system_is_a_volume() -> None:
    source = apple_disk(512, 512, (64, 32, "", "Apple_Driver43")).put(64 * 512, fat_boot_sector())
    assert volumes(survey(source)) == [(64 * 512, 32 * 512)]


def test_a_map_that_claims_too_much_ends() -> None:
    source = Sparse(SIZE).put(0, b"ER\x02\0")
    source.put(512, map_entry(2**32 - 1, 1, 2, "Apple", "Apple_partition_map"))
    found = survey(source.put(1024, map_entry(2, 64, 64, "x", "Apple_HFS")))
    assert volumes(found) == [(32768, 32768)]


def label(*entries: tuple[int, int, int], order: str = "<", count: int | None = None) -> bytes:
    """A disk label of (sectors, first sector, type)."""
    words = struct.pack(f"{order}IHH32xIIIIII", MAGIC, 0, 0, 512, 63, 1, 130, 63, 8192)
    head = words.ljust(132, b"\0") + struct.pack(f"{order}I", MAGIC)
    tail = struct.pack(f"{order}HII", len(entries) if count is None else count, 8192, 8192)
    tail += b"".join(struct.pack(f"{order}IIIBBH", *entry[:2], 0, entry[2], 0, 0) for entry in entries)
    summed = 0
    for (word,) in struct.iter_unpack(f"{order}H", head + bytes(2) + tail):
        summed ^= word
    return head + struct.pack(f"{order}H", summed) + tail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("place", [512, 64])
def test_label_of_a_whole_disk(place: int, order: str) -> None:
    source = Sparse(SIZE).put(place, label((1000, 16, 7), (500, 2000, 1), (8192, 0, 0), order=order))
    found = survey(source)
    check_tiling(found, SIZE)
    assert volumes(found) == [(8192, 512000), (1024000, 256000)]
    assert named(found, "partition a").description == "4.2BSD fast file system"
    assert found.troubles == ()


def test_a_label_that_only_says_all_of_it_is_one_volume() -> None:
    source = Sparse(SIZE).put(512, label((8192, 0, 7), (0, 0, 0), (8192, 0, 0)))
    assert volumes(survey(source)) == [(0, SIZE)]


def test_a_wrong_checksum_is_told() -> None:
    data = bytearray(label((1000, 16, 7)))
    data[30] ^= 1
    found = survey(Sparse(SIZE).put(512, bytes(data)))
    assert volumes(found) == [(8192, 512000)]
    assert [each.code for each in found.troubles] == [TroubleCode.DAMAGED]


@pytest.mark.parametrize(
    ("kind", "raw", "base"),
    [(0xA5, 0, 2048), (0xA5, 2048, 0), (0xA6, 0, 0), (0xA9, 2048, 0)],
)
def test_label_inside_a_slice(kind: int, raw: int, base: int) -> None:
    shift = 2048 - base
    source = Sparse(SIZE).put(0, table_sector((kind, 2048, 4096), (0x0B, 7000, 100)))
    source.put(2049 * 512, label((1000, 16 + shift, 7), (500, 2000 + shift, 1), (4096, raw, 0)))
    found = survey(source)
    check_tiling(found, SIZE)
    assert volumes(found) == [(2064 * 512, 512000), (4048 * 512, 256000), (7000 * 512, 51200)]
    assert [each.name for each in found.regions if each.is_volume] == ["partition 1a", "partition 1b", "partition 2"]
    assert found.troubles == ()


def test_a_slice_without_a_label_is_a_volume() -> None:
    assert volumes(survey(Sparse(SIZE).put(0, table_sector((0xA5, 2048, 4096))))) == [(2**20, 2**21)]


def test_dangerously_dedicated_disk_follows_its_label() -> None:
    source = Sparse(SIZE).put(0, table_sector((0xA5, 0, 50000), flag=0x80))
    source.put(512, label((1000, 16, 7), (0, 0, 0), (8192, 0, 0)))
    found = survey(source)
    assert volumes(found) == [(8192, 512000)]
    assert named(found, "partition a").scheme == "bsd"


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 9000), st.integers(0, 255)), max_size=8), st.booleans())
def test_any_label_tiles_the_source(entries: list[tuple[int, int, int]], inside: bool) -> None:
    source = Sparse(SIZE).put(512, label(*entries))
    if inside:
        source = Sparse(SIZE).put(0, table_sector((0xA5, 100, 5000))).put(101 * 512, label(*entries))
    check_tiling(survey(source), SIZE)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=8), st.integers(512, 2**36))
def test_any_map_tiles_the_source(entries: list[tuple[int, int]], size: int) -> None:
    source = apple_disk(512, 512, *((first, blocks, "x", "Apple_HFS") for first, blocks in entries))
    source.size = size
    check_tiling(survey(source), size)
