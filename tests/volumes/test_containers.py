import pytest

from triage.volumes.containers import unsupported_container

from .plain import Sparse, fat_boot_sector

SIZE = 2 * 2**20
MD = bytes.fromhex("fc4e2ba9")


@pytest.mark.parametrize(
    ("offset", "magic", "said"),
    [
        (3, b"ReFS\0\0\0\0", "a ReFS file system"),
        (1024, bytes.fromhex("1020f5f2"), "an F2FS file system"),
        (1024, b"BD", "a classic HFS file system"),
        (4086, b"SWAPSPACE2", "Linux swap space"),
        (0, b"hsqs", "a SquashFS file system"),
        (0, MD, "a member of a Linux RAID"),
        (4096, MD, "a member of a Linux RAID"),
        (SIZE - 65536, MD, "a member of a Linux RAID"),
        (SIZE - 8192, MD, "a member of a Linux RAID"),
        (131072 + 5 * 1024, bytes.fromhex("0cb1ba0000000000"), "a member of a ZFS pool"),
        (131072 + 1024, bytes.fromhex("0000000000bab10c"), "a member of a ZFS pool"),
        (0, b"PRIVHEAD", "a Windows dynamic disk (LDM)"),
        (0, b"\x1f\x8b\x08", "a gzip archive"),
        (0, b"PK\x03\x04", "a zip archive"),
        (257, b"ustar", "a tar archive"),
        (0, b"AFF10\r\n\0", "an AFF image"),
        (0, b"LVF\x09\x0d\x0a\xff\0", "an EnCase logical evidence file (L01)"),
    ],
)
def test_named_with_a_next_step(offset: int, magic: bytes, said: str) -> None:
    text = unsupported_container(Sparse(SIZE).put(offset, magic))
    assert text is not None
    assert text.startswith(f"{said} that cannot be read here; ")


@pytest.mark.parametrize("sector", range(4))
def test_lvm_label_in_any_of_the_first_four_sectors(sector: int) -> None:
    label = b"LABELONE".ljust(24, b"\0") + b"LVM2 001"
    text = unsupported_container(Sparse(SIZE).put(sector * 512, label))
    assert text is not None
    assert "LVM2" in text
    assert unsupported_container(Sparse(SIZE).put(sector * 512, label[:24])) is None


@pytest.mark.parametrize("size", [0, 1, 511, 4096, 65536, SIZE])
def test_nothing_known_is_none(size: int) -> None:
    assert unsupported_container(Sparse(size)) is None
    assert unsupported_container(Sparse(size).put(0, fat_boot_sector())) is None
