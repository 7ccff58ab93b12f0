"""Time, processor time and memory of an examination by 1, 2 and 4 workers, of 10,000 and 100,000 items, and a million.

The devices are those of benchmarks/device.py, as ext4. The memory is the sum over all processes of the proportional set
size, sampled twice a second from /proc/*/smaps_rollup, at its largest; "own" is the part of it that no file stands
behind, for evidence and hash sets are mapped and the system can take their pages back. Every run must find the same.

Usage, as root: python benchmarks/scaling.py [--folder FOLDER] [--rounds N] [--profile NAME] [--jobs N...] [--large].
Needs mke2fs and a loop device. With --large a million items as well: 8 GB.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.device import Device, make_device
from benchmarks.evidence import FOLDER
from benchmarks.examining import examine
from benchmarks.measuring import Measured, mebibytes, table

SIZES = (10_000, 100_000)
LARGE = 1_000_000
JOBS = (1, 2, 4)


def measure(device: Device, scratch: Path, jobs: int, profile: str) -> tuple[Measured, int]:
    """Examine a device, exit unless every known picture was found, and return what it took and the items it saw."""
    options = ("--profile", profile, "--jobs", str(jobs))
    examined = examine(device.image, scratch / "case", device.libraries["many"], *options)
    if missed := device.expected["many"] - {row["path"] for row in examined.findings}:
        sys.exit(f"triage missed {len(missed)} known pictures with {jobs} workers, {min(missed)} among them")
    return examined.measured, examined.result["items"]


def main() -> None:
    """Measure every device with every number of workers in turn, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--profile", default="scene")
    parser.add_argument("--jobs", type=int, nargs="+", default=JOBS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for size in (*arguments.sizes, *([LARGE] if arguments.large else [])):
        device = make_device(arguments.folder, size, "ext4")
        runs: dict[int, list[Measured]] = {jobs: [] for jobs in arguments.jobs}
        for _ in range(arguments.rounds):
            for jobs, taken in runs.items():
                measured, items = measure(device, arguments.folder, jobs, arguments.profile)
                taken.append(measured)
        alone = statistics.median(run.seconds for run in runs[arguments.jobs[0]])
        for jobs, taken in runs.items():
            rows.append(row_of(items, jobs, taken, alone))
            print(*rows[-1], sep="  ", flush=True)
    headings = ("items", "workers", "seconds", "speed-up", "processor, s", "items/s", "peak memory", "own")
    print(table(headings, rows))


def row_of(items: int, jobs: int, taken: list[Measured], alone: float) -> tuple[str, ...]:
    """Return the line of the table: medians of times, the largest memory."""
    seconds = statistics.median(run.seconds for run in taken)
    processor = statistics.median(run.processor for run in taken)
    peak, own = max(run.peak for run in taken), max(run.own for run in taken)
    times = (f"{seconds:.1f}", f"{alone / seconds:.2f}", f"{processor:.1f}", f"{items / seconds:,.0f}")
    return f"{items:,}", str(jobs), *times, mebibytes(peak), mebibytes(own)


if __name__ == "__main__":
    main()
