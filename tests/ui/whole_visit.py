"""A whole visit, as a person goes through it by keys: two devices in, one seized, one returned, and opened again."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from images import pictures
from images.fat import fat16
from images.tree import File

from triage.session.view import CaseView
from ui.examined import card
from ui.window import Window

_SEIZING = {
    "Reason": "known pictures are on it",
    "Power": "PACE 1984 s.19",
    "Necessity": "evidence of an offence",
    "Practicability": "a copy takes hours",
}
_RETURNING = {"Reason": "nothing known is on it"}
_CASE = {"Operation": "Lantern", "Authority": "warrant 7", "Premises": "Mill Lane 3", "Examiner": "Sam Brown"}
_DOCUMENTS = {"SB_1-seizure-label": "SB/1", "SB_2-return-receipt": "SB/2"}


@dataclass(frozen=True, slots=True)
class WholeVisit:
    """What a visit needs: a folder, how the console is opened in it, and who looks at each screen on the way."""

    folder: Path
    console: Callable[[], AbstractContextManager[Window]]
    look_at: Callable[[Window], None]

    @property
    def case(self) -> Path:
        """The folder of the case."""
        return self.folder / "case"

    def go(self) -> None:
        """Go through it to the end."""
        one, two = self._devices()
        with self.console() as window:
            window.until("No device yet")
            self.look_at(window)
            self._take_in(window, "SB/1", one, {**_CASE, "Description": "black card"})
            self._take_in(window, "SB/2", two, {"Description": "white card"})
            window.until("seize indicated; not decided yet", "return indicated; not decided yet", "╔═ SB/1")
            self.look_at(window)
            self._judge_candidate(window)
            self._decide(window, "seize it", _SEIZING, "Decision 1 is recorded")
            self._write_document(window, "seizure-label")
            window.press("Right")
            window.until("╔═ SB/2")
            self._decide(window, "return it", _RETURNING, "Decision 2 is recorded")
            self._write_document(window, "return-receipt")
            self._quit_after_a_second_thought(window)
        with self.console() as window:
            self._find_all_again(window)

    def check(self, pdftotext: str) -> None:
        """Check what the case holds of it: decisions, and documents that say whose they are."""
        told = [(row["exhibit"], row["verdict"], row["reason"]) for row in CaseView(self.case).decisions()]
        assert told == [("SB/1", "seize", _SEIZING["Reason"]), ("SB/2", "return", _RETURNING["Reason"])]
        written = {path.name.rpartition("-")[0]: path for path in (self.case / "documents").iterdir()}
        assert written.keys() == _DOCUMENTS.keys()
        for name, reference in _DOCUMENTS.items():
            said = subprocess.run([pdftotext, str(written[name]), "-"], capture_output=True, check=True)
            assert reference in said.stdout.decode()

    def _devices(self) -> tuple[Path, Path]:
        """Make a card with known pictures, and one without."""
        one, two = self.folder / "one.img", self.folder / "two.img"
        one.write_bytes(card())
        unrelated = [File(path=f"DCIM/{seed}.JPG", data=pictures.jpeg(pictures.scene(seed))) for seed in (901, 902)]
        two.write_bytes(fat16(unrelated, 16 << 20))
        return one, two

    def _take_in(self, window: Window, reference: str, source: Path, said: dict[str, str]) -> None:
        """Fill in the form of an arrival, and begin."""
        window.press("F3")
        window.until("triage Intake", "Operation")
        window.wait(lambda: bool(window.in_hand()), "a field that has the focus")
        self.look_at(window)
        window.fill({**said, "Device or image": str(source)})
        window.press("F7")
        window.until("Record it so?", "write block")
        window.type("y")
        window.until("triage Board", reference, without="Record it so?")

    def _judge_candidate(self, window: Window) -> None:
        """Search for the one candidate of the device on the board, look at it, and confirm it."""
        window.press("Enter")
        window.until("Device SB/1", "? candidate")
        self.look_at(window)
        window.type("/")
        window.until("a part of the path")
        window.type("IMG_0002")
        window.until("IMG_0002", without="a part of the path")
        window.press("Enter")
        window.until("1 finding,", "in the path")
        window.press("Enter")
        window.until("triage Finding", "of exhibit SB/1", "candidate")
        self.look_at(window)
        window.type("c")
        window.until("Confirm this candidate")
        window.type("the same motif, smaller")
        window.until("the same motif, smaller")
        window.press("Enter")
        window.until("confirmed", without="Confirm this candidate")
        window.press("F2")
        window.until("triage Board", "╔═ SB/1")

    def _decide(self, window: Window, words: str, said: dict[str, str], recorded: str) -> None:
        """Record a decision on the device that has the focus."""
        window.type("d")
        window.until("Decision on", "Recommended:", "F7 Record")
        self.look_at(window)
        window.press("C-a")
        window.go_to("Decision", "BTab")  # what comes before it has no labels
        window.choose(words)
        window.fill(said)
        window.press("F7")
        window.until("Documents of", recorded)

    def _write_document(self, window: Window, name: str) -> None:
        """Make the document that the cursor is on, and go back to the board."""
        self.look_at(window)
        window.press("Enter")
        window.until(f"{name}-", "made:")
        window.press("F2")
        window.until("triage Board", "╔═ SB/")

    @staticmethod
    def _quit_after_a_second_thought(window: Window) -> None:
        """Say no once, then yes."""
        window.press("F10")
        window.until("Quit?", "Everything recorded is in the case")
        window.type("n")
        window.until("triage Board", without="Quit?")
        window.press("F10")
        window.until("Quit?")
        window.type("y")
        window.ended()

    def _find_all_again(self, window: Window) -> None:
        """See both devices with their decisions, and the judgement, and leave."""
        words = window.until("╔═ SB/1", "SB/2", "black card", "white card")
        assert words.count("examined to the end") == 2
        assert "not decided yet" not in words
        self.look_at(window)
        window.press("Enter")
        window.until("Device SB/1", "confirmed", without="? candidate")
        window.press("C-q")
        window.until("Quit?")
        window.type("y")
        window.ended()
