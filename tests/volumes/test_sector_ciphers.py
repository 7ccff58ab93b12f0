import hashlib
import struct
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, XTS

from triage.model.errors import EvidenceError
from triage.volumes.sector_ciphers import sector_cipher

KEY = hashlib.shake_256(b"key").digest(64)
DATA = hashlib.shake_256(b"data").digest(32768)


def vectors(number: int, size: int) -> list[bytes]:
    """The `plain64` vectors of the sectors of DATA."""
    return [struct.pack("<QQ", number + start // 512, 0) for start in range(0, len(DATA), size)]


def one_by_one(decryptors: Sequence[CipherContext], size: int) -> bytes:
    """Decrypt sector by sector with the library's own modes."""
    sectors = (DATA[start : start + size] for start in range(0, len(DATA), size))
    return b"".join(decryptor.update(sector) for decryptor, sector in zip(decryptors, sectors, strict=True))


@pytest.mark.parametrize("size", [512, 1024, 4096])
@pytest.mark.parametrize("key", [KEY[:32], KEY])
@pytest.mark.parametrize("number", [0, 5, 2**32 - 8, 2**40])
def test_xts_is_that_of_the_library(key: bytes, size: int, number: int) -> None:
    expected = one_by_one([Cipher(AES(key), XTS(each)).decryptor() for each in vectors(number, size)], size)
    assert sector_cipher("aes-xts-plain64", key, size).decrypt(DATA, number) == expected


@pytest.mark.parametrize("size", [512, 4096])
@pytest.mark.parametrize("key", [KEY[:16], KEY[:24], KEY[:32]])
def test_cbc_is_that_of_the_library(key: bytes, size: int) -> None:
    expected = one_by_one([Cipher(AES(key), CBC(each)).decryptor() for each in vectors(7, size)], size)
    assert sector_cipher("aes-cbc-plain64", key, size).decrypt(DATA, 7) == expected


def test_plain_counts_in_32_bits() -> None:
    narrow, wide = sector_cipher("aes-xts-plain", KEY), sector_cipher("aes-xts-plain64", KEY)
    assert narrow.decrypt(DATA, 2**32 + 3) == wide.decrypt(DATA, 3)
    assert wide.decrypt(DATA, 2**32 + 3) != wide.decrypt(DATA, 3)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("serpent-xts-plain64", KEY),
        ("aes-xts-benbi", KEY),
        ("aes-xts-plain64", KEY[:40]),
        ("aes-cbc-plain64", KEY),
        ("aes-cbc-essiv:md4", KEY[:16]),
        ("aes-cbc-essiv:sha1", KEY[:16]),
        ("aes-ecb", KEY[:16]),
        ("\n" * 100, KEY),
        ("", b""),
    ],
)
def test_what_is_not_known_is_refused_by_name(name: str, key: bytes) -> None:
    with pytest.raises(EvidenceError, match="is not supported") as caught:
        sector_cipher(name, key)
    assert str(caught.value).isprintable()
