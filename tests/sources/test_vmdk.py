"""VMDK images: every kind qemu-img makes, deltas, missing and renamed extents, damage."""

import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from suite import Corpus

from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.sources.vmdk import open_vmdk

Opened = Callable[[Path], EvidenceSource]
SECTOR = 512
GRAIN = 8 * SECTOR


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return a function that opens an image; what it opened is closed after the test."""
    with ExitStack() as stack:

        def open_one(path: Path) -> EvidenceSource:
            source = open_vmdk(path)
            assert source is not None
            return stack.enter_context(closing(source))

        yield open_one


def read_all(source: EvidenceSource) -> bytes:
    return b"".join(source.read_at(offset, 100_000) for offset in range(0, source.info.size, 100_000))


def assert_reads(source: EvidenceSource, expected: bytes) -> None:
    assert read_all(source) == expected
    assert source.unreadable_runs() == ()
    assert source.info.kind == "vmdk"


@pytest.fixture(scope="module")
def raw_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dice = random.Random(11)
    path = tmp_path_factory.mktemp("vmdk") / "disk.raw"
    kinds = [bytes(65536), dice.randbytes(65536), b"a line of text\n" * 4000, bytes(70000), dice.randbytes(900)]
    path.write_bytes(b"".join(dice.choice(kinds) for _ in range(50)).ljust(4 << 20, b"\0") + b"end".ljust(SECTOR, b"!"))
    return path


def convert(tool: Callable[[str], str], raw: Path, target: Path, options: str) -> Path:
    subprocess.run([tool("qemu-img"), "convert", "-f", "raw", "-O", "vmdk", "-o", options, raw, target], check=True)
    return target


@pytest.mark.parametrize(
    "options",
    [
        "subformat=monolithicSparse",
        "subformat=monolithicSparse,zeroed_grain=on",
        "subformat=monolithicFlat",
        "subformat=twoGbMaxExtentSparse",
        "subformat=twoGbMaxExtentFlat",
        "subformat=streamOptimized",
    ],
)
def test_what_qemu_img_writes_reads_back(
    opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path, options: str
) -> None:
    assert_reads(opened(convert(tool, raw_disk, tmp_path / "disk.vmdk", options)), raw_disk.read_bytes())


@pytest.mark.parametrize(
    ("image", "raw"),
    [
        ("real/dfvfs/ext2.vmdk", "real/dfvfs/ext2.raw"),
        ("corrupt/made_vmdk_renamed_evidence001.vmdk", "real/dfvfs/ext2.raw"),
        ("made/m3/m3_flat.vmdk", "made/m3/m3_flat-flat.vmdk"),
        ("made/m3/m3_streamOptimized.vmdk", "made/m3/m3_flat-flat.vmdk"),
    ],
)
def test_images_of_the_corpus_equal_their_raw_form(opened: Opened, corpus: Corpus, image: str, raw: str) -> None:
    expected = corpus.path(raw).read_bytes()
    assert_reads(opened(corpus.path(image)), expected)


@pytest.mark.parametrize("content", [b"", bytes(4096), b"flat extent without a signature".ljust(4096)])
def test_a_flat_extent_or_another_file_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "disk-flat.vmdk"
    path.write_bytes(content)
    assert open_vmdk(path) is None


def descriptor(*extents: str, parent: str = "ffffffff", hint: str = "", cid: str = "0000abcd") -> str:
    lines = ["# Disk DescriptorFile", "version=1", f"CID={cid}", f"parentCID={parent}", 'createType="custom"']
    return "\n".join([*lines, f'parentFileNameHint="{hint}"', "# Extent description", *extents, ""])


def sparse(grains: dict[int, bytes], count: int, text: str = "", magic: bytes = b"KDMV") -> bytes:
    """Return a sparse extent of `count` grains of 4 KiB, up to 512 of them."""
    directory, table, data = 20, 21, 25 if magic == b"KDMV" else 53
    if magic == b"KDMV":
        fields = (1, 3, count * 8, 8, 1, 19, 512, 0, directory, data, 0, b"\n \r\n", 0)
        header = struct.pack("<4sIIQQQQIQQQB4sH", magic, *fields)
    else:
        header = struct.pack("<4sIIIIII", magic, 1, 3, count * 8, 8, directory, 1)
    places = [0] * ((data - table) * 128)
    body = bytearray()
    for index, content in grains.items():
        places[index] = data + len(body) // SECTOR
        body += content.ljust(GRAIN, b"\0")
    head = (header.ljust(SECTOR, b"\0") + text.encode()).ljust(directory * SECTOR, b"\0")
    return head + struct.pack("<I", table).ljust(SECTOR, b"\0") + struct.pack(f"<{len(places)}I", *places) + body


@pytest.mark.parametrize("magic", [b"KDMV", b"COWD"])
def test_extents_of_every_kind_are_joined(opened: Opened, tmp_path: Path, magic: bytes) -> None:
    (tmp_path / "a.vmdk").write_bytes(sparse({1: b"sparse"}, 4, magic=magic))
    (tmp_path / "B.bin").write_bytes(bytes(SECTOR) + b"flat".ljust(2 * SECTOR, b"\xee"))
    kind = "SPARSE" if magic == b"KDMV" else "VMFSSPARSE"
    lines = (f'RW 32 {kind} "a.vmdk"', "RW 3 ZERO", r'RW 2 FLAT "C:\old place\b.bin" 1')
    image = tmp_path / "whole.vmdk"
    image.write_text(descriptor(*lines))
    flat = b"flat".ljust(2 * SECTOR, b"\xee")
    source = opened(image)
    assert_reads(source, bytes(GRAIN) + b"sparse".ljust(3 * GRAIN, b"\0") + bytes(3 * SECTOR) + flat)
    assert source.info.files == (str(image), str(tmp_path / "a.vmdk"), str(tmp_path / "B.bin"))


def test_a_missing_extent_costs_its_range_and_is_named(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "one.bin").write_bytes(b"1" * SECTOR)
    (tmp_path / "three.bin").write_bytes(b"3" * SECTOR)
    image = tmp_path / "whole.vmdk"
    image.write_text(descriptor('RW 1 FLAT "one.bin" 0', 'RW 9 SPARSE "two.bin"', 'RW 2 FLAT "three.bin" 0'))
    source = opened(image)
    assert read_all(source) == b"1" * SECTOR + bytes(9 * SECTOR) + b"3" * SECTOR + bytes(SECTOR)
    missing, cut = source.info.troubles
    assert missing == "extent two.bin is missing: put it beside the descriptor"
    assert cut == "extent three.bin is cut: it ends at 512 bytes"
    assert [bad.run for bad in source.unreadable_runs()] == [
        ByteRun(SECTOR, 9 * SECTOR),
        ByteRun(11 * SECTOR, SECTOR),
    ]


def test_a_descriptor_cannot_lead_away_from_its_folder(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"s" * SECTOR)
    inner = tmp_path / "evidence"
    inner.mkdir()
    for name in (str(tmp_path / "secret.bin"), "../secret.bin", "..", "/dev/zero"):
        image = inner / "whole.vmdk"
        image.write_text(descriptor(f'RW 1 FLAT "{name}" 0'))
        source = opened(image)
        assert read_all(source) == bytes(SECTOR)
        assert "is missing" in source.info.troubles[0]


def test_bad_sectors_under_a_container_are_read_around(
    failing_disk: Callable[[str], Path], opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "flat.bin").symlink_to(failing_disk("rrEr"))
    image = tmp_path / "whole.vmdk"
    image.write_text(descriptor('RW 504 FLAT "flat.bin" 8'))
    source = opened(image)
    assert read_all(source) == bytes(61440) + b"\x01" * 65536 + bytes(65536) + b"\x03" * 65536
    (bad,) = source.unreadable_runs()
    assert bad.run == ByteRun(61440 + 65536, 65536)
    assert bad.reason == "flat.bin: read error: Input/output error"


def test_a_raw_device_mapping_is_named(opened: Opened, tmp_path: Path) -> None:
    image = tmp_path / "rdm.vmdk"
    image.write_text(descriptor('RW 4 VMFSRDM "x-rdm.vmdk"'))
    assert "of the kind VMFSRDM, which is not supported" in opened(image).info.troubles[0]


def test_one_extent_alone_says_that_it_may_be_part_of_a_disk(opened: Opened, tmp_path: Path) -> None:
    image = tmp_path / "disk-s002.vmdk"
    image.write_bytes(sparse({0: b"first"}, 2))
    source = opened(image)
    assert_reads(source, b"first".ljust(2 * GRAIN, b"\0"))
    assert "may be one extent of a larger disk" in source.info.troubles[0]


def test_a_delta_reads_through_to_the_parent_that_it_was_derived_from(opened: Opened, tmp_path: Path) -> None:
    parent, child = tmp_path / "base.vmdk", tmp_path / "snapshot-000001.vmdk"
    parent.write_bytes(sparse({0: b"old", 1: b"kept"}, 3, descriptor('RW 24 SPARSE "base.vmdk"')))
    text = descriptor('RW 24 SPARSE "snapshot-000001.vmdk"', parent="abcd", hint=r"D:\vm\base.vmdk", cid="2")
    child.write_bytes(sparse({0: b"new"}, 3, text))
    source = opened(child)
    assert_reads(source, b"new".ljust(GRAIN, b"\0") + b"kept".ljust(2 * GRAIN, b"\0"))
    assert source.info.files == (str(child), str(parent))


def test_a_delta_of_another_disk_or_without_parent_keeps_its_own_grains(opened: Opened, tmp_path: Path) -> None:
    child = tmp_path / "delta.vmdk"
    child.write_bytes(sparse({1: b"own"}, 3, descriptor('RW 24 SPARSE "delta.vmdk"', parent="abcd", hint="base.vmdk")))
    for said in ("parent base.vmdk is missing: this is only the difference", "is not the disk this image was derived"):
        source = opened(child)
        assert read_all(source) == bytes(GRAIN) + b"own".ljust(2 * GRAIN, b"\0")
        assert said in source.info.troubles[0]
        assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(0, GRAIN), ByteRun(2 * GRAIN, GRAIN)]
        text = descriptor('RW 24 SPARSE "base.vmdk"', cid="beef")
        (tmp_path / "base.vmdk").write_bytes(sparse({}, 3, text))


def test_a_delta_made_by_qemu_img(opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path) -> None:
    base = convert(tool, raw_disk, tmp_path / "base.vmdk", "subformat=monolithicSparse")
    child = tmp_path / "child.vmdk"
    create = [tool("qemu-img"), *["create", "-q", "-f", "vmdk", "-F", "vmdk", "-b"]]
    subprocess.run([*create, str(base), str(child)], check=True)
    subprocess.run([tool("qemu-io"), "-c", "write -P 0x41 70000 3000", child], check=True, stdout=subprocess.DEVNULL)
    expected = bytearray(raw_disk.read_bytes())
    expected[70000:73000] = b"A" * 3000
    assert_reads(opened(child), bytes(expected))


def test_deltas_in_a_circle_end(opened: Opened, tmp_path: Path) -> None:
    for name, other in (("one.vmdk", "two.vmdk"), ("two.vmdk", "one.vmdk")):
        text = descriptor(f'RW 8 SPARSE "{name}"', parent="abcd", hint=other)
        (tmp_path / name).write_bytes(sparse({}, 1, text))
    source = opened(tmp_path / "one.vmdk")
    assert read_all(source) == bytes(GRAIN)
    assert "leads back to the image" in source.unreadable_runs()[0].reason


def test_a_damaged_compressed_grain_costs_that_grain(
    opened: Opened, tool: Callable[[str], str], tmp_path: Path, raw_disk: Path
) -> None:
    image = convert(tool, raw_disk, tmp_path / "disk.vmdk", "subformat=streamOptimized")
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 0x55
    image.write_bytes(data)
    source, raw = opened(image), raw_disk.read_bytes()
    read = read_all(source)
    (bad,) = source.unreadable_runs()
    assert bad.run.length == 65536
    assert "grain" in bad.reason
    assert read == raw[: bad.run.offset] + bytes(65536) + raw[bad.run.end :]


def test_a_lost_grain_table_is_replaced_by_the_redundant_one(opened: Opened, tmp_path: Path) -> None:
    whole = bytearray(sparse({0: b"grain"}, 1))
    struct.pack_into("<QQ", whole, 48, 20, 1 << 40)
    image = tmp_path / "disk.vmdk"
    image.write_bytes(whole)
    assert_reads(opened(image), b"grain".ljust(GRAIN, b"\0"))


def test_a_cut_image_costs_what_is_behind_the_cut(opened: Opened, tmp_path: Path) -> None:
    image = tmp_path / "disk.vmdk"
    image.write_bytes(sparse({0: b"first", 1: b"second"}, 2, descriptor('RW 16 SPARSE "disk.vmdk"'))[:-100])
    source = opened(image)
    assert read_all(source) == b"first".ljust(GRAIN, b"\0") + b"second".ljust(GRAIN, b"\0")
    assert [bad.run for bad in source.unreadable_runs()] == [ByteRun(2 * GRAIN - 100, 100)]
    assert "the file is cut" in source.unreadable_runs()[0].reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"# Disk DescriptorFile\nversion=1\n", "the descriptor names no extent"),
        (b"# Disk DescriptorFile\nRW 9999999999999999999 ZERO\n", "virtual size of"),
        (b"KDMV\x01", "the file is cut"),
        (sparse({}, 1)[:12] + b"\xff" * 500, "damaged header: virtual size of"),
        (sparse({}, 1)[:20] + b"\xff" * 8 + sparse({}, 1)[28:], "damaged header: grains of"),
        (b"\xbe\xba\xfe\xca\x00\x00\x00\x00" + bytes(512), "SE sparse extents are not supported"),
    ],
)
def test_hopeless_images_are_unreadable_as_a_whole(opened: Opened, tmp_path: Path, content: bytes, said: str) -> None:
    image = tmp_path / "bad.vmdk"
    image.write_bytes(content)
    source = opened(image)
    assert said in source.info.troubles[0]
    assert source.unreadable_runs()[0].run == ByteRun(0, len(content))


@pytest.mark.parametrize("name", ["corrupt/real_qemu_afl9.vmdk", "corrupt/real_qemu_iotest-version3.vmdk"])
def test_corrupt_images_of_the_corpus_end_well(opened: Opened, corpus: Corpus, name: str) -> None:
    source = opened(corpus.path(name))
    head = source.read_at(0, 1 << 20)
    assert len(head) == min(1 << 20, source.info.size)
    assert any(head) or source.info.troubles or name.endswith("version3.vmdk")
