import os
import random
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from dissect.util.hash import crc32c
from images.overlay import Overlay, written_sectors
from suite import Tool, absent

from triage.filesystems.btrfs import BtrfsFileSystem, open_btrfs
from triage.filesystems.btrfs_extents import decompress
from triage.filesystems.btrfs_trees import Key, Trees, read_superblock
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun, total
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.volume import Volume

SIZE = 128 << 20
SUPERBLOCK = 0x10000


def opened(source: EvidenceSource) -> BtrfsFileSystem:
    filesystem = open_btrfs(Volume(source, ByteRun(0, source.info.size)))
    assert filesystem is not None
    return filesystem


def content(filesystem: BtrfsFileSystem, item: Item, step: int = 1 << 20) -> bytes:
    return b"".join(filesystem.read_at(item, offset, step) for offset in range(0, item.size, step))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that is made into an image."""
    root = tmp_path_factory.mktemp("tree")
    random_ = random.Random(3)
    (root / "small").write_bytes(b"inline content")
    (root / "empty").write_bytes(b"")
    (root / "big").write_bytes(random_.randbytes(3_000_001))
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "deep").write_bytes(b"deep" * 3000)
    (root / "a" / "hard").hardlink_to(root / "big")
    (root / "link").symlink_to("a/b/deep")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff\nname")).write_bytes(b"odd")
    (root / "many").mkdir()
    for index in range(600):
        (root / "many" / f"{index:05d}").write_bytes(str(index).encode() * (index % 9))
    os.utime(root / "small", ns=(1_000_000_001, 2_000_000_002))
    return root


@pytest.fixture(scope="module")
def image(tree: Path, tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Path:
    """Return an image made without mounting it."""
    return make(tool, tmp_path_factory.mktemp("btrfs") / "image", "--rootdir", str(tree))


def make(tool: Tool, path: Path, *options: str) -> Path:
    with path.open("wb") as file:
        os.truncate(file.fileno(), SIZE)
    subprocess.run([tool("mkfs.btrfs"), "-q", *options, str(path)], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("options", [(), ("--csum", "sha256"), ("--csum", "xxhash", "-n", "4096"), ("--mixed",)])
def test_what_was_put_in_comes_out(tree: Path, tmp_path: Path, tool: Tool, options: tuple[str, ...]) -> None:
    source = Overlay(make(tool, tmp_path / "image", "--rootdir", str(tree), *options))
    filesystem = opened(source)
    listed = list(filesystem.walk())
    items = {item.path: item for item in listed if isinstance(item, Item)}
    assert len(items) == len(listed)
    expected = {str(path.relative_to(tree)): path for path in tree.rglob("*")}
    assert items.keys() == expected.keys()
    for path, item in items.items():
        assert item.allocated
        if item.kind is ItemKind.FILE:
            data = expected[path].read_bytes()
            assert content(filesystem, item) == data
            if item.runs:
                assert b"".join(source.read_at(run.offset, run.length) for run in item.runs) == data
    assert total(items["big"].runs) == 3_000_001
    assert items["a/hard"].reference == items["big"].reference
    assert content(filesystem, items["link"]) == b"a/b/deep"
    assert items["small"].times.modified == 2_000_000_000  # mkfs writes whole seconds
    filesystem.close()
    filesystem.close()


def test_other_bytes_are_not_btrfs(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(1 << 17))
    source = Overlay(tmp_path / "zeros")
    assert open_btrfs(Volume(source, ByteRun(0, source.info.size))) is None


def resealed(image: Path, offset: int, field: bytes) -> Overlay:
    """Return the image with a field of its superblocks overwritten and their checksums right again."""
    flips: dict[int, int] = {}
    for start in (SUPERBLOCK, 0x400_0000):
        flips |= changed(image, start, 4096, {offset: field})
    return Overlay(image, flips)


def changed(image: Path, start: int, size: int, fields: dict[int, bytes]) -> dict[int, int]:
    """Return the flips that overwrite fields of one checked block and seal it again."""
    before = Overlay(image).read_at(start, size)
    after = bytearray(before)
    for at, value in fields.items():
        after[at : at + len(value)] = value
    after[:4] = crc32c.crc32c(bytes(after[32:])).to_bytes(4, "little")
    return {start + at: before[at] ^ after[at] for at in range(size) if before[at] != after[at]}


@pytest.mark.parametrize(
    ("offset", "field", "reason"),
    [
        (136, struct.pack("<Q", 2), "2 devices"),
        (188, struct.pack("<Q", 0x4341), "incompatible features 0x4000"),
        (148, struct.pack("<I", 1 << 30), "nodes of"),
        (811 + 17 + 24, struct.pack("<Q", 0x82), "profile 0x80"),
        (88, struct.pack("<Q", 1 << 60), "chunk map"),
    ],
)
def test_what_is_not_read_is_refused(image: Path, offset: int, field: bytes, reason: str) -> None:
    with pytest.raises(EvidenceError, match=reason):
        opened(resealed(image, offset, field))


def test_a_damaged_superblock_is_replaced_by_its_copy(image: Path) -> None:
    filesystem = opened(Overlay(image, {SUPERBLOCK + 300: 0xFF}))
    assert "big" in {item.path for item in filesystem.walk() if isinstance(item, Item)}
    with pytest.raises(EvidenceError, match="checksum"):
        opened(Overlay(image, {SUPERBLOCK + 300: 0xFF, 0x400_0000 + 300: 0xFF}))


def blocks_of_top(image: Path) -> list[tuple[int, ...]]:
    """Return where the copies of the leaf blocks of the top-level subvolume lie."""
    volume = Volume(Overlay(image), ByteRun(0, SIZE))
    superblock = read_superblock(volume)
    assert superblock is not None
    trees = Trees(volume, superblock)
    root = BtrfsFileSystem(volume, trees)._roots[5].root
    addresses = [root.address]
    for level in range(root.level, 0, -1):
        nodes = [trees.node(address, level) for address in addresses]
        addresses = [node.child(index) for node in nodes for index in range(node.entries)]
    return [trees.chunks.find(address, superblock.node_size)[0][0] for address in addresses]


def test_one_bad_copy_of_a_tree_block_costs_nothing_two_cost_only_its_names(image: Path) -> None:
    leaf = blocks_of_top(image)[-1]
    whole = {item.path for item in opened(Overlay(image)).walk() if isinstance(item, Item)}
    one = list(opened(Overlay(image, {leaf[0] + 500: 1})).walk())
    assert {item.path for item in one if isinstance(item, Item)} == whole
    assert len(leaf) == 2
    both = list(opened(Overlay(image, {copy + 500: 1 for copy in leaf})).walk())
    left = {item.path for item in both if isinstance(item, Item)}
    assert left < whole
    assert any(isinstance(one, Trouble) and one.code is TroubleCode.DAMAGED for one in both)


def test_a_folder_inside_itself_is_entered_once(image: Path) -> None:
    volume = Volume(Overlay(image), ByteRun(0, SIZE))
    items = {item.path: item for item in opened(Overlay(image)).walk() if isinstance(item, Item)}
    outer, inner = (int(items[path].reference.split("-")[1]) for path in ("a", "a/b"))
    flips: dict[int, int] = {}
    location = struct.pack("<QBQ", inner, 1, 0)
    for copies in blocks_of_top(image):
        block = volume.read_at(copies[0], 16384)
        found = [at for at in range(len(block) - 31) if block[at : at + 17] == location]
        names = {at: struct.pack("<Q", outer) for at in found if block[at + 29 : at + 31] == b"\x02b"}
        for copy in copies:
            flips |= changed(image, copy, 16384, names)
    assert flips
    listed = list(opened(Overlay(image, flips)).walk())
    assert any(isinstance(one, Trouble) and "a/b: not entered" in one.text for one in listed)
    assert len(listed) < 1000


def test_a_tree_block_that_points_to_itself_ends(image: Path) -> None:
    volume = Volume(Overlay(image), ByteRun(0, SIZE))
    superblock = read_superblock(volume)
    assert superblock is not None
    trees = Trees(volume, superblock)
    root = BtrfsFileSystem(volume, trees)._roots[5].root
    assert root.level
    pointer = 101 + 17
    flips: dict[int, int] = {}
    for copy in trees.chunks.find(root.address, superblock.node_size)[0][0]:
        flips |= changed(image, copy, superblock.node_size, {pointer: struct.pack("<Q", root.address)})
    broken = Trees(Volume(Overlay(image, flips), ByteRun(0, SIZE)), superblock)
    lost: list[str] = []
    list(broken.items(root, Key(0, 0, 0), Key(2**64, 0, 0), lost))
    assert "pointed to twice" in lost[0]


@pytest.mark.parametrize("cut", [0x10000, 0x10040, 0x11000, 1 << 20, 20 << 20, 60 << 20, 100 << 20])
def test_a_cut_image_says_so(image: Path, cut: int) -> None:
    source = Overlay(image, cut=cut)
    if cut < 0x11000:
        assert open_btrfs(Volume(source, ByteRun(0, cut))) is None
        return
    troubles = walked(source)
    assert troubles is None or "its end is missing" in troubles[0].text


def test_flipped_bits_end(image: Path) -> None:
    sectors = written_sectors(image)
    found = 0
    for seed in range(12):
        random_ = random.Random(seed)
        flips = {random_.choice(sectors) + random_.randrange(512): 1 << random_.randrange(8) for _ in range(60)}
        troubles = walked(Overlay(image, flips))
        found += troubles is None or bool(troubles)
    assert found


def walked(source: EvidenceSource) -> list[Trouble] | None:
    """Walk and read; return the troubles, None when refused. Whatever is not an EvidenceError fails the test."""
    try:
        filesystem = opened(source)
    except EvidenceError:
        return None
    troubles: list[Trouble] = []
    for item in filesystem.walk():
        if isinstance(item, Trouble):
            troubles.append(item)
            continue
        try:
            filesystem.read_at(item, 0, 1 << 16)
        except EvidenceError:
            continue
    return troubles


def lzo_literal(data: bytes) -> bytes:
    """Return an LZO1X stream of literals alone, 4 to 238 of them."""
    return bytes([17 + len(data)]) + data + b"\x11\x00\x00"


def test_decompression_of_zlib_and_lzo() -> None:
    text = bytes(range(200)) * 3
    assert decompress(zlib.compress(text), 1, len(text), 4096) == text
    segments = b""
    for start in range(0, len(text), 200):
        segment = lzo_literal(text[start : start + 200])
        segments += len(segment).to_bytes(4, "little") + segment
    stream = (4 + len(segments)).to_bytes(4, "little") + segments
    assert decompress(stream.ljust(4096, b"\0"), 2, len(text), 4096) == text
    assert decompress(b"as it is, padded", 0, 5, 4096) == b"as it"


def test_no_lzo_segment_header_crosses_a_sector() -> None:
    sector, text = 256, bytes(range(60)) * 4
    first = lzo_literal(text[:238])  # 4 + 4 + 242 = 250 bytes: room for a header; one byte more and there is none
    for size in (238, 236):
        first = lzo_literal(text[:size])
        body = len(first).to_bytes(4, "little") + first
        gap = -(4 + len(body)) % sector
        body += bytes(gap if gap < 4 else 0)
        second = lzo_literal(text[size:] + b"tail")
        body += len(second).to_bytes(4, "little") + second
        stream = (4 + len(body)).to_bytes(4, "little") + body
        assert decompress(stream, 2, len(text) + 4, sector) == text + b"tail"


@pytest.mark.parametrize("method", [1, 2, 3, 9])
def test_damaged_compression_is_evidence_trouble(method: int) -> None:
    refused = 0
    for seed in range(60):
        data = random.Random(seed).randbytes(300)
        try:
            decompress((300).to_bytes(4, "little") + data, method, 4096, 4096)
        except EvidenceError:
            refused += 1
    assert refused


@pytest.fixture
def mounted(tmp_path: Path, tool: Tool) -> Iterator[tuple[Path, Path]]:
    """Return an image and where the kernel has it mounted, or skip where it cannot (or fail, by the suite's rule)."""
    image, place = make(tool, tmp_path / "image"), tmp_path / "mounted"
    place.mkdir()
    done = subprocess.run([tool("mount"), "-o", "loop", str(image), str(place)], check=False, capture_output=True)
    if done.returncode:
        absent("the right to mount Btrfs")
    yield image, place
    subprocess.run([tool("umount"), str(place)], check=False, capture_output=True)


def test_agrees_with_the_kernel(mounted: tuple[Path, Path], tool: Tool) -> None:
    image, place = mounted
    expected = write_through_the_kernel(place, tool("btrfs"))
    subprocess.run([tool("umount"), str(place)], check=True)
    source = Overlay(image)
    filesystem = opened(source)
    listed = list(filesystem.walk())
    items = {item.path: item for item in listed if isinstance(item, Item)}
    assert [one for one in listed if isinstance(one, Trouble)] == []
    assert {path for path, item in items.items() if item.kind is ItemKind.FILE} == expected.keys()
    for path, data in expected.items():
        assert content(filesystem, items[path], 70_000) == data, path
    assert 0 < sum(run.length for run in items["zlib"].runs) < items["zlib"].size
    assert content(filesystem, items["plain:user.note"]) == b"a note"
    assert (items["plain"].times.accessed, items["plain"].times.modified) == (1_000_000_001, -2_000_000_002)
    assert items["gone"].kind is items["snapshot/gone"].kind is ItemKind.DIRECTORY
    assert len(items["holes"].runs) == 300


def write_through_the_kernel(place: Path, btrfs: str) -> dict[str, bytes]:
    """Write what mkfs cannot: compression, holes, preallocation, subvolumes, a snapshot; return what files hold."""
    random_ = random.Random(5)
    text = b"".join(b"line %d token\n" % random_.randrange(1000) for _ in range(20_000))
    written: dict[str, bytes] = {"plain": random_.randbytes(300_000)}
    subprocess.run([btrfs, "-q", "subvolume", "create", str(place / "home")], check=True)
    (place / "gone").mkdir()
    for method in ("zlib", "lzo", "zstd"):
        written[method] = text + random_.randbytes(50_000) + text
        written[f"short-{method}"] = b"abc" * 500
        for name in (method, f"short-{method}"):
            (place / name).touch()
            subprocess.run([btrfs, "property", "set", str(place / name), "compression", method], check=True)
    written["home/user"] = b"in a subvolume" * 1000
    for name, data in written.items():
        (place / name).write_bytes(data)
    os.setxattr(place / "plain", "user.note", b"a note")
    os.utime(place / "plain", ns=(1_000_000_001, -2_000_000_002))
    written["holes"] = write_holes(place / "holes")
    os.sync()
    subprocess.run([btrfs, "-q", "subvolume", "snapshot", "-r", str(place), str(place / "snapshot")], check=True)
    written |= {f"snapshot/{name}": data for name, data in written.items() if "/" not in name}
    with (place / "zlib").open("r+b") as file:
        file.seek(131_072 - 3)
        file.write(b"patched")
    written["zlib"] = written["zlib"][: 131_072 - 3] + b"patched" + written["zlib"][131_072 + 4 :]
    return written


def write_holes(path: Path) -> bytes:
    """Write a file of 300 separate blocks and a preallocated end; return what it holds."""
    with path.open("wb") as file:
        for index in range(300):
            os.pwrite(file.fileno(), b"%08d" % index * 512, index * 8192)
        os.posix_fallocate(file.fileno(), 3_000_000, 100_000)
    return b"".join(b"%08d" % index * 512 + bytes(4096) for index in range(300)).ljust(3_100_000, b"\0")
