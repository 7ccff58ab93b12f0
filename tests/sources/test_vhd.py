"""VHD and VHDX images: what qemu-img makes, differences with and without their parent, damage."""

import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from suite import Corpus

from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.sources.vhd import open_vhd

Opened = Callable[[Path], EvidenceSource]
SECTOR = 512
BLOCK = 64 * 1024
MIB = 1024 * 1024


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return a function that opens an image; what it opened is closed after the test."""
    with ExitStack() as stack:

        def open_one(path: Path) -> EvidenceSource:
            source = open_vhd(path)
            assert source is not None
            return stack.enter_context(closing(source))

        yield open_one


def read_all(source: EvidenceSource) -> bytes:
    return b"".join(source.read_at(offset, 100_000) for offset in range(0, source.info.size, 100_000))


def assert_reads(source: EvidenceSource, expected: bytes) -> None:
    read = read_all(source)
    assert read[: len(expected)] == expected
    assert not any(read[len(expected) :])
    assert source.unreadable_runs() == ()


@pytest.fixture(scope="module")
def raw_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dice = random.Random(13)
    path = tmp_path_factory.mktemp("vhd") / "disk.raw"
    kinds = [bytes(300_000), dice.randbytes(65536), b"a line of text\n" * 4000, dice.randbytes(900)]
    path.write_bytes(b"".join(dice.choice(kinds) for _ in range(40)).ljust(9 * MIB, b"\0") + b"end".ljust(SECTOR, b"!"))
    return path


@pytest.mark.parametrize(
    "options",
    [
        ("vpc", "subformat=fixed,force_size=on"),
        ("vpc", "subformat=dynamic,force_size=on"),
        ("vhdx", "subformat=fixed"),
        ("vhdx", "subformat=dynamic,block_size=2M"),
    ],
)
def test_what_qemu_img_writes_reads_back(
    opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path, options: tuple[str, str]
) -> None:
    image = tmp_path / "disk.img"
    kind, layout = options
    subprocess.run([tool("qemu-img"), "convert", "-f", "raw", "-O", kind, "-o", layout, raw_disk, image], check=True)
    source = opened(image)
    assert_reads(source, raw_disk.read_bytes())
    assert source.info.kind == {"vpc": "vhd", "vhdx": "vhdx"}[kind]
    assert source.info.troubles == ()
    assert source.info.size == raw_disk.stat().st_size


@pytest.mark.parametrize(
    ("image", "raw"),
    [
        ("real/dfvfs/ext2.vhd", "real/dfvfs/ext2.raw"),
        ("real/dfvfs/ext2.vhdx", "real/dfvfs/ext2.raw"),
        ("corrupt/made_vhd_bad_header_footer_copy.vhd", "real/dfvfs/ext2.raw"),
        ("made/m3/m3_fixed.vhd", "made/m3/m3_flat-flat.vmdk"),
        ("made/m3/m3.vhdx", "made/m3/m3_flat-flat.vmdk"),
    ],
)
def test_images_of_the_corpus_equal_their_raw_form(opened: Opened, corpus: Corpus, image: str, raw: str) -> None:
    assert_reads(opened(corpus.path(image)), corpus.path(raw).read_bytes())


@pytest.mark.parametrize("content", [b"", b"conect", bytes(4096), bytes(600) + b"conectix" + bytes(100)])
def test_a_file_of_another_kind_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "named.vhd"
    path.write_bytes(content)
    assert open_vhd(path) is None


def summed(raw: bytes, at: int) -> bytes:
    return raw[:at] + struct.pack(">I", ~sum(raw) & 0xFFFFFFFF) + raw[at + 4 :]


def footer(kind: int, size: int, identifier: bytes = b"i" * 16) -> bytes:
    where = 0xFFFFFFFFFFFFFFFF if kind == 2 else 512
    fields = (b"conectix", 2, 0x10000, where, 0, b"test", 0, b"Wi2k", size, size, 0, kind, 0, identifier)
    return summed(struct.pack(">8sIIQI4sI4sQQIII16s", *fields).ljust(512, b"\0"), 64)


@dataclass
class Vhd:
    """A dynamic or differencing VHD of 64 KiB blocks; `sectors` says which are stored, by number."""

    blocks: int
    sectors: dict[int, bytes] = field(default_factory=dict)
    identifier: bytes = b"c" * 16
    parent: bytes = bytes(16)
    parent_name: str = ""
    locator: str = ""

    def write(self, path: Path, *, size: int | None = None) -> Path:
        tail = footer(4 if self.parent_name or self.locator else 3, size or self.blocks * BLOCK, self.identifier)
        head = struct.pack(">8sQQIII4x16s", b"cxsparse", 2**64 - 1, 1536, 0x10000, self.blocks, BLOCK, self.parent)
        head = head.ljust(64, b"\0") + self.parent_name.encode("utf-16-be").ljust(512, b"\0")
        locator = self.locator.encode("utf-16-le")
        head += struct.pack(">4sIIIQ", b"W2ku", 512, len(locator), 0, 2048) if locator else b""
        table, body, start = b"", b"", 5
        for index in range(self.blocks):
            mine = {number: data for number, data in self.sectors.items() if number // 128 == index}
            table += struct.pack(">I", start + len(body) // SECTOR if mine else 0xFFFFFFFF)
            if mine:
                bits = sum(1 << 127 - number % 128 for number in mine).to_bytes(16, "big")
                rows = (
                    mine.get(number, b"old").ljust(SECTOR, b"\0") for number in range(index * 128, index * 128 + 128)
                )
                body += bits.ljust(SECTOR, b"\0") + b"".join(rows)
        whole = tail + summed(head.ljust(1024, b"\0"), 36) + table.ljust(512, b"\xff") + locator.ljust(512, b"\0")
        path.write_bytes(whole + body + tail)
        return path


def placed(size: int, sectors: dict[int, bytes]) -> bytes:
    disk = bytearray(size)
    for number, data in sectors.items():
        disk[number * SECTOR : number * SECTOR + len(data)] = data
    return bytes(disk)


def test_a_difference_reads_sector_by_sector_through_to_its_parent(opened: Opened, tmp_path: Path) -> None:
    base = {number: b"base %d" % number for number in (0, 1, 2, 130, 131, 300)}
    middle = {1: b"middle 1", 130: b"middle 130", 255: b"middle 255"}
    Vhd(3, base, identifier=b"b" * 16).write(tmp_path / "base.vhd")
    Vhd(3, middle, b"m" * 16, b"b" * 16, "gone.vhd", r".\base.VHD").write(tmp_path / "middle.avhd")
    child = Vhd(3, {2: b"child 2"}, b"c" * 16, b"m" * 16, r"C:\disks\middle.avhd").write(tmp_path / "child.avhd")
    source = opened(child)
    # the dynamic base shows whole blocks, the differences only the sectors whose bit is set
    base_disk = placed(3 * BLOCK, {**dict.fromkeys(range(384), b"old"), **base})
    expected = bytearray(base_disk)
    for number, data in {**middle, 2: b"child 2"}.items():
        expected[number * SECTOR : number * SECTOR + SECTOR] = data.ljust(SECTOR, b"\0")
    read = read_all(source)
    assert read == bytes(expected)
    assert source.unreadable_runs() == ()
    assert [Path(name).name for name in source.info.files] == ["child.avhd", "middle.avhd", "base.vhd"]


def test_a_difference_without_its_parent_says_so(opened: Opened, tmp_path: Path) -> None:
    image = Vhd(2, {3: b"three"}, b"c" * 16, b"p" * 16, "parent.vhd").write(tmp_path / "child.vhd")
    for said in (
        "parent parent.vhd is missing: this is only the difference",
        "not the disk this image was derived from",
    ):
        source = opened(image)
        assert said in source.info.troubles[0]
        assert read_all(source) == placed(2 * BLOCK, {3: b"three"})
        bad = [run.run for run in source.unreadable_runs()]
        assert bad == [ByteRun(0, 3 * SECTOR), ByteRun(4 * SECTOR, 2 * BLOCK - 4 * SECTOR)]
        Vhd(2, identifier=b"another one     ").write(tmp_path / "parent.vhd")


def test_differences_in_a_circle_end(opened: Opened, tmp_path: Path) -> None:
    Vhd(1, {}, b"1" * 16, b"2" * 16, "two.vhd").write(tmp_path / "one.vhd")
    Vhd(1, {}, b"2" * 16, b"1" * 16, "one.vhd").write(tmp_path / "two.vhd")
    source = opened(tmp_path / "one.vhd")
    assert read_all(source) == bytes(BLOCK)
    assert "leads back to the image" in source.unreadable_runs()[0].reason


def test_an_image_cut_before_its_footer_is_read_by_the_copy(opened: Opened, tmp_path: Path) -> None:
    image = Vhd(2, {0: b"zero", 200: b"two hundred"}).write(tmp_path / "cut.vhd")
    image.write_bytes(image.read_bytes()[: -SECTOR - 20 * SECTOR])
    source = opened(image)
    assert source.info.troubles == ("the footer at the end is missing: read by its copy at the start",)
    assert read_all(source)[200 * SECTOR : 200 * SECTOR + 11] == b"two hundred"
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(2 * BLOCK - 20 * SECTOR, 20 * SECTOR)]


def test_a_footer_with_a_wrong_checksum_gives_way_to_its_copy(opened: Opened, tmp_path: Path) -> None:
    image = Vhd(1, {0: b"zero"}).write(tmp_path / "torn.vhd")
    whole = bytearray(image.read_bytes())
    struct.pack_into(">Q", whole, len(whole) - 512 + 48, 3 << 40)
    image.write_bytes(whole)
    source = opened(image)
    assert source.info.troubles == ("the footer at the end is damaged: read by its copy at the start",)
    assert source.info.size == BLOCK


def test_a_fixed_image_without_all_its_bytes(opened: Opened, tmp_path: Path) -> None:
    image = tmp_path / "fixed.vhd"
    image.write_bytes(b"x" * 1024 + footer(2, 4096))
    source = opened(image)
    assert source.info.troubles == ("the file is cut: it ends at 1536 bytes",)
    assert source.info.size == 4096
    assert source.read_at(0, 1024) == b"x" * 1024


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((48, struct.pack(">Q", 1 << 60)), "damaged footer"),
        ((60, struct.pack(">I", 9)), "damaged footer"),
        ((16, struct.pack(">Q", 1 << 50)), "the file is cut"),
        ((16, struct.pack(">Q", 0)), "the header of the dynamic disk is missing"),
    ],
)
def test_hopeless_images_are_unreadable_as_a_whole(
    opened: Opened, tmp_path: Path, change: tuple[int, bytes], said: str
) -> None:
    image = Vhd(1).write(tmp_path / "bad.vhd")
    whole = bytearray(image.read_bytes())
    for start in (0, len(whole) - 512):
        whole[start + change[0] : start + change[0] + len(change[1])] = change[1]
    image.write_bytes(whole)
    source = opened(image)
    assert any(said in trouble for trouble in source.info.troubles)
    assert source.unreadable_runs()[0].run == ByteRun(0, source.info.size)


def test_a_table_too_short_for_the_disk_is_told(opened: Opened, tmp_path: Path) -> None:
    source = opened(Vhd(1, {0: b"zero"}).write(tmp_path / "short.vhd", size=1 << 40))
    assert source.info.troubles == ("the block allocation table is too short for the disk",)
    assert source.read_at((1 << 40) - 10, 100) == bytes(10)
    assert source.unreadable_runs()[-1].run == ByteRun((1 << 40) - 10, 10)


# VHDX


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_checksum_of_the_writer_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@dataclass
class Vhdx:
    """A VHDX of 1 MiB blocks; `states` maps a block to (state, first bytes), `bitmap` the sectors stored in block 0."""

    blocks: int
    states: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    bitmap: tuple[int, ...] = ()
    data_guid: UUID = field(default_factory=lambda: UUID(int=1))
    locator: dict[str, str] = field(default_factory=dict)
    log: bytes = bytes(16)

    def write(self, path: Path) -> Path:
        whole = bytearray(3 * MIB)
        whole[:8] = b"vhdxfile"
        for place, sequence in ((64, 7), (128, 6)):
            header = struct.pack(
                "<4xQ16s16s16sHHIQ", sequence, bytes(16), self.data_guid.bytes_le, self.log, 0, 1, MIB, MIB
            )
            self._sum(whole, place * 1024, 4096, b"head" + header)
        regions = struct.pack("<16sQII", UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le, 2 * MIB, MIB // 2, 1)
        regions += struct.pack(
            "<16sQII", UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le, 2 * MIB + MIB // 2, MIB // 2, 1
        )
        self._sum(whole, 192 * 1024, 65536, b"regi" + struct.pack("<4xII", 2, 0)[4:].rjust(12, b"\0") + regions)
        self._metadata(whole, 2 * MIB + MIB // 2)
        entries = [0] * (self.blocks + self.blocks // 4096 + 1)
        if self.bitmap:
            entries = [0] * 4097
            entries[4096] = len(whole) | 6
            bits = sum(1 << number for number in self.bitmap).to_bytes(256, "little")
            whole += bits.ljust(MIB, b"\0")
        for index, (state, data) in self.states.items():
            entries[index] = len(whole) | state
            whole += data.ljust(MIB, b"\0")
        struct.pack_into(f"<{len(entries)}Q", whole, 2 * MIB, *entries)
        path.write_bytes(whole)
        return path

    @staticmethod
    def _sum(whole: bytearray, place: int, length: int, data: bytes) -> None:
        padded = data.ljust(length, b"\0")
        whole[place : place + length] = padded[:4] + struct.pack("<I", crc32c(padded)) + padded[8:]

    def _metadata(self, whole: bytearray, place: int) -> None:
        entries = b"".join(struct.pack("<IIHH", *self._pair(index)[0]) for index in range(len(self.locator)))
        text = b"".join(self._pair(index)[1] for index in range(len(self.locator)))
        items = [
            ("caa16737-fa36-4d43-b3b6-33f0aa44e76b", struct.pack("<II", MIB, 2 if self.locator else 0)),
            ("2fa54224-cd1b-4876-b211-5dbed83bf4b8", struct.pack("<Q", self.blocks * MIB)),
            ("8141bf1d-a96f-4709-ba47-f233a8faab5f", struct.pack("<I", 512)),
            ("a8d35f2d-b30b-454d-abf7-d3d84834ab0c", struct.pack("<16xHH", 0, len(self.locator)) + entries + text),
        ]
        table, offset = b"metadata" + struct.pack("<HH20x", 0, len(items)), 65536
        for name, data in items:
            table += struct.pack("<16sIII4x", UUID(name).bytes_le, offset, len(data), 0)
            whole[place + offset : place + offset + len(data)] = data
            offset += len(data)
        whole[place : place + len(table)] = table

    def _pair(self, index: int) -> tuple[tuple[int, int, int, int], bytes]:
        pairs = [(key.encode("utf-16-le"), value.encode("utf-16-le")) for key, value in self.locator.items()]
        before = 20 + 12 * len(pairs) + sum(len(key) + len(value) for key, value in pairs[:index])
        key, value = pairs[index]
        return (before, before + len(key), len(key), len(value)), key + value


def test_every_state_of_a_vhdx_block(opened: Opened, tmp_path: Path) -> None:
    states = {0: (6, b"full"), 1: (2, b"hidden"), 2: (3, b"hidden"), 3: (5, b"odd")}
    source = opened(Vhdx(5, states).write(tmp_path / "disk.vhdx"))
    assert source.info.troubles == ()
    assert read_all(source) == b"full".ljust(5 * MIB, b"\0")
    assert [(bad.run, bad.reason) for bad in source.unreadable_runs()] == [
        (ByteRun(3 * MIB, MIB), "damaged block allocation table: block state 5")
    ]


def test_a_vhdx_difference_with_and_without_its_parent(opened: Opened, tmp_path: Path) -> None:
    locator = {"parent_linkage": "{" + str(UUID(int=5)).upper() + "}", "absolute_win32_path": r"C:\vm\base.vhdx"}
    rows = b"".join((b"child %d" % number).ljust(512, b"\0") for number in range(3))
    child = Vhdx(2, {0: (7, rows)}, bitmap=(1,), locator=locator).write(tmp_path / "child.avhdx")
    alone = opened(child)
    assert "parent C:\\vm\\base.vhdx is missing: this is only the difference" in alone.info.troubles[0]
    assert read_all(alone) == placed(2 * MIB, {1: b"child 1"})
    assert [bad.run for bad in alone.unreadable_runs()] == [ByteRun(0, 512), ByteRun(1024, 2 * MIB - 1024)]
    base = Vhdx(2, {0: (6, b"b" * 2048), 1: (6, b"second")}, data_guid=UUID(int=5)).write(tmp_path / "base.vhdx")
    both = opened(child)
    assert both.info.files == (str(child), str(base))
    expected = bytearray(b"b" * 2048 + bytes(2 * MIB - 2048))
    expected[512:1024] = b"child 1".ljust(512, b"\0")
    expected[MIB : MIB + 6] = b"second"
    assert read_all(both) == bytes(expected)
    assert both.unreadable_runs() == ()
    Vhdx(2, data_guid=UUID(int=6)).write(base)
    assert "is not the disk this image was derived from" in opened(child).info.troubles[0]


def test_a_log_that_was_not_written_back_is_told(opened: Opened, tmp_path: Path) -> None:
    source = opened(Vhdx(1, {0: (6, b"full")}, log=b"L" * 16).write(tmp_path / "dirty.vhdx"))
    assert source.info.troubles == ("the log was not written back to the disk: its last changes are not seen here",)


@pytest.mark.parametrize(
    ("place", "data", "said"),
    [
        (64 * 1024, bytes(65536 + 4096), "both headers are missing"),
        (192 * 1024, bytes(4), "both region tables are missing"),
        (192 * 1024 + 16, bytes(16), "does not name the tables"),
        (2 * MIB + MIB // 2, bytes(8), "the metadata table is missing"),
        (2 * MIB + MIB // 2 + 65536, b"\xff" * 4, "damaged metadata: blocks of 4294967295 bytes"),
        (2 * MIB + MIB // 2 + 65536 + 8, b"\xff" * 8, "damaged metadata: virtual size of"),
    ],
)
def test_hopeless_vhdx_images_are_unreadable_as_a_whole(
    opened: Opened, tmp_path: Path, place: int, data: bytes, said: str
) -> None:
    image = Vhdx(1, {0: (6, b"full")}).write(tmp_path / "bad.vhdx")
    whole = bytearray(image.read_bytes())
    whole[place : place + len(data)] = data
    image.write_bytes(whole)
    source = opened(image)
    assert said in source.info.troubles[0]
    assert source.unreadable_runs()[0].run == ByteRun(0, len(whole))
    assert source.info.kind == "vhdx"
