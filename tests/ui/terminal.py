"""A real terminal to try the console in: a tmux server of its own with one window."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ui.window import Window

_SETTINGS = """
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -s escape-time 0
set -g default-terminal tmux-256color
"""


@dataclass(frozen=True, slots=True)
class Terminal(Window):
    """One program in a window; `raw` holds every byte that it wrote."""

    server: tuple[str, ...]
    raw: Path

    def styled(self) -> str:
        """Return what stands in the window."""
        return self._said("capture-pane", "-p", "-e")

    def size(self) -> tuple[int, int]:
        """Return columns and rows."""
        columns, rows = self._told("#{window_width}|#{window_height}")
        return int(columns), int(rows)

    def type(self, text: str) -> None:
        """Type characters."""
        self._said("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press one key after the other."""
        self._said("send-keys", *keys)

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size."""
        self._said("resize-window", "-x", str(size[0]), "-y", str(size[1]))

    def ended(self) -> None:
        """Wait until the program has ended, with no error, and what stood in the window before is there again."""
        self.wait(lambda: self._exit() != "", "the end")
        assert self._exit() == "0", self.text()
        raw = self.raw.read_bytes()
        assert raw.rindex(b"\x1b[?1049l") > raw.rindex(b"\x1b[?1049h")
        assert b"Traceback" not in raw

    def _exit(self) -> str:
        """Return the exit code, empty while it runs. The shell wrote it: tmux may miss the end of a program."""
        code = self.raw.with_name("exit")
        return code.read_text() if code.exists() else ""

    def _told(self, what: str) -> list[str]:
        return self._said("display-message", "-p", what).strip().split("|")

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
        opened = [
            "new-session",
            "-d",
            "-x",
            columns,
            "-y",
            rows,
            *variables,
            f"{shlex.join(command)}; printf %s $? > {folder}/exit",
        ]
        # What the program is told of its window must be the window's: not what the tests were started in.
        inherited = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        subprocess.run([*server, *opened], check=True, env=inherited)
        try:
            subprocess.run([*server, "pipe-pane", f"cat > {folder}/raw"], check=True)
            yield Terminal(server, folder / "raw")
        finally:
            subprocess.run([*server, "kill-server"], check=False, capture_output=True)
