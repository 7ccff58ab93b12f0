"""`vault.json`: the key of a library, wrapped once for each secret that opens it.

The file is one JSON object: `format`, `version`, `id` (names the vault), `check` (proves that a key is this vault's)
and `slots`. A slot has the `kind` of its secret, `salt`, `nonce`, `wrapped` (all hexadecimal) and, for a passphrase,
the cost of scrypt: `n`, `r`, `p`. The key that wraps comes from a passphrase by scrypt, from the bytes of a key file
by HKDF-SHA256; the library's key (256 random bits) is wrapped with AES-256-GCM, bound to the vault, the kind and the
cost. Sources: RFC 7914 (scrypt), RFC 5869 (HKDF), NIST SP 800-38D (GCM).

Nothing in the file is taken on trust: what is read is bounded, and so is what a slot may cost.
"""

import hmac
import json
import os
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from triage.hashsets.protection.encrypted import KEY_SIZE, flush_folder, new_private
from triage.hashsets.regular_file import open_regular
from triage.model.errors import StoreError, UsageError
from triage.model.item import printable

NAME = "vault.json"
MAX_BYTES = 1 << 16
MAX_SLOTS = 8

_FORMAT = "digivan vault"
_VERSION = 1
_ID_SIZE = 16
_SALT_SIZE = 32
_NONCE_SIZE = 12
_WRAPPED_SIZE = KEY_SIZE + 16
_LEAST_PASSPHRASE = 12  # characters
_KEY_FILE_SIZES = range(32, (1 << 16) + 1)
_COSTS = frozenset({1 << 15, 1 << 16, 1 << 17, 1 << 18})  # at r = 8 the last one takes 256 MiB


class SecretKind(StrEnum):
    """What a person gives to open a vault; the values stand in `vault.json`."""

    PASSPHRASE = "passphrase"  # noqa: S105 - the word, not one
    KEY_FILE = "key file"


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a vault; the material is never shown."""

    kind: SecretKind
    material: bytes = field(repr=False)

    @classmethod
    def passphrase(cls, text: str) -> Self:
        """Return what a person typed, in one spelling whatever the keyboard; raises UsageError for what is no text."""
        try:
            return cls(SecretKind.PASSPHRASE, unicodedata.normalize("NFC", text).encode())
        except UnicodeEncodeError as error:
            raise UsageError("the passphrase is not valid text: give one of letters, digits and signs") from error

    @classmethod
    def key_file(cls, path: Path) -> Self:
        """Return the content of a key file, 32 bytes to 64 KiB that must be random; raises UsageError."""
        try:
            with open_regular(path) as file:
                material = file.read(_KEY_FILE_SIZES.stop)
        except OSError as error:
            raise UsageError(
                f"{printable(str(path))}: cannot read the key file: {error.strerror}: check the path"
            ) from error
        if len(material) not in _KEY_FILE_SIZES:
            raise UsageError(
                f"{printable(str(path))} is no key file, which has from {_KEY_FILE_SIZES[0]} to "
                f"{_KEY_FILE_SIZES[-1]} bytes: name the key file"
            )
        return cls(SecretKind.KEY_FILE, material)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What scrypt takes: 128 n r bytes of memory, p times."""

    n: int = 1 << 17
    r: int = 8
    p: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The library's key, wrapped for one secret; `cost` is None for a key file."""

    kind: SecretKind
    cost: Cost | None
    salt: bytes
    nonce: bytes
    wrapped: bytes

    @classmethod
    def wrap(cls, key: bytes, secret: Secret, vault: str) -> Self:
        """Wrap the key of a vault anew; raises UsageError for a passphrase that is too short."""
        cost = Cost() if secret.kind is SecretKind.PASSPHRASE else None
        if cost and len(secret.material.decode()) < _LEAST_PASSPHRASE:
            raise UsageError(f"the passphrase is too short: give at least {_LEAST_PASSPHRASE} characters")
        salt, nonce = os.urandom(_SALT_SIZE), os.urandom(_NONCE_SIZE)
        cipher = AESGCM(_wrapping_key(secret, salt, cost))
        wrapped = cipher.encrypt(nonce, key, _bound(vault, secret.kind, cost))
        return cls(kind=secret.kind, cost=cost, salt=salt, nonce=nonce, wrapped=wrapped)

    def unwrap(self, secret: Secret, vault: str) -> bytes | None:
        """Return the library's key, None if the secret is not the one it was wrapped for."""
        if secret.kind is not self.kind:
            return None
        cipher = AESGCM(_wrapping_key(secret, self.salt, self.cost))
        try:
            return cipher.decrypt(self.nonce, self.wrapped, _bound(vault, self.kind, self.cost))
        except InvalidTag:
            return None

    def fields(self) -> dict[str, object]:
        """Return the slot as `vault.json` keeps it."""
        cost = {"n": self.cost.n, "r": self.cost.r, "p": self.cost.p} if self.cost else {}
        texts = {"salt": self.salt.hex(), "nonce": self.nonce.hex(), "wrapped": self.wrapped.hex()}
        return {"kind": self.kind.value, **cost, **texts}

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Return a slot; raises ValueError, TypeError or KeyError for what cannot be one."""
        kind = SecretKind(fields["kind"])
        return cls(
            kind=kind,
            cost=_cost(fields) if kind is SecretKind.PASSPHRASE else None,
            salt=_hexadecimal(fields["salt"], _SALT_SIZE),
            nonce=_hexadecimal(fields["nonce"], _NONCE_SIZE),
            wrapped=_hexadecimal(fields["wrapped"], _WRAPPED_SIZE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Everything in `vault.json`; it changes by being written anew."""

    id: str
    check: bytes
    slots: tuple[Slot, ...]

    @classmethod
    def seal(cls, key: bytes, secret: Secret) -> Self:
        """Return the envelope of a new vault with that key."""
        vault = os.urandom(_ID_SIZE).hex()
        return cls(id=vault, check=_check(key, vault), slots=(Slot.wrap(key, secret, vault),))

    def open(self, secret: Secret) -> tuple[bytes, int]:
        """Return the library's key and the number of the slot that gave it; raises UsageError for a wrong secret."""
        for number, slot in enumerate(self.slots):
            key = slot.unwrap(secret, self.id)
            if key is not None and self.belongs(key):
                return key, number
        raise UsageError(f"the {secret.kind} does not open this hash-set library: give the right one")

    def belongs(self, key: bytes) -> bool:
        """Tell whether that is the key of this vault."""
        return hmac.compare_digest(_check(key, self.id), self.check)

    def with_slots(self, slots: tuple[Slot, ...]) -> Self:
        """Return the envelope with other slots; raises UsageError for more than `MAX_SLOTS`."""
        if len(slots) > MAX_SLOTS:
            raise UsageError(f"a hash-set library has at most {MAX_SLOTS} secrets: change one of them instead")
        return replace(self, slots=slots)

    def to_text(self) -> str:
        """Return what stands in `vault.json`."""
        fields = {"format": _FORMAT, "version": _VERSION, "id": self.id, "check": self.check.hex()}
        return json.dumps({**fields, "slots": [slot.fields() for slot in self.slots]}, indent=1) + "\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what at most `MAX_BYTES` bytes say; raises ValueError with the cause for what is no envelope."""
        if len(data) > MAX_BYTES:
            raise ValueError("it is too long")
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ValueError("it is no JSON") from error
        try:
            if (fields["format"], fields["version"]) != (_FORMAT, _VERSION):
                raise ValueError("its format or version is not known")
            slots = fields["slots"][: MAX_SLOTS + 1]
            if not 1 <= len(slots) <= MAX_SLOTS:
                raise ValueError("it has no slots, or too many")
            return cls(
                id=_hexadecimal(fields["id"], _ID_SIZE).hex(),
                check=_hexadecimal(fields["check"], KEY_SIZE),
                slots=tuple(Slot.parse(slot) for slot in slots),
            )
        except (TypeError, KeyError) as error:
            raise ValueError("it makes no sense") from error


