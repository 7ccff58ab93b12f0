"""How soon the console is there, and how soon it answers a key, with a case of a million items.

Usage: python benchmarks/console.py
The case is that of large_case.py: 1,000,000 items and 100,000 findings. The console runs in a pseudo-terminal of
120 x 40. A start ends when the text has arrived whole; a key is answered when nothing more has come for 30 ms.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


from benchmarks.evidence import FOLDER  # noqa: E402
from benchmarks.large_case import make  # noqa: E402
from benchmarks.measuring import table  # noqa: E402

COLUMNS, ROWS = 120, 40
_PATIENCE = 30.0
_QUIET = 0.03
_RIGHT, _LEFT, _DOWN, _PAGE_DOWN = b"\x1b[C", b"\x1b[D", b"\x1b[B", b"\x1b[6~"
_SYNCHRONIZED = b"\x1b[?2026;2$y"  # what a terminal says that paints at once what belongs together
_ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A command in a pseudo-terminal."""

    def __init__(self, words: Sequence[str]) -> None:
        self._own, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            words, stdin=other, stdout=other, stderr=other, env=_ENVIRONMENT, start_new_session=True
        )
        os.close(other)
        os.write(self._own, _SYNCHRONIZED)

    def until(self, pattern: str, began: float | None = None) -> float:
        """Return the seconds until what was written since matches the pattern."""
        began, wanted, seen = began or time.perf_counter(), re.compile(pattern.encode(), re.DOTALL), b""
        while not wanted.search(seen):
            if time.perf_counter() - began > _PATIENCE:
                sys.exit(f"{pattern!r} never came; the last was {seen[-600:]!r}")
            if select.select([self._own], [], [], 1.0)[0]:
                seen += os.read(self._own, 1 << 16)
        return time.perf_counter() - began

    def answer(self, key: bytes) -> float:
        """Return the seconds from a key to the last of its paint; what was painted before it is read first."""
        while select.select([self._own], [], [], _QUIET)[0]:
            os.read(self._own, 1 << 16)
        began = last = time.perf_counter()
        os.write(self._own, key)
        while select.select([self._own], [], [], _QUIET if last > began else _PATIENCE)[0]:
            os.read(self._own, 1 << 16)
            last = time.perf_counter()
        return last - began

    def leave(self) -> None:
        """Quit, and wait until everything is concluded."""
        os.write(self._own, b"\x11")
        time.sleep(0.5)
        os.write(self._own, b"y")
        while self._process.poll() is None:
            if select.select([self._own], [], [], 0.1)[0]:
                try:
                    os.read(self._own, 1 << 16)
                except OSError:  # the other end is closed
                    break
        self._process.wait()
        os.close(self._own)


def starting(case: Path) -> None:
    """Print how long the command takes to its first paint and to all cards of the case, medians of five."""
    first, cards = [], []
    for _ in range(5):
        terminal = Terminal([sys.executable, "-m", "triage", "console", "--case", str(case)])
        first.append(terminal.until("Board", terminal.began))
        cards.append(terminal.until("ABC/4", terminal.began))
        terminal.leave()
    print(
        f"start to the first paint {statistics.median(first):.2f} s, to the cards of a case of a million items "
        f"{statistics.median(cards):.2f} s (medians of 5)",
        flush=True,
    )


def answering(case: Path) -> None:
    """Print how long keys take on the board, in the table of findings, and from one pane of a device to the next."""
    terminal = Terminal([sys.executable, "-m", "triage", "console", "--case", str(case)])
    terminal.until("ABC/4")
    rows = [_measured("board: next device", terminal, [_RIGHT, _LEFT] * 40)]
    terminal.answer(b"\r")
    time.sleep(1)
    rows += [
        _measured("device: next finding", terminal, [_DOWN] * 80),
        _measured("device: a page of findings", terminal, [_PAGE_DOWN] * 40),
        _measured("device: another pane", terminal, [b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"1"] * 5),
    ]
    terminal.leave()
    print(table(("key", "keys", "median, ms", "95 of 100 within, ms"), rows))


def _measured(name: str, terminal: Terminal, keys: list[bytes]) -> tuple[str, ...]:
    taken = sorted(terminal.answer(key) * 1000 for key in keys)
    return name, str(len(keys)), f"{statistics.median(taken):.0f}", f"{taken[int(len(taken) * 0.95)]:.0f}"


def main() -> None:
    """Make the case where it is missing, and use the console on it."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    folder = FOLDER / "console-case"
    if not (folder / "case.sqlite").exists():
        make(folder)
    starting(folder)
    answering(folder)


if __name__ == "__main__":
    main()
