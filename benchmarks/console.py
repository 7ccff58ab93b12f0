"""How soon the console is there, and how soon it answers a key, with a case of a million items and four scans running.

Usage: python benchmarks/console.py
The case is that of large_case.py: 1,000,000 items and 100,000 findings. The console runs in a pseudo-terminal of
120 x 40. A start ends when the text has arrived whole. A key is answered when the cells that it changes have come to
stand as they stay; what runs beside (the figures of other devices, the clocks) is not looked at. The scans are those of
console_scans.py, in a copy of the case; every one of them must still run when the last key has been answered.
"""

import argparse
import atexit
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


from benchmarks.console_scans import SCANS, evidence  # noqa: E402
from benchmarks.evidence import FOLDER  # noqa: E402
from benchmarks.large_case import make  # noqa: E402
from benchmarks.measuring import table  # noqa: E402
from benchmarks.painted import Cell, Painted  # noqa: E402

COLUMNS, ROWS = 120, 40
_PATIENCE = 120.0
_QUIET = 0.3
_RIGHT, _LEFT, _DOWN, _PAGE_DOWN = b"\x1b[C", b"\x1b[D", b"\x1b[B", b"\x1b[6~"
_SYNCHRONIZED = b"\x1b[?2026;2$y"  # what a terminal says that paints at once what belongs together
_ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
_CONSOLE = [sys.executable, "-m", "triage", "console", "--case"]
_WITH_SCANS = [sys.executable, str(Path(__file__).with_name("console_scans.py"))]

_FRAMES = frozenset("\u2550\u2551\u2554\u2557\u255a\u255d\u2500\u2502\u250c\u2510\u2514\u2518")
_STRIP = {(0, "["), (1, "1")}

Cells = dict[tuple[int, int], Cell]


class Terminal:
    """A command in a pseudo-terminal, and what it has painted."""

    def __init__(self, words: Sequence[str]) -> None:
        self._own, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self.painted = Painted(COLUMNS, ROWS)
        self._process = subprocess.Popen(
            words, stdin=other, stdout=other, stderr=other, env=_ENVIRONMENT, start_new_session=True
        )
        atexit.register(self._process.terminate)  # a console that nobody reads any more would examine on
        os.close(other)
        os.write(self._own, _SYNCHRONIZED)

    def until(self, pattern: str) -> float:
        """Return the seconds since the start when the window shows the pattern."""
        wanted, began = re.compile(pattern, re.DOTALL), time.perf_counter()
        while not wanted.search(shown := "\n".join(self.painted.rows())):
            if time.perf_counter() - began > _PATIENCE:
                sys.exit(f"{pattern!r} never came; the window showed\n{shown}")
            self._hear(1.0)
        return time.perf_counter() - self.began

    def answer(self, key: bytes, of_it: Callable[[Cells], Cells]) -> float:
        """Return the seconds from a key to the last change that it makes in the cells that `of_it` chooses."""
        while self._hear(0):
            pass
        shown = before = of_it(self.painted.cells)
        began = last = time.perf_counter()
        os.write(self._own, key)
        while shown == before or time.perf_counter() - last < _QUIET:
            if time.perf_counter() - began > _PATIENCE:
                sys.exit(f"the key {key!r} changes nothing in\n" + "\n".join(self.painted.rows()))
            heard = self._hear(_QUIET)
            if heard and (now := of_it(self.painted.cells)) != shown:
                shown, last = now, heard
        return last - began

    def press(self, key: bytes) -> None:
        """Press a key whose answer is not measured."""
        os.write(self._own, key)

    def leave(self) -> None:
        """Quit, and wait until everything is concluded."""
        os.write(self._own, b"\x11")
        time.sleep(0.5)
        os.write(self._own, b"y")
        while self._process.poll() is None:
            try:
                self._hear(0.1)
            except OSError:  # the other end is closed
                break
        self._process.wait()
        atexit.unregister(self._process.terminate)
        os.close(self._own)

    def _hear(self, seconds: float) -> float:
        """Take what is painted within so many seconds; return when it came, 0 where nothing did."""
        if not select.select([self._own], [], [], seconds)[0]:
            return 0.0
        data, heard = os.read(self._own, 1 << 16), time.perf_counter()
        self.painted.write(data)
        return heard


