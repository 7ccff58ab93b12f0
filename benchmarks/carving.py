"""The carver against `foremost`, `scalpel` and `photorec`, on one raw image without a file system, in one run.

The image is made once: 200 MB of noise, zeros, and text, and in it files of every kind that the carver knows.
Most begin at a cluster of 4 KiB; some at any byte; some are cut in the middle, with other bytes behind. What a tool
writes out is found if it is the very bytes of a file that is whole. It is a part if it begins as one of the files does
or is a JPEG as small as a thumbnail, and false if it is none of these. The time is that of the whole command, which
writes what it finds.

The peers know fewer kinds of files: the second table says of each kind how many were found. scalpel looks for what its
own configuration has for pictures and films. photorec counts clusters from the first file that it finds.

Usage: python benchmarks/carving.py [--folder FOLDER] [--rounds N]. Needs foremost, scalpel and photorec.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from synthetic.carvable import files  # noqa: E402 - the path is set first

from benchmarks.evidence import FOLDER, made  # noqa: E402 - the path is set first
from benchmarks.measuring import Measured, mebibytes, run_measured, table  # noqa: E402 - the path is set first
from triage.content.carving.carver import Carved, carve  # noqa: E402 - the path is set first

CLUSTER = 4096
HEAD = 512
GAP = 2 << 20  # bytes at most between two files
SIZES = ((160, 120), (320, 240), (640, 480), (800, 600), (1024, 768), (1280, 960))
FILM = 300_000  # bytes of frames, times the number of the size
THUMBNAIL = 10_000  # bytes at most
CUT_EVERY, ODD_EVERY = 6, 5

SCALPEL = """
gif y 5000000 GIF87a \\x00\\x3b
gif y 5000000 GIF89a \\x00\\x3b
jpg y 5242880 \\xff\\xd8\\xff???Exif \\xff\\xd9 REVERSE
jpg y 5242880 \\xff\\xd8\\xff???JFIF \\xff\\xd9 REVERSE
png y 20000000 \\x50\\x4e\\x47? \\xff\\xfc\\xfd\\xfe
bmp y 100000 BM??\\x00\\x00\\x00
avi y 50000000 RIFF????AVI
mov y 10000000 ????moov
"""
PHOTOREC = "partition_none,options,fileopt,everything,disable," + "".join(
    f"{kind},enable," for kind in ("jpg", "png", "gif", "riff", "bmp", "mov")
)


class Truth(NamedTuple):
    """What was put into the image: digests of the whole files with their kinds, and those that begin elsewhere.

    `heads`: digests of the first 512 bytes of all files.
    """

    aligned: dict[str, str]
    odd: dict[str, str]
    heads: list[str]


def make(folder: Path) -> None:
    """Make the image and write down what is in it: the same every time."""
    folder.mkdir()
    truth = Truth({}, {}, [])
    chance = random.Random(20261123)
    with (folder / "image.raw").open("wb") as image:
        for number, (kind, data) in enumerate(_planted(chance)):
            image.write(_filling(chance, number))
            aligned = number % ODD_EVERY > 0
            image.write(bytes(-image.tell() % CLUSTER if aligned else 1 + 2 * chance.randrange(1000)))
            cut = number % CUT_EVERY == 0
            image.write(data[: len(data) // 2 // CLUSTER * CLUSTER] + chance.randbytes(CLUSTER) if cut else data)
            truth.heads.append(_digest(data[:HEAD]))
            if not cut:
                (truth.aligned if aligned else truth.odd)[_digest(data)] = kind
        image.write(bytes(-image.tell() % CLUSTER))
    (folder / "truth.json").write_text(json.dumps(truth))


def ours(image: Path, folder: Path, step: int) -> None:
    """Carve an image as a peer does: write every file that was found."""
    folder.mkdir()
    with image.open("rb") as file:
        size = os.fstat(file.fileno()).st_size

        def read(offset: int, length: int) -> bytes:
            return os.pread(file.fileno(), length, offset)

        for one in carve(read, size, step=step):
            if isinstance(one, Carved):
                (folder / f"{one.offset}").write_bytes(read(one.offset, one.length))


def commands(image: Path, scratch: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Return the command line of each tool for the folder that it is to write to."""
    configuration = scratch / "scalpel.conf"
    configuration.write_text(SCALPEL)
    own = [sys.executable, str(Path(__file__).resolve()), "--carve", str(image)]
    return {
        "triage, sectors": lambda out: [*own, "--into", str(out), "--step", "512"],
        "triage, every byte": lambda out: [*own, "--into", str(out), "--step", "1"],
        "foremost": lambda out: [
            "foremost",
            "-Q",
            "-t",
            "jpg,gif,png,bmp,avi,mov,mp4",
            "-i",
            str(image),
            "-o",
            str(out),
        ],
        "scalpel": lambda out: ["scalpel", "-c", str(configuration), "-o", str(out), str(image)],
        "photorec": lambda out: ["photorec", "/d", str(out), "/cmd", str(image), PHOTOREC + "search"],
    }


