"""A whole visit at the keyboard of a real terminal: two devices in, one seized, one returned, quit, opened again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from images import pictures
from images.fat import fat16
from images.tree import File
from suite import Demo, Tool

from ui.examined import card
from ui.terminal import Terminal, terminal

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a visit takes place."""

    folder: Path
    library: Path
    tmux: str
    size: Size

    @contextmanager
    def console(self) -> Iterator[Terminal]:
        """Start the console as a person does."""
        words = [sys.executable, "-m", "triage", "console", "--case", f"{self.folder}/case"]
        environment = {"XDG_CONFIG_HOME": f"{self.folder}/config", "LOGNAME": "sam", "LANG": "C.UTF-8"}
        with terminal(self.tmux, [*words, "--library", str(self.library)], self.size, environment) as opened:
            yield opened


@pytest.fixture
def desk(tmp_path: Path, demo: Demo, tool: Tool, request: pytest.FixtureRequest) -> Desk:
    (tmp_path / "one.img").write_bytes(card())
    unrelated = [File(path=f"DCIM/{seed}.JPG", data=pictures.jpeg(pictures.scene(seed))) for seed in (901, 902)]
    (tmp_path / "two.img").write_bytes(fat16(unrelated, 16 << 20))
    return Desk(tmp_path, demo.library, tool("tmux"), request.param)


CASE = {"Operation": "Lantern", "Authority": "warrant 7", "Premises": "Mill Lane 3", "Examiner": "Sam Brown"}


def take_in(window: Terminal, reference: str, source: Path, said: dict[str, str]) -> None:
    """Fill in the form of an arrival, and begin."""
    window.press("F3")
    window.until("triage Intake", "Operation")
    window.fill(**said, Device_or_image=str(source))
    window.press("F7")
    window.until("Record it so?", "write block")
    window.type("y")
    window.until("triage Board", reference)


def judge_first_candidate(window: Terminal) -> None:
    """Look at the one candidate of the device on the board, and confirm it."""
    window.press("Enter")
    window.until("Device SB/1", "? candidate")
    window.type("t")
    window.until("state match only")
    window.type("t")
    window.until("state candidate only", "1 finding")
    window.press("Enter")
    window.until("Finding", "of exhibit SB/1", "candidate")
    window.type("c")
    window.until("Confirm this candidate")
    window.type("the same motif, smaller")
    window.press("Enter")
    window.until("confirmed", without="Confirm this candidate")
    window.press("F2")
    window.until("triage Board")


def decide(window: Terminal, choice: int, said: list[str], verdict: str) -> None:
    """Fill in the form of the decision on the device that has the focus, and record it."""
    window.type("d")
    window.until("Decision on", "Recommended:")
    window.press("C-a", "Home")
    for text in said:
        window.type(text)
    del choice, verdict


@pytest.mark.parametrize("desk", [(80, 24), (120, 40)], indirect=True, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_whole_visit_two_devices_in_one_seized_one_returned_and_all_is_there_again(desk: Desk) -> None:
    with desk.console() as window:
        window.until("No device yet")
        take_in(window, desk, "SB/1", "black card", "one.img", first=True)
        take_in(window, desk, "SB/2", "white card", "two.img", first=False)
        window.until("SB/1", "SB/2")
        print(window.text())
