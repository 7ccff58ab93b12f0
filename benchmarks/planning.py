"""How long it takes from the walk to the ordered plan, for each item: 100,000 items and a million.

The devices are those of benchmarks/device.py, as ext4. It is measured from the outside: the case's log tells when the
walk began and when it had ended, every item being in its place, and how many items there were. The examination is
stopped there, as a person stops it.

Usage, as root: python benchmarks/planning.py [--folder FOLDER] [--rounds N] [--profile NAME] [--sizes N...]. Needs
mke2fs and a loop device, and 8 GB for a million items.
"""

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.device import Device, make_device
from benchmarks.evidence import FOLDER
from benchmarks.examining import examine_command, logged
from benchmarks.measuring import table

SIZES = (100_000, 1_000_000)
POLLING = 0.2  # seconds
STOPPED = 5  # the product's exit code when it was stopped


def run_to_plan(device: Device, case: Path, *options: str) -> None:
    """Examine a device, and stop it when the log says that the walk has ended."""
    shutil.rmtree(case, ignore_errors=True)
    command = examine_command(device.image, case, device.libraries["many"], *options)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and logged(case, "walk-ended") is None:
            time.sleep(POLLING)
        process.send_signal(signal.SIGINT)
        _, diagnostics = process.communicate()
    if process.returncode not in {0, STOPPED}:
        sys.exit(f"triage ended with {process.returncode}: {diagnostics.decode(errors='replace')}")


def planning(case: Path) -> tuple[float, int]:
    """Return the seconds from the walk's beginning to the ordered plan, and its items."""
    begun, ended = logged(case, "walk-began"), logged(case, "walk-ended")
    if begun is None or ended is None:
        sys.exit(f"the log of {case} does not tell when the walk began and ended")
    return ended["at"] - begun["at"], ended["items"]


def measure(device: Device, case: Path, profile: str) -> tuple[float, int]:
    """Return seconds and items of one run, and exit where items are missing."""
    run_to_plan(device, case, "--profile", profile)
    seconds, items = planning(case)
    if items < device.items * 0.99:
        sys.exit(f"the walk met {items:,} of about {device.items:,} items")
    return seconds, items


def main() -> None:
    """Measure every device, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", default="scene")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    rows = []
    for size in arguments.sizes:
        device = make_device(arguments.folder, size, "ext4")
        runs = [measure(device, arguments.folder / "case", arguments.profile) for _ in range(arguments.rounds)]
        seconds, items = statistics.median(seconds for seconds, _ in runs), runs[0][1]
        rows.append((f"{items:,}", f"{seconds:.2f}", f"{seconds / items * 1e6:.1f}"))
    print(table(("items", "seconds, walk to plan", "microseconds an item"), rows))


if __name__ == "__main__":
    main()
