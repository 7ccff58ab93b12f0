import hashlib
import json
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite import Corpus, Tool

from triage.filesystems import tsk_inodes, tsk_listing, tsk_walk
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.side_by_side import SideBySide
from triage.filesystems.tsk import open_tsk
from triage.filesystems.tsk_directories import _ext_block, _fixed_up, _index_entries, ntfs_names
from triage.filesystems.tsk_image import readable_front
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind, printable
from triage.model.runs import ByteRun, total
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.opening import open_source
from triage.volumes.volume import Volume

Row = tuple[str, int | None, str | None, bool]

PIECE = 1 << 20
# One for each kind of file system and of trouble; the whole corpus is compared by the test of the whole product.
CASES = (
    "dfvfs_ntfs.raw",
    "dfvfs_fat12.raw",
    "dfvfs_ext4.raw",
    "dfvfs_hfsplus.raw",
    "dfvfs_iso9660.raw",
    "dfvfs_ufs1.raw",
    "dftt_4-kwsrch-ext3",
    "dftt_6-fat-undel",
    "dftt_7-ntfs-undel",
    "dftt_8-jpeg-search",
    "dftt_9-fat-label",
    "dftt_14-iso-dirtree1",
    "dfirntfs_exfat_win",
    "dfirntfs_exfat_orphan",
    "dfirntfs_fat12",
    "dfirntfs_ntfs3_attrlist",
    "nps-2009-hfsjtest1",
    "be_1mb_fat32.dmg",
    "corrupt_made_ext4_dir_cycles.raw",
    "corrupt_made_ntfs_sparse_streams.raw",
    "corrupt_real_exfatprogs_bad_file_size.img",
)


def volume_of(path: Path, offset: int = 0) -> Volume:
    source = open_source(path)
    return Volume(source, ByteRun(offset, source.info.size - offset))


def opened(path: Path, offset: int = 0) -> FileSystem:
    filesystem = open_tsk(volume_of(path, offset))
    assert filesystem is not None
    return filesystem


def items_of(filesystem: FileSystem) -> list[Item]:
    return [found for found in filesystem.walk() if isinstance(found, Item)]


def troubles_of(filesystem: FileSystem) -> list[Trouble]:
    return [found for found in filesystem.walk() if isinstance(found, Trouble)]


def content(filesystem: FileSystem, item: Item) -> bytes:
    return b"".join(filesystem.read_at(item, offset, PIECE) for offset in range(0, item.size, PIECE))


def rows(filesystem: FileSystem) -> Counter[Row]:
    listed: Counter[Row] = Counter()
    for item in items_of(filesystem):
        if item.kind in {ItemKind.FILE, ItemKind.STREAM} and not item.path.endswith(":rsrc"):
            path = re.sub("[\x00-\x1f\x7f]", "^", printable(item.path))
            listed[path, item.size, hashlib.md5(content(filesystem, item)).hexdigest(), item.allocated] += 1
    return listed


@pytest.mark.parametrize("identity", CASES)
def test_agrees_with_the_truth(corpus: Corpus, identity: str) -> None:
    case = corpus.case(identity)
    path = corpus.first_file(case)
    for truth in case["filesystems"]:
        if truth["fs"] is None:
            continue
        expected = Counter(
            (file["path"], file["size"], file["md5"], file["status"] == "allocated") for file in truth["files"]
        )
        assert rows(opened(path, truth["offset"])) == expected


