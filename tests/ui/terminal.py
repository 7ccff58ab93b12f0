"""A real terminal to try the console in: a tmux server of its own with one window, and what stands in it."""

import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WAIT = 60.0  # seconds that anything here may take on a busy machine
_LOOK = 0.05
_MOVING = 1.0  # seconds; what has no label has the focus after that
_UNDERLINED = re.compile(r"\x1b\[(?:1;)?4m(?:\x1b\[[\d;]*m)*([^\x1b]+)")
_SETTINGS = """
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -s escape-time 0
set -g default-terminal tmux-256color
"""


@dataclass(frozen=True, slots=True)
class Terminal:
    """One program in a window; `raw` holds every byte that it wrote."""

    server: tuple[str, ...]
    raw: Path

    def text(self) -> str:
        """Return what stands in the window, a row a line."""
        return self._said("capture-pane", "-p")

    def words(self) -> str:
        """Return the same with single blanks, and without the frames around it."""
        return " ".join(self.text().translate(dict.fromkeys(map(ord, "│║█▕▏▎"), " ")).split())

    def until(self, *wanted: str, without: str = "") -> str:
        """Wait until all of this stands in the window, and return all that does."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            words = self.words()
            if all(one in words for one in wanted) and not (without and without in words):
                return words
            time.sleep(_LOOK)
        raise AssertionError(f"{wanted} without {without!r} never came; there is:\n{self.text()}")

    def type(self, text: str) -> None:
        """Type characters."""
        self._said("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them: Enter, Escape, Tab, F7, C-d."""
        self._said("send-keys", *keys)

    def go_to(self, label: str) -> None:
        """Press Tab until the field with this label has the focus."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            before = self._in_hand()
            if label in before:
                return
            self.press("Tab")
            moved = time.monotonic() + _MOVING
            while time.monotonic() < moved and self._in_hand() == before:
                time.sleep(_LOOK)
        raise AssertionError(f"no field {label!r} gets the focus:\n{self.text()}")

    def fill(self, said: Mapping[str, str]) -> None:
        """Type into fields, label to text, each seen before the next is begun."""
        for label, text in said.items():
            self.go_to(label)
            self.type(text)
            self.until(text[-12:])

    def _in_hand(self) -> list[str]:
        """Return what is underlined: the label of the field that has the focus."""
        return _UNDERLINED.findall(self._said("capture-pane", "-p", "-e"))

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size."""
        self._said("resize-window", "-x", str(size[0]), "-y", str(size[1]))

    def ended(self) -> int:
        """Wait until the program has ended, and return its exit code."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            dead, code = self._said("display-message", "-p", "#{pane_dead}|#{pane_dead_status}").strip().split("|")
            if dead == "1":
                return int(code)
            time.sleep(_LOOK)
        raise AssertionError(f"it did not end:\n{self.text()}")

    def _said(self, *words: str) -> str:
        done = subprocess.run([*self.server, *words], capture_output=True, check=True)
        return done.stdout.decode(errors="surrogateescape")


@contextmanager
def terminal(
    tmux: str, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run a command in a window of (columns, rows) as long as the context is open."""
    with tempfile.TemporaryDirectory() as name:  # the path of a socket must be short
        folder = Path(name)
        (folder / "settings").write_text(_SETTINGS)
        server = (tmux, "-u", "-S", f"{folder}/socket", "-f", f"{folder}/settings")
        variables = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
        columns, rows = map(str, size)
        opened = ["new-session", "-d", "-x", columns, "-y", rows, *variables, shlex.join(command)]
        # What the program is told of its window must be the window's: not what the tests were started in.
        inherited = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        subprocess.run([*server, *opened], check=True, env=inherited)
        try:
            subprocess.run([*server, "pipe-pane", f"cat > {folder}/raw"], check=True)
            yield Terminal(server, folder / "raw")
        finally:
            subprocess.run([*server, "kill-server"], check=False, capture_output=True)
