"""Keys, seals and secrets as a person uses them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.hashsets.compile import compile_records
from triage.hashsets.protection.envelope import Secret
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.errors import StoreError, UsageError
from triage.model.finding import SetKind
from triage.session import library, making, protection
from triage.session.protection import SecretChange


def no_question(words: str) -> str:
    raise AssertionError(words)


def put(place: Path, name: str, key: Path | None = None) -> None:
    meta = SetMeta(name=name, version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    shelf = making.destination(place, signer=protection.signer(key, no_question))
    compile_records([Record(md5=bytes(range(16)))], meta, shelf)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a library that is locked again at the end."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = tmp_path / "library"
    yield folder
    if (folder / "vault.json").exists():
        protection.lock(folder)


@pytest.fixture
def secrets(tmp_path: Path) -> tuple[Secret, Secret]:
    """Return two secrets; key files, for passphrases are slow by design."""
    for number in (1, 2):
        (tmp_path / str(number)).write_bytes(bytes([number]) * 32)
    one, other = (protection.secret_of(tmp_path / str(number), no_question) for number in (1, 2))
    return one, other


def test_a_key_is_made_trusted_and_used(place: Path, tmp_path: Path) -> None:
    put(place, "set")
    fingerprint = protection.make_key(tmp_path / "force.key", tmp_path / "force.pem", None)
    assert protection.trust(tmp_path / "force.pem", place).fingerprint == fingerprint
    assert library.listing(place)[0].problem is not None
    signer = protection.signer(tmp_path / "force.key", no_question)
    assert signer is not None
    assert str(protection.seal("set", signer, place)) == f"sealed by force ({fingerprint})"
    put(place, "new", tmp_path / "force.key")
    assert {str(entry.seal) for entry in library.listing(place)} == {f"sealed by force ({fingerprint})"}


def test_a_passphrase_is_asked_for_only_if_the_key_needs_one(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(words: str) -> str:
        asked.append(words)
        return "open sesame"

    assert protection.signer(None, no_question) is None
    protection.make_key(tmp_path / "plain.key", tmp_path / "plain.pem", None)
    protection.make_key(tmp_path / "locked.key", tmp_path / "locked.pem", "open sesame")
    assert protection.signer(tmp_path / "plain.key", no_question) is not None
    assert protection.signer(tmp_path / "locked.key", ask) is not None
    assert asked == [f"passphrase of {tmp_path / 'locked.key'}"]
    with pytest.raises(UsageError, match="does not open it"):
        protection.signer(tmp_path / "locked.key", lambda _words: "wrong")


def test_a_library_is_encrypted_unlocked_and_locked(place: Path, secrets: tuple[Secret, Secret]) -> None:
    first, other = secrets
    put(place, "set")
    with pytest.raises(UsageError, match="is not encrypted"):
        protection.lock(place)
    assert protection.encrypt(first, place, lambda *_: None) == ("set.hashset",)
    with pytest.raises(StoreError, match="locked"):
        library.listing(place)
    with pytest.raises(UsageError):
        protection.unlock(other, place, lambda *_: None)
    folder = protection.unlock(first, place, lambda *_: None)
    assert [path.name for path in folder.glob("*.hashset")] == ["set.hashset"]
    put(place, "new")
    assert {entry.name for entry in place.iterdir()} == {"vault.json", "set.hashset.enc", "new.hashset.enc"}
    assert protection.lock(place)
    assert not protection.lock(place)
    assert not folder.exists()
    protection.change_secret(SecretChange.ADD, first, other, place)
    protection.change_secret(SecretChange.KEEP_ONLY, other, None, place)
    with pytest.raises(UsageError):
        protection.unlock(first, place, lambda *_: None)
    protection.unlock(other, place, lambda *_: None)
    assert len(library.listing(place)) == 2


def test_a_passphrase_of_the_library_is_asked_for_where_no_key_file_is_named() -> None:
    asked: list[str] = []

    def ask(words: str) -> str:
        asked.append(words)
        return "correct horse battery staple"

    assert protection.secret_of(None, ask) == Secret.passphrase("correct horse battery staple")
    protection.secret_of(None, ask, "new passphrase")
    assert asked == ["passphrase of the library", "new passphrase"]


def test_an_encryption_that_was_interrupted_is_ended_by_the_same_command(
    place: Path, secrets: tuple[Secret, Secret]
) -> None:
    first, _ = secrets
    put(place, "one")
    put(place, "two")

    def stop(done: int, _whole: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        protection.encrypt(first, place, stop)
    assert len({path.name.split(".")[0] for path in place.glob("*.hashset*")}) == 2
    protection.encrypt(first, place, lambda *_: None)
    assert {entry.name for entry in place.iterdir()} == {"vault.json", "one.hashset.enc", "two.hashset.enc"}
