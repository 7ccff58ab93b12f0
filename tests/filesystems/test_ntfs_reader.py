import json
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import CORPUS, Corpus, Tool

from triage.filesystems import ntfs_reader
from triage.filesystems.ntfs_index import index_names
from triage.filesystems.ntfs_record import FileRecord, Geometry, OddError, file_record, mapping_pairs
from triage.filesystems.ntfs_rows import SIZE, STRANGE, plain_entry
from triage.filesystems.ntfs_table import Table, checksum, read_table
from triage.filesystems.pieces import Pieces
from triage.filesystems.tsk import TskFileSystem, open_tsk
from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_names import Entry, entry_of
from triage.filesystems.tsk_runs import Layout
from triage.model.evidence import UnreadableRun
from triage.model.item import Item, Times
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble
from triage.sources.opening import open_source
from triage.volumes.volume import Volume

RECORD = 1024
GEOMETRY = Geometry(block_size=512, blocks=1 << 14, start=0, size=8 << 20, readable=8 << 20)
CHANGES = 20


def volumes() -> list[tuple[str, int]]:
    """Return identity and offset of each NTFS of the corpus, or one stand-in whose test skips or fails."""
    truth = CORPUS / "truth.json"
    if not truth.exists():
        return [("absent", 0)]
    cases = json.loads(truth.read_bytes())["cases"]
    every = [(case["id"], part) for case in cases for part in case.get("filesystems") or ()]
    return [(identity, part["offset"]) for identity, part in every if "ntfs" in (part["fs"] or "")]


def walked(path: Path, offset: int = 0) -> list[Item | Trouble]:
    source = open_source(path)
    filesystem = open_tsk(Volume(source, ByteRun(offset, source.info.size - offset)))
    found = [] if filesystem is None else list(filesystem.walk())
    source.close()
    return found


