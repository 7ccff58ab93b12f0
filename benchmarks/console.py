"""How soon the console answers a key, starts, and how much memory it keeps, beside four scans and a large case.

Usage: python benchmarks/console.py [--keys N] [--updates N]
The case is that of large_case.py: 1,000,000 items and 100,000 findings. Four generated devices are examined in the same
visit meanwhile. The console runs in a pseudo-terminal of 120 x 40; the time from a key to its paint ends when the
text that only this key brings has arrived whole. Memory is the proportional set size of the console's process while
14,400 reports of progress of each of four devices, an hour of them at 4 a second, are shown as fast as they can be.
"""

import argparse
import asyncio
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from images import pictures  # noqa: E402
from images.fat import fat16  # noqa: E402
from images.tree import File  # noqa: E402

from benchmarks.evidence import FOLDER, made  # noqa: E402
from benchmarks.large_case import make  # noqa: E402
from benchmarks.measuring import mebibytes, table  # noqa: E402
from triage.engine.plan import Profile  # noqa: E402
from triage.model.event import Progress, TierProgress  # noqa: E402
from triage.session.examination import Order  # noqa: E402
from triage.session.live_device import DeviceState, LiveDevice  # noqa: E402
from triage.session.visit import Visit  # noqa: E402
from triage.ui.app import Console  # noqa: E402

DEVICES = tuple(f"GEN/{number}" for number in range(1, 5))
COLUMNS, ROWS = 120, 40
_PATIENCE = 30.0
_PICTURES = 400
_STEPS = 60  # rows down and up again
_DEVICE = 6 << 30
_CURSOR = r"48;2;224;164;88m"  # the ground of the row with the cursor
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

    def press(self, keys: bytes, pattern: str) -> float:
        """Return the seconds from the keys to their paint; what was painted before them is read first."""
        while select.select([self._own], [], [], 0.02)[0]:
            os.read(self._own, 1 << 16)
        began = time.perf_counter()
        os.write(self._own, keys)
        return self.until(pattern, began)

    def type(self, keys: bytes) -> None:
        """Type without waiting for a paint."""
        os.write(self._own, keys)

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


def device(path: Path) -> None:
    """Make a device of 6 GiB that holds pictures at its beginning."""
    seed = int(path.name[3]) * 10_000
    files = [
        File(path=f"DCIM/{number:05}.JPG", data=pictures.jpeg(pictures.scene(seed + number)))
        for number in range(_PICTURES)
    ]
    with path.open("wb") as file:
        file.write(fat16(files, 64 << 20))
        file.truncate(_DEVICE)


def visit_of(case: Path) -> Visit:
    """Return a visit in which four scans were begun."""
    visit = Visit(case, actor="sam", library=FOLDER / "console-library")
    for reference in DEVICES:
        source = FOLDER / f"gen{reference[-1]}.img"
        visit.begin(Order(source=source, case=case, exhibit=reference, profile=Profile.FULL, jobs=1))
    return visit


def keys_on_board(terminal: Terminal, count: int) -> Iterator[float]:
    """Go from card to card; the one with the focus has a double frame."""
    for number in range(count):
        place = number % 6
        key, card = (b"\x1b[C", DEVICES[place + 1]) if place < len(DEVICES) - 1 else (b"\x1b[D", DEVICES[5 - place])
        yield terminal.press(key, f"\u2554\u2550[^A-Z]*{card}")


def keys_in_table(terminal: Terminal, count: int) -> Iterator[float]:
    """Go down and up again among the rows of findings."""
    for number in range(count):
        place = number % _STEPS
        key, row = (b"\x1b[B", 25_002 + place) if place < _STEPS // 2 else (b"\x1b[A", 25_060 - place)
        yield terminal.press(key, rf"{_CURSOR}[^\x1b]*{row}")


def keys_between_pages(terminal: Terminal, count: int) -> Iterator[float]:
    """Go to the last page of 25,000 findings and to the first."""
    for number in range(count):
        yield terminal.press(*((b"\x1b[F", "rows 24,901") if number % 2 == 0 else (b"\x1b[H", "rows 1 to")))


def keys_that_sort(terminal: Terminal, count: int) -> Iterator[float]:
    """Sort by one column after the other, and turn the order round."""
    for number in range(count):
        if number % 2:
            yield terminal.press(b"r", "reversed" if number % 4 == 1 else "rows 1 to")
        else:
            yield terminal.press(b"o", "by (grade|category|state|match|set|path)|as they were")


def keys_that_search(terminal: Terminal, count: int) -> Iterator[float]:
    """Search for a part of the path, from the Enter on."""
    for number in range(count):
        terminal.press(b"/", "Search|part of the path|All names")
        terminal.type(b"\x7f" * 12 + f"folder 01{250 + number:03}".encode())
        yield terminal.press(b"\r", f"01{250 + number:03}.*in the path")