@pytest.mark.parametrize(
    ("identity", "offset"), [("dfvfs_ntfs.raw", 0), ("dfirntfs_ntfs_index", 65536), ("dfirntfs_ntfs3_attrlist", 0)]
)
def test_reads_large_ntfs_directories_as_the_library_does(
    corpus: Corpus, identity: str, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus.first_file(corpus.case(identity))
    expected = {item.address: item for item in items_of(opened(path, offset)) if item.allocated}
    monkeypatch.setattr(tsk_listing, "LARGE", 0)
    items = items_of(opened(path, offset))
    assert {item.address: item for item in items if item.allocated} == expected


def test_walks_twice_the_same_way(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("real/dfirntfs/exfat_win.raw"))
    assert list(filesystem.walk()) == list(filesystem.walk())


def test_lists_allocated_then_deleted_then_orphans(corpus: Corpus) -> None:
    items = items_of(opened(corpus.path("real/dftt/7-ntfs-undel.dd")))
    order = [(not item.allocated) + item.path.startswith("$OrphanFiles/") for item in items]
    assert order == sorted(order)
    assert set(order) == {0, 1, 2}
    assert all(item.recovered is not item.allocated for item in items)


def test_runs_are_offsets_of_the_source(corpus: Corpus) -> None:
    path = corpus.path("real/dfvfs/gpt.raw")
    filesystem = opened(path, 2097152)
    found = {item.path: item for item in items_of(filesystem)}
    item = found["passwords.txt"]
    assert item.address == Address("volume", "2097152").child("file", item.reference).child("path", "/passwords.txt")
    assert total(item.runs) == item.size
    image = path.read_bytes()
    assert b"".join(image[run.offset : run.end] for run in item.runs) == content(filesystem, item)


def test_resident_content_has_no_runs(corpus: Corpus) -> None:
    found = {item.path: item for item in items_of(opened(corpus.path("real/dfvfs/ntfs.raw")))}
    assert found["passwords.txt"].runs == ()
    assert found["passwords.txt"].size == 116
    assert found["passwords.txt"].reference == "66-128-2"
    assert found["$BadClus:$Bad"].size == 0


def test_times_are_utc_in_nanoseconds(corpus: Corpus) -> None:
    found = {item.path: item for item in items_of(opened(corpus.path("real/dfvfs/ext4.raw")))}
    times = found["passwords.txt"].times
    assert times.modified is not None
    assert times.modified % 1_000_000_000 != 0
    assert times.created is not None
    assert times.modified // 10**18 == times.created // 10**18 == 1


@pytest.mark.parametrize("zone", ["UTC0", "America/St_Johns", "Asia/Kathmandu", "Europe/London"])
def test_times_do_not_depend_on_the_zone_of_the_host(corpus: Corpus, zone: str) -> None:
    program = f"""
import json
from pathlib import Path
from triage.filesystems.tsk import open_tsk
from triage.model.runs import ByteRun
from triage.sources.opening import open_source
from triage.volumes.volume import Volume
source = open_source(Path({str(corpus.path("real/dftt/5-daylight.dd"))!r}))
filesystem = open_tsk(Volume(source, ByteRun(0, source.info.size)))
print(json.dumps([(item.path, item.times.modified, item.times.accessed) for item in filesystem.walk()]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"TZ": zone},
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    times = {path: (modified, accessed) for path, modified, accessed in json.loads(run.stdout)}
    # The wall times in the directory, 2004-01-01 14:00:02 and 2004-06-01 15:00:04, taken as UTC.
    assert times["winter.txt"] == (1072965602 * 10**9, 1072915200 * 10**9)
    assert times["summer.txt"] == (1086102004 * 10**9, 1086048000 * 10**9)


def test_a_search_for_orphans_is_bounded(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsk_walk, "ORPHAN_BUDGET", 1 << 16)
    filesystem = opened(corpus.path("real/dftt/6-fat-undel.dd"))
    cut, limit = troubles_of(filesystem)
    assert (cut.code, limit.code) == (TroubleCode.DAMAGED, TroubleCode.NOT_SEARCHED)
    assert "6160896 bytes in a volume of 6160384" in cut.text
    assert "65536 bytes were read" in limit.text
    item = next(item for item in items_of(filesystem) if item.size)
    assert len(content(filesystem, item)) == item.size


def test_a_huge_exfat_does_not_hang(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("corrupt/real_exfatprogs_2tb_disk.img"))
    assert [trouble.code for trouble in troubles_of(filesystem)] == [TroubleCode.NOT_SEARCHED]


def test_a_directory_deeper_than_the_limit_is_reported(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    path = corpus.path("corrupt/made_ext4_hostile_names.raw")
    deepest = max(item.path.count("/") for item in items_of(opened(path)))
    assert deepest == 401
    monkeypatch.setattr(tsk_walk, "DEPTH_LIMIT", 5)
    troubles = troubles_of(opened(path))
    assert {trouble.code for trouble in troubles} == {TroubleCode.LIMIT}
    assert max(item.path.count("/") for item in items_of(opened(path))) == 5


def test_clusters_of_two_megabytes_are_read(corpus: Corpus) -> None:
    path = corpus.path("real/ntfssamples/ntfs-2m.raw")
    filesystem = opened(path, 65536)
    found = {item.path: item for item in items_of(filesystem)}
    assert filesystem.block_size == 2 << 20
    assert content(filesystem, found["$AttrDef"])[:16] == "$STANDAR".encode("utf-16-le")
    with path.open("rb") as image:
        image.seek(65536)
        assert filesystem.read_at(found["$Boot"], 0, 4096) == image.read(4096)
        image.seek(65536 + 100)
        assert filesystem.read_at(found["$Boot"], 100, 1000) == image.read(1000)


def test_a_fat32_of_few_clusters_is_read(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("real/dfirntfs/fat32_small.raw"))
    assert filesystem.kind == "fat32"
    assert any(item.size for item in items_of(filesystem) if item.kind is ItemKind.FILE)


def test_an_ext2_of_revision_0_is_read(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("corrupt/real_e2fsprogs_f_dup.img"))
    found = {item.path: item for item in items_of(filesystem)}
    assert content(filesystem, found["motd"]).startswith(b"\n")


def test_several_file_systems_in_one_volume_are_told_apart(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("real/dftt/10-ntfs-disk.dd"), 32256)
    assert isinstance(filesystem, SideBySide)
    assert filesystem.kind == "ntfs+ext2"
    items = items_of(filesystem)
    assert len({item.address for item in items}) == len(items)
    assert {item.address.find("fs") for item in items} == {"ntfs", "ext2"}
    assert {(item.address.find("fs"), item.reference.partition(":")[0]) for item in items} == {
        ("ntfs", "ntfs"),
        ("ext2", "ext2"),
    }
    text = next(item for item in items if item.path == "ext2.txt")
    assert len(content(filesystem, text)) == text.size
    assert Address.parse(str(text.address)) == text.address


def test_reading_past_the_end_and_nothing(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("real/dfvfs/ntfs.raw"))
    item = next(item for item in items_of(filesystem) if item.path == "passwords.txt")
    assert filesystem.read_at(item, 0, 0) == b""
    assert filesystem.read_at(item, item.size, 10) == b""
    assert filesystem.read_at(item, 110, 1000) == content(filesystem, item)[110:]


def test_an_item_that_is_not_there_is_an_evidence_error(corpus: Corpus) -> None:
    filesystem = opened(corpus.path("real/dfvfs/ntfs.raw"))
    address = Address("volume", "0")
    lost = Item(address=address, kind=ItemKind.FILE, path="x", size=9, allocated=True, reference="99999999-128-1")
    with pytest.raises(EvidenceError, match=r"^byte 0 cannot be read: "):
        filesystem.read_at(lost, 0, 9)


def test_noise_is_no_file_system(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(hashlib.shake_128(b"noise").digest(1 << 20))
    assert open_tsk(volume_of(tmp_path / "noise")) is None
    (tmp_path / "tiny").write_bytes(bytes(512))
    assert open_tsk(volume_of(tmp_path / "tiny")) is None


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    (root / "inner").mkdir()
    (root / "inner" / "picture.bin").write_bytes(hashlib.shake_128(b"picture").digest(300_000))
    (root / "note.txt").write_bytes(b"a short note")
    (root / "nothing").touch()
    return root


def expected_of(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def contents(filesystem: FileSystem) -> dict[str, bytes]:
    return {
        item.path: content(filesystem, item)
        for item in items_of(filesystem)
        if item.kind is ItemKind.FILE and not item.path.startswith("$")
    }


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_reads_what_mkfs_ext_wrote(tool: Tool, tree: Path, tmp_path: Path, kind: str) -> None:
    image = tmp_path / "image"
    subprocess.run([tool(f"mkfs.{kind}"), "-q", "-d", str(tree), str(image), "8M"], check=True)
    filesystem = opened(image)
    assert filesystem.kind == kind
    assert contents(filesystem) == expected_of(tree)


@pytest.mark.parametrize(("bits", "size"), [(12, 2), (16, 16), (32, 40)])
def test_reads_what_mtools_wrote(tool: Tool, tree: Path, tmp_path: Path, bits: int, size: int) -> None:
    image = tmp_path / "image"
    options = ["-F", str(bits), "-s", "1", "-C", str(image), str(size << 10)]
    subprocess.run([tool("mkfs.vfat"), *options], check=True, stdout=subprocess.DEVNULL)
    for path in sorted(tree.iterdir()):
        subprocess.run([tool("mcopy"), "-s", "-i", str(image), str(path), "::"], check=True)
    subprocess.run([tool("mdel"), "-i", str(image), "::note.txt"], check=True)
    filesystem = opened(image)
    assert filesystem.kind == f"fat{bits}"
    everything = {item.path: item for item in items_of(filesystem) if item.kind is ItemKind.FILE}
    expected = expected_of(tree)
    assert content(filesystem, everything["inner/picture.bin"]) == expected["inner/picture.bin"]
    deleted = next(item for item in everything.values() if not item.allocated)
    assert deleted.recovered
    assert content(filesystem, deleted) == expected["note.txt"]


def test_reads_what_ntfscp_wrote(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run([tool("mkntfs"), "-q", "-F", "-s", "512", str(image)], check=True, capture_output=True)
    subprocess.run([tool("ntfscp"), "-q", str(image), str(tree / "note.txt"), "note.txt"], check=True)
    hidden = [tool("ntfscp"), "-q", "-N", "hidden", str(image), str(tree / "inner" / "picture.bin"), "note.txt"]
    subprocess.run(hidden, check=True)
    filesystem = opened(image)
    found = {item.path: item for item in items_of(filesystem)}
    assert found["note.txt:hidden"].kind is ItemKind.STREAM
    assert content(filesystem, found["note.txt:hidden"]) == expected_of(tree)["inner/picture.bin"]
    assert content(filesystem, found["note.txt"]) == b"a short note"


def test_an_encrypted_ext4_directory_is_marked(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    options = ["-q", "-O", "encrypt", "-d", str(tree), str(image), "8M"]
    subprocess.run([tool("mkfs.ext4"), *options], check=True)
    subprocess.run(
        [tool("debugfs"), "-w", "-R", "sif /note.txt flags 0x80800", str(image)], check=True, capture_output=True
    )
    assert {item.path: item.encrypted for item in items_of(opened(image))}["note.txt"] == "fscrypt"
    assert {item.path: item.encrypted for item in items_of(opened(image))}["inner"] is None


def damaged(filesystem: FileSystem) -> dict[str | None, str]:
    """Return what the walk says of names, by path."""
    return {trouble.address.find("path"): trouble.text for trouble in troubles_of(filesystem)}


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_an_allocated_name_of_a_cleared_inode_is_not_an_empty_file(
    tool: Tool, tree: Path, tmp_path: Path, kind: str
) -> None:
    image = tmp_path / "image"
    subprocess.run([tool(f"mkfs.{kind}"), "-q", "-d", str(tree), str(image), "8M"], check=True)
    for name in ("note.txt", "inner"):
        subprocess.run([tool("debugfs"), "-w", "-R", f"clri {name}", str(image)], check=True, capture_output=True)
    filesystem = opened(image)
    found = {item.path: item.unlocated for item in items_of(filesystem)}
    assert found == {"lost+found": None, "inner": None, "note.txt": "its metadata is blank", "nothing": None}
    assert damaged(filesystem) == {
        "/inner": "inner: its metadata is blank; what is in it is not listed",
        "/note.txt": "note.txt: its metadata is blank; its content is not known",
    }


def test_an_allocated_name_of_a_freed_inode_is_not_an_empty_file(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    subprocess.run([tool("mkfs.ext4"), "-q", "-d", str(tree), str(image), "8M"], check=True)
    for command in ("sif note.txt size 0", "freei note.txt"):
        subprocess.run([tool("debugfs"), "-w", "-R", command, str(image)], check=True, capture_output=True)
    found = {item.path: item.unlocated for item in items_of(opened(image))}
    assert found["note.txt"] == "its metadata is marked as free and holds no content"
    assert found["nothing"] is None


@pytest.mark.parametrize(("offset", "damage"), [(0, bytes(1024)), (510, b"zz")], ids=["zeros", "torn"])
def test_an_allocated_name_of_a_damaged_mft_record_is_not_an_empty_file(
    tool: Tool, tree: Path, tmp_path: Path, offset: int, damage: bytes
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run([tool("mkntfs"), "-q", "-F", "-s", "512", str(image)], check=True, capture_output=True)
    for name in ("note.txt", "nothing"):
        subprocess.run([tool("ntfscp"), "-q", str(image), str(tree / name), name], check=True)
    data = image.read_bytes()
    records = [at.start() for at in re.finditer(b"FILE", data) if not at.start() % 1024]
    named = next(at for at in records if "note.txt".encode("utf-16-le") in data[at : at + 1024])
    with image.open("r+b") as file:
        file.seek(named + offset)
        file.write(damage)
    filesystem = opened(image)
    found = {item.path: item for item in items_of(filesystem)}
    assert {path for path, item in found.items() if item.unlocated} == {"note.txt"}
    assert (found["note.txt"].allocated, found["note.txt"].size) == (True, 0)
    assert damaged(filesystem) == {"/note.txt": "note.txt: its metadata cannot be read; its content is not known"}


def test_an_ntfs_file_without_its_runs_is_not_an_empty_file(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run([tool("mkntfs"), "-q", "-F", "-s", "512", str(image)], check=True, capture_output=True)
    picture = tree / "inner" / "picture.bin"
    subprocess.run([tool("ntfscp"), "-q", str(image), str(picture), "picture.bin"], check=True)
    data = bytearray(image.read_bytes())
    record = data.index("picture.bin".encode("utf-16-le")) // 1024 * 1024
    attribute = record + int.from_bytes(data[record + 20 : record + 22], "little")
    while data[attribute] != 0x80:  # $DATA
        attribute += int.from_bytes(data[attribute + 4 : attribute + 8], "little")
    data[attribute + int.from_bytes(data[attribute + 32 : attribute + 34], "little")] = 0
    image.write_bytes(data)
    filesystem = opened(image)
    (item,) = (item for item in items_of(filesystem) if item.unlocated)
    assert (item.path, item.size) == ("picture.bin", 0)
    assert item.unlocated == "its metadata claims 300000 bytes and not where they lie"
    assert list(damaged(filesystem)) == ["/picture.bin"]


def test_what_is_sound_or_deleted_is_never_unlocated(corpus: Corpus) -> None:
    for name in ("real/dfvfs/ntfs.raw", "real/dftt/7-ntfs-undel.dd", "real/dfvfs/ext4.raw", "real/dfvfs/hfsplus.raw"):
        items = items_of(opened(corpus.path(name)))
        assert items
        assert [item.path for item in items if item.unlocated] == []


LARGE_NAMES = 40_000


@pytest.fixture(scope="module")
def large_directory(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an ext4 whose directory `large` has many names of one file, and one deleted name."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "file").write_bytes(b"one of many")
    (folder / "names").write_bytes(b"".join(directory_blocks(LARGE_NAMES, inode=12)))
    image = folder / "image"
    subprocess.run([tool("mkfs.ext4"), "-q", "-O", "^has_journal,^metadata_csum", str(image), "8M"], check=True)
    commands = f"write {folder}/file file\nwrite {folder}/names large\nsif large mode 040755\nsif large links_count 2\n"
    (folder / "commands").write_text(commands)
    program = [tool("debugfs"), "-w", "-f", str(folder / "commands"), str(image)]
    subprocess.run(program, check=True, capture_output=True)
    return image


def directory_blocks(count: int, inode: int) -> Iterator[bytes]:
    """Yield ext directory blocks of 1 KiB; the last name of the last one lies, deleted, in the slack of another."""
    names = [(13, b".", 2), (2, b"..", 2)] + [(inode, b"%09d.jpg" % number, 1) for number in range(count)]
    per_block = 40
    for start in range(0, len(names), per_block):
        block = bytearray()
        some = names[start : start + per_block]
        last_live = len(some) - (2 if start + per_block >= len(names) else 1)
        for index, (number, name, kind) in enumerate(some):
            needed = (8 + len(name) + 3) & ~3
            length = 1024 - len(block) if index >= last_live else needed
            block += struct.pack("<IHBB", number, length, len(name), kind) + name.ljust(needed - 8, b"\0")
        yield bytes(block.ljust(1024, b"\0"))


def test_a_large_directory_is_listed_in_linear_time(large_directory: Path) -> None:
    filesystem = opened(large_directory)
    items = [item for item in items_of(filesystem) if item.path.startswith("large/")]
    assert [item.path for item in items] == [f"large/{number:09d}.jpg" for number in range(LARGE_NAMES)]
    assert [item.allocated for item in items[-2:]] == [True, False]
    assert content(filesystem, items[0]) == b"one of many"
    assert troubles_of(filesystem) == []


@given(st.binary(max_size=2048))
@settings(max_examples=200, deadline=None)
def test_hostile_directory_blocks_end(block: bytes) -> None:
    assert len(list(_ext_block(block, 1 << 32))) <= len(block) // 4
    assert len(list(_index_entries(block, 16))) <= len(block) // 16
    with pytest.raises(ValueError, match="an index block"):
        _fixed_up(block.removeprefix(b"INDX"))


def test_only_a_front_that_is_needed_is_made(corpus: Corpus) -> None:
    assert readable_front(volume_of(corpus.path("real/dfvfs/ntfs.raw"))) == b""
    assert readable_front(volume_of(corpus.path("real/dfvfs/ext2.raw"))) == b""
    assert len(readable_front(volume_of(corpus.path("real/ntfssamples/ntfs-2m.raw"), 65536))) == 512


def ext_image(tool: Tool, tree: Path, image: Path, kind: str, *commands: str) -> FileSystem:
    """Make an ext file system of a tree with blocks of 1 KiB and change it by commands of debugfs."""
    kind, *features = kind.split(" ")
    options = ["-q", "-b", "1024", *features, "-d", str(tree), str(image), "8M"]
    subprocess.run([tool(f"mkfs.{kind}"), *options], check=True)
    for command in commands:
        subprocess.run([tool("debugfs"), "-w", "-R", command, str(image)], check=True, capture_output=True)
    return opened(image)


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_nameless_files_are_listed_though_a_directory_was_deleted(
    tool: Tool, tree: Path, tmp_path: Path, kind: str
) -> None:
    image = tmp_path / "image"
    inodes = {item.path: item.reference for item in items_of(ext_image(tool, tree, image, kind))}
    note, inner = inodes["note.txt"], inodes["inner"]
    changes = ("unlink note.txt", f"kill_file <{note}>", "unlink inner", f"kill_file <{inner}>")
    filesystem = ext_image(tool, tree, image, kind, "mkdir gone", "rmdir gone", *changes)
    command = [tool("fls"), "-r", "-p", str(image)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    listed = [item for item in items_of(filesystem) if item.kind is ItemKind.FILE]
    assert sorted(item.path for item in listed) == sorted(
        line.partition("\t")[2] for line in shown.splitlines() if "/r " in line
    )
    assert all(item.recovered is not item.allocated for item in listed)
    assert troubles_of(filesystem) == []


def test_a_live_name_of_a_free_inode_is_listed_once(tool: Tool, tree: Path, tmp_path: Path) -> None:
    filesystem = ext_image(tool, tree, tmp_path / "image", "ext2", "kill_file inner/picture.bin", "kill_file nothing")
    found = [item for item in items_of(filesystem) if item.path.endswith("picture.bin") or "Orphan" in item.path]
    assert [(item.path, item.allocated, item.recovered) for item in found] == [("inner/picture.bin", True, True)]
    assert content(filesystem, found[0]) == expected_of(tree)["inner/picture.bin"]


def ntfs_image(tool: Tool, image: Path, *files: Path) -> None:
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run([tool("mkntfs"), "-q", "-F", "-s", "512", str(image)], check=True, capture_output=True)
    for path in files:
        subprocess.run([tool("ntfscp"), "-q", str(image), str(path), path.name], check=True)


def free_record(image: Path, name: str) -> None:
    """Mark the record of a file as free and count its sequence up, as deleting does; its name stays in the index."""
    data = bytearray(image.read_bytes())
    records = [at.start() for at in re.finditer(b"FILE", data) if not at.start() % 1024]
    record = next(at for at in records if name.encode("utf-16-le") in data[at : at + 1024])
    struct.pack_into("<H", data, record + 16, int.from_bytes(data[record + 16 : record + 18], "little") + 1)
    struct.pack_into("<H", data, record + 22, int.from_bytes(data[record + 22 : record + 24], "little") & ~1)
    image.write_bytes(data)


def test_a_live_name_of_a_freed_mft_record_has_its_content(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    ntfs_image(tool, image, tree / "note.txt", tree / "nothing")
    free_record(image, "note.txt")
    filesystem = opened(image)
    (item,) = (item for item in items_of(filesystem) if item.path == "note.txt")
    assert (item.allocated, item.recovered, item.unlocated) == (True, True, None)
    assert content(filesystem, item) == b"a short note"
    assert damaged(filesystem) == {}


@pytest.mark.parametrize(("sequence", "folder"), [(5, ""), (6, "$OrphanFiles/")])
def test_a_deleted_file_of_a_large_directory_is_listed_there(
    tool: Tool, tree: Path, monkeypatch: pytest.MonkeyPatch, sequence: int, folder: str
) -> None:
    image = tree.parent / f"image{sequence}"
    ntfs_image(tool, image, tree / "note.txt", tree / "nothing")
    free_record(image, "note.txt")
    data = bytearray(image.read_bytes())
    for at in [found.start() - 66 for found in re.finditer(re.escape("note.txt".encode("utf-16-le")), data)]:
        assert data[at : at + 8] == struct.pack("<HIH", 5, 0, 5)
        struct.pack_into("<H", data, at + 6, sequence)
    image.write_bytes(data)
    monkeypatch.setattr(tsk_listing, "LARGE", 0)
    monkeypatch.setattr(
        tsk_listing, "ntfs_names", lambda record: (name for name in ntfs_names(record) if name.name != b"note.txt")
    )
    filesystem = opened(image)
    (item,) = (item for item in items_of(filesystem) if item.path.endswith("note.txt"))
    assert (item.path, item.allocated) == (f"{folder}note.txt", False)
    assert content(filesystem, item) == b"a short note"


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4", "ext4 -O ^extent,^64bit"])
def test_a_file_of_too_many_holes_is_not_asked_about(
    tool: Tool, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    size = ("sif note.txt size 200000", "sif inner/picture.bin size 330000")
    filesystem = ext_image(tool, tree, tmp_path / "image", kind, *size)
    expected = {item.path: item for item in items_of(filesystem)}
    assert not any(item.unlocated for item in expected.values())
    monkeypatch.setattr(tsk_inodes, "MOST_HOLES", 100)
    found = {item.path: item for item in items_of(filesystem)}
    holed = [] if kind == "ext4" else ["note.txt"]
    assert [path for path, item in found.items() if item.unlocated] == holed
    for path in holed:
        expected[path] = replace(expected[path], runs=(), unlocated=found[path].unlocated)
    assert found == expected
    assert [trouble.code for trouble in troubles_of(filesystem)] == [TroubleCode.LIMIT] * len(holed)
