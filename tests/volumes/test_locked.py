import struct
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import Corpus

from triage.volumes.locked import boot_code, detect

from .plain import Opened, Sparse, fat_boot_sector, table_sector

SIZE = 8 * 2**20
IDENTITY = UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le
USED_SPACE_ONLY = UUID("92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8").bytes_le


def metadata(*kinds: int) -> bytes:
    """A BitLocker metadata block whose volume master keys are protected in these ways."""
    keys = b"".join(
        struct.pack("<HHHH", 44, 2, 8, 1) + bytes(26) + struct.pack("<H", kind) + bytes(8) for kind in kinds
    )
    other = struct.pack("<HHHH", 12, 7, 2, 1) + bytes(4)
    return b"-FVE-FS-".ljust(64, b"\0") + struct.pack("<I", 48 + len(other) + len(keys)) + bytes(44) + other + keys


def bitlocker(name: bytes, place: int, identity: bytes, *kinds: int) -> Sparse:
    sector = bytearray(fat_boot_sector())
    sector[3:11] = name
    sector[place : place + 40] = identity + struct.pack("<3Q", 2**20, 2 * 2**20, 3 * 2**20)
    return Sparse(SIZE).put(0, bytes(sector)).put(2 * 2**20, metadata(*kinds))


@pytest.mark.parametrize("identity", [IDENTITY, USED_SPACE_ONLY])
@pytest.mark.parametrize(
    ("name", "place", "method"), [(b"-FVE-FS-", 160, "BitLocker"), (b"MSWIN4.1", 424, "BitLocker To Go")]
)
def test_bitlocker_with_its_protectors(name: bytes, place: int, method: str, identity: bytes) -> None:
    locked = detect(bitlocker(name, place, identity, 0x0100, 0x0800, 0x0800))
    assert locked is not None
    assert locked.method == method
    assert locked.text.startswith(f"{method} volume, locked with TPM, recovery password; one is needed")


def test_suspended_bitlocker_says_that_no_password_is_needed() -> None:
    locked = detect(bitlocker(b"-FVE-FS-", 160, IDENTITY, 0x0000, 0x0800))
    assert locked is not None
    assert "suspended" in locked.text
    assert "without a password" in locked.text


def test_bitlocker_without_metadata_is_bitlocker() -> None:
    locked = detect(Sparse(SIZE).put(0, b"\xeb\x52\x90-FVE-FS-"))
    assert locked is not None
    assert locked.text == "BitLocker volume; its password or recovery key is needed, or refer it to the lab"


@pytest.mark.parametrize("version", [1, 2])
def test_luks_even_behind_an_old_swap_mark(version: int) -> None:
    source = Sparse(SIZE).put(0, b"LUKS\xba\xbe" + version.to_bytes(2, "big")).put(4086, b"SWAPSPACE2")
    locked = detect(source)
    assert locked is not None
    assert locked.method == f"LUKS{version}"


@pytest.mark.parametrize("place", [0x4000, 0x400000])
def test_second_luks2_header(place: int) -> None:
    second = (b"SKUL\xba\xbe\0\x02").ljust(256, b"\0") + place.to_bytes(8, "big")
    locked = detect(Sparse(SIZE).put(place, second))
    assert locked is not None
    assert locked.method == "LUKS2"
    assert detect(Sparse(SIZE).put(place, second[:256])) is None


@pytest.mark.parametrize("place", [0, SIZE - 512])
def test_core_storage_by_either_header(place: int) -> None:
    header = bytes(8) + b"\x01\0\x10\0" + bytes(76) + b"CS"
    locked = detect(Sparse(SIZE).put(place, header))
    assert locked is not None
    assert locked.method == "CoreStorage"
    assert detect(Sparse(SIZE).put(place, bytes(88) + b"CS")) is None


@pytest.mark.parametrize(
    ("place", "header"),
    [
        (0x4000, (b"SKUL\xba\xbe\0\x02").ljust(256, b"\0") + (0x4000).to_bytes(8, "big")),
        (SIZE - 512, bytes(8) + b"\x01\0\x10\0" + bytes(76) + b"CS"),
        (SIZE - 8, b"cdsaencr"),
    ],
    ids=["LUKS2", "CoreStorage", "disk image"],
)
def test_a_left_over_copy_of_a_header_does_not_hide_a_file_system(place: int, header: bytes) -> None:
    source = Sparse(SIZE).put(place, header)
    assert detect(source) is not None
    assert detect(source.put(0, fat_boot_sector())) is None
    assert detect(source.put(0, b"LUKS\xba\xbe\0\x02")) is not None


def test_encrypted_disk_images() -> None:
    assert detect(Sparse(SIZE).put(0, b"encrcdsa")) is not None
    assert detect(Sparse(SIZE).put(SIZE - 8, b"cdsaencr")) is not None


@pytest.mark.parametrize(
    ("offset", "word", "product"),
    [
        (0, b"\xeb\x48\x90PGPGUARD", "PGP"),
        (3, b"SafeBoot", "SafeBoot"),
        (3, b"Safeboot", "SafeBoot"),
        (32, b"PCGM", "GuardianEdge"),
        (100, b"Protect", "Check Point"),
        (110, b"SGM400", "Sophos"),
        (150, b"SGE400", "Sophos"),
        (246, b"WMSD", "WinMagic"),
    ],
)
def test_boot_code_counts_only_where_no_file_system_begins(offset: int, word: bytes, product: str) -> None:
    code = Sparse(SIZE).put(0, table_sector((7, 2048, 100))).put(offset, word)
    locked = detect(code)
    assert locked is not None
    assert product in locked.method
    assert detect(code.put(1080, b"\x53\xef")) is None
    if offset > 63:
        assert boot_code(fat_boot_sector()[:offset] + word + fat_boot_sector()[offset + len(word) :]) is None


def test_words_outside_their_place_are_nothing() -> None:
    assert detect(Sparse(SIZE).put(101, b"Protect").put(33, b"PCGM").put(257, b"WMSD")) is None


@given(st.binary(max_size=600), st.integers(0, 10000))
def test_any_bytes_are_told_or_not_but_never_raise(data: bytes, size: int) -> None:
    for head in (
        data,
        b"\xeb\x58\x90-FVE-FS-" + data,
        (b"-FVE-FS-".rjust(11, b"\0")).ljust(160, b"\0") + IDENTITY + data,
    ):
        locked = detect(Sparse(size).put(0, head))
        assert locked is None or locked.text


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("encrypted/bitlk-aes-xts-128.img", "BitLocker"),
        ("encrypted/bitlk-aes-xts-128-clearkey-only.img", "BitLocker"),
        ("encrypted/bitlk-togo-aes-xts-128.img", "BitLocker To Go"),
        ("encrypted/luks1_compatimage.img", "LUKS1"),
        ("encrypted/dfvfs_luks1.raw", "LUKS1"),
    ],
)
def test_real_encrypted_volumes(corpus: Corpus, opened: Callable[..., Opened], name: str, method: str) -> None:
    locked = detect(opened(corpus.path(name)))
    assert locked is not None
    assert locked.method == method
    assert ("suspended" in locked.text) == ("clearkey" in name)
