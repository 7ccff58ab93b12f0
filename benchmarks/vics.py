"""Reading of VICS JSON, and its import, against the script a user would write, each in a process of its own.

The file is made once, the same bytes every time. The user's script takes the MD5 of each record with `ijson`, or with
`json.load` where that is not installed; ours takes all that a set holds. What both found is compared before a time is
believed. `import` is the whole of `triage hashset import`, up to the sealed set.

Usage: python benchmarks/vics.py [--records N] [--rounds N] [--folder FOLDER]
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"

OURS = """
import sys
from pathlib import Path
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics import VICS
digests = sum(int((batch.present & 1).sum()) for batch in VICS.read(Published(Path(sys.argv[1])), ReadReport("")))
print(digests)
"""
IJSON = """
import sys
import ijson
with open(sys.argv[1], "rb") as file:
    print(sum(len(bytes.fromhex(media["MD5"])) == 16 for media in ijson.items(file, "value.item")))
"""
LOAD = """
import sys
import json
with open(sys.argv[1], encoding="utf-8") as file:
    print(sum(len(bytes.fromhex(media["MD5"])) == 16 for media in json.load(file)["value"]))
"""


def run(command: list[str]) -> tuple[str, float, float, float]:
    """Return what a command prints, its seconds on the clock and of the processor, and its peak memory in MB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            raise SystemExit(f"{' '.join(command[:3])} ended with {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        return out.read().decode().strip(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median_of(name: str, command: list[str], records: int, rounds: int) -> str:
    """Print the medians of a command, `@` in which is the number of the round, and return what it prints."""
    runs = [run([word.replace("@", str(number)) for word in command]) for number in range(rounds)]
    seconds, processor, memory = (statistics.median(figures) for figures in list(zip(*runs, strict=True))[1:])
    print(
        f"{name:12} {records / seconds:>10,.0f} records/s {records / processor:>10,.0f} per processor second"
        f" {memory:>8,.0f} MB"
    )
    return runs[0][0]


def main() -> None:
    """Make the file, run all, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="for the file, which is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = (options.folder or Path(scratch)) / f"vics-{options.records}.json"
        if not path.exists():
            generate = [sys.executable, str(TESTS / "synthetic" / "vics.py"), str(path)]
            median_of("generate", [*generate, "--records", str(options.records)], options.records, 1)
        script = IJSON if importlib.util.find_spec("ijson") else LOAD
        name = "ijson" if script is IJSON else "json.load"
        theirs = median_of(name, [sys.executable, "-c", script, str(path)], options.records, options.rounds)
        ours = median_of("read", [sys.executable, "-c", OURS, str(path)], options.records, options.rounds)
        if ours != theirs:
            raise SystemExit(f"{ours} digests read, {theirs} by {name}")
        command = [sys.executable, "-m", "triage", "hashset", "import", str(path), "--name", "made"]
        median_of("import", [*command, "--library", f"{scratch}/library-@"], options.records, options.rounds)


if __name__ == "__main__":
    main()
