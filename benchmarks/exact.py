"""`triage examine --profile exact` against `fiwalk`, on one raw NTFS image, in one run.

Both compute MD5 and SHA-1 of every file; their digests are compared before a time is believed. The image is made once:
6 GB, 12,500 files, 2.7 GB of content that does not compress, sizes as a person's disk has them (many small, few large).

Usage, as root: python benchmarks/exact.py [--folder FOLDER] [--rounds N]. Needs fiwalk, mkntfs and ntfs-3g.
"""

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import FOLDER, made, make_ntfs
from benchmarks.examining import examine, rows
from benchmarks.measuring import medians_of

FILES = 12_500
CONTENT = 2_700_000_000
IMAGE = 6_000_000_000
PEOPLE = 40


def make_image(image: Path) -> None:
    """Make the NTFS image: the same names, sizes and bytes every time."""
    make_ntfs(image, IMAGE, _files())


def run_ours(image: Path, scratch: Path) -> tuple[float, Counter[tuple[str, str]]]:
    """Return seconds and the digests of every file with content."""
    examined = examine(image, scratch / "case", scratch / "library", "--profile", "exact")
    listed = rows("items", examined.case)
    digests = Counter((row["md5"], row["sha1"]) for row in listed if row["kind"] == "file" and row["size"])
    return examined.measured.seconds, digests


def run_fiwalk(image: Path, scratch: Path) -> tuple[float, Counter[tuple[str, str]]]:
    """Return seconds and the digests of every regular file with content."""
    report = scratch / "fiwalk.xml"
    report.unlink(missing_ok=True)
    start = time.perf_counter()
    subprocess.run(["fiwalk", "-X", str(report), str(image)], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    found: Counter[tuple[str, str]] = Counter()
    for _, element in ET.iterparse(report):
        if element.tag.endswith("fileobject"):
            digests = {digest.get("type"): digest.text for digest in element if digest.tag.endswith("hashdigest")}
            if "md5" in digests and element.findtext("{*}name_type") == "r" and element.findtext("{*}filesize") != "0":
                found[str(digests["md5"]), str(digests["sha1"])] += 1
            element.clear()
    return seconds, found


def main() -> None:
    """Run both in turn, print each time, the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    image = made(arguments.folder / "exact.ntfs", make_image)
    found: dict[str, Counter[tuple[str, str]]] = {}

    def ours() -> float:
        seconds, found["triage"] = run_ours(image, arguments.folder)
        return seconds

    def theirs() -> float:
        seconds, found["fiwalk"] = run_fiwalk(image, arguments.folder)
        if missing := found["fiwalk"] - found["triage"]:
            sys.exit(f"the digests differ: {sum(missing.values())} of fiwalk's are not among ours")
        return seconds

    medians = medians_of({"triage": ours, "fiwalk": theirs}, arguments.rounds, warm_up=("triage", "fiwalk"))
    print(f"medians: triage {medians['triage']:.1f} s, fiwalk {medians['fiwalk']:.1f} s")
    print(f"{sum(found['triage'].values())} files with content, every digest of fiwalk's is among ours")
    print(f"triage is {medians['fiwalk'] / medians['triage']:.2f} times as fast as fiwalk")


def _files() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(20260314)
    weights = [chance.lognormvariate(0, 2) for _ in range(FILES)]
    scale = CONTENT / sum(weights)
    for number, weight in enumerate(weights):
        yield f"person {number % PEOPLE}/file {number}.bin", chance.randbytes(round(weight * scale))


if __name__ == "__main__":
    main()
