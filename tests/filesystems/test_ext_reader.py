"""What is read of an ext without the library is what the library tells, and what is odd is left to it."""

import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import CORPUS, Corpus, Tool

from triage.filesystems.recognition import recognise
from triage.filesystems.tsk import TskFileSystem
from triage.filesystems.tsk_listing import Listing
from triage.filesystems.tsk_names import LOST_MAP
from triage.items.evidence import Evidence
from triage.model.evidence import UnreadableRun
from triage.model.item import Item
from triage.model.runs import ByteRun, total
from triage.model.trouble import Trouble
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

BLOCK = 1024
VARIATIONS = 60
# Only names, of which there are so many that a walk takes seconds.
ONLY_NAMES = {"corrupt_real_e2fsprogs_f_many_subdirs.img"}

KINDS = (
    "ext2",
    "ext2 -r 0",
    "ext2 -O ^filetype",
    "ext2 -b 4096",
    "ext3",
    "ext3 -I 128",
    "ext4",
    "ext4 -b 4096",
    "ext4 -I 128",
    "ext4 -I 1024",
    "ext4 -O ^64bit",
    "ext4 -O ^extent,^64bit",
    "ext4 -O inline_data",
    "ext4 -O encrypt",
    "ext4 -O ^flex_bg,^metadata_csum -g 1024",
    "ext4 -O meta_bg,^resize_inode -g 1024",
)
CHANGES = (
    "fallocate short 0 9",
    "sif short size 9000",
    "fallocate empty 0 9",
    "sif fast-link flags 0x800",
    "sif many/file-3 flags 0x80800",
    "sif many/file-4 size 0",
    "sif many/file-5 size 70000",
    "sif many/file-6 mode 0",
    "sif many/file-7 mode 0x9000",
    "sif many/file-8 links_count 0",
    "sif many/file-9 atime 0xF0000000",
    "sif many/file-9 mtime_extra 0xFFFFFFFF",
    "sif many/file-10 ctime 0",
    "clri many/file-11",
    "freei many/file-12",
    "sif many/file-13 block[IND] 0x7fffffff",
    "sif many/file-14 size_high 3",
    "mknod character c 4 5",
    "mknod block b 8 1",
    "rm many/file-20",
    "kill_file many/file-21",
    "unlink many/file-22",
    "kill_file gone/inner",
    "rm gone/inner",
    "rmdir gone",
    "rm slow-link",
    "ln many/file-23 second",
)


def walked(source: EvidenceSource, run: ByteRun, *, plain: bool) -> list[Item | Trouble]:
    """Walk a volume with or without what is read here."""
    filesystem = recognise(Volume(source, run)).filesystem
    assert filesystem is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TskFileSystem, "_plain", plain)
        return list(filesystem.walk())


def same(path: Path) -> list[Item | Trouble]:
    """Assert that both ways tell the same of an image that is one volume, and return what they tell."""
    source = open_source(path)
    run = ByteRun(0, source.info.size)
    found = walked(source, run, plain=True)
    assert found == walked(source, run, plain=False)
    source.close()
    return found


def ext_volumes(source: WatchedSource) -> Iterator[ByteRun]:
    for region in Evidence(source).survey().regions:
        volume = Volume(source, region.run)
        if volume.read_at(1080, 2) == b"\x53\xef" and recognise(volume).filesystem is not None:
            yield region.run


def identities() -> list[str]:
    """Return the identities of the cases, or one stand-in whose test skips or fails by the suite's rule."""
    truth = CORPUS / "truth.json"
    cases = json.loads(truth.read_bytes())["cases"] if truth.exists() else [{"id": "absent"}]
    return [case["id"] for case in cases if case["id"] not in ONLY_NAMES]


