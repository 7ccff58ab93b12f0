"""`triage examine --profile scene` on a photo-heavy NTFS image, against a script that a user would write, in one run.

The script is benchmarks/naive_script.py, in one process and in two. Beside them stands the floor: entropy decoding
alone, the fastest decoding of libjpeg-turbo to 1/8, by two processes over the same pictures in memory. A set of copies,
some exact and some made smaller, is looked for; every one of them must be found by `triage`, and so must whatever the
script finds by its digest, before a time is believed.

By default: 600 photographs of 12 megapixels as a camera writes them, 200 progressive ones, 2,000 of one megapixel;
3 GB. They are made in about five minutes, and again only when a number changes.

Usage, as root: python benchmarks/pictures.py [--folder FOLDER] [--rounds N] [--jobs N] [--camera N] [--progressive N]
[--small N]. Needs mkntfs, ntfs-3g and simplejpeg.
"""

import argparse
import io
import json
import multiprocessing
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import simplejpeg
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import FOLDER, made, make_ntfs
from benchmarks.examining import Examined, build_set, examine, logged
from benchmarks.measuring import mebibytes, medians_of, run_measured, table
from benchmarks.photographs import ONE_MEGAPIXEL, TWELVE_MEGAPIXELS, camera_jpeg, jpeg, photograph

KNOWN = 20  # of each kind that is there: exact copies, and as many that were made smaller
CORES = 2
ROOM = 1.15  # image to content
WEB_QUALITY = 88
COPY_QUALITY = 75

_FOLDERS = ("Users/anna/Pictures/2024 Lake", "Users/anna/Pictures/2025 Garden", "Users/ben/Downloads", "Backup/Phone")
_SCRIPT = Path(__file__).with_name("naive_script.py")


@dataclass(slots=True)
class Exhibit:
    """The image, the folder of known copies with the names of what they are copies of, and every picture's file."""

    image: Path
    known: Path
    pictures: list[Path]

    def expected(self) -> dict[str, list[str]]:
        """Return the paths in the image that must be found, by how."""
        names = {kind: {file.stem for file in self.known.glob(f"*.{kind}.jpg")} for kind in ("exact", "smaller")}
        return {
            kind: [path_of(file) for file in self.pictures if f"{file.stem}.{kind}" in stems]
            for kind, stems in names.items()
        }


@dataclass(slots=True)
class Bench:
    """The ways that are compared, each a method that returns its seconds, and what each found last."""

    exhibit: Exhibit
    library: Path
    case: Path
    jobs: int
    examined: list[Examined] = field(default_factory=list)
    hits: list[dict[str, Any]] = field(default_factory=list)

    def ours(self) -> float:
        """Examine, and exit unless everything that is known was found."""
        options = ("--profile", "scene", "--jobs", str(self.jobs))
        examined = examine(self.exhibit.image, self.case, self.library, *options)
        found = {row["path"] for row in examined.findings}
        for kind, paths in self.exhibit.expected().items():
            if missed := set(paths) - found:
                sys.exit(f"triage missed {len(missed)} of {len(paths)} {kind} copies, {min(missed)} among them")
        self.examined.append(examined)
        return examined.measured.seconds

    def script(self, processes: int) -> float:
        """Run the script, and exit where it finds a digest that we did not."""
        command = [sys.executable, str(_SCRIPT), str(self.exhibit.image), str(self.exhibit.known)]
        measured = run_measured([*command, "--processes", str(processes)])
        *self.hits, numbers = map(json.loads, measured.output.splitlines())
        if numbers["pictures"] != len(self.exhibit.pictures):
            sys.exit(f"the script saw {numbers['pictures']} of {len(self.exhibit.pictures)} pictures")
        ours = {row["path"] for row in self.examined[-1].findings if row["match"] in {"md5", "sha1", "sha256"}}
        if missed := {hit["path"] for hit in self.hits if hit["match"] == "digest"} - ours:
            sys.exit(f"the script found {len(missed)} digests that triage missed, {min(missed)} among them")
        return measured.seconds

    def floor(self) -> float:
        """Decode every picture to 1/8 in as many processes as the floor has cores."""
        contents = [file.read_bytes() for file in self.exhibit.pictures]
        forked = multiprocessing.get_context("fork")
        processes = [forked.Process(target=decode, args=(contents[core::CORES],)) for core in range(CORES)]
        begun = time.perf_counter()
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        seconds = time.perf_counter() - begun
        if any(process.exitcode for process in processes):
            sys.exit("a picture could not be decoded")
        return seconds


def decode(contents: list[bytes]) -> None:
    """Decode to 1/8: of each block of a baseline picture but the first coefficient is transformed."""
    for data in contents:
        simplejpeg.decode_jpeg(data, "GRAY", fastdct=True, fastupsample=True, min_factor=8)


def first_look_seconds(case: Path) -> tuple[float, int] | None:
    """Return the seconds of the first look over embedded thumbnails, and its pictures; None where there was none.

    Seconds are those that workers were at it, by the number of workers, for looks and full passes take turns.
    """
    event = logged(case, "first-look-ended")
    return None if event is None else (event["seconds"], event["pictures"])


def full_pass_seconds(case: Path) -> float | None:
    """Return the seconds of examining every item, counted likewise; None where the case's log does not tell."""
    event = logged(case, "examining-ended")
    return None if event is None else event["seconds"]