def through_the_library(path: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> list[Item | Trouble]:
    with monkeypatch.context() as patch:
        patch.setattr(TskFileSystem, "_plain", False)
        return walked(path, offset)


@pytest.mark.parametrize(("identity", "offset"), volumes())
def test_the_corpus_is_listed_as_through_the_library(
    corpus: Corpus, identity: str, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus.first_file(corpus.case(identity))
    expected = through_the_library(path, offset, monkeypatch)
    assert expected
    assert walked(path, offset) == expected


@pytest.mark.parametrize("name", ["real/dftt/7-ntfs-undel.dd", "real/dftt/8-jpeg-search.dd"])
def test_damage_is_told_as_through_the_library(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = corpus.path(name).read_bytes()
    image = tmp_path / "image"
    image.write_bytes(data)
    chance = random.Random(7)
    places = [at for at in range(0, len(data) - 4096, 512) if data[at : at + 4] in {b"FILE", b"INDX"}]
    assert len(places) > 40
    for _ in range(CHANGES):
        changed = [chance.choice(places) + chance.randrange(300) for _ in range(chance.choice([1, 1, 3]))]
        values = [chance.choice([0, 255, data[at] ^ 1 << chance.randrange(8)]) for at in changed]
        written(image, zip(changed, values, strict=True))
        assert walked(image) == through_the_library(image, 0, monkeypatch), (changed, values)
        written(image, ((at, data[at]) for at in changed))


def written(image: Path, changes: Iterator[tuple[int, int]]) -> None:
    with image.open("r+b") as file:
        for at, value in changes:
            file.seek(at)
            file.write(bytes([value]))


@pytest.fixture(scope="module")
def volume(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an NTFS with files of all sizes in its root, some with streams."""
    folder = tmp_path_factory.mktemp("ntfs")
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run([tool("mkntfs"), "-q", "-F", "-s", "512", str(image)], check=True, capture_output=True)
    for number in range(24):
        (folder / "file").write_bytes(bytes([number]) * (number * 331))
        copy = [tool("ntfscp"), "-q", str(image), str(folder / "file")]
        subprocess.run([*copy, f"picture ☃ {number:03d}.bin"], check=True)
        if number % 5 == 0:
            options = ["-N", "side", str(image), str(folder / "file"), f"picture ☃ {number:03d}.bin"]
            subprocess.run([tool("ntfscp"), "-q", *options], check=True)
    return image


def test_a_sound_volume_is_listed_without_the_library(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = through_the_library(volume, 0, monkeypatch)
    asked: list[bytes] = []

    def noted(name: Name, record: Any, layout: Layout) -> Entry:
        asked.append(name.name)
        return entry_of(name, record, layout)

    monkeypatch.setattr(ntfs_reader, "entry_of", noted)
    found = walked(volume)
    assert found == expected
    # One has an empty stream, whose attribute ends where its name does.
    assert {name.decode() for name in asked if name[:1] != b"$"} == {"picture ☃ 000.bin"}
    assert sum(isinstance(one, Item) and "picture" in one.path for one in found) == 24 + 5


class Worn:
    """A file of which one sector cannot be read, which is noticed when it is asked for."""

    def __init__(self, path: Path, sector: int) -> None:
        self._inner = open_source(path)
        self._bad = ByteRun(512 * sector, 512)
        self._met: tuple[UnreadableRun, ...] = ()
        self.info = self._inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        data = bytearray(self._inner.read_at(offset, length))
        low, high = max(offset, self._bad.offset), min(offset + length, self._bad.end)
        if low < high:
            data[low - offset : high - offset] = bytes(high - low)
            self._met = (UnreadableRun(run=self._bad, reason="bad sector"),)
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self._met

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("kind", [b"FILE", b"INDX"])
def test_a_bad_sector_is_told_as_through_the_library(
    volume: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    data = volume.read_bytes()
    places = [at for at in range(0, len(data), 512) if data[at : at + 4] == kind]
    for place in (places[len(places) // 2], places[-1]):
        told = []
        for plain in (True, False):
            monkeypatch.setattr(TskFileSystem, "_plain", plain)
            source = Worn(volume, place // 512)
            filesystem = open_tsk(Volume(source, ByteRun(0, source.info.size)))
            assert filesystem is not None
            told.append((list(filesystem.walk()), source.unreadable_runs()))
            source.close()
        assert told[0] == told[1]
        assert told[0][1]


def records_of(image: Path, name: str) -> int:
    data = image.read_bytes()
    raw = name.encode("utf-16-le")
    places = (at for at in range(0, len(data), RECORD) if data[at : at + 4] == b"FILE")
    return next(at for at in places if raw in data[at : at + RECORD])


@pytest.mark.parametrize(
    ("offset", "value"),
    [(22, b"\0\0"), (16, b"\x09\0"), (32, b"\x05"), (510, b"zz"), (4, b"\x31"), (20, b"\xff\xff"), (6, b"\x02")],
    ids=["freed", "another", "part of another", "torn", "crooked array", "no attributes", "fewer sectors"],
)
def test_a_changed_record_is_told_as_through_the_library(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int, value: bytes
) -> None:
    image = tmp_path / "image"
    image.write_bytes(volume.read_bytes())
    at = records_of(image, "picture ☃ 007.bin")
    written(image, ((at + offset + index, byte) for index, byte in enumerate(value)))
    expected = through_the_library(image, 0, monkeypatch)
    assert expected
    assert walked(image) == expected


def attribute(kind: int, number: int, content: bytes) -> bytes:
    length = (24 + len(content) + 7) // 8 * 8
    head = struct.pack("<IIBBHHHIHH", kind, length, 0, 0, 24, 0, number, len(content), 24, 0)
    return (head + content).ljust(length, b"\0")


def outside(number: int, size: int, pairs: bytes, *, written_to: int | None = None, flags: int = 0) -> bytes:
    length = (64 + len(pairs) + 8) // 8 * 8
    head = struct.pack("<IIBBHHH", 0x80, length, 1, 0, 64, flags, number)
    lengths = (1 << 20, size, size if written_to is None else written_to)
    return (head + struct.pack("<QQHHIQQQ", 0, 9, 64, 0, 0, *lengths) + pairs).ljust(length, b"\0")


def named(parent: int, name: str, space: int = 1) -> bytes:
    raw = name.encode("utf-16-le")
    return struct.pack("<Q56xBB", parent, len(name), space) + raw


def record(*attributes: bytes, flags: int = 1) -> bytes:
    """Return a record as it is on the disk."""
    raw = bytearray(RECORD)
    struct.pack_into("<4sHH8xHHHH", raw, 0, b"FILE", 48, 3, 5, 1, 56, flags)
    body = b"".join(attributes) + struct.pack("<II", 0xFFFFFFFF, 0)
    raw[56 : 56 + len(body)] = body
    raw[48:50] = b"\x07\x01"
    for sector in range(2):
        end = 512 * (sector + 1)
        raw[50 + 2 * sector : 52 + 2 * sector] = raw[end - 2 : end]
        raw[end - 2 : end] = b"\x07\x01"
    return bytes(raw)


def whole(raw: bytes) -> bytes:
    return raw[:510] + raw[50:52] + raw[512:1022] + raw[52:54]


def table_of(folder: Path, *records: bytes) -> Table | None:
    (folder / "table").write_bytes(b"".join(records))
    source = open_source(folder / "table")
    run = ByteRun(0, source.info.size)
    return read_table(Pieces(Volume(source, run)), (run,), RECORD, GEOMETRY)


TIMES = attribute(0x10, 0, struct.pack("<QQQQ16x", *(116_444_736_000_000_000 + 10**7 * n for n in (1, 2, 3, 4))))
NAMED = attribute(0x30, 2, named(5 | 5 << 48, "note"))


@pytest.mark.parametrize(
    ("attributes", "plain"),
    [
        ((TIMES, NAMED, attribute(0x80, 1, b"inside")), True),
        ((TIMES, NAMED, outside(1, 5000, b"\x21\x10\x34\x12\0")), True),
        ((TIMES, NAMED, outside(1, 5000, b"\x21\x10\x34\x12\0", written_to=100)), True),
        ((TIMES, NAMED, outside(1, 5000, b"\x21\x08\x34\x12\x11\x08\x30\0")), False),
        ((TIMES, NAMED, outside(1, 9000, b"\x21\x10\x34\x12\0")), False),
        ((TIMES, NAMED, outside(1, 5000, b"\x01\x10\0")), False),
        ((TIMES, NAMED, outside(1, 5000, b"\x31\x10\x34\x12\x70\0")), False),
        ((TIMES, NAMED, outside(1, 5000, b"\x21\x10\x34\x12\0", flags=0x4000)), False),
        ((TIMES, NAMED, attribute(0x80, 1, b"a"), attribute(0x80, 3, b"b")), False),
        ((TIMES, NAMED, attribute(0x80, 2, b"the number of another")), False),
        ((TIMES, NAMED, attribute(0x90, 1, b"index")), False),
        ((TIMES, NAMED, attribute(0x20, 1, b"list")), False),
        ((NAMED,), True),
    ],
)
def test_a_row_says_what_its_record_says(tmp_path: Path, attributes: tuple[bytes, ...], plain: bool) -> None:
    raw = record(*attributes)
    table = table_of(tmp_path, record(), raw)
    assert table is not None
    own = file_record(whole(raw), GEOMETRY)
    name = Name(b"note", 1, allocated=True, type=5)
    entry = plain_entry(table.rows, name, 5)
    assert (entry is not None) is plain
    if plain:
        assert isinstance(own, FileRecord)
        assert entry == ntfs_reader.record_entry(name, own)
        assert plain_entry(table.rows, name, 4) is STRANGE
    assert table.named(5 | 5 << 48) == [(1, checksum("note".encode("utf-16-le")))]


def test_times_before_1970_and_after_2106_keep_what_the_library_keeps(tmp_path: Path) -> None:
    ticks = (0, 123, 116_444_736_000_000_000 - 1, 116_444_736_000_000_000 + (1 << 32) * 10**7 + 5)
    raw = record(attribute(0x10, 0, struct.pack("<QQQQ16x", *ticks)), NAMED)
    own = file_record(whole(raw), GEOMETRY)
    table = table_of(tmp_path, record(), raw)
    assert own is not None
    assert table is not None
    assert own.times == Times(modified=12_300, created=None, accessed=500, changed=999_999_900)
    entry = plain_entry(table.rows, Name(b"note", 1, allocated=True, type=5), 5)
    assert entry is not None
    assert entry.times == own.times


def test_what_the_table_says_of_names_and_free_records(tmp_path: Path) -> None:
    free = record(TIMES, NAMED, flags=0)
    dos = record(TIMES, NAMED, attribute(0x30, 3, named(5 | 5 << 48, "NOTE~1", space=2)))
    linked = record(TIMES, NAMED, attribute(0x30, 3, named(6 | 1 << 48, "note")))
    torn = record(TIMES, NAMED)[:-2] + b"zz"
    part = bytearray(record(NAMED, flags=1))
    part[32:40] = struct.pack("<Q", 2 | 5 << 48)
    table = table_of(tmp_path, record(), free, dos, linked, torn, bytes(part), bytes(RECORD), record(flags=0))
    assert table is not None
    assert [child for child, _ in table.named(5 | 5 << 48)] == [1, 2, 2, 3], "that of a part is its base's"
    assert [child for child, _ in table.named(6 | 1 << 48)] == [3]
    assert table.named(7) == []
    assert table.free.tolist() == [1]
    assert len(table.rows) == 8 * SIZE


def test_a_table_with_fewer_ends_than_sectors_is_left_to_the_library(tmp_path: Path) -> None:
    raw = bytearray(record(TIMES))
    raw[6] = 2
    assert table_of(tmp_path, record(), bytes(raw)) is None


@given(st.binary(max_size=510))
def test_a_checksum_is_the_same_in_a_table(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    name = (raw + b"x" * (len(raw) % 2)).decode("utf-16-le", "replace")[:200]
    raw = name.encode("utf-16-le")[:400]
    key = struct.pack("<Q56xBB", 9, len(raw) // 2, 1) + raw
    table = table_of(tmp_path_factory.getbasetemp(), record(attribute(0x30, 2, key)))
    assert table is not None
    assert table.named(9) == [(0, checksum(raw))]


@given(st.binary(min_size=1, max_size=64))
def test_hostile_run_lists_end(raw: bytes) -> None:
    try:
        pairs = mapping_pairs(raw, 0, len(raw), GEOMETRY)
    except (OddError, IndexError):
        return
    assert len(pairs) <= len(raw) // 2
    assert all(0 < length <= GEOMETRY.size for length, _ in pairs)


@given(st.binary(max_size=900), st.integers(0, 3))
def test_hostile_records_end(tmp_path_factory: pytest.TempPathFactory, body: bytes, flags: int) -> None:
    raw = bytearray(record(body, flags=flags))
    table = table_of(tmp_path_factory.getbasetemp(), bytes(raw))
    own = file_record(whole(bytes(raw)), GEOMETRY)
    assert table is not None or own is None
    if table is not None and not np.frombuffer(table.rows, np.uint8).any():
        assert plain_entry(table.rows, Name(b"x", 0, allocated=True, type=5), 5) is None


@given(st.binary(min_size=40, max_size=900))
def test_hostile_roots_end(tmp_path_factory: pytest.TempPathFactory, root: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "empty").write_bytes(bytes(512))
    source = open_source(folder / "empty")
    mended = struct.pack("<IIIIIIII", 0x30, 1, 4096, 1, 16, len(root) - 16, len(root) - 16, 0) + root[32:]
    directory = FileRecord(1, True, True, True, Times(), (), [], mended, [])
    pieces = Pieces(Volume(source, ByteRun(0, 512)))
    try:
        names = list(index_names(5, directory, 1 << 40, GEOMETRY, pieces))
    except OddError:
        return
    assert len(names) <= len(root) // 16
