"""Seals: Ed25519 signatures by the force's key over the digest that names a set.

What is signed is a fixed text before the digest, so that no signature made for another purpose counts as a seal.
Sources: RFC 8032 (Ed25519: keys of 32, signatures of 64 bytes), RFC 8410 (its keys in PKCS #8 and
SubjectPublicKeyInfo), RFC 7468 (PEM).
"""

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from triage.hashsets.regular_file import open_regular
from triage.model.errors import StoreError, UsageError
from triage.model.item import printable

SEAL_SIZE = 96

_CONTEXT = b"digivan hash set seal v1\0"
_DIGEST_SIZE = 32
_PUBLIC_SIZE = 32
_MAX_PEM = 1 << 16
_BEGIN = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class Seal:
    """Whose signature a set carries: the raw public key (32 bytes) and the signature (64 bytes)."""

    public: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the `SEAL_SIZE` bytes that a file keeps."""
        return self.public + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Return the seal in `SEAL_SIZE` bytes, None if all of them are zero; raises ValueError for another length."""
        if len(data) != SEAL_SIZE:
            raise ValueError(f"a seal has {SEAL_SIZE} bytes, not {len(data)}")
        return cls(data[:_PUBLIC_SIZE], data[_PUBLIC_SIZE:]) if any(data) else None


@dataclass(frozen=True, slots=True)
class SealState:
    """What a seal says of a set that may be used; its text is for lists and records.

    `fingerprint` is None for a set without a seal, `name` None for a key that is not among the trusted ones.
    """

    fingerprint: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.fingerprint is None:
            return "unsealed"
        return f"unknown key {self.fingerprint}" if self.name is None else f"sealed by {self.name} ({self.fingerprint})"


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The public keys whose seals count: the raw key to the name of its file."""

    names: Mapping[bytes, str]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read every file of the folder; none is trusted where there is no folder.

        Raises StoreError for whatever there is not one Ed25519 public key in a `.pem` file: a key that were skipped
        would leave its sets refused, or with no other key there, every set accepted.
        """
        names: dict[bytes, str] = {}
        for path in _entries(folder):
            public = _trusted_key(path)
            if public in names:
                raise _untrusted(path, f"it is the same key as {printable(names[public])}.pem", "remove one of them")
            names[public] = path.stem
        return cls(names)


