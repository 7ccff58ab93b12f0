"""From a secret to a key, with a bound on what the header of a hostile volume may ask for.

A header says how much work the derivation is: it may ask for hours or for all the memory. The work is told beforehand
in seconds of an ordinary machine; what is beyond the bound is not begun. Facts: RFC 8018 (PBKDF2), RFC 9106 (Argon2),
and the LUKS2 on-disk format specification for their names and units.
"""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2i, Argon2id

from triage.model.errors import EvidenceError

MOST_SECONDS = 20.0
"""The most work of one derivation, which cannot be interrupted."""

MOST_MEMORY = 1 << 20
"""The most KiB of memory: what `cryptsetup` takes at most unless it is told otherwise."""

_HASH_SECONDS = 1 / 1_400_000  # one iteration over one block of output, SHA-256 at half its pace
_ARGON_SECONDS = 1 / 550_000  # one pass over one KiB
_HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")
_ARGON: dict[str, type[Argon2i | Argon2id]] = {"argon2i": Argon2i, "argon2id": Argon2id}
_LEAST_SALT, _MOST_LANES = 8, 64
_MOST_NUMBER = 1 << 63


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """PBKDF2 with HMAC. Raises EvidenceError for a hash that is not known here and for too much work."""

    digest: str
    salt: bytes
    iterations: int

    def __post_init__(self) -> None:
        """Refuse what could not be derived."""
        if self.digest not in _HASHES:
            raise EvidenceError(f"the hash {_printed(self.digest)} is not supported")
        if not 1 <= self.iterations <= _MOST_NUMBER:
            raise EvidenceError("its key derivation has impossible parameters")

    def seconds(self, length: int) -> float:
        """Return about how long deriving so many bytes takes."""
        return self.iterations * -(-length // hashlib.new(self.digest).digest_size) * _HASH_SECONDS

    def derive(self, secret: bytes | bytearray, length: int) -> bytes:
        """Return so many bytes. Raises EvidenceError for too much work."""
        _bound(self.seconds(length))
        return hashlib.pbkdf2_hmac(self.digest, secret, self.salt, self.iterations, length)


@dataclass(frozen=True, slots=True)
class Argon2:
    """Argon2i or Argon2id, version 1.3; `memory` in KiB. Raises EvidenceError for what is neither, or too much."""

    variant: str
    salt: bytes
    passes: int
    memory: int
    lanes: int

    def __post_init__(self) -> None:
        """Refuse what could not be derived."""
        if self.variant not in _ARGON:
            raise EvidenceError(f"the key derivation {_printed(self.variant)} is not supported")
        if not 1 <= self.passes <= _MOST_NUMBER or self.memory > _MOST_NUMBER:
            raise EvidenceError("its key derivation has impossible parameters")
        if not 1 <= self.lanes <= _MOST_LANES or self.memory < 8 * self.lanes:
            raise EvidenceError("its key derivation has impossible parameters")
        if len(self.salt) < _LEAST_SALT:
            raise EvidenceError("the salt of its key derivation is too short")

    def seconds(self, length: int) -> float:  # noqa: ARG002 - the length weighs nothing here
        """Return about how long deriving takes."""
        return self.passes * self.memory * _ARGON_SECONDS

    def derive(self, secret: bytes | bytearray, length: int) -> bytes:
        """Return so many bytes. Raises EvidenceError for too much work or memory."""
        _bound(self.seconds(length))
        if self.memory > MOST_MEMORY:
            raise EvidenceError(f"its key derivation asks for {self.memory} KiB of memory, more than {MOST_MEMORY}")
        derivation = _ARGON[self.variant](
            salt=self.salt, length=length, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory
        )
        try:
            return derivation.derive(bytes(secret))
        except MemoryError as error:
            raise EvidenceError(f"there is no memory for its key derivation: {self.memory} KiB") from error


Derivation = Pbkdf2 | Argon2


def _bound(seconds: float) -> None:
    if seconds > MOST_SECONDS:
        raise EvidenceError(f"its key derivation asks for about {seconds:.0f} seconds, more than {MOST_SECONDS:.0f}")


def _printed(name: str) -> str:
    return name if name.isascii() and name.isprintable() and len(name) < 32 else "of no sensible name"  # noqa: PLR2004 - a line
