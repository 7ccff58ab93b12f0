"""What each profile finds of known contents in every place of a disk, printed as a table for docs/ground-truth.md.

The disk, its table and the rule of what must be found are those of tests/test_ground_truth.py. Usage: python
benchmarks/ground_truth.py [--folder FOLDER]. Needs root, and the tools of the file systems.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from synthetic.ground_truth import GroundTruth, make  # noqa: E402 - the path is set first
from synthetic.planted import By, Planted, State  # noqa: E402 - as above
from synthetic.truth_judging import PROFILES, Judged, judge, reason_codes  # noqa: E402 - as above
from synthetic.truth_table import PLANTED, UNKNOWN  # noqa: E402 - as above

from benchmarks.examining import build_set, examine  # noqa: E402 - as above
from benchmarks.measuring import table  # noqa: E402 - as above


def main() -> None:
    """Make the disk, examine it with each profile, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where disk, set and cases stay [default: nowhere]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ground-truth-") as name:
        folder = options.folder or Path(name)
        shutil.rmtree(folder / "made", ignore_errors=True)
        truth = make(folder / "made")
        shutil.rmtree(folder / "library", ignore_errors=True)
        library = build_set(truth.known, folder / "library", "known")
        judged = {profile: examined(truth, library, folder / f"case-{profile}", profile) for profile in PROFILES}
    print_table(judged)


def examined(truth: GroundTruth, library: Path, case: Path, profile: str) -> Judged:
    """Return what a profile found, and say how long it took."""
    done = examine(truth.image, case, library, "--profile", profile)
    judged = judge(truth, done.findings)
    false = ", ".join(finding["path"] for finding in judged.false) or "none"
    print(f"{profile}: {done.measured.seconds:.1f} s, {len(done.findings)} findings, false ones: {false}")
    return judged


def print_table(judged: Mapping[str, Judged]) -> None:
    """Print a row for everything that is planted, and how much of it each profile found."""
    print(table(("planted", "where", *judged, "missed, because"), (row_of(row, judged) for row in PLANTED)))
    counts = [f"`{profile}` {len(each.found)}" for profile, each in judged.items()]
    print(f"Of {len(PLANTED)} known contents: {', '.join(counts)}. {len(UNKNOWN)} unknown ones lie beside them.")


def row_of(row: Planted, judged: Mapping[str, Judged]) -> tuple[str, ...]:
    """Return what was planted, where, the match by which each profile found it, and why it was missed."""
    where = row.where.value if row.state is State.FILE else f"{row.where}, {row.state}"
    found = [", ".join(by for by in By if by in each.found.get(row.name, ())) or "-" for each in judged.values()]
    missing = {
        code for profile, each in judged.items() if row.name not in each.found for code in reason_codes(row, profile)
    }
    because = "; ".join(filter(None, (row.beyond, ", ".join(f"`{code}`" for code in sorted(missing)))))
    return row.what, where, *found, because


if __name__ == "__main__":
    main()
