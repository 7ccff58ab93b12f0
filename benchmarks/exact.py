"""`triage examine --profile exact` against `fiwalk`, on one raw NTFS image, in one run.

Both compute MD5 and SHA-1 of every file; their digests are compared before a time is believed. The image is made once:
6 GB, 12,500 files, 2.7 GB of content that does not compress, sizes as a person's disk has them (many small, few large).

Usage, as root: python benchmarks/exact.py [--folder FOLDER] [--rounds N]. Needs fiwalk, mkntfs and ntfs-3g.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

FILES = 12_500
CONTENT = 2_700_000_000
IMAGE = 6_000_000_000
PEOPLE = 40


def make_image(image: Path) -> None:
    """Make the NTFS image: the same names, sizes and bytes every time."""
    chance = random.Random(20260314)
    weights = [chance.lognormvariate(0, 2) for _ in range(FILES)]
    scale = CONTENT / sum(weights)
    with image.open("wb") as file:
        file.truncate(IMAGE)
    subprocess.run(["mkntfs", "-F", "-Q", "-q", str(image)], check=True)
    with tempfile.TemporaryDirectory() as mounted:
        subprocess.run(["ntfs-3g", str(image), mounted], check=True)
        try:
            for number, weight in enumerate(weights):
                folder = Path(mounted) / f"person {number % PEOPLE}"
                folder.mkdir(exist_ok=True)
                (folder / f"file {number}.bin").write_bytes(chance.randbytes(round(weight * scale)))
        finally:
            subprocess.run(["umount", mounted], check=True)


def run_ours(image: Path, scratch: Path) -> tuple[float, Counter[tuple[str, str]]]:
    """Return seconds and the digests of every file with content."""
    case = scratch / "case"
    shutil.rmtree(case, ignore_errors=True)
    triage = [sys.executable, "-m", "triage"]
    options = ["--profile", "exact", "--case", str(case), "--library", str(scratch / "library"), "--json"]
    start = time.perf_counter()
    subprocess.run([*triage, "examine", str(image), *options], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    listed = subprocess.run([*triage, "items", "--case", str(case), "--jsonl"], check=True, capture_output=True)
    rows = map(json.loads, listed.stdout.splitlines())
    return seconds, Counter((row["md5"], row["sha1"]) for row in rows if row["kind"] == "file" and row["size"])


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
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "digivan-bench")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    image = arguments.folder / "exact.ntfs"
    if not image.exists():
        partial = image.with_suffix(".partial")
        make_image(partial)
        partial.rename(image)
    times: dict[str, list[float]] = {"triage": [], "fiwalk": []}
    for number in range(arguments.rounds + 1):
        ours, our_digests = run_ours(image, arguments.folder)
        theirs, their_digests = run_fiwalk(image, arguments.folder)
        if missing := their_digests - our_digests:
            sys.exit(f"the digests differ: {sum(missing.values())} of fiwalk's are not among ours")
        warm = "warm-up" if number == 0 else f"round {number}"
        print(f"{warm}: triage {ours:.1f} s, fiwalk {theirs:.1f} s, {sum(our_digests.values())} files with content")
        if number:
            times["triage"].append(ours)
            times["fiwalk"].append(theirs)
    medians = {name: statistics.median(measured) for name, measured in times.items()}
    print(f"medians: triage {medians['triage']:.1f} s, fiwalk {medians['fiwalk']:.1f} s")
    print(f"triage is {medians['fiwalk'] / medians['triage']:.2f} times as fast as fiwalk")


if __name__ == "__main__":
    main()
