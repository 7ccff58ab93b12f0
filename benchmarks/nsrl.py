"""The reader of NSRL RDSv3 against the script a person would write: rows a second and peak memory, in one run.

The script asks for the same columns and turns their digits to bytes row by row. Each side runs in a process of its
own; both must find the same number of rows. The release is invented and made once.

Usage: python benchmarks/nsrl.py [--rows N] [--rounds N] [--folder FOLDER]. Needs about 500 MB for 2 million rows.
"""

import argparse
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from synthetic import nsrl  # noqa: E402 - the path is set first

from triage.hashsets.formats.reader import Published, Reader  # noqa: E402
from triage.hashsets.formats.report import ReadReport  # noqa: E402
from triage.hashsets.formats.sql.nsrl_delta import NSRL_DELTA  # noqa: E402
from triage.hashsets.formats.sqlite.nsrl_rds import NSRL_RDS  # noqa: E402

EMPTY_SHA1 = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"


def read_ours(reader: Reader, path: Path) -> int:
    """Return the rows that the reader uses."""
    report = ReadReport(path.name, unit=reader.unit)
    return sum(len(batch) for batch in reader.read(Published(path), report))


def read_naively(path: Path) -> int:
    """Return the rows that a plain script uses."""
    connection = sqlite3.connect(path)
    used = 0
    for sha256, sha1, md5, _size in connection.execute("SELECT sha256, sha1, md5, file_size FROM FILE"):
        if sha1 != EMPTY_SHA1 and bytes.fromhex(sha256) and bytes.fromhex(sha1) and bytes.fromhex(md5):
            used += 1
    connection.close()
    return used


def measure(side: str, folder: Path) -> None:
    """Run one side and print seconds, rows and the peak of memory in MiB."""
    start = time.perf_counter()
    if side == "script":
        rows = read_naively(folder / "minimal.db")
    elif side == "delta":
        rows = read_ours(NSRL_DELTA, folder / "delta.sql")
    else:
        rows = read_ours(NSRL_RDS, folder / f"{side}.db")
    seconds = time.perf_counter() - start
    print(seconds, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


def make(folder: Path, rows: int) -> None:
    """Make the release and a delta of a tenth of its size."""
    if not (folder / "delta.sql").exists():
        for name in ("minimal.db", "full.db"):
            (folder / name).unlink(missing_ok=True)
        nsrl.write_minimal(folder / "minimal.db", rows)
        nsrl.write_full(folder / "full.db", rows)
        with (folder / "delta.sql").open("w", encoding="utf-8") as file:
            file.writelines(nsrl.delta(rows // 10))


def main() -> None:
    """Run the sides in turn, print each, the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "digivan-bench")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder / f"nsrl-{arguments.rows}"
    if arguments.side:
        measure(arguments.side, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, arguments.rows)
    rates: dict[str, list[float]] = {"minimal": [], "full": [], "delta": [], "script": []}
    for number in range(arguments.rounds):
        for side, measured in rates.items():
            command = [sys.executable, __file__, "--side", side, "--rows", str(arguments.rows), "--folder"]
            done = subprocess.run([*command, str(arguments.folder)], check=True, capture_output=True, text=True)
            seconds, rows, peak = (float(word) for word in done.stdout.split())
            measured.append(rows / seconds)
            print(f"round {number + 1}: {side}: {rows:.0f} rows, {rows / seconds:,.0f} a second, peak {peak:.0f} MiB")
    medians = {side: statistics.median(measured) for side, measured in rates.items()}
    print("medians, rows a second:", ", ".join(f"{side} {rate:,.0f}" for side, rate in medians.items()))
    print(f"the reader is {medians['minimal'] / medians['script']:.2f} times as fast as the script")


if __name__ == "__main__":
    main()
