"""How long until the first finding, and until half of all: devices of 10,000 and 100,000 items, and of a million.

The devices are those of benchmarks/device.py. On each a set is looked for of which one picture is there, then a set of
which 200 are, in three folders of a user. All of them must be found, before a time is believed.

Usage, as root: python benchmarks/first_finding.py [--folder FOLDER] [--rounds N] [--jobs N] [--file-system ntfs|ext4]
[--large]. Needs mkntfs and ntfs-3g, or mke2fs. With --large a million items as well: 8 GB, by ext4 whatever was asked.
"""

import argparse
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.device import FILE_SYSTEMS, Device, make_device
from benchmarks.evidence import FOLDER
from benchmarks.examining import examine
from benchmarks.measuring import table

SIZES = (10_000, 100_000)
LARGE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds since the examination began: of the first known picture that was found, of half of them, of the end."""

    first: float
    half: float
    end: float


def measure(device: Device, known: str, scratch: Path, jobs: int) -> Times:
    """Examine a device for a set, and exit unless everything known was found."""
    options = ("--profile", "scene", "--jobs", str(jobs))
    examined = examine(device.image, scratch / "case", device.libraries[known], *options)
    found: dict[str, float] = {}
    for row in examined.findings:
        found[row["path"]] = min(row["seconds"], found.get(row["path"], row["seconds"]))
    if missed := device.expected[known] - found.keys():
        sys.exit(
            f"triage missed {len(missed)} of {len(device.expected[known])} known pictures, {min(missed)} among them"
        )
    if others := found.keys() - device.expected[known]:
        print(f"{len(others)} findings that are no known picture, {min(others)} among them")
    seconds = sorted(found[path] for path in device.expected[known])
    first = examined.result["first_finding_seconds"]
    return Times(first=first, half=seconds[(len(seconds) - 1) // 2], end=examined.result["seconds"])


def medians(times: list[Times]) -> Times:
    """Return the median of each time over the rounds."""
    first, half, end = (statistics.median(getattr(time, name) for time in times) for name in ("first", "half", "end"))
    return Times(first=first, half=half, end=end)


def main() -> None:
    """Measure every device with both sets, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--file-system", choices=FILE_SYSTEMS, default="ntfs")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    kinds = dict.fromkeys(arguments.sizes, arguments.file_system) | ({LARGE: "ext4"} if arguments.large else {})
    rows = []
    for items, file_system in kinds.items():
        device = make_device(arguments.folder, items, file_system)
        for known, paths in device.expected.items():
            rounds = [measure(device, known, arguments.folder, arguments.jobs) for _ in range(arguments.rounds)]
            times = medians(rounds)
            cells = (f"{times.first:.2f}", f"{times.half:.2f}", f"{times.end:.1f}", f"{times.half / times.end:.0%}")
            rows.append((f"{items:,}", file_system, str(len(paths)), *cells))
            print(*rows[-1], sep="  ", flush=True)
    print(table(("items", "file system", "known", "first, s", "half, s", "end, s", "half at share of time"), rows))


if __name__ == "__main__":
    main()
