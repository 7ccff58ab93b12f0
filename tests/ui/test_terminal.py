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

from triage.session.view import CaseView
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


SEIZING = {
    "Reason": "known pictures are on it",
    "Power": "PACE 1984 s.19",
    "Necessity": "evidence of an offence",
    "Practicability": "a copy takes hours",
}
CHOICES = ["refer it to the laboratory", "return it", "seize it"]
CASE = {"Operation": "Lantern", "Authority": "warrant 7", "Premises": "Mill Lane 3", "Examiner": "Sam Brown"}


def take_in(window: Terminal, reference: str, source: Path, said: dict[str, str]) -> None:
    """Fill in the form of an arrival, and begin."""
    window.press("F3")
    window.until("triage Intake", "Operation")
    window.fill({**said, "Device or image": str(source)})
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
    window.until("triage Board", "╔═ SB/1")


def decide(window: Terminal, words: str, said: dict[str, str], recorded: str) -> None:
    """Record a decision on the device that has the focus, and write its first document."""
    window.type("d")
    window.until("Decision on", "Recommended:", "F7 Record")
    window.press("C-a")
    window.go_to("Decision")
    for choice in CHOICES[: CHOICES.index(words) + 1]:
        window.until(f"< {choice} >")
        if choice != words:
            window.press("Right")
    window.fill(said)
    window.press("F7")
    window.until("Documents of", recorded)


def write_document(window: Terminal, name: str) -> None:
    """Make the document that the cursor is on, and go back to the board."""
    window.press("Enter")
    window.until(f"{name}-", "made:")
    window.press("F2")
    window.until("triage Board")


def quit_after_a_second_thought(window: Terminal) -> None:
    """Say no once, then yes."""
    window.press("F10")
    window.until("Quit?", "Everything recorded is in the case")
    window.type("n")
    window.until("triage Board", without="Quit?")
    window.press("F10")
    window.until("Quit?")
    window.type("y")
    assert window.ended() == 0
    raw = window.raw.read_bytes()
    assert raw.rindex(b"\x1b[?1049l") > raw.rindex(b"\x1b[?1049h")  # what stood in the window before is there again
    assert b"Traceback" not in raw


@pytest.mark.parametrize("desk", [(80, 24)], indirect=True, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_whole_visit_two_devices_in_one_seized_one_returned_and_all_is_there_again(desk: Desk) -> None:
    with desk.console() as window:
        window.until("No device yet")
        take_in(window, "SB/1", desk.folder / "one.img", {**CASE, "Description": "black card"})
        take_in(window, "SB/2", desk.folder / "two.img", {"Description": "white card"})
        window.until("seize indicated; not decided yet", "return indicated; not decided yet", "╔═ SB/1")
        judge_first_candidate(window)
        decide(window, "seize it", SEIZING, "Decision 1 is recorded")
        write_document(window, "seizure-label")
        window.press("Right")
        window.until("╔═ SB/2")
        decide(window, "return it", {"Reason": "nothing known is on it"}, "Decision 2 is recorded")
        write_document(window, "return-receipt")
        quit_after_a_second_thought(window)
    with desk.console() as window:
        words = window.until("SB/1", "SB/2", "white card")
        assert words.count("examined to the end") == 2
        assert "not decided yet" not in words
        window.press("Enter")
        window.until("Device SB/1", "confirmed", without="? candidate")
        window.press("C-q")
        window.until("Quit?")
        window.type("y")
        assert window.ended() == 0
    told = [(row["exhibit"], row["verdict"], row["reason"]) for row in CaseView(desk.folder / "case").decisions()]
    assert told == [("SB/1", "seize", SEIZING["Reason"]), ("SB/2", "return", "nothing known is on it")]
    written = {path.name.rpartition("-")[0] for path in (desk.folder / "case" / "documents").iterdir()}
    assert written == {"SB_1-seizure-label", "SB_2-return-receipt"}