class Signer:
    """The private key of a force, in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> Self:
        """Read a private key in PEM; raises UsageError for any other file, and for a wrong passphrase."""
        try:
            data = _read_pem(path)
            key = load_pem_private_key(data, None if passphrase is None else _password(passphrase))
        except OSError as error:
            raise _unusable(path, error.strerror or str(error), "check the path and who may read it") from error
        except TypeError as error:  # how the library says that a passphrase lacks, or is one too many
            cause = "it is protected by a passphrase" if passphrase is None else "it has no passphrase"
            raise _unusable(path, cause, "give it" if passphrase is None else "give none") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _unusable(path, *_why_not_private(data, passphrase)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(path, "it is not an Ed25519 key", "name the key that was made for seals")
        return cls(key)

    def sign(self, digest: bytes) -> bytes:
        """Return the signature (64 bytes) over the SHA-256 (32 bytes) that names a set."""
        return self._key.sign(_message(digest))

    def seal(self, digest: bytes) -> Seal:
        """Return the seal for the set of that digest."""
        return Seal(self.public, self.sign(digest))


def generate_key(private: Path, public: Path, passphrase: str | None = None) -> bytes:
    """Make a new key pair in two new files, and return the raw public key (32 bytes).

    The private key is PKCS #8, for its owner only and encrypted if there is a passphrase; the public key is
    SubjectPublicKeyInfo; both are PEM. Raises UsageError if one of the files is there already or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    locking: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        locking = BestAvailableEncryption(_password(passphrase))
    _write_new(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locking), 0o600)
    try:
        _write_new(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    except BaseException:
        private.unlink()
        raise
    return key.public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """Return the name of a raw public key by which people compare it: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def verify_seal(seal: Seal, digest: bytes) -> bool:
    """Tell whether the key in the seal has signed this digest (32 bytes); it does not tell whose key it is."""
    try:
        Ed25519PublicKey.from_public_bytes(seal.public).verify(seal.signature, _message(digest))
    except (InvalidSignature, ValueError):  # a ValueError where the bytes are no key at all
        return False
    return True


def is_protected(path: Path) -> bool:
    """Tell whether a private key wants a passphrase; False for whatever is none, which `Signer.load` refuses."""
    try:
        return b"ENCRYPTED PRIVATE KEY-----" in _read_pem(path)
    except OSError:
        return False


def read_public_key(path: Path) -> bytes:
    """Return the raw public key (32 bytes) in a PEM file; raises UsageError for any other file."""
    try:
        return _public_key(path)
    except StoreError as error:
        raise UsageError(str(error)) from error


def check_seal(path: Path, seal: Seal | None, digest: bytes, trusted: TrustedKeys) -> SealState:
    """Return what the seal of a set says; raises StoreError, naming the file, if the set must not be used.

    With trusted keys every set must carry a valid seal by one of them. Without any, a set may lack a seal or carry
    that of a stranger, but an invalid seal is refused: the set is not what somebody sealed.
    """
    if seal is None:
        if trusted.names:
            raise _refused(path, "it carries no seal, and this library trusts sealed sets only", "have it sealed")
        return SealState()
    if not verify_seal(seal, digest):
        raise _refused(path, "its seal is not valid", "import it again and have it sealed")
    mark = fingerprint(seal.public)
    if trusted.names and seal.public not in trusted.names:
        raise _refused(path, f"it is sealed by key {mark}, which is not trusted", "have it sealed by a trusted key")
    return SealState(mark, trusted.names.get(seal.public))


def _message(digest: bytes) -> bytes:
    if len(digest) != _DIGEST_SIZE:
        raise ValueError(f"the digest of a set has {_DIGEST_SIZE} bytes, not {len(digest)}")
    return _CONTEXT + digest


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{printable(str(folder))}: cannot list the trusted keys: {error.strerror}: check the folder"
        ) from error


def _trusted_key(path: Path) -> bytes:
    if path.suffix != ".pem" or not path.is_file():
        raise _untrusted(path, "only public keys in .pem files belong there", "remove it")
    return _public_key(path)


def _public_key(path: Path) -> bytes:
    try:
        data = _read_pem(path)
        if b"PRIVATE KEY-----" in data:
            raise _untrusted(
                path,
                "it holds a private key",
                "remove it, put the public key there and make a new pair if others saw it",
            )
        key = load_pem_public_key(data)
    except OSError as error:
        raise _untrusted(path, error.strerror or str(error), "check who may read it") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _untrusted(path, "it is not a public key in PEM", "put a key in its place, or remove it") from error
    if not isinstance(key, Ed25519PublicKey) or data.count(_BEGIN) != 1:
        raise _untrusted(path, "it is not one Ed25519 key", "put each key of the force there in a file of its own")
    return key.public_bytes_raw()


def _read_pem(path: Path) -> bytes:
    """Return the file's content; of a large one, which is no key, only so much that it parses as none."""
    with open_regular(path) as file:
        return file.read(_MAX_PEM)


def _why_not_private(data: bytes, passphrase: str | None) -> tuple[str, str]:
    if b"PUBLIC KEY-----" in data:
        return "it holds a public key", "name the private key"
    if passphrase is not None and b"ENCRYPTED PRIVATE KEY-----" in data:
        return "the passphrase does not open it", "give the passphrase it was made with"
    return "it is not a private key in PEM", "name the private key"


def _password(passphrase: str) -> bytes:
    try:
        data = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError as error:
        raise UsageError("the passphrase is not valid text: give one of letters, digits and signs") from error
    if not data:
        raise UsageError("the passphrase is empty: give one, or none at all")
    return data


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet; nothing of it stays if that fails."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except OSError as error:
        step = "no key is ever overwritten: name another file" if path.exists() else "name another file"
        raise UsageError(f"{printable(str(path))}: cannot write the key: {error.strerror}: {step}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink()
        raise UsageError(
            f"{printable(str(path))}: cannot write the key: {error.strerror}: name another file"
        ) from error


def _unusable(path: Path, cause: str, step: str) -> UsageError:
    return UsageError(f"{printable(str(path))}: cannot sign with this key: {cause}: {step}")


def _untrusted(path: Path, cause: str, step: str) -> StoreError:
    return StoreError(f"{printable(str(path))}: cannot be a trusted key: {cause}: {step}")


def _refused(path: Path, cause: str, step: str) -> StoreError:
    return StoreError(f"{printable(str(path))}: the hash set is refused: {cause}: {step}")
