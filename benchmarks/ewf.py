"""`triage examine --profile exact` against `fiwalk`, on one E01 set of an NTFS image, in one run.

The image is that of benchmarks/exact.py, acquired once by ewfacquire: fast compression, chunks of 32 KiB, two segments.
The digests of both are compared before a time is believed.

Usage, as root: python benchmarks/ewf.py [--folder FOLDER] [--rounds N]. Needs what benchmarks/exact.py needs, and
ewfacquire.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.exact import make_image, run_fiwalk, run_ours

FOLDER = Path(tempfile.gettempdir()) / "digivan-bench"


def exact_set(folder: Path) -> Path:
    """Return the first segment of the set of exact.ntfs, made where it is not there."""
    image = folder / "exact.ntfs"
    if not image.exists():
        partial = image.with_suffix(".partial")
        make_image(partial)
        partial.rename(image)
    return acquired(image)


def acquired(image: Path) -> Path:
    """Return the first segment of an image's set in the folder `ewf` beside it, made where it is not there."""
    first = image.parent / "ewf" / f"{image.stem}.E01"
    if not first.exists():
        partial = image.parent / "ewf.partial"
        partial.mkdir(exist_ok=True)
        first.parent.mkdir(exist_ok=True)
        command = ["ewfacquire", "-u", "-q", "-c", "deflate:fast", "-S", "1.4GiB", "-t", str(partial / image.stem)]
        subprocess.run([*command, str(image)], check=True, capture_output=True)
        for segment in sorted(partial.glob(f"{image.stem}.E*"), reverse=True):
            segment.rename(first.parent / segment.name)
        partial.rmdir()
    return first


def main() -> None:
    """Run both in turn, print each time, the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    image = exact_set(arguments.folder)
    times: list[tuple[float, float]] = []
    for number in range(arguments.rounds + 1):
        ours, our_digests = run_ours(image, arguments.folder)
        theirs, their_digests = run_fiwalk(image, arguments.folder)
        if our_digests != their_digests:
            missing = sum((their_digests - our_digests).values())
            extra = sum((our_digests - their_digests).values())
            print(f"of fiwalk's digests {missing} are not among ours, of ours {extra} not among its")
            if missing:
                sys.exit("the digests differ: no time is to be believed")
        warm = "warm-up" if number == 0 else f"round {number}"
        print(f"{warm}: triage {ours:.1f} s, fiwalk {theirs:.1f} s, {sum(our_digests.values())} files with content")
        times += [(ours, theirs)] if number else []
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"medians: triage {ours:.1f} s, fiwalk {theirs:.1f} s")
    print(f"triage is {theirs / ours:.2f} times as fast as fiwalk")


if __name__ == "__main__":
    main()