def keys_between_panes(terminal: Terminal, count: int) -> Iterator[float]:
    """Bring one list of the device after the other to the front."""
    names = [
        "Findings",
        "Coverage",
        "Not looked at",
        "Troubles",
        "Volumes",
        "Hints of names",
        "Block sample",
        "Timeline",
    ]
    for number in range(count):
        place = (number + 1) % len(names)
        yield terminal.press(f"{place + 1}".encode(), rf"\[{place + 1} {names[place]}\]")


Keys = Callable[[Terminal, int], Iterator[float]]


def answering(case: Path, count: int) -> None:
    """Measure every kind of key while four scans run, and print a row for each."""
    terminal = Terminal([sys.executable, __file__, "--inside", str(case)])
    terminal.until("GEN/4.*running", terminal.began)
    rows = [_measured(terminal, "board: next card", keys_on_board, count)]
    terminal.type(b"\x1b[D" * 8)
    terminal.press(b"\x1b[C" * 5, "\u2554\u2550[^A-Z]*ABC/2")
    terminal.press(b"\r", "rows 1 to")
    kinds: tuple[tuple[str, Keys, int], ...] = (
        ("findings: row below, row above", keys_in_table, count),
        ("findings: last page, first page", keys_between_pages, count // 2),
        ("findings: sort, reverse", keys_that_sort, 28),
        ("findings: search", keys_that_search, count // 4),
        ("device: next pane", keys_between_panes, count // 2),
    )
    rows += [_measured(terminal, name, keys, many) for name, keys, many in kinds]
    terminal.press(b"\x1bOQ", "Board")
    began = time.perf_counter()
    terminal.leave()
    print(table(("key", "keys", "p50 ms", "p95 ms", "worst ms"), rows))
    print(f"quitting took {time.perf_counter() - began:.1f} s", flush=True)


def _measured(terminal: Terminal, name: str, keys: Keys, count: int) -> tuple[str, ...]:
    taken = sorted(seconds * 1000 for seconds in keys(terminal, count))
    p95 = taken[min(int(len(taken) * 0.95), len(taken) - 1)]
    return (name, f"{len(taken)}", f"{statistics.median(taken):.0f}", f"{p95:.0f}", f"{taken[-1]:.0f}")


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


def progress(number: int, updates: int) -> Progress:
    """Return how far a generated run is."""
    share, whole = number / updates, 1 << 40
    tier = TierProgress(
        label="users' pictures",
        items_done=number,
        items_total=updates,
        bytes_done=int(whole * share),
        bytes_total=whole,
        seconds_left=3600 * (1 - share),
    )
    return Progress(
        items_done=number,
        items_total=updates,
        bytes_done=int(whole * share),
        bytes_total=whole,
        seconds=3600 * share,
        in_hand=f"Users/sam/{number}.jpg",
        tier=tier.label,
        tiers=(tier, replace(tier, label="other files", items_done=0)),
        rate=86e6,
        seconds_left=3600 * (1 - share),
    )


def remembering(case: Path, updates: int) -> None:
    """Show the hour on the board and on the screen of a device, and print the memory at every tenth of it."""
    visit = Visit(case, actor="sam")
    feeds = [_fed(visit, case, reference) for reference in DEVICES]
    app = Console(case, actor="sam", visit=visit, idle=1e9)
    sizes: list[int] = []

    async def whole() -> None:
        async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
            for number in range(updates):
                if number == updates // 2:
                    app.open_device("ABC/2")
                for feed in feeds:
                    feed.send(progress(number, updates))
                app.look()
                await asyncio.sleep(0.002)  # a paint of its own
                if number % max(updates // 10, 1) == 0:
                    await pilot.pause()
                    sizes.append(_memory())

    asyncio.run(whole())
    print(f"memory at each tenth of {updates:,} updates: {', '.join(map(mebibytes, sizes))}", flush=True)


def _fed(visit: Visit, case: Path, reference: str) -> Connection:
    """Add a device to a visit whose process is played from here, and return the other end of its pipe."""
    ours, theirs = Pipe()
    live = LiveDevice(Order(source=case / "absent.img", case=case, exhibit=reference))
    live.state, live._connection = DeviceState.RUNNING, ours  # noqa: SLF001 - no process stands behind it
    visit._devices[reference] = live  # noqa: SLF001 - as above
    return theirs


def _memory() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def inside(case: Path) -> None:
    """Be the console that is measured."""
    app = Console(case, actor="sam", visit=visit_of(case), idle=1e9)
    try:
        app.run()
    finally:
        app.close()


def main() -> None:
    """Make what is wanted where it is not there, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keys", type=int, default=120, help="of each kind")
    parser.add_argument("--updates", type=int, default=14_400)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if given.inside:
        inside(given.inside)
        return
    held = made(FOLDER / "console-case", make)
    for reference in DEVICES:
        made(FOLDER / f"gen{reference[-1]}.img", device)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        case = Path(name) / "case"
        shutil.copytree(held, case)
        starting(case)
        answering(case, given.keys)
        remembering(case, given.updates)


if __name__ == "__main__":
    main()
