"""The case that the screens of an examined device are tried with."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import Demo

from ui.examined import examined
from ui.household import Household


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the PIN of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="session")
def examined_case(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    """Examine a card once; nothing may be recorded in this one."""
    return examined(tmp_path_factory.mktemp("examined"), demo)


@pytest.fixture
def case(examined_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the case, to record in, named the same on every machine."""
    shutil.copytree(examined_case, tmp_path / "case")
    monkeypatch.chdir(tmp_path)
    return Path("case")


@pytest.fixture
def household(tmp_path: Path, _own_settings: None) -> Iterator[Household]:
    """Return the processes of this test, which are ended after it, whichever way it went, and told if they lived on."""
    members = Household(f"XDG_CONFIG_HOME={tmp_path / 'config'}")
    yield members
    assert members.end() == {}
