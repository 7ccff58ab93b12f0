"""`triage examine --profile exact` beside the tools that people use, on the image of benchmarks/exact.py, in one run.

`fiwalk` reads the image; `hashdeep` reads its files where it is mounted read-only, by ntfs-3g, and by the kernel's own
ntfs3 where this kernel has it. All compute MD5 and SHA-1 of every file; a digest of theirs that is not among ours ends
the run before a time is believed. `bulk_extractor` is not here: Debian has no package of it, and it looks for features
in all bytes rather than digest files.

Usage, as root: python benchmarks/peers.py [--folder FOLDER] [--rounds N]. Needs fiwalk, hashdeep, mkntfs and ntfs-3g.
"""

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import FOLDER, made, mounted
from benchmarks.exact import make_image, run_fiwalk, run_ours
from benchmarks.measuring import medians_of, run_measured, table

_COLUMNS = 4  # of a line of hashdeep: size, MD5, SHA-1, path

Digests = Counter[tuple[str, str]]


@dataclass(slots=True)
class Bench:
    """The tools, each a method that returns its seconds; `ours` is what the last run of the product found."""

    image: Path
    folder: Path
    ours: Digests = field(default_factory=Counter)
    files: dict[str, int] = field(default_factory=dict)

    def triage(self) -> float:
        """Run the product, by two workers where there are two cores."""
        seconds, self.ours = run_ours(self.image, self.folder)
        self.files["triage"] = self.ours.total()
        return seconds

    def fiwalk(self) -> float:
        """Run fiwalk on the image."""
        seconds, found = run_fiwalk(self.image, self.folder)
        self.check("fiwalk", found)
        return seconds

    def hashdeep(self, name: str, folder: Path) -> float:
        """Run hashdeep below a folder, with as many threads as there are cores (its default)."""
        measured = run_measured(["hashdeep", "-c", "md5,sha1", "-r", str(folder)])
        self.check(name, digests_of(measured.output.decode(errors="surrogateescape").splitlines()))
        return measured.seconds

    def check(self, name: str, found: Digests) -> None:
        """Exit where a tool has a digest that the product has not."""
        if not found:
            sys.exit(f"{name} found no files")
        if missing := found - self.ours:
            sys.exit(f"the digests differ: {missing.total()} of {name} are not among ours")
        self.files[name] = found.total()


def digests_of(lines: Iterable[str]) -> Digests:
    """Return what hashdeep printed of every file with content."""
    parts = (line.split(",", _COLUMNS - 1) for line in lines if line and line[0] not in "%#")
    return Counter((md5, sha1) for size, md5, sha1, _ in parts if size != "0")


def mounts(image: Path, stack: ExitStack) -> dict[str, Path]:
    """Mount the image in every way that this machine has, until the stack is closed; return the folders."""
    found = {"hashdeep, ntfs-3g": stack.enter_context(mounted("ntfs-3g", "-o", "ro", str(image)))}
    try:
        kernel = mounted("mount", "-t", "ntfs3", "-o", "ro,loop", str(image))
        found["hashdeep, kernel ntfs3"] = stack.enter_context(kernel)
    except subprocess.CalledProcessError:
        print("this kernel has no ntfs3")
    return found


def main() -> None:
    """Run every tool in turn, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    image = made(arguments.folder / "exact.ntfs", make_image)
    bench = Bench(image=image, folder=arguments.folder)
    with ExitStack() as stack:
        ways: dict[str, Callable[[], float]] = {"triage": bench.triage, "fiwalk": bench.fiwalk}
        ways |= {name: partial(bench.hashdeep, name, folder) for name, folder in mounts(image, stack).items()}
        medians = medians_of(ways, arguments.rounds, warm_up=tuple(ways))
    rows = [
        (name, f"{seconds:.1f}", f"{bench.files[name]:,}", f"{seconds / medians['triage']:.2f}")
        for name, seconds in medians.items()
    ]
    print(table(("tool", "seconds", "files with content", "times the seconds of triage"), rows))


if __name__ == "__main__":
    main()
