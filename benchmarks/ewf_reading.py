"""Reading of an E01 set from end to end against pyewf, in one run: no file systems, no digests.

Two sets with fast compression and chunks of 32 KiB: the disk of benchmarks/exact.py (half of it content that does not
compress, half empty space), and 128 MiB of text. Every piece is compared once before a time is believed. ewfexport is
no peer here: it computes the MD5 as it goes.

Usage, as root: python benchmarks/ewf_reading.py [--folder FOLDER] [--rounds N]. Needs what benchmarks/ewf.py needs.
"""

import argparse
import random
import statistics
import string
import sys
import time
from pathlib import Path

import pyewf

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.ewf import FOLDER, acquired, exact_set
from triage.sources.ewf import EwfSource, open_ewf

TEXT = 64 << 20
COPIES = 2
VOCABULARY = 20_000


def text_set(folder: Path) -> Path:
    """Return the set of an image of text: words of which few are frequent. Chunks do not know of one another."""
    image = folder / "text.raw"
    if not image.exists():
        chance = random.Random(20260315)
        letters = string.ascii_lowercase
        words = ["".join(chance.choices(letters, k=chance.randint(1, 11))) for _ in range(VOCABULARY)]
        weights = [1 / rank for rank in range(1, VOCABULARY + 1)]
        text = " ".join(chance.choices(words, weights, k=TEXT // 5)).encode()[:TEXT]
        image.write_bytes(text * COPIES)
    return acquired(image)


def read_ours(source: EwfSource, step: int) -> float:
    """Return the seconds that reading everything takes."""
    buffer = memoryview(bytearray(step))
    start = time.perf_counter()
    for offset in range(0, source.info.size, step):
        source.read_into(offset, buffer[: min(step, source.info.size - offset)])
    return time.perf_counter() - start


def read_theirs(handle: "pyewf.handle", step: int) -> float:
    """Return the seconds that reading everything takes."""
    size = handle.get_media_size()
    start = time.perf_counter()
    for offset in range(0, size, step):
        handle.read_buffer_at_offset(min(step, size - offset), offset)
    return time.perf_counter() - start


def compare_bytes(source: EwfSource, handle: "pyewf.handle", step: int) -> None:
    """End the run where the two disagree on a byte or anything is unreadable."""
    buffer = memoryview(bytearray(step))
    for offset in range(0, source.info.size, step):
        piece = buffer[: min(step, source.info.size - offset)]
        source.read_into(offset, piece)
        if handle.read_buffer_at_offset(len(piece), offset) != piece.tobytes():
            sys.exit(f"the bytes from {offset} on differ")
    if source.unreadable_runs():
        sys.exit(f"unreadable: {source.unreadable_runs()}")


def compare(path: Path, rounds: int) -> None:
    """Print the rates of both, in megabytes (10^6) a second, and how they relate."""
    source = open_ewf(path)
    if not isinstance(source, EwfSource):
        sys.exit(f"{path} is no set")
    handle = pyewf.handle()
    handle.open(pyewf.glob(str(path)))
    compare_bytes(source, handle, 1 << 20)
    for step in (1 << 20, 16 << 20):
        runs = [(read_ours(source, step), read_theirs(handle, step)) for _ in range(rounds)]
        ours, theirs = (source.info.size / statistics.median(column) / 1e6 for column in zip(*runs, strict=True))
        ratio = statistics.median(slow / quick for quick, slow in runs)
        print(f"{path.name}, pieces of {step >> 10} KiB: {ours:.0f} MB/s, pyewf {theirs:.0f} MB/s: {ratio:.1f} times")
    handle.close()
    source.close()


def main() -> None:
    """Read both sets both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for path in (text_set(arguments.folder), exact_set(arguments.folder)):
        compare(path, arguments.rounds)


if __name__ == "__main__":
    main()
