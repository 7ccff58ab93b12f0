"""Disk images inside evidence: every container with a disk in it, raw ones, and those that cannot be opened."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from content.members.makers import zipped
from images.disk import FAT16_TYPE, NTFS_TYPE, mbr_disk
from images.fat12 import Entry, fat12_disk
from images.ntfs import ntfs
from images.tree import File
from items.expanding import MEMBERS, Scratched, Told, expanded, inside, listed, told
from suite import Corpus, Tool

from triage.items.evidence import Evidence
from triage.items.expansion import opens
from triage.model.address import Address
from triage.model.item import ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

DISK = fat12_disk(
    [
        Entry(name=b"KEPT    TXT", clusters=(2, 4), data=b"kept " * 200),
        Entry(name=b"GONE    TXT", clusters=(6,), data=b"gone", deleted=True),
        Entry(name=b"INNER   ZIP", clusters=(8,), data=zipped({"a.txt": b"in a zip"})),
    ]
)
CONTENTS = {"KEPT.TXT": b"kept " * 200, "_ONE.TXT": b"gone", "INNER.ZIP/a.txt": b"in a zip"}

LARGE = [File(path=f"{letter}.txt", data=letter.encode() * 300_000) for letter in "abc"]

Make = Callable[[Path, Path, Tool], Path]


def ewf(raw: Path, folder: Path, tool: Tool) -> Path:
    command = [tool("ewfacquire"), "-u", "-q", "-c", "fast", "-t", str(folder / "disk"), str(raw)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "disk.E01"


def converted(form: str, *options: str) -> Make:
    def make(raw: Path, folder: Path, tool: Tool) -> Path:
        target = folder / f"disk.{form}"
        subprocess.run([tool("qemu-img"), "convert", "-f", "raw", "-O", form, *options, raw, target], check=True)
        return target

    return make


CONTAINERS: dict[str, Make] = {
    "E01": ewf,
    "VMDK": converted("vmdk"),
    "VMDK stream": converted("vmdk", "-o", "subformat=streamOptimized"),
    "VHD": converted("vpc", "-o", "force_size=on"),
    "VHD fixed": converted("vpc", "-o", "subformat=fixed,force_size=on"),
    "VHDX": converted("vhdx"),
    "QCOW2": converted("qcow2"),
    "QCOW2 compressed": converted("qcow2", "-c"),
}


def check_disk(found: Told, path: str) -> None:
    """Hold what was found at a path to what was put into the disk."""
    inner = {
        name.removeprefix(f"{path}/"): data for name, data in found.contents.items() if name.startswith(f"{path}/")
    }
    assert {name: inner.get(name) for name in CONTENTS} == CONTENTS
    assert found.obstacles == {}
    assert found.troubles == []


@pytest.mark.parametrize("kind", CONTAINERS)
def test_the_files_in_a_disk_image_are_given_out(tmp_path: Path, tool: Tool, kind: str) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "evidence"
    folder.mkdir()
    raw.write_bytes(DISK)
    image = CONTAINERS[kind](raw, tmp_path, tool)
    name = "disk.vhd" if image.suffix == ".vpc" else image.name
    check_disk(inside(folder, name, image.read_bytes()), name)


def test_a_raw_image_in_an_archive_is_opened_and_an_archive_in_that_as_well(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.zip", zipped({"backup/stick.img": DISK}))
    check_disk(found, "a.zip/backup/stick.img")


def test_an_image_needs_no_telling_name(tmp_path: Path) -> None:
    check_disk(inside(tmp_path, "holiday.dat", DISK), "holiday.dat")


def test_items_in_an_image_keep_their_own_address_and_state(tmp_path: Path) -> None:
    found = inside(tmp_path, "stick.img", DISK)
    kept, gone = (next(item for item in found.items if item.path.endswith(name)) for name in ("KEPT.TXT", "_ONE.TXT"))
    assert "!path:/stick.img!volume:4096!file:" in str(kept.address)
    assert Address.parse(str(kept.address)) == kept.address
    assert (kept.kind, kept.allocated, kept.recovered, kept.runs, kept.direct) == (
        ItemKind.MEMBER,
        True,
        False,
        (),
        False,
    )
    assert not gone.allocated
    assert kept.times.modified is not None
    assert len({item.address for item in found.items}) == len(found.items)
    assert len({item.reference for item in found.items}) == len(found.items)


def test_several_volumes_are_told_apart_by_their_names(tmp_path: Path) -> None:
    files = [File(path="pictures/one.txt", data=b"one" * 900)]
    disk = mbr_disk([(NTFS_TYPE, ntfs(files, 4 << 20)), (FAT16_TYPE, ntfs(files, 4 << 20))])
    found = inside(tmp_path, "disk.dd", disk)
    assert found.contents["disk.dd/partition 1/pictures/one.txt"] == b"one" * 900
    assert found.contents["disk.dd/partition 2/pictures/one.txt"] == b"one" * 900


def test_an_image_in_an_image_in_an_image_is_gone_through(tmp_path: Path) -> None:
    middle = ntfs([File(path="stick.img", data=DISK)], 4 << 20)
    found = inside(tmp_path, "outer.img", ntfs([File(path="vm/middle.img", data=middle)], 16 << 20))
    assert found.contents["outer.img/vm/middle.img/stick.img/INNER.ZIP/a.txt"] == b"in a zip"


def test_images_are_left_alone_when_they_are_out_of_reach(tmp_path: Path) -> None:
    assert inside(tmp_path, "stick.img", DISK, MEMBERS) == Told([], {}, {}, [])


@pytest.mark.parametrize("name", ["firmware.bin", "random.img", "boot.dat"])
def test_what_only_looks_like_an_image_is_passed_over(tmp_path: Path, name: str) -> None:
    data = bytearray(range(256)) * 512
    data[510:512] = b"\x55\xaa"
    assert inside(tmp_path, name, bytes(data)) == Told([], {}, {}, [])


def test_the_boot_sector_that_a_system_keeps_as_a_file_is_no_image(tmp_path: Path) -> None:
    assert inside(tmp_path, "BOOTSECT.BAK", ntfs([], 4 << 20)[:8192]) == Told([], {}, {}, [])


def test_a_differencing_image_is_said_to_be_one(tmp_path: Path, tool: Tool) -> None:
    base, delta, folder = tmp_path / "base.qcow2", tmp_path / "delta.qcow2", tmp_path / "evidence"
    folder.mkdir()
    subprocess.run([tool("qemu-img"), "create", "-q", "-f", "qcow2", base, "1M"], check=True)
    subprocess.run([tool("qemu-img"), "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", delta], check=True)
    found = inside(folder, "delta.qcow2", delta.read_bytes())
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNSUPPORTED]
    assert "a QCOW2 image over another file" in found.troubles[0].text


@pytest.mark.parametrize("name", ["made/m1_gpt4_photos.E01", "made/m1_gpt4_photos.E02"])
def test_one_segment_of_several_is_said_to_be_one(tmp_path: Path, corpus: Corpus, name: str) -> None:
    found = inside(tmp_path, Path(name).name, corpus.path(name).read_bytes())
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNSUPPORTED]
    assert "EWF image" in found.troubles[0].text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("encrypted/luks1_compatimage.img", TroubleCode.ENCRYPTED),
        ("encrypted/dfvfs_apfs_encrypted.dmg", TroubleCode.ENCRYPTED),
        ("real/dfvfs/lvm.raw", TroubleCode.UNSUPPORTED),
    ],
)
def test_a_volume_that_cannot_be_read_is_said_to_be_so(
    tmp_path: Path, corpus: Corpus, name: str, code: TroubleCode
) -> None:
    found = inside(tmp_path, Path(name).name, corpus.path(name).read_bytes())
    assert {trouble.code for trouble in found.troubles} == {code}
    assert found.items == []


@pytest.mark.parametrize(
    "name", ["ext2.E01", "ext2.qcow2", "ext2.raw", "ext2.vhd", "ext2.vhdx", "ext2.vmdk", "iso9660.raw"]
)
def test_images_made_by_others_hold_the_same_files(tmp_path: Path, corpus: Corpus, name: str) -> None:
    found = inside(tmp_path, name, corpus.path(f"real/dfvfs/{name}").read_bytes())
    assert sorted(path.rpartition("/")[2].lower() for path in found.contents)[:2] == ["a_file", "another_file"]
    assert sum(map(len, found.contents.values())) >= 191 - 11
    assert found.troubles == []


def test_a_compressed_dmg_is_read(tmp_path: Path, corpus: Corpus) -> None:
    found = inside(tmp_path, "a.dmg", corpus.path("real/dfvfs/hfsplus_zlib.dmg").read_bytes())
    assert any(path.endswith("/passwords.txt") for path in found.contents)


def test_a_damaged_image_costs_what_is_damaged(tmp_path: Path, tool: Tool) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "evidence"
    folder.mkdir()
    raw.write_bytes(ntfs([File(path="a.txt", data=b"a" * 9000)], 8 << 20))
    image = CONTAINERS["QCOW2"](raw, tmp_path, tool).read_bytes()
    found = inside(folder, "disk.qcow2", image[: len(image) // 2])
    assert TroubleCode.UNREADABLE in {trouble.code for trouble in found.troubles}
    header = inside(folder, "disk.qcow2", image[:40])
    assert [trouble.code for trouble in header.troubles] == [TroubleCode.DAMAGED]


def test_bytes_of_an_image_that_cannot_be_read_are_no_content(tmp_path: Path) -> None:
    path = tmp_path / "outer.raw"
    path.write_bytes(ntfs([File(path="stick.img", data=ntfs(LARGE, 4 << 20))], 16 << 20))
    bad = ByteRun(path.read_bytes().index(b"b" * 4096) + 150_000, 512)
    evidence = Evidence(WatchedSource(Scratched(open_source(path), bad)))
    item, volume = next(pair for pair in listed(evidence) if pair[0].path == "stick.img")
    found = told(expanded(evidence, item, volume))
    evidence.source.close()
    assert found.contents["stick.img/a.txt"] == b"a" * 300_000
    assert found.obstacles == {"stick.img/b.txt": TroubleCode.UNREADABLE}
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.UNREADABLE]
    assert found.troubles[0].text.startswith("65536 bytes of the disk image cannot be read")


def test_hostile_images_raise_nothing(tmp_path: Path, corpus: Corpus) -> None:
    for name in ("ext2.E01", "ext2.qcow2", "ext2.vmdk"):
        whole = corpus.path(f"real/dfvfs/{name}").read_bytes()
        for at in range(0, 4096, 211):
            data = bytearray(whole)
            data[at : at + 4] = b"\xff\xff\xff\x7f"
            assert inside(tmp_path, "a.bin", bytes(data)) is not None


def test_a_name_or_the_first_bytes_are_enough_to_be_worth_asking(tmp_path: Path) -> None:
    found = inside(tmp_path, "a.zip", zipped({"disk.img": DISK}))
    reach = MEMBERS.__class__(thumbnails=False, images=True, shadows=False)
    assert opens(found.items[0], None, bytes(512), reach)
    assert not opens(found.items[0], None, bytes(512), MEMBERS)