def read_envelope(folder: Path) -> Envelope:
    """Read `vault.json` of a library; raises StoreError."""
    path = folder / NAME
    try:
        with open_regular(path) as file:
            return Envelope.parse(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise StoreError(f"{printable(str(path))}: cannot read it: {error.strerror}: check the library") from error
    except ValueError as error:
        raise StoreError(
            f"{printable(str(path))}: the encrypted library cannot be opened: {error}: bring back a copy of the file"
        ) from error


def write_envelope(folder: Path, envelope: Envelope) -> None:
    """Write `vault.json` in the place of the one before; at any moment one of the two is there. Raises StoreError."""
    partial = folder / f".{NAME}.partial"
    try:
        partial.unlink(missing_ok=True)
        with new_private(partial) as file:
            file.write(envelope.to_text().encode())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / NAME)
        flush_folder(folder)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise StoreError(
            f"{printable(str(folder / NAME))}: cannot write it: {error.strerror}: check the library's folder"
        ) from error


def _wrapping_key(secret: Secret, salt: bytes, cost: Cost | None) -> bytes:
    if cost is None:
        return HKDF(SHA256(), KEY_SIZE, salt, b"digivan vault key file v1").derive(secret.material)
    return Scrypt(salt, KEY_SIZE, cost.n, cost.r, cost.p).derive(secret.material)


def _bound(vault: str, kind: SecretKind, cost: Cost | None) -> bytes:
    numbers = f"{cost.n} {cost.r} {cost.p}" if cost else ""
    return f"digivan vault slot v1\0{vault}\0{kind}\0{numbers}".encode()


def _check(key: bytes, vault: str) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, bytes.fromhex(vault), b"digivan vault check v1").derive(key)


def _cost(fields: Mapping[str, Any]) -> Cost:
    cost = Cost(n=fields["n"], r=fields["r"], p=fields["p"])
    if any(type(number) is not int for number in (cost.n, cost.r, cost.p)):
        raise TypeError
    if cost.n not in _COSTS or (cost.r, cost.p) != (Cost().r, Cost().p):
        raise ValueError("a slot asks for a cost of scrypt that is not allowed")
    return cost


def _hexadecimal(text: object, size: int) -> bytes:
    if not isinstance(text, str):
        raise TypeError
    data = bytes.fromhex(text)
    if len(data) != size:
        raise ValueError(f"a value has {len(data)} bytes instead of {size}")
    return data