def test_both_ways_tell_the_same_of_the_corpus(corpus: Corpus) -> None:
    compared = 0
    for identity in identities():
        case = corpus.case(identity)
        try:
            source = WatchedSource(open_source(corpus.first_file(case)))
            runs = list(ext_volumes(source))
        except Exception:  # noqa: BLE001 - hostile images: whatever opening them raises
            assert case["expect"] != "files", identity
            continue
        for run in runs:
            assert walked(source, run, plain=True) == walked(source, run, plain=False), identity
            compared += 1
        source.close()
    assert compared > 40


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for number in range(30):
        (root / "many").mkdir(exist_ok=True)
        (root / "many" / f"file-{number}").write_bytes(b"x" * (number * 331 + 1))
    for number in range(300):
        (root / "large").mkdir(exist_ok=True)
        (root / "large" / f"a name that is rather long, of which there are many {number}").touch()
    (root / "gone").mkdir()
    (root / "gone" / "inner").write_bytes(b"inner" * 1000)
    (root / "single").write_bytes(bytes(range(256)) * 400)
    (root / "double").write_bytes(bytes(range(256)) * 2400)
    (root / "short").write_bytes(b"a short note")
    (root / "longer").write_bytes(b"inline in two parts" * 5)
    (root / "empty").touch()
    (root / "fast-link").symlink_to("short")
    (root / "slow-link").symlink_to("d/" * 40 + "short")
    (root / "holes").touch()
    for name, step, count in (("some", 3, 9), ("every-other", 2, 400)):
        with (root / name).open("wb") as file:
            for block in range(count):
                file.seek(block * step * 4096)
                file.write(b"y" * 4096)
    with (root / "holes").open("wb") as file:
        file.truncate(3_000_000)
    return root


def made(tool: Tool, tree: Path, image: Path, kind: str, *commands: str, length: str = "24M") -> Path:
    """Make an ext file system of a tree and change it by commands of debugfs."""
    kind, *options = kind.split(" ")
    size = [] if "-b" in options else ["-b", str(BLOCK)]
    subprocess.run([tool(f"mkfs.{kind}"), "-q", *size, *options, "-d", str(tree), str(image), length], check=True)
    if commands:
        script = image.with_suffix(".commands")
        script.write_text("\n".join(commands))
        subprocess.run([tool("debugfs"), "-w", "-f", str(script), str(image)], check=True, capture_output=True)
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_tell_the_same_of_every_kind(tool: Tool, tree: Path, tmp_path: Path, kind: str) -> None:
    assert len(same(made(tool, tree, tmp_path / "image", kind))) > 240
    assert len(same(made(tool, tree, tmp_path / "image", kind, *CHANGES))) > 240


@pytest.fixture(scope="module")
def small_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    (root / "inner" / "most").mkdir(parents=True)
    for number in range(8):
        (root / "inner" / f"file-{number}").write_bytes(b"x" * (number * 3000 + 1))
    with (root / "holed").open("wb") as file:
        for block in range(12):
            file.seek(block * 8192)
            file.write(b"y" * 1024)
    (root / "long").write_bytes(b"z" * 300_000)
    (root / "link").symlink_to("inner")
    return root


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4", "ext4 -b 4096", "ext4 -I 128"])
def test_of_what_is_sound_the_library_is_not_asked(
    tool: Tool, small_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    image = made(tool, small_tree, tmp_path / "image", kind)
    expected = same(image)
    monkeypatch.setattr(Listing, "_each", None)
    source = open_source(image)
    assert walked(source, ByteRun(0, source.info.size), plain=True) == expected
    source.close()


class Held:
    """The bytes of a source, changed perhaps, of which some cannot be read."""

    def __init__(self, inner: EvidenceSource, data: bytes, *bad: ByteRun) -> None:
        self.info = inner.info
        self._data = data
        self._bad = bad
        self._log = UnreadableLog()

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self._data[offset : offset + length])
        for run in self._bad:
            start, end = max(run.offset, offset), min(run.end, offset + len(data))
            if start < end:
                data[start - offset : end - offset] = bytes(end - start)
                self._log.add(ByteRun(start, end - start), "scratched")
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self._log.runs()

    def close(self) -> None:
        pass


def scratched(path: Path, *bad: ByteRun, data: bytes = b"") -> list[Item | Trouble]:
    """Assert that both ways tell the same of an image, or of `data` in its place, some bytes of which are lost."""
    source = open_source(path)
    data = data or path.read_bytes()
    found, expected = (
        walked(WatchedSource(Held(source, data, *bad)), ByteRun(0, len(data)), plain=plain) for plain in (True, False)
    )
    assert found == expected
    source.close()
    return found


def named(found: list[Item | Trouble], path: str) -> Item:
    return next(item for item in found if isinstance(item, Item) and item.path == path)


def told(found: list[Item | Trouble], path: str) -> list[str]:
    return [one.text for one in found if isinstance(one, Trouble) and one.address.find("path") == "/" + path]


