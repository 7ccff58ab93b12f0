"""What the library would give other bytes for: told, and never examined as what it is not."""

import struct
import subprocess
from pathlib import Path

import pytest
from suite import Tool

from triage.filesystems.ext_maps import SIGNATURE, FarMapError, OddMapError, check_map, extent_runs
from triage.filesystems.ntfs_index import _Reader
from triage.filesystems.ntfs_record import Geometry, OddError
from triage.items.evidence import Evidence
from triage.model.item import Item
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

BLOCK = 4096
RECORD = 1024
DATA, END = 0x80, 0xFFFFFFFF


def test_an_index_without_any_node_is_left_to_the_library() -> None:
    geometry = Geometry(BLOCK, 1000, 0, 1000 * BLOCK, 1000 * BLOCK)
    with pytest.raises(OddError):
        list(_Reader(64, 100, is_free=False).nodes(bytes(4 * BLOCK), geometry))


def test_extents_beyond_what_the_library_can_address_are_told_from_odd_ones() -> None:
    leaf = struct.pack("<HHHHI", SIGNATURE, 1, 4, 0, 0) + struct.pack("<IHHI", 0, 1, 1, 0x12345)
    with pytest.raises(FarMapError):
        extent_runs(leaf.ljust(60, b"\0"), BLOCK, BLOCK, lambda _: b"")
    index = struct.pack("<HHHHI", SIGNATURE, 1, 4, 1, 0) + struct.pack("<IIHH", 0, 7, 1, 0)
    with pytest.raises(FarMapError):
        extent_runs(index.ljust(60, b"\0"), BLOCK, BLOCK, lambda _: b"")


def test_a_tree_that_leads_to_one_node_again_and_again_is_not_followed_for_ever() -> None:
    def node(depth: int, count: int) -> bytes:
        head = struct.pack("<HHHHI", SIGNATURE, count, 340, depth, 0)
        entry = struct.pack("<IIHH", 0, depth, 0, 0) if depth else struct.pack("<IHHI", 0, 1, 0, 99)
        return (head + entry * count).ljust(60 if depth == 4 else BLOCK, b"\0")

    read: list[int] = []

    def block(number: int) -> bytes:
        read.append(number)
        return node(number - 1, 340 if number > 1 else 1)

    with pytest.raises(OddMapError):
        check_map(node(4, 4), 1 << 30, BLOCK, block, extents=True)
    assert len(read) < 20


@pytest.fixture
def compressed(tool: Tool, tmp_path: Path) -> Path:
    """A file as Windows compresses those of the system: its content a hole, the bytes in a stream of its own."""
    image, content = tmp_path / "wof.ntfs", tmp_path / "content"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    content.write_bytes(b"innocuous text " * 4000)
    for words in (
        (tool("mkntfs"), "-q", "-F", "-s", "512", "-c", str(BLOCK), image),
        (tool("ntfscp"), "-q", image, content, "photo.jpg"),
        (tool("ntfscp"), "-q", "-N", "WofCompressedData", image, content, "photo.jpg"),
    ):
        subprocess.run([*map(str, words)], check=True, capture_output=True)
    (plain,) = (item for item in listed(image) if isinstance(item, Item) and item.path == "photo.jpg")
    _make_a_hole(image, int(plain.reference.split("-")[0]))
    return image


def _make_a_hole(image: Path, inode: int) -> None:
    """Let the unnamed content of a file be one run of no clusters."""
    disk = bytearray(image.read_bytes())
    at = struct.unpack_from("<Q", disk, 48)[0] * BLOCK + inode * RECORD
    record = bytearray(disk[at : at + RECORD])
    fixes, count = struct.unpack_from("<HH", record, 4)
    for number in range(1, count):
        record[512 * number - 2 : 512 * number] = record[fixes + 2 * number : fixes + 2 * number + 2]
    position = struct.unpack_from("<H", record, 20)[0]
    while struct.unpack_from("<I", record, position)[0] != DATA or record[position + 9]:
        position += struct.unpack_from("<I", record, position + 4)[0]
    length, runs = struct.unpack_from("<I", record, position + 4)[0], struct.unpack_from("<H", record, position + 32)[0]
    clusters = struct.unpack_from("<Q", record, position + 24)[0] + 1
    record[position + runs : position + length] = bytes((1, clusters)).ljust(length - runs, b"\0")
    struct.pack_into("<H", record, position + 12, 0x8000)
    for number in range(1, count):
        record[fixes + 2 * number : fixes + 2 * number + 2] = record[512 * number - 2 : 512 * number]
        record[512 * number - 2 : 512 * number] = record[fixes : fixes + 2]
    disk[at : at + RECORD] = record
    image.write_bytes(disk)


def listed(image: Path) -> list[Item | Trouble]:
    evidence = Evidence(WatchedSource(open_source(image)))
    (region,) = evidence.survey().regions
    return list(evidence.walk(region))


def test_a_file_that_the_system_compressed_is_not_taken_for_zeros(compressed: Path) -> None:
    found = listed(compressed)
    (item,) = (one for one in found if isinstance(one, Item) and one.path == "photo.jpg")
    assert item.unlocated == "compressed by the system (WOF): its content is not read"
    assert not item.direct
    (trouble,) = (one for one in found if isinstance(one, Trouble))
    assert trouble.code is TroubleCode.LIMIT
    (stream,) = (one for one in found if isinstance(one, Item) and one.path.endswith(":WofCompressedData"))
    assert stream.unlocated is None
