"""Content that is said to lie in its byte runs, end to end, is what the file system's own reader returns."""

import json
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from images.fat import fat16
from images.ntfs import CLUSTER, ntfs
from images.tree import File
from suite import CORPUS, Corpus, Tool

from triage.filesystems.filesystem import FileSystem
from triage.filesystems.recognition import recognise
from triage.items.evidence import Evidence
from triage.model.errors import DigiVanError
from triage.model.item import Item
from triage.model.runs import ByteRun, total
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

PIECE = 1 << 20
# The most that is read of one item and of one image; of longer content the last bytes are read too.
MOST_OF_ITEM = PIECE + 4096
MOST_OF_IMAGE = 6 * PIECE
# These hold much that is not direct: a boot sector shown otherwise, shadow copies, sparse and compressed files.
PLAIN = {"ntfs", "fat12", "fat16", "fat32", "ext2", "ext3", "ext4"}
NOT_PLAIN = {"dfvfs_vss.raw", "ntfssamples_ntfs-2m", "m1_gpt4_photos"}
# Only names, of which there are so many that a walk takes seconds.
ONLY_NAMES = {"corrupt_real_e2fsprogs_f_many_subdirs.img"}
LEAST_SHARE = 0.95


@dataclass
class Share:
    """How many bytes of allocated content there are, and how many of them are direct."""

    direct: int = 0
    every: int = 0


def content(filesystem: FileSystem, item: Item, start: int, end: int) -> bytes:
    return b"".join(filesystem.read_at(item, at, min(PIECE, end - at)) for at in range(start, end, PIECE))


def in_runs(source: EvidenceSource, item: Item, start: int, end: int) -> bytes:
    """Return the bytes from `start` to `end` of the item's runs, end to end."""
    pieces: list[bytes] = []
    position = 0
    for run in item.runs:
        first, last = max(start - position, 0), min(end - position, run.length)
        if first < last:
            pieces.append(source.read_at(run.offset + first, last - first))
        position += run.length
    return b"".join(pieces)


def check(source: EvidenceSource, filesystem: FileSystem, items: list[Item]) -> None:
    """Assert that what is direct is so, of as many bytes as are read of one image."""
    left = MOST_OF_IMAGE
    for item in items:
        if not item.direct:
            continue
        assert item.has_content or item.kind == "link"
        assert 0 < item.size == total(item.runs)
        assert item.encrypted is None
        if left <= 0:
            continue
        head, tail = min(item.size, MOST_OF_ITEM), max(0, item.size - 4096)
        left -= head
        assert in_runs(source, item, 0, head) == content(filesystem, item, 0, head), item.path
        assert in_runs(source, item, tail, item.size) == content(filesystem, item, tail, item.size), item.path


def shares(path: Path) -> dict[str, Share]:
    """Check every volume of a source and return what its allocated content is made of, by kind of file system."""
    source = WatchedSource(open_source(path))
    found: dict[str, Share] = {}
    for region in Evidence(source).survey().regions:
        filesystem = recognise(Volume(source, region.run)).filesystem
        if filesystem is None:
            continue
        items = [item for item in filesystem.walk() if isinstance(item, Item)]
        check(source, filesystem, items)
        share = found.setdefault(filesystem.kind, Share())
        for item in items:
            if item.allocated and item.has_content and not item.unlocated:
                share.every += item.size
                share.direct += item.size * item.direct
    source.close()
    return found


def identities() -> list[str]:
    """Return the identities of the cases, or one stand-in whose test skips or fails by the suite's rule."""
    truth = CORPUS / "truth.json"
    cases = json.loads(truth.read_bytes())["cases"] if truth.exists() else [{"id": "absent"}]
    return [case["id"] for case in cases if case["id"] not in ONLY_NAMES]


@pytest.mark.parametrize("identity", identities())
def test_direct_content_is_what_the_file_system_reads(corpus: Corpus, identity: str) -> None:
    case = corpus.case(identity)
    try:
        found = shares(corpus.first_file(case))
    except DigiVanError:
        assert case["expect"] != "files"
        return
    for kind, share in found.items():
        if case["expect"] == "files" and kind in PLAIN and identity not in NOT_PLAIN and share.every:
            assert share.direct / share.every >= LEAST_SHARE


def opened(path: Path) -> tuple[EvidenceSource, FileSystem, dict[str, Item]]:
    source = open_source(path)
    filesystem = recognise(Volume(source, ByteRun(0, source.info.size))).filesystem
    assert filesystem is not None
    items = [item for item in filesystem.walk() if isinstance(item, Item)]
    check(source, filesystem, items)
    return source, filesystem, {item.path: item for item in items}


