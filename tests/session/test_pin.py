"""The PIN of an examiner: kept as a hash that only the user can read, slow to guess, not forgotten by a restart."""

import os
import stat
from pathlib import Path

import pytest

from triage.model.errors import UsageError
from triage.session.pin import Pin, weakness


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pin(folder: Path, clock: Clock, person: str = "A Examiner") -> Pin:
    return Pin(person, folder=folder, clock=clock)


def test_a_pin_is_kept_as_a_hash_that_only_the_user_can_read(tmp_path: Path, clock: Clock) -> None:
    before = os.umask(0)
    try:
        pin(tmp_path, clock).set("7391")
    finally:
        os.umask(before)
    (file,) = (tmp_path / "pins").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "7391" not in file.read_text()
    assert "Examiner" not in file.name + file.read_text()
    assert "$argon2id$" in file.read_text()
    again = pin(tmp_path, clock)
    assert again.is_set
    assert again.verify("7391")
    assert not again.verify("7392")
    assert not pin(tmp_path, clock, "B Examiner").is_set
    assert not pin(tmp_path, clock, "B Examiner").verify("7391")


def test_wrong_tries_are_delayed_longer_and_longer_whoever_restarts(tmp_path: Path, clock: Clock) -> None:
    pin(tmp_path, clock).set("7391")
    for _ in range(3):
        assert pin(tmp_path, clock).wait() == 0
        assert not pin(tmp_path, clock).verify("0000")
    assert pin(tmp_path, clock).wait() == 5
    assert not pin(tmp_path, clock).verify("7391")
    assert pin(tmp_path, clock).wait() == 5
    clock.seconds -= 3600
    assert pin(tmp_path, clock).wait() == 5
    clock.seconds += 3606
    assert not pin(tmp_path, clock).verify("0001")
    assert pin(tmp_path, clock).wait() == 10
    clock.seconds += 11
    assert pin(tmp_path, clock).verify("7391")
    assert not pin(tmp_path, clock).verify("0000")
    assert pin(tmp_path, clock).wait() == 0


def test_a_pin_is_changed_by_whoever_knows_it(tmp_path: Path, clock: Clock) -> None:
    kept = pin(tmp_path, clock)
    kept.set("7391")
    with pytest.raises(UsageError, match="the old PIN is not this one"):
        kept.set("8264")
    with pytest.raises(UsageError, match="the old PIN is not this one"):
        kept.set("8264", old="0000")
    kept.set("8264", old="7391")
    assert kept.verify("8264")


@pytest.mark.parametrize(
    ("given", "said"),
    [("123", "4 to 64"), ("1" * 65, "4 to 64"), ("1234", "a row"), ("9876", "a row"), ("0000", "a row"), ("7391", "")],
)
def test_a_pin_that_anybody_would_try_is_refused(given: str, said: str) -> None:
    assert said in weakness(given)
    assert bool(weakness(given)) == bool(said)


def test_a_file_that_holds_no_pin_is_told_and_opens_nothing(tmp_path: Path, clock: Clock) -> None:
    kept = pin(tmp_path, clock)
    kept.set("7391")
    (file,) = (tmp_path / "pins").iterdir()
    file.write_text('{"hash": "x"}')
    with pytest.raises(UsageError, match="holds no PIN"):
        kept.verify("7391")
    file.write_text('{"hash": "x", "wrong": 0, "last": 0}')
    assert not kept.verify("7391")


def test_the_folder_is_that_of_the_users_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Pin("A Examiner").set("7391")
    assert len(list((tmp_path / "digivan" / "pins").iterdir())) == 1