def judged(folder: Path, truth: Truth) -> tuple[Counter[str], Counter[str]]:
    """Return how many files that a tool wrote are what, and how many of each kind were found."""
    what: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    known = {**truth.aligned, **truth.odd}
    for data in set(_written(folder)):
        digest = _digest(data)
        found = "aligned" if digest in truth.aligned else "odd" if digest in truth.odd else ""
        part = "part" if _digest(data[:HEAD]) in truth.heads or _small(data) else "false"
        what[found or part] += 1
        if found:
            kinds[known[digest]] += 1
    return what, kinds


def main() -> None:
    """Run all tools in turn and print what they found and what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--carve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.carve:
        ours(arguments.carve, arguments.into, arguments.step)
        return
    image = made(arguments.folder / "carving", make) / "image.raw"
    truth = Truth(*json.loads(image.with_name("truth.json").read_text()))
    scratch = arguments.folder / "carved"
    scratch.mkdir(exist_ok=True)
    compared(image, truth, scratch, arguments.rounds)
    shutil.rmtree(scratch)


def compared(image: Path, truth: Truth, scratch: Path, rounds: int) -> None:
    """Print both tables."""
    runs: dict[str, list[Measured]] = {}
    results: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for _ in range(rounds):
        for name, command in commands(image, scratch).items():
            for old in scratch.glob("out*"):  # photorec adds a number to the name
                shutil.rmtree(old)
            runs.setdefault(name, []).append(run_measured(command(scratch / "out")))
            results[name] = judged(scratch, truth)
    sizes = f"{len(truth.aligned)} at clusters, {len(truth.odd)} elsewhere"
    print(f"{image.stat().st_size / 1e6:.0f} MB, whole files: {sizes}")
    headings = ("", "at clusters", "elsewhere", "parts", "false", "seconds", "processor", "memory")
    rows = []
    for name, measured in runs.items():
        seconds, processor = (
            statistics.median(getattr(run, key) for run in measured) for key in ("seconds", "processor")
        )
        counts = (str(results[name][0][key]) for key in ("aligned", "odd", "part", "false"))
        rows.append((name, *counts, f"{seconds:.2f}", f"{processor:.2f}", mebibytes(max(run.peak for run in measured))))
    print(table(headings, rows))
    there = Counter([*truth.aligned.values(), *truth.odd.values()])
    print(table(("kind", "whole", *results), [_of_kind(kind, there, results) for kind in there]))


def _of_kind(kind: str, there: Counter[str], results: dict[str, tuple[Counter[str], Counter[str]]]) -> tuple[str, ...]:
    return kind, str(there[kind]), *(str(kinds[kind]) for _, kinds in results.values())


def _planted(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    for number, size in enumerate(SIZES, 1):
        made_files = list(files(100 * number, size, film=FILM * number).items())
        chance.shuffle(made_files)
        for kind, (data, _) in made_files:
            yield kind, data


def _filling(chance: random.Random, number: int) -> bytes:
    """Return noise, zeros or text of any length."""
    length = chance.randrange(GAP)
    if number % 3 == 0:
        return chance.randbytes(length)
    text = b"The quick brown fox jumps over the lazy dog.\r\n"
    return bytes(length) if number % 3 == 1 else text * (length // len(text))


def _written(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("out*/**/*")):
        if path.is_file() and path.name not in {"audit.txt", "report.xml"}:
            yield path.read_bytes()


def _small(data: bytes) -> bool:
    """Tell whether a file is a small JPEG, as the thumbnails inside the photographs are."""
    return data.startswith(b"\xff\xd8\xff") and len(data) < THUMBNAIL


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