def frames(cells: Cells) -> Cells:
    """Choose the frames of cards: that of the device in hand is double."""
    return {place: cell for place, cell in cells.items() if cell[0] in _FRAMES}


def below_head(cells: Cells) -> Cells:
    """Choose the names of the panes and all below them, where nothing changes by itself."""
    strip = min((row for (row, column), (sign, _) in cells.items() if (column, sign) in _STRIP), default=0)
    return {place: cell for place, cell in cells.items() if place[0] >= strip}


def starting(case: Path) -> None:
    """Print how long the command takes to its first paint and to all cards of the case, medians of five."""
    first, cards = [], []
    for _ in range(5):
        terminal = Terminal([*_CONSOLE, str(case)])
        first.append(terminal.until("Board"))
        cards.append(terminal.until("ABC/4"))
        terminal.leave()
    print(
        f"start to the first paint {statistics.median(first):.2f} s, to the cards of a case of a million items "
        f"{statistics.median(cards):.2f} s (medians of 5)",
        flush=True,
    )


def answering(terminal: Terminal, beside: str, before: int = 0) -> list[tuple[str, ...]]:
    """Return how long keys take on the board, in the table of findings, and from one pane of a device to the next.

    So many cards stand before that of the device.
    """
    panes = [str(number).encode() for number in (2, 3, 4, 5, 6, 7, 8, 1)]
    rows = [_measured(f"board: next device{beside}", terminal, [_RIGHT, _LEFT] * 15, frames)]
    for _ in range(before):
        terminal.answer(_RIGHT, frames)
    terminal.press(b"\r")
    terminal.until(r"1 Findings\].*rows 1 to")
    time.sleep(1)
    rows += [
        _measured(f"device: next finding{beside}", terminal, [_DOWN] * 30, below_head),
        _measured(f"device: a page of findings{beside}", terminal, [_PAGE_DOWN] * 30, below_head),
        _measured(f"device: another pane{beside}", terminal, panes * 4, below_head),
    ]
    terminal.press(b"\x1b")
    terminal.until("Board")
    return rows


def scanning(case: Path) -> list[tuple[str, ...]]:
    """Return the same with four scans in a copy of the case; exit where one of them does not run all the time."""
    evidence()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        copy = Path(shutil.copytree(case, Path(folder) / "case"))
        terminal = Terminal([*_WITH_SCANS, str(copy)])
        everyone = ".*".join(f"{reference} [^\n]*" for reference in SCANS)
        terminal.until(everyone)
        _running(terminal)
        rows = answering(terminal, ", four scans", len(SCANS))
        time.sleep(1)
        _running(terminal)
        terminal.leave()
    return rows


def _running(terminal: Terminal) -> None:
    terminal.until(f"(running.*){{{len(SCANS)}}}")


def _measured(name: str, terminal: Terminal, keys: list[bytes], of_it: Callable[[Cells], Cells]) -> tuple[str, ...]:
    taken = sorted(terminal.answer(key, of_it) * 1000 for key in keys)
    figures = (statistics.median(taken), taken[int(len(taken) * 0.95)], taken[-1])
    return name, str(len(keys)), *(f"{figure:.0f}" for figure in figures)


def main() -> None:
    """Make the case where it is missing, and use the console on it."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    folder = FOLDER / "console-case"
    if not (folder / "case.sqlite").exists():
        make(folder)
    starting(folder)
    terminal = Terminal([*_CONSOLE, str(folder)])
    terminal.until("ABC/4")
    rows = answering(terminal, "")
    terminal.leave()
    rows += scanning(folder)
    print(table(("key", "keys", "median, ms", "95 of 100 within, ms", "longest, ms"), rows))


if __name__ == "__main__":
    main()