def make_exhibit(folder: Path, numbers: dict[str, int]) -> Exhibit:
    """Return the exhibit with so many pictures of each kind, made where it is not there."""
    name = "pictures-" + "-".join(map(str, numbers.values()))
    loose = made(folder / name, partial(write_pictures, numbers=numbers))
    pictures = sorted(loose.iterdir())
    size = int(sum(file.stat().st_size for file in pictures) * ROOM) + (64 << 20)
    image = made(folder / f"{name}.ntfs", lambda path: make_ntfs(path, size, contents_of(pictures)))
    known = made(folder / f"{name}-known", lambda path: write_known(path, pictures))
    return Exhibit(image=image, known=known, pictures=pictures)


def write_pictures(folder: Path, numbers: dict[str, int]) -> None:
    """Write the pictures into a folder, each kind in a run of numbers of its own, by two processes."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder, kind, seed) for kind, number in numbers.items() for seed in range(number)]
    with ProcessPoolExecutor(CORES) as pool:
        for _ in pool.map(write_picture, jobs, chunksize=20):
            pass


def write_picture(job: tuple[Path, str, int]) -> None:
    """Write one picture of a kind."""
    folder, kind, seed = job
    size = ONE_MEGAPIXEL if kind == "small" else TWELVE_MEGAPIXELS
    picture = photograph(seed + {"camera": 0, "progressive": 1_000_000, "small": 2_000_000}[kind], size)
    progressive = kind == "progressive"
    data = jpeg(picture, WEB_QUALITY, progressive=True) if progressive else camera_jpeg(picture, seed)
    (folder / f"{kind}_{seed:05}.jpg").write_bytes(data)


def contents_of(pictures: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield where each picture lies in the image, and its content; in no order, as people's folders grow."""
    shuffled = random.Random(7).sample(pictures, len(pictures))
    return ((path_of(file), file.read_bytes()) for file in shuffled)


def path_of(picture: Path) -> str:
    """Return where a picture lies in the image: each kind in every folder."""
    return f"{_FOLDERS[int(picture.stem.rpartition('_')[2]) % len(_FOLDERS)]}/{picture.name}"


def write_known(folder: Path, pictures: list[Path]) -> None:
    """Write known copies of some pictures of every kind: exact ones, and ones of half the size, encoded again."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = random.Random(8).sample(pictures, min(2 * KNOWN, len(pictures)))
    for file in chosen[::2]:
        shutil.copyfile(file, folder / f"{file.stem}.exact.jpg")
    for file in chosen[1::2]:
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            copy = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
        (folder / f"{file.stem}.smaller.jpg").write_bytes(jpeg(copy, COPY_QUALITY))


def report(bench: Bench, medians: dict[str, float]) -> None:
    """Print times, ratios, and what was found."""
    pictures = bench.exhibit.pictures
    ours = medians["triage"]
    rows = [
        (name, f"{seconds:.1f}", f"{len(pictures) / seconds:.1f}", f"{seconds / ours:.2f}")
        for name, seconds in medians.items()
    ]
    print(table(("way", "seconds", "pictures/s", "times the seconds of triage"), rows))
    content = sum(file.stat().st_size for file in pictures)
    print(f"{len(pictures):,} pictures, {mebibytes(content)}; {medians['floor'] / ours:.0%} of the floor's speed")
    last = bench.examined[-1]
    matches = [row["match"] for row in last.findings]
    print("triage found", ", ".join(f"{matches.count(match)} by {match}" for match in sorted(set(matches))))
    near = {hit["path"] for hit in bench.hits if hit["match"] == "phash"}
    print(f"the script found {len(near)} by pHash, {len(near - {row['path'] for row in last.findings})} not by triage")
    print(f"memory of triage, all processes: {mebibytes(last.measured.peak)}, {mebibytes(last.measured.own)} its own")
    print(told_of_first_look(last.case))


def told_of_first_look(case: Path) -> str:
    """Return the line that tells how the first look and the full pass compare."""
    look, full = first_look_seconds(case), full_pass_seconds(case)
    if look is None or full is None:
        return "the case's log tells of no first look"
    seconds, pictures = look
    return f"first look: {pictures:,} pictures in {seconds:.2f} s, {full / seconds:.1f} times as fast as the full pass"


def main() -> None:
    """Make the exhibit, run every way in turn, and print how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=CORES)
    parser.add_argument("--camera", type=int, default=600)
    parser.add_argument("--progressive", type=int, default=200)
    parser.add_argument("--small", type=int, default=2000)
    arguments = parser.parse_args()
    numbers = {kind: getattr(arguments, kind) for kind in ("camera", "progressive", "small")}
    exhibit = make_exhibit(arguments.folder, numbers)
    library = build_set(exhibit.known, exhibit.known.with_name(f"{exhibit.image.stem}-library"), "known pictures")
    bench = Bench(exhibit=exhibit, library=library, case=arguments.folder / "case", jobs=arguments.jobs)
    scripts = {f"script, processes: {count}": partial(bench.script, count) for count in (1, 2)}
    ways: dict[str, Callable[[], float]] = {"triage": bench.ours, **scripts, "floor": bench.floor}
    report(bench, medians_of(ways, arguments.rounds, warm_up=("triage",)))


if __name__ == "__main__":
    main()
