import hashlib
import subprocess
from pathlib import Path

import pytest
from suite import Corpus, Tool

from triage.filesystems.recognition import Recognition, recognise
from triage.model.item import Item
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.opening import open_source
from triage.volumes.volume import Volume


def recognised(path: Path, offset: int = 0) -> Recognition:
    source = open_source(path)
    return recognise(Volume(source, ByteRun(offset, source.info.size - offset)))


@pytest.mark.parametrize(
    ("name", "offset", "kind"),
    [
        ("real/dfvfs/ntfs.raw", 0, "ntfs"),
        ("real/dfvfs/fat12.raw", 0, "fat12"),
        ("real/dfvfs/hfsplus.raw", 0, "hfs+"),
        ("real/dfvfs/apfs.raw", 0, "apfs"),
        ("real/dfvfs/xfs.raw", 0, "xfs"),
        ("real/dfirntfs/fat32_small.raw", 0, "fat32"),
        ("real/ntfssamples/ntfs-2m.raw", 65536, "ntfs"),
    ],
)
def test_what_can_be_read_is_read(corpus: Corpus, name: str, offset: int, kind: str) -> None:
    found = recognised(corpus.path(name), offset)
    assert found.filesystem is not None
    assert (found.state, found.filesystem.kind, found.troubles) == ("read", kind, ())
    found.filesystem.close()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("encrypted/bitlk-aes-xts-128.img", "BitLocker"),
        ("encrypted/bitlk-togo-aes-xts-128.img", "BitLocker To Go"),
        ("encrypted/luks1_compatimage.img", "LUKS1"),
        ("encrypted/veracrypt_vc_1-sha512-xts-aes", "possibly encrypted"),
    ],
)
def test_what_is_encrypted_is_named(corpus: Corpus, name: str, word: str) -> None:
    found = recognised(corpus.path(name))
    assert (found.state, found.filesystem) == ("encrypted", None)
    assert word in found.text
    assert [(trouble.code, trouble.text) for trouble in found.troubles] == [(TroubleCode.ENCRYPTED, found.text)]


def test_a_container_of_locked_volumes_is_encrypted(corpus: Corpus) -> None:
    found = recognised(corpus.path("encrypted/dfvfs_apfs_encrypted.dmg"), 20480)
    assert found.state == "encrypted"
    assert found.filesystem is not None
    codes = [trouble.code for trouble in found.filesystem.walk() if not isinstance(trouble, Item)]
    assert codes == [TroubleCode.ENCRYPTED]


def luks(tool: Tool, path: Path) -> Path:
    """Make a LUKS2 volume whose second header lies at 4 MiB."""
    with path.open("wb") as file:
        file.truncate(48 << 20)
    options = ["-q", "--type", "luks2", "--luks2-metadata-size", "4m", "--pbkdf", "pbkdf2"]
    command = [tool("cryptsetup"), "luksFormat", *options, "--pbkdf-force-iterations", "1000", str(path), "-"]
    subprocess.run(command, check=True, capture_output=True, input=b"invented token")
    return path


def test_a_left_over_luks_header_does_not_hide_a_file_system(tool: Tool, tmp_path: Path) -> None:
    image = luks(tool, tmp_path / "image")
    assert recognised(image).state == "encrypted"
    with image.open("r+b") as file:
        file.write(bytes(4096))
    assert "a second one is at 4194304" in recognised(image).text
    subprocess.run([tool("mkfs.vfat"), "-F", "32", "-s", "1", str(image)], check=True, capture_output=True)
    with image.open("rb") as file:
        file.seek(4 << 20)
        assert file.read(4) == b"SKUL"
    found = recognised(image)
    assert (found.state, found.text) == ("read", "fat32")


@pytest.mark.parametrize("name", ["encrypted/luks1_compatimage.img", "real/dfvfs/fat12.raw", "real/dfvfs/apfs.raw"])
def test_a_folder_is_a_folder_whatever_its_first_file_is(corpus: Corpus, tmp_path: Path, name: str) -> None:
    with corpus.path(name).open("rb") as image:
        (tmp_path / "000").write_bytes(image.read(4 << 20))
    (tmp_path / "note").write_bytes(b"a note")
    found = recognised(tmp_path)
    assert found.filesystem is not None
    assert (found.state, found.text, found.troubles) == ("read", "folder", ())
    assert [item.path for item in found.filesystem.walk() if isinstance(item, Item)] == ["000", "note"]


@pytest.mark.parametrize(("offset", "kinds"), [(32256, "ntfs+ext2"), (49351680, "ntfs+ufs2")])
def test_two_valid_file_systems_are_ambiguous(corpus: Corpus, offset: int, kinds: str) -> None:
    found = recognised(corpus.path("real/dftt/10-ntfs-disk.dd"), offset)
    assert found.filesystem is not None
    assert (found.state, found.filesystem.kind) == ("ambiguous", kinds)
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.AMBIGUOUS]
    assert found.troubles[0].run is not None
    assert found.troubles[0].run.offset == offset


def test_what_cannot_be_read_is_named(corpus: Corpus) -> None:
    found = recognised(corpus.path("real/dfvfs/lvm.raw"))
    assert (found.state, found.filesystem) == ("unsupported", None)
    assert "LVM2" in found.text
    damaged = recognised(corpus.path("corrupt/made_ntfs_mft_out_of_range.raw"))
    assert (damaged.state, [trouble.code for trouble in damaged.troubles]) == ("unsupported", [TroubleCode.DAMAGED])
    assert damaged.text.startswith("NTFS")


def test_nothing_known_is_never_called_empty(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"just some words, again and again. " * 40_000)
    found = recognised(text)
    assert (found.state, found.filesystem) == ("no-file-system", None)
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.NO_FILE_SYSTEM]


def test_zeros_are_empty_and_noise_is_possibly_encrypted(tmp_path: Path) -> None:
    zeros, noise = tmp_path / "zeros", tmp_path / "noise"
    zeros.write_bytes(bytes(1 << 20))
    noise.write_bytes(hashlib.shake_256(b"noise").digest(1 << 20))
    assert (recognised(zeros).state, recognised(zeros).troubles) == ("empty", ())
    assert recognised(noise).state == "encrypted"


def test_a_large_blank_is_empty_with_a_reservation(tmp_path: Path) -> None:
    blank = tmp_path / "blank"
    with blank.open("wb") as file:
        file.truncate(1 << 30)
    found = recognised(blank)
    assert found.state == "empty"
    assert [trouble.code for trouble in found.troubles] == [TroubleCode.LIMIT]
