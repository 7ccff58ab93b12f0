"""A command run with its time and the memory of all its processes; medians and tables of what came out."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLING = 0.5  # seconds between two samples of the memory

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of a command: seconds of the clock and of the processors, memory, and what it printed.

    `peak`: the largest sum, in bytes, of the proportional set size of the command and all its descendants, sampled
    twice a second from /proc/*/smaps_rollup: a page that is shared counts once. `own` is the largest sum of what no
    file stands behind (anonymous and shared memory): mapped evidence and hash sets are not in it.
    """

    seconds: float
    processor: float
    peak: int
    own: int
    output: bytes


def run_measured(command: Sequence[str]) -> Measured:
    """Run a command to its end, and exit with its diagnostics where it fails."""
    begun = time.perf_counter()
    with (
        tempfile.TemporaryFile() as diagnostics,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=diagnostics) as process,
    ):
        sampler = _Sampler(process.pid)
        sampler.start()
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.stop()
        if process.returncode:
            diagnostics.seek(0)
            sys.exit(
                f"{' '.join(command)} ended with {process.returncode}: {diagnostics.read().decode(errors='replace')}"
            )
    processor = usage.ru_utime + usage.ru_stime
    return Measured(seconds=seconds, processor=processor, peak=sampler.peak, own=sampler.own, output=output)


def medians_of(ways: Mapping[str, Callable[[], float]], rounds: int, warm_up: Iterable[str] = ()) -> dict[str, float]:
    """Run every way in turn, round after round; print what each took and return the median seconds of each."""
    for name in warm_up:
        print(f"warm-up: {name} {ways[name]():.1f} s", flush=True)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        for name, way in ways.items():
            times[name].append(way())
        print(f"round {number}: " + ", ".join(f"{name} {times[name][-1]:.1f} s" for name in ways), flush=True)
    return {name: statistics.median(taken) for name, taken in times.items()}


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as a Markdown table whose columns are in line in plain text too."""
    lines = [tuple(headings), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = (" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"| {line} |" for line in padded)


def mebibytes(number: int) -> str:
    """Return a number of bytes as text."""
    return f"{number / (1 << 20):,.0f} MiB"


class _Sampler(threading.Thread):
    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak = self.own = 0
        self._root = root
        self._ended = threading.Event()

    def run(self) -> None:
        while True:
            samples = [_memory(process) for process in _descent(self._root)]
            self.peak = max(self.peak, sum(peak for peak, _ in samples))
            self.own = max(self.own, sum(own for _, own in samples))
            if self._ended.wait(SAMPLING):
                return

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _descent(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            children[_parent(folder)].append(int(folder.name))
    found = [root]
    for process in found:
        found += children[process]
    return found


def _parent(folder: Path) -> int:
    try:
        # The name of the command stands in parentheses and may hold anything, parentheses too.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return -1


def _memory(process: int) -> tuple[int, int]:
    """Return the proportional set size of a process, and how much of it no file stands behind."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:  # it ended meanwhile
        return 0, 0
    sizes = {line.partition(":")[0]: int(line.split()[1]) * _KIB for line in lines}
    return sizes.get("Pss", 0), sizes.get("Pss_Anon", 0) + sizes.get("Pss_Shmem", 0)