def direct(path: Path) -> dict[str, bool]:
    """Return which files of an image are direct, after having compared them."""
    return {path: item.direct for path, item in opened(path)[2].items() if item.kind == "file"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("direct")
    (root / "long").write_bytes(bytes(range(256)) * 1200)
    (root / "short").write_bytes(b"a short note")
    (root / "empty").touch()
    (root / "second").hardlink_to(root / "long")
    with (root / "holed").open("wb") as file:
        file.write(b"x" * 8192)
        file.seek(200_000)
        file.write(b"y" * 8192)
    return root


def run(program: str, *arguments: object) -> None:
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4", "ext4 -O ^extent,^64bit", "ext4 -O inline_data"])
def test_of_ext_what_is_whole_is_direct(tool: Tool, tree: Path, tmp_path: Path, kind: str) -> None:
    image = tmp_path / "image"
    name, *features = kind.split(" ")
    run(tool(f"mkfs.{name}"), "-q", "-b", "1024", *features, "-d", tree, image, "8M")
    found = direct(image)
    inline = "inline_data" in kind
    assert found == {"long": True, "second": True, "short": not inline, "holed": False, "empty": False}


def test_ext4_blocks_that_were_set_aside_and_never_written_are_not_direct(
    tool: Tool, tree: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    run(tool("mkfs.ext4"), "-q", "-b", "1024", "-d", tree, image, "8M")
    for command in ("fallocate short 0 9", "sif short size 9000", "fallocate empty 0 9", "sif empty size 9000"):
        run(tool("debugfs"), "-w", "-R", command, image)
    _, filesystem, items = opened(image)
    assert not items["short"].direct
    assert not items["empty"].direct
    assert filesystem.read_at(items["empty"], 0, 9000) == bytes(9000)
    assert filesystem.read_at(items["short"], 0, 9000) == b"a short note".ljust(9000, b"\0")
    run(tool("debugfs"), "-w", "-R", "fallocate long 300 400", image)
    assert direct(image)["long"], "what lies past the end of the content does not matter"


def test_of_fat_deleted_content_is_direct_where_it_is_believed_to_lie(tmp_path: Path) -> None:
    files = [
        File(path=f"folder/{name}", data=name.encode() * 3000, deleted=name == "gone") for name in ("here", "gone")
    ]
    (tmp_path / "image").write_bytes(fat16(files, 16 << 20))
    found = {path.rpartition("/")[2].lower(): is_direct for path, is_direct in direct(tmp_path / "image").items()}
    assert found["here"]
    assert len(found) > 1
    assert all(is_direct for name, is_direct in found.items() if not name.startswith("$"))


def ntfs_of_three(tmp_path: Path, change: Callable[[bytearray, int], None] | None = None) -> Path:
    """Make an NTFS of three files; `change` is given the image and where the attribute with the data of `long` is."""
    files = [
        File(path="folder/long", data=bytes(range(1, 256)) * 300, streams={"side": b"stream" * 900}),
        File(path="folder/short", data=b"a short note"),
        File(path="folder/gone", data=b"deleted" * 3000, deleted=True),
    ]
    image = bytearray(ntfs(files, 8 << 20))
    at = image.rindex("long".encode("utf-16-le")) // CLUSTER * CLUSTER
    assert image[at : at + 4] == b"FILE"
    at += struct.unpack_from("<H", image, at + 20)[0]
    while image[at] != 0x80:
        at += struct.unpack_from("<I", image, at + 4)[0]
    if change is not None:
        change(image, at)
    (tmp_path / "image").write_bytes(image)
    return tmp_path / "image"


def test_of_ntfs_what_lies_outside_the_record_is_direct(tmp_path: Path) -> None:
    items = opened(ntfs_of_three(tmp_path))[2]
    assert items["folder/long"].direct
    assert items["folder/long:side"].direct
    assert not items["folder/short"].direct
    gone = next(item for path, item in items.items() if path.endswith("gone"))
    assert gone.recovered
    assert gone.direct


def test_of_ntfs_what_was_not_written_to_its_end_is_not_direct(tmp_path: Path) -> None:
    written = 40_000
    _, filesystem, items = opened(
        ntfs_of_three(tmp_path, lambda image, at: struct.pack_into("<Q", image, at + 56, written))
    )
    item = items["folder/long"]
    assert total(item.runs) == item.size
    assert not item.direct
    assert filesystem.read_at(item, written - 5, 10)[5:] == bytes(5)
    assert items["folder/long:side"].direct


@pytest.mark.parametrize("flag", [0x0001, 0x4000], ids=["compressed", "encrypted"])
def test_of_ntfs_what_is_not_stored_as_it_is_is_not_direct(tmp_path: Path, flag: int) -> None:
    def mark(image: bytearray, at: int) -> None:
        struct.pack_into("<H", image, at + 12, flag)
        struct.pack_into("<H", image, at + 34, 4)

    assert not direct(ntfs_of_three(tmp_path, mark))["folder/long"]


def test_of_two_data_streams_of_one_key_neither_is_direct(tmp_path: Path) -> None:
    def same(image: bytearray, at: int) -> None:
        after = at + struct.unpack_from("<I", image, at + 4)[0]
        assert image[after] == 0x80
        image[after + 14 : after + 16] = image[at + 14 : at + 16]

    items = opened(ntfs_of_three(tmp_path, same))[2]
    assert [path for path, item in items.items() if item.direct and "long" in path] == []


def test_of_an_iso_files_are_direct(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    run(tool("genisoimage"), "-quiet", "-r", "-J", "-o", image, tree)
    found = direct(image)
    assert found["long"]
    assert found["short"]
    assert not found["empty"]


def test_of_a_folder_nothing_is_direct(tree: Path) -> None:
    source = WatchedSource(open_source(tree))
    evidence = Evidence(source)
    items = [item for region in evidence.survey().regions for item in evidence.walk(region) if isinstance(item, Item)]
    assert len(items) >= len(list(tree.iterdir()))
    assert not any(item.direct for item in items)


def test_content_that_a_cut_volume_lacks_is_not_direct(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(fat16([File(path="a", data=b"a" * 9000), File(path="b", data=b"b" * 9000)], 16 << 20))
    whole = opened(image)[2]
    last = max((item for item in whole.values() if item.kind == "file" and item.direct), key=lambda item: item.runs)
    with image.open("r+b") as file:
        file.truncate(last.runs[-1].end - 1)
    assert not direct(image)[last.path]
