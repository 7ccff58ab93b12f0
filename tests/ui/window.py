"""A window with the console in it, whatever shows it: keys go in, and what stands there is waited for, never a time."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial

WAIT = 60.0  # seconds that anything here may take on a busy machine
_LOOK = 0.05
_FIELDS = 60  # more than any form has
_STYLE = re.compile(r"\x1b\[[\d;]*m")
_UNDERLINED = re.compile(r"\x1b\[(?:1;)?4m(?:\x1b\[[\d;]*m)*([^\x1b]+)")
_CORNERS = ("┌┐└┘", "╔╗╚╝")


class Window(ABC):
    """One console; keys have tmux's names: Enter, Tab, BTab (back), Right, F7, C-a."""

    @abstractmethod
    def styled(self) -> str:
        """Return what stands in the window, a row a line, with escape sequences for what is underlined at least."""

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Return columns and rows."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press one key after the other."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type characters."""

    @abstractmethod
    def ended(self) -> None:
        """Wait until the console has ended by itself, and check that it did so in order."""

    def text(self) -> str:
        """Return what stands in the window, a row a line."""
        return _STYLE.sub("", self.styled())

    def words(self) -> str:
        """Return the same with single blanks, and without the frames around it."""
        return " ".join(self.text().translate(dict.fromkeys(map(ord, "│║█▕▏▎"), " ")).split())

    def wait(self, over: Callable[[], bool], what: str) -> None:
        """Wait until something is so; `what` says it for whoever reads that it never was."""
        end = time.monotonic() + WAIT
        while not over():
            assert time.monotonic() < end, f"{what}: it never came to that; there is:\n{self.text()}"
            time.sleep(_LOOK)

    def until(self, *wanted: str, without: str = "") -> str:
        """Wait until all of this stands in the window, and return all that does."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.words()
            return all(one in seen for one in wanted) and not (without and without in seen)

        self.wait(there, f"{wanted} without {without!r}")
        return seen

    def whole(self) -> None:
        """Wait until the window is filled from the title to the keys, with no frame cut."""
        self.wait(self._is_whole, f"all of the window at {self.size()}")

    def _is_whole(self) -> bool:
        (columns, height), text = self.size(), self.text()
        rows = text.removesuffix("\n").split("\n")
        filled = len(rows) == height and rows[0].startswith(" DigiVan triage") and len(rows[0].rstrip()) == columns - 1
        framed = all(len({text.count(corner) for corner in corners}) == 1 for corners in _CORNERS)
        return filled and framed and "F1 Help" in rows[-1] and rows[-1].rstrip().endswith("F10 Quit")

    def in_hand(self) -> list[str]:
        """Return what is underlined: the label of the field that has the focus."""
        return [label.strip() for label in _UNDERLINED.findall(self.styled())]

    def go_to(self, label: str, key: str = "Tab") -> None:
        """Press a key until the field with this label has the focus; each is seen to reach a field before the next."""
        for _ in range(_FIELDS):
            before = self.in_hand()
            if label in before:
                return
            self.press(key)
            self.wait(partial(self._reached_other, before), f"{key} after {before}")
        raise AssertionError(f"no field {label!r} gets the focus:\n{self.text()}")

    def _reached_other(self, before: list[str]) -> bool:
        return self.in_hand() not in ([], before)

    def fill(self, said: Mapping[str, str]) -> None:
        """Type into fields, label to text, each seen in its row before the next is begun."""
        for label, text in said.items():
            self.go_to(label)
            self.type(text)
            self.wait(partial(self._holds, label, text[-12:]), f"{text!r} in {label!r}")

    def _holds(self, label: str, end: str) -> bool:
        return any(label in row and end in row for row in self.text().splitlines())

    def choose(self, words: str) -> None:
        """Turn the choice that has the focus until it says this."""
        self.wait(lambda: bool(self._chosen()), "a choice")
        while (now := self._chosen()) != [words]:
            self.press("Right")
            self.wait(partial(self._turned, now), f"another choice than {now}")

    def _turned(self, before: list[str]) -> bool:
        return self._chosen() not in ([], before)

    def _chosen(self) -> list[str]:
        return re.findall(r"< ([^<>]+) >", self.words())
