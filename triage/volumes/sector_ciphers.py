"""AES over the sectors of a volume, many at a time: the modes of dm-crypt that LUKS volumes have.

One call of the library for each sector would take longer than the decryption. All blocks go through it at one go as
independent ones (ECB); what a mode puts before and after is arithmetic over whole arrays.

Facts: IEEE 1619 (XTS), NIST SP 800-38A (CBC), and the kernel's documentation of dm-crypt: a sector's number is counted
in 512 bytes whatever the size of a sector; `plain` has its lower 32 bits, `plain64` 64 of them, little-endian, and
`essiv:HASH` is `plain64` encrypted with the hash of the key.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from triage.model.errors import EvidenceError

NUMBERED = 512
"""Bytes that one sector number stands for."""

_BLOCK = 16
_KEY_SIZES = (16, 24, 32)
_MOST_POWER = 32  # so that what comes back fits into 64 bits
_ONE, _TWO, _SEVEN = np.uint64(1), np.uint64(2), np.uint64(7)

Words = NDArray[np.uint64]
Initial = Callable[[Words], Words]
"""Sector numbers to initial vectors: (sectors,) to (sectors, 2), both of 64-bit little-endian words."""


class SectorCipher(Protocol):
    """Decrypts whole sectors of `size` bytes."""

    @property
    def size(self) -> int:
        """Bytes that are encrypted as one sector."""

    def decrypt(self, data: bytes, number: int) -> bytes:
        """Return the plain bytes of whole sectors; `number` is that of the first one, counted in 512 bytes."""


def sector_cipher(name: str, key: bytes, size: int = NUMBERED) -> SectorCipher:
    """Return the cipher that dm-crypt calls `name` (`aes-xts-plain64`). Raises EvidenceError for one not known here."""
    algorithm, _, rest = name.partition("-")
    chaining, _, vectors = rest.partition("-")
    if algorithm == "aes" and chaining == "xts" and len(key) % 2 == 0 and len(key) // 2 in _KEY_SIZES:
        return _Xts(key, size, _initial(name, vectors, key))
    if algorithm == "aes" and chaining == "cbc" and len(key) in _KEY_SIZES:
        return _Cbc(key, size, _initial(name, vectors, key))
    raise _unknown(name, key)


class _Xts:
    """XTS: every block has a mask of its own, the encrypted number of its sector times a power of two."""

    def __init__(self, key: bytes, size: int, initial: Initial) -> None:
        half = len(key) // 2
        self.size = size
        self._data = Cipher(AES(key[:half]), ECB())  # noqa: S305 - one step of a mode
        self._tweak = Cipher(AES(key[half:]), ECB())  # noqa: S305 - one step of a mode
        self._initial = initial

    def decrypt(self, data: bytes, number: int) -> bytes:
        """Return the plain bytes of whole sectors."""
        initial = self._initial(_numbers(number, len(data), self.size))
        tweak = _words(self._tweak.encryptor().update(initial.tobytes()))
        masks = _doublings(tweak.reshape(-1, 2), self.size // _BLOCK)
        plain = _words(self._data.decryptor().update((_words(data) ^ masks).tobytes()))
        return (plain ^ masks).tobytes()


class _Cbc:
    """CBC: every block is masked with the encrypted one before it, the first of a sector with its vector."""

    def __init__(self, key: bytes, size: int, initial: Initial) -> None:
        self.size = size
        self._data = Cipher(AES(key), ECB())  # noqa: S305 - one step of a mode
        self._initial = initial

    def decrypt(self, data: bytes, number: int) -> bytes:
        """Return the plain bytes of whole sectors."""
        encrypted = _words(data).reshape(-1, self.size // _BLOCK, 2)
        before = np.empty_like(encrypted)
        before[:, 1:] = encrypted[:, :-1]
        before[:, 0] = self._initial(_numbers(number, len(data), self.size))
        return (_words(self._data.decryptor().update(data)) ^ before.reshape(-1)).tobytes()


def _initial(name: str, vectors: str, key: bytes) -> Initial:
    """Return how a sector's initial vector is made of its number."""
    kind, _, digest = vectors.partition(":")
    if kind == "plain" and not digest:
        return lambda numbers: _wide(numbers & np.uint64(0xFFFFFFFF))
    if kind == "plain64" and not digest:
        return _wide
    if kind == "essiv" and digest in {"sha1", "sha224", "sha256", "sha384", "sha512"}:
        salt = hashlib.new(digest, key).digest()
        if len(salt) in _KEY_SIZES:
            own = Cipher(AES(salt), ECB())  # noqa: S305 - single blocks
            return lambda numbers: _words(own.encryptor().update(_wide(numbers).tobytes())).reshape(-1, 2)
    raise _unknown(name, key)


def _unknown(name: str, key: bytes) -> EvidenceError:
    printed = name if name.isascii() and name.isprintable() and len(name) < 64 else "of no sensible name"  # noqa: PLR2004 - a line
    return EvidenceError(f"the cipher {printed} with a key of {8 * len(key)} bits is not supported")


def _numbers(first: int, length: int, size: int) -> Words:
    return np.arange(length // size, dtype="<u8") * np.uint64(size // NUMBERED) + np.uint64(first)


def _words(data: bytes) -> Words:
    return np.frombuffer(data, "<u8")


def _wide(numbers: Words) -> Words:
    """Return numbers as 128-bit ones."""
    wide = np.zeros((len(numbers), 2), "<u8")
    wide[:, 0] = numbers
    return wide


def _doublings(tweak: Words, count: int) -> Words:
    """Return each of (sectors, 2) times 2 to the power 0, 1, ... `count - 1` in GF(2^128), sector by sector, flat."""
    masks = np.empty((count, len(tweak), 2), "<u8")
    masks[0] = tweak
    done = 1
    while done < count:
        power = min(done, _MOST_POWER)
        step = min(power, count - done)
        _multiply(masks[done - power : done - power + step], power, masks[done : done + step])
        done += step
    return masks.transpose(1, 0, 2).reshape(-1)


def _multiply(words: Words, power: int, product: Words) -> None:
    """Multiply by 2 to a power; what leaves at the top comes back at the bottom, times x^7 + x^2 + x + 1."""
    up, down = np.uint64(power), np.uint64(64 - power)
    low, high = words[..., 0], words[..., 1]
    out = high >> down
    product[..., 0] = low << up ^ out ^ out << _ONE ^ out << _TWO ^ out << _SEVEN
    product[..., 1] = high << up | low >> down
