"""The product run as a user runs it, and its answers read as a user reads them."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence import made
from benchmarks.measuring import Measured, run_measured

TRIAGE = (sys.executable, "-m", "triage")
LOG = "log.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One examination: its case, how it ran, and the object that `--json` printed."""

    case: Path
    measured: Measured
    result: dict[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Every finding, as `triage findings --jsonl` prints it."""
        return rows("findings", self.case)


def examine(source: Path, case: Path, library: Path, *options: str) -> Examined:
    """Examine a source into a new case, in place of what is there."""
    shutil.rmtree(case, ignore_errors=True)
    measured = run_measured(examine_command(source, case, library, "--json", *options))
    return Examined(case=case, measured=measured, result=json.loads(measured.output))


def examine_command(source: Path, case: Path, library: Path, *options: str) -> list[str]:
    """Return the command that examines a source."""
    return [*TRIAGE, "examine", str(source), "--case", str(case), "--library", str(library), *options]


def rows(command: str, case: Path) -> list[dict[str, Any]]:
    """Return what `triage items` or `triage findings` lists."""
    listed = subprocess.run([*TRIAGE, command, "--case", str(case), "--jsonl"], check=True, capture_output=True)
    return [json.loads(line) for line in listed.stdout.splitlines()]


def build_set(known: Path, library: Path, name: str) -> Path:
    """Return a library with the set of the files of a folder, compiled where it is not there.

    A version of the product that does not open the set of an older one says so: remove the library then.
    """

    def build(path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)
        run_measured([*TRIAGE, "hashset", "build", str(known), "--name", name, "--library", str(path)])

    return made(library, build)


def logged(case: Path, event: str) -> dict[str, Any] | None:
    """Return the last event of a name in the case's log, None while there is none."""
    log = case / LOG
    if not log.exists():
        return None
    # The last line may be half written.
    lines = [line for line in log.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    events = (json.loads(line) for line in reversed(lines))
    return next((entry for entry in events if entry.get("event") == event), None)
