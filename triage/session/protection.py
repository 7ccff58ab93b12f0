"""What protects a library: keys that seal its sets, and encryption where it lies."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from triage.hashsets.library import Library
from triage.hashsets.protection.envelope import Secret
from triage.hashsets.protection.signing import SealState, Signer, fingerprint, generate_key, is_protected
from triage.hashsets.protection.vault import Vault
from triage.model.errors import UsageError
from triage.session.library import library_at

Progress = Callable[[int, int], None]
AskSecret = Callable[[str], str]
"""Asks a person for a passphrase, with the words to ask it by."""


class SecretChange(StrEnum):
    """What to do with the secrets of an encrypted library."""

    CHANGE = "change"
    ADD = "add"
    KEEP_ONLY = "keep-only"


def make_key(private: Path, public: Path, passphrase: str | None) -> str:
    """Make a pair of keys in two new files, and return the fingerprint by which people compare it."""
    return fingerprint(generate_key(private, public, passphrase))


def trust(public: Path, named: Path | None) -> SealState:
    """Put a public key among the trusted ones of the library; raises UsageError for any other file."""
    return library_at(named).trust(public)


def signer(key: Path | None, ask: AskSecret) -> Signer | None:
    """Load the private key that seals a set, None where none is named; a passphrase is asked for if it needs one."""
    if key is None:
        return None
    return Signer.load(key, ask(f"passphrase of {key}") if is_protected(key) else None)


def seal(name: str, key: Signer, named: Path | None) -> SealState:
    """Put a seal on a set of the library, after every byte of it was verified."""
    return library_at(named).seal(name, key)


def secret_of(key_file: Path | None, ask: AskSecret, words: str = "passphrase of the library") -> Secret:
    """Return what opens an encrypted library: a key file if one is named, else a passphrase."""
    return Secret.passphrase(ask(words)) if key_file is None else Secret.key_file(key_file)


def encrypt(secret: Secret, named: Path | None, progress: Progress) -> tuple[str, ...]:
    """Make an encrypted library of a plain one, or end what was interrupted; return the names of what was encrypted."""
    library = library_at(named)
    library.sweep()
    vault = _found(library)
    if vault is None:
        vault = Vault.create(library.folder, secret, library.places)
    return vault.encrypt_existing(secret, progress)


def unlock(secret: Secret, named: Path | None, progress: Progress) -> Path:
    """Decrypt every set into memory, and return the folder where they lie."""
    return _vault(named).unlock(secret, progress)


def lock(named: Path | None) -> bool:
    """Remove everything in plain from memory; tells whether there was something."""
    return _vault(named).lock()


def change_secret(what: SecretChange, known: Secret, new: Secret | None, named: Path | None) -> None:
    """Change, add or drop secrets; `new` is needed but for `keep-only`. Raises UsageError for a wrong known one."""
    vault = _vault(named)
    if what is SecretChange.KEEP_ONLY:
        vault.keep_only(known)
        return
    assert new is not None
    (vault.change_secret if what is SecretChange.CHANGE else vault.add_secret)(known, new)


def _vault(named: Path | None) -> Vault:
    library = library_at(named)
    vault = _found(library)
    if vault is None:
        raise UsageError(f"{library.folder} is not encrypted: triage hashset encrypt does that")
    return vault


def _found(library: Library) -> Vault | None:
    return Vault.find(library.folder, library.places)
