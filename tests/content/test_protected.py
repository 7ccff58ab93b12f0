import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import Corpus, Tool

from triage.content.protected import HEAD, protected

LENGTH, KEYS_AT = 0x2A8, 0x54


def efs_metadata(version: int = 2, length: int = LENGTH) -> bytes:
    """EFS metadata with one key: the layout of [MS-EFSR] 2.2.2.1, and 2.2.2.2 for versions 4 and 5."""
    word = [length, 0, version, 0x8001]
    head = b"".join(value.to_bytes(4, "little") for value in word) + bytes(range(16))
    offsets = KEYS_AT.to_bytes(4, "little") + bytes(4)
    head += offsets if version > 3 else bytes(32) + offsets
    head = head.ljust(KEYS_AT, b"\0") + (1).to_bytes(4, "little") + (0x24A).to_bytes(4, "little")
    return head.ljust(length, b"\xa5")


def zip_head(flags: int, method: int = 8, marker: bytes = b"") -> bytes:
    return marker + b"PK\x03\x04\x14\0" + flags.to_bytes(2, "little") + method.to_bytes(2, "little") + bytes(30)


@pytest.mark.parametrize(
    ("head", "method"),
    [
        (efs_metadata(), "EFS"),
        (efs_metadata(1), "EFS"),
        (efs_metadata(5), "EFS"),
        (b"\x00\x01\x00\x00R\x00O\x00B\x00S\x00" + bytes(90), "EFS (raw backup)"),
        (b"LUKS\xba\xbe\x00\x01" + bytes(90), "LUKS1"),
        (b"\xeb\x58\x90-FVE-FS-" + bytes(90), "BitLocker"),
        (b"encrcdsa" + bytes(90), "encrypted disk image (encrcdsa)"),
        (zip_head(1), "ZIP"),
        (zip_head(1, 99), "ZIP (AES)"),
        (zip_head(0x809, marker=b"PK\x07\x08"), "ZIP"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(4) + b"\x21\x04" + bytes(40), "RAR"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(4) + b"\xa1\x00\x04" + bytes(40), "RAR"),
        (b"Rar!\x1a\x07\x00\x12\x34\x73\x80\x00" + bytes(40), "RAR"),
        (b"ANDROID BACKUP\n5\n1\nAES-256\n" + bytes(40), "Android backup (AES)"),
        (b"age-encryption.org/v1\n-> X25519 abc\n", "age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nabc\n", "age"),
        (b"-----BEGIN PGP MESSAGE-----\n\nabc\n", "OpenPGP"),
        (b"\x85\x01\x0c\x03" + bytes(8) + b"\x01" + bytes(300), "OpenPGP"),
        (b"\xc1\xc0\x4c\x03" + bytes(8) + b"\x01" + bytes(300), "OpenPGP"),
        (b"\x8c\x0d\x04\x09\x03\x08" + bytes(100), "OpenPGP"),
        (b"\xc3\x0d\x04\x09\x03\x08" + bytes(100), "OpenPGP"),
        (b"Salted__" + bytes(90), "OpenSSL enc"),
        (
            bytes(7) + b"\x20" + b"\x12\x34\x56\x78" + (0x12345678 ^ 0x3C81B7F5).to_bytes(4, "big") + bytes(90),
            "eCryptfs",
        ),
    ],
)
def test_encrypted_files_are_named(head: bytes, method: str) -> None:
    assert protected(head, len(head) + 4096) == method


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0" * 512,
        zip_head(0),
        zip_head(0x800),
        b"PK\x03\x04",
        b"Rar!\x1a\x07\x01\x00" + bytes(4) + b"\x21\x01" + bytes(40),
        b"Rar!\x1a\x07\x01\x00" + bytes(4) + b"\xff" * 40,
        b"ANDROID BACKUP\n5\n1\nnone\n" + bytes(40),
        b"ANDROID BACKUP\n5",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        b"\x99\x01\x0d\x04" + bytes(100),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100),
        b"%PDF-1.7\n",
        b"hello, world\n" * 20,
        efs_metadata(7),
        efs_metadata()[:0x50],
    ],
)
def test_other_files_are_not(head: bytes) -> None:
    assert protected(head, max(4096, len(head))) is None


def test_the_key_file_of_a_folder_protects_no_content_of_its_own() -> None:
    assert protected(efs_metadata(), LENGTH) is None


@given(head=st.binary(max_size=300), size=st.integers(0, 1 << 40))
def test_no_head_raises(head: bytes, size: int) -> None:
    assert protected(head, size) is None or protected(head, size) == protected(head, size)


@given(
    prefix=st.sampled_from(
        [efs_metadata(), zip_head(1), b"Rar!\x1a\x07\x01\x00", b"\x85\x01\x0c\x03", b"ANDROID BACKUP\n5\n1\nAES-256\n"]
    ),
    cut=st.integers(0, 700),
)
def test_no_cut_head_raises(prefix: bytes, cut: int) -> None:
    assert protected(prefix[:cut], cut) in {None, "EFS", "ZIP", "RAR", "Android backup (AES)"}


@pytest.mark.parametrize("version", ["luks1", "luks2"])
def test_a_container_made_by_cryptsetup(tool: Tool, tmp_path: Path, version: str) -> None:
    container, key = tmp_path / "container", tmp_path / "key"
    container.write_bytes(bytes(20 << 20))
    key.write_bytes(b"an invented passphrase")
    command = [tool("cryptsetup"), "luksFormat", "--type", version, "--batch-mode", "--key-file", str(key)]
    options = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
    subprocess.run([*command, *options, str(container)], check=True)
    with container.open("rb") as file:
        assert protected(file.read(HEAD), container.stat().st_size) == version.upper()


def test_efs_files_that_windows_wrote_on_exfat(corpus: Corpus, tool: Tool) -> None:
    image = corpus.path("encrypted/dfirntfs_exfat_efs.raw")
    listing = subprocess.run([tool("fls"), "-r", "-p", "-F", image], check=True, capture_output=True, text=True).stdout
    files = [
        (line.split()[1].rstrip(":"), line.endswith(".PFILE"))
        for line in listing.splitlines()
        if "r/r" in line and " * " not in line
    ]
    seen = 0
    for inode, is_encrypted in files:
        content = subprocess.run([tool("icat"), image, inode], check=True, capture_output=True).stdout
        seen += is_encrypted
        assert (protected(content[:HEAD], len(content)) == "EFS") == is_encrypted, inode
    assert seen == 10


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("encrypted/luks1_compatimage.img", "LUKS1"),
        ("encrypted/bitlk-aes-xts-128.img", "BitLocker"),
        ("real/dfvfs/ntfs.raw", None),
    ],
)
def test_public_images(corpus: Corpus, name: str, method: str | None) -> None:
    path = corpus.path(name)
    with path.open("rb") as file:
        assert protected(file.read(HEAD), path.stat().st_size) == method