def at_map(item: Item) -> ByteRun:
    """Return the block in front of the second run of a file that was written in one go: the first block of its map."""
    assert item.runs[1].offset == item.runs[0].end + BLOCK
    return ByteRun(item.runs[0].end, 1)


@pytest.mark.parametrize("kind", ["ext2", "ext3"])
@pytest.mark.parametrize("name", ["single", "double"])
def test_a_file_whose_map_cannot_be_read_is_not_one_of_zeros(
    tool: Tool, tree: Path, tmp_path: Path, kind: str, name: str
) -> None:
    image = made(tool, tree, tmp_path / "image", kind)
    sound = same(image)
    item = named(sound, name)
    assert (item.direct, total(item.runs), item.unlocated) == (True, item.size, None)
    found = scratched(image, at_map(item))
    lost = named(found, name)
    assert (lost.size, lost.direct, lost.runs, lost.unlocated) == (item.size, False, (), LOST_MAP)
    assert told(found, name) == [f"{name}: {LOST_MAP}; its content is not known"]
    others = [one for one in found if one != lost and isinstance(one, Item)]
    assert others == [one for one in sound if one != item]


def test_a_block_of_a_deleted_map_that_cannot_be_read_is_told(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = made(tool, tree, tmp_path / "image", "ext2", "unlink single")
    (item,) = (one for one in same(image) if isinstance(one, Item) and one.path.endswith("single"))
    assert not item.allocated
    lost = named(scratched(image, at_map(item)), item.path)
    assert (lost.direct, lost.unlocated) == (False, LOST_MAP)


def test_a_directory_whose_map_cannot_be_read_is_told(tool: Tool, tree: Path, tmp_path: Path) -> None:
    image = made(tool, tree, tmp_path / "image", "ext2")
    command = [tool("debugfs"), "-R", "stat large", str(image)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (block,) = re.findall(r"\(IND\):(\d+)", shown)
    found = scratched(image, ByteRun(int(block) * BLOCK, BLOCK))
    assert told(found, "large") == ["part of the directory cannot be read: names in it may be missing"]
    assert len(found) < len(same(image))


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_both_ways_tell_the_same_of_what_cannot_be_read(
    tool: Tool, small_tree: Path, tmp_path: Path, kind: str
) -> None:
    image = made(tool, small_tree, tmp_path / "image", f"{kind} -N 48", length="1M")
    data = image.read_bytes()
    used = [at for at in range(2 * BLOCK, len(data), 512) if any(data[at : at + 512]) and data[at] not in b"xyz"]
    for at in used:
        scratched(image, ByteRun(at, 512))


@pytest.mark.parametrize("kind", ["ext2", "ext2 -I 128", "ext4", "ext4 -O inline_data"])
@pytest.mark.parametrize("where", ["table", "anywhere"])
def test_both_ways_tell_the_same_of_damage(tool: Tool, small_tree: Path, tmp_path: Path, kind: str, where: str) -> None:
    changes = "rm inner/file-3", "kill_file inner/file-4"
    image = made(tool, small_tree, tmp_path / "image", f"{kind} -N 48", *changes, length="1M")
    sound = image.read_bytes()
    table = int.from_bytes(sound[2 * BLOCK + 8 : 2 * BLOCK + 12], "little") * BLOCK
    inode_size = int.from_bytes(sound[BLOCK + 88 : BLOCK + 90], "little")
    # What is not all zeros, and all of the first inodes, without the upper parts of their sizes: what the library
    # takes its time for.
    used = [at for at in range(2 * BLOCK, len(sound), 2) if any(sound[at : at + 4])]
    if where == "table":
        used = list(range(table, table + 30 * inode_size, 2))
    used = [at for at in used if (at - table) % inode_size not in {6, 108, 110}]
    rng = random.Random(f"{kind} {where}")
    compared = 0
    for _ in range(VARIATIONS):
        data = bytearray(sound)
        for at in rng.choices(used, k=rng.randint(1, 4)):
            short = rng.choice((0, 0xFFFF, rng.randrange(1 << 16), rng.randrange(600), 1 << rng.randrange(16)))
            data[at : at + 2] = short.to_bytes(2, "little")
        compared += len(scratched(image, data=bytes(data)))
    assert compared > VARIATIONS
