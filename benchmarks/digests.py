"""MD5 and SHA-1 of contents: in lanes, by `hashlib`, as `digest_many` divides them, and side by side, in one run.

A batch is contents of the sizes that a person's disk has (many small, few large), one after the other. All ways make
the same digests, compared before a time is believed. Rounds are interleaved; medians are printed. The ratios for equal
contents, which keep all lanes busy to the end, are where `COST` of `triage.content.lanes` comes from. Lanes make both
digests in one pass, whichever is wanted. Then contents that do not fit the batch, read window by window from a file in
the page cache. Last, what it takes a new process to have the lanes ready.

Usage: python benchmarks/digests.py [--rounds N] [--mebibytes N].
"""

import argparse
import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from triage.content.digesting import digest_many, digest_side_by_side
from triage.content.lanes import NAMES, Span, available, located, md5_and_sha1, worth
from triage.content.lanes_windows import WINDOW, Fill

BATCH = 64  # MiB
MEAN = 216_000  # bytes of a content, as in `exact.py`
EQUAL = 1000  # contents of one size
LARGE = ((16, 30_000_000), (16, 200_000_000), (3, 200_000_000))
WANTED = (("md5",), ("sha1",), NAMES)
WARM = """if True:
    import time
    from triage.content.lanes import warm
    wall, spent = time.perf_counter(), time.process_time()
    warm()
    print(time.perf_counter() - wall, time.process_time() - spent)"""


def make_spans(batch: int) -> list[Span]:
    """Return where the contents of a batch are: the same every time."""
    chance = random.Random(20260314)
    weights = [chance.lognormvariate(0, 2) for _ in range(batch // MEAN)]
    total = sum(weights)
    ends = [0]
    for weight in weights:
        ends.append(ends[-1] + int(weight * batch / total))
    return list(pairwise(ends))


def by_hashlib(names: tuple[str, ...], arena: NDArray[np.uint8], spans: list[Span]) -> list[str]:
    """Return the digests, one content after the other."""
    return [
        hashlib.new(name, arena[start:end].data, usedforsecurity=False).hexdigest()
        for name in names
        for start, end in spans
    ]


def in_lanes(names: tuple[str, ...], arena: NDArray[np.uint8], spans: list[Span]) -> list[str]:
    """Return the digests, all made in lanes."""
    made = [dict(zip(NAMES, both, strict=True)) for both in md5_and_sha1(arena, spans)]
    return [both[name] for name in names for both in made]


def divided(names: tuple[str, ...], arena: NDArray[np.uint8], spans: list[Span]) -> list[str]:
    """Return the digests as the engine has them made."""
    made = digest_many(arena, spans, frozenset(names))
    return [getattr(one.digests, name) for name in names for one in made]


def filled_from(file: BinaryIO, start: int) -> Fill:
    """Return what fills windows with the content that begins at a place in a file."""

    def fill(offset: int, window: memoryview) -> bool:
        return os.preadv(file.fileno(), [window], start + offset) == len(window)

    return fill


def streamed(contents: Sequence[tuple[Fill, int]]) -> list[str]:
    """Return both digests by `hashlib`, one content after the other, in pieces as long as a window."""
    found: list[str] = []
    buffer = memoryview(bytearray(WINDOW))
    for fill, size in contents:
        states = [hashlib.new(name, usedforsecurity=False) for name in NAMES]
        for offset in range(0, size, WINDOW):
            window = buffer[: size - offset]
            fill(offset, window)
            for state in states:
                state.update(window)
        found.extend(state.hexdigest() for state in states)
    return found


def side_by_side(contents: Sequence[tuple[Fill, int]], arena: NDArray[np.uint8]) -> list[str]:
    """Return both digests as the engine has them made."""
    made = dict(digest_side_by_side(contents, arena, frozenset(NAMES)))
    ended = [one for _, one in sorted(made.items()) if one is not None]
    return [getattr(one.digests, name) for one in ended for name in NAMES]


def report_large(rounds: int, arena: NDArray[np.uint8]) -> None:
    """Print the speeds for contents of a file that is larger than the arena; it holds the arena again and again."""
    with tempfile.TemporaryFile() as file:
        while file.tell() < max(count * size for count, size in LARGE):
            file.write(arena.data)
        for count, size in LARGE:
            contents = [(filled_from(file, number * size), size) for number in range(count)]
            ways = {
                "side by side": partial(side_by_side, contents, np.empty(BATCH << 20, np.uint8)),
                "hashlib": partial(streamed, contents),
            }
            report(f"{count} contents of {size // 1_000_000} MB from a file", rounds, count * size, ways)


def measure(rounds: int, ways: Mapping[str, Callable[[], list[str]]]) -> dict[str, float]:
    """Return the median seconds of each way; ends the program where their results differ."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        results = []
        for way, run in ways.items():
            start = time.perf_counter()
            results.append(run())
            if number:
                times[way].append(time.perf_counter() - start)
        if any(result != results[0] for result in results):
            sys.exit("the digests differ")
    return {way: statistics.median(measured) for way, measured in times.items()}


def report(title: str, rounds: int, size: int, ways: Mapping[str, Callable[[], list[str]]]) -> None:
    """Print the speed of each way, and the ratio of the first to the last."""
    medians = measure(rounds, ways)
    speeds = ", ".join(f"{way} {size / seconds / 1e9:.2f} GB/s" for way, seconds in medians.items())
    first, *_, last = medians.values()
    print(f"{title}: {speeds}; {last / first:.2f} times as fast")


def report_warm(rounds: int) -> None:
    """Print the median time in which a new process has the lanes ready."""
    runs = [
        subprocess.run([sys.executable, "-c", WARM], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(rounds)
    ]
    wall, spent = (statistics.median(map(float, column)) for column in zip(*runs, strict=True))
    print(f"ready in a new process after {wall:.2f} s, {spent:.2f} s of a core")


def main() -> None:
    """Print the speeds of full lanes, of a batch, and of large contents; and the time to start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mebibytes", type=int, default=BATCH)
    arguments = parser.parse_args()
    if not available():
        sys.exit("this processor makes no digests in lanes")
    batch = arguments.mebibytes << 20
    arena = np.random.default_rng(1).integers(0, 256, batch, dtype=np.uint8)
    spans = make_spans(batch)
    equal = [(number * batch // EQUAL, (number + 1) * batch // EQUAL) for number in range(EQUAL)]
    starts, ends = located(arena, spans).T
    for names in WANTED:
        ways = {"lanes": partial(in_lanes, names, arena, equal), "hashlib": partial(by_hashlib, names, arena, equal)}
        report(f"{' and '.join(names)}, {EQUAL} equal contents", arguments.rounds, batch, ways)
    for names in WANTED:
        share = (ends - starts)[worth(names, ends - starts)].sum() / batch
        ways = {"divided": partial(divided, names, arena, spans), "hashlib": partial(by_hashlib, names, arena, spans)}
        title = f"{' and '.join(names)}, {len(spans)} contents, {share:.0%} of the bytes in lanes"
        report(title, arguments.rounds, batch, ways)
    report_large(-(-arguments.rounds // 3), arena)
    report_warm(arguments.rounds)


if __name__ == "__main__":
    main()
