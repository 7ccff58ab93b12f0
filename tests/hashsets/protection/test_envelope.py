import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.protection.envelope import (
    MAX_BYTES,
    MAX_SLOTS,
    Envelope,
    Secret,
    SecretKind,
    Slot,
    read_envelope,
    write_envelope,
)
from triage.model.errors import StoreError, UsageError

KEY = bytes(range(32))
FILE = Secret(SecretKind.KEY_FILE, bytes(64))
OTHER = Secret(SecretKind.KEY_FILE, bytes(63) + b"\1")
PASSPHRASE = Secret.passphrase("correct horse battery staple")


@pytest.fixture
def fields() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(Envelope.seal(KEY, FILE).to_text())
    parsed["slots"][0] |= {"kind": "passphrase", "n": 1 << 17, "r": 8, "p": 1}
    return parsed


def parse(fields: object) -> Envelope:
    return Envelope.parse(json.dumps(fields).encode())


def test_both_kinds_of_secret_open_one_vault() -> None:
    envelope = Envelope.seal(KEY, FILE)
    envelope = envelope.with_slots((*envelope.slots, Slot.wrap(KEY, PASSPHRASE, envelope.id)))
    read = Envelope.parse(envelope.to_text().encode())
    assert read == envelope
    assert read.open(FILE) == (KEY, 0)
    assert read.open(Secret.passphrase("correct horse battery staple")) == (KEY, 1)
    assert KEY.hex() not in envelope.to_text()


def test_a_wrong_secret_is_one_line() -> None:
    envelope = Envelope.seal(KEY, FILE)
    with pytest.raises(UsageError, match=r"^the key file does not open this hash-set library: give the right one$"):
        envelope.open(OTHER)
    with pytest.raises(UsageError, match=r"^the passphrase does not open"):
        envelope.open(PASSPHRASE)


def test_one_passphrase_in_two_unicode_spellings_is_one_secret() -> None:
    assert Secret.passphrase("caf\u00e9") == Secret.passphrase("cafe\u0301")


def test_a_short_passphrase_or_one_that_is_no_text_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="too short: give at least 12 characters"):
        Envelope.seal(KEY, Secret.passphrase("elevenletter"[:11]))
    with pytest.raises(UsageError, match="not valid text"):
        Secret.passphrase("\udcff")


def test_a_secret_is_not_shown() -> None:
    assert "horse" not in repr(PASSPHRASE)


@pytest.mark.parametrize("size", [0, 31, (1 << 16) + 1])
def test_a_file_of_another_size_is_no_key_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "van.key"
    path.write_bytes(bytes(size))
    with pytest.raises(UsageError, match=r"van.key is no key file"):
        Secret.key_file(path)


def test_a_key_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "van.key"
    for size in (32, 1 << 16):
        path.write_bytes(bytes(size))
        assert Secret.key_file(path) == Secret(SecretKind.KEY_FILE, bytes(size))
    with pytest.raises(UsageError, match=r"none.key: cannot read the key file"):
        Secret.key_file(tmp_path / "none.key")


@pytest.mark.parametrize("part", ["id", "check", "salt", "nonce", "wrapped"])
def test_every_changed_value_shuts_the_vault(part: str) -> None:
    fields = json.loads(Envelope.seal(KEY, FILE).to_text())
    holder = fields if part in fields else fields["slots"][0]
    sound = holder[part]
    for at in range(len(sound)):
        holder[part] = sound[:at] + ("0" if sound[at] != "0" else "1") + sound[at + 1 :]
        with pytest.raises(UsageError):
            parse(fields).open(FILE)


@pytest.mark.parametrize(
    "cost",
    [
        {"n": 1 << 30},
        {"n": 1 << 14},
        {"n": (1 << 17) - 1},
        {"n": 131072.0},
        {"n": "131072"},
        {"n": [1]},
        {"n": -1},
        {"r": 1 << 20},
        {"r": 8.0},
        {"p": 1 << 20},
        {"p": True},
        {"p": None},
    ],
)
def test_a_hostile_cost_is_refused_before_it_is_paid(fields: dict[str, Any], cost: dict[str, object]) -> None:
    parse(fields)
    fields["slots"][0] |= cost
    with pytest.raises(ValueError, match=r"cost of scrypt|no sense"):
        parse(fields)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"version": 2},
        {"id": "00"},
        {"id": 7},
        {"check": "zz" * 32},
        {"slots": []},
        {"slots": {}},
        {"slots": None},
        {"slots": [{}]},
        {"slots": [None]},
        {"slots": [{"kind": "magic"}]},
        {"slots": "slots"},
    ],
)
def test_what_is_no_envelope_is_refused(fields: dict[str, Any], change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^its? |a value|not a valid|non-hexadecimal"):
        parse(fields | change)


def test_no_more_slots_than_allowed(fields: dict[str, Any]) -> None:
    envelope = Envelope.seal(KEY, FILE)
    assert len(envelope.with_slots(envelope.slots * MAX_SLOTS).slots) == MAX_SLOTS
    with pytest.raises(UsageError, match="at most 8 secrets"):
        envelope.with_slots(envelope.slots * (MAX_SLOTS + 1))
    fields["slots"] *= MAX_SLOTS + 1
    with pytest.raises(ValueError, match="too many"):
        parse(fields)


@given(st.binary(max_size=200) | st.just(b"[" * MAX_BYTES) | st.just(b" " * (MAX_BYTES + 1)) | st.just(b"9" * 5000))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it (is|has|makes) "):
        Envelope.parse(data)


def test_the_file_is_private_and_replaced_as_a_whole(tmp_path: Path) -> None:
    write_envelope(tmp_path, Envelope.seal(KEY, OTHER))
    (tmp_path / ".vault.json.partial").write_text("left by a killed process")
    envelope = Envelope.seal(KEY, FILE)
    write_envelope(tmp_path, envelope)
    assert read_envelope(tmp_path) == envelope
    assert [path.name for path in tmp_path.iterdir()] == ["vault.json"]
    assert (tmp_path / "vault.json").stat().st_mode & 0o777 == 0o600


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"vault.json: cannot read it: No such file"):
        read_envelope(tmp_path)
    (tmp_path / "vault.json").write_text("{}")
    with pytest.raises(StoreError, match=r"vault.json: the encrypted library cannot be opened: it makes no sense"):
        read_envelope(tmp_path)
    with pytest.raises(StoreError, match="cannot write it: No such file"):
        write_envelope(tmp_path / "none", Envelope.seal(KEY, FILE))
