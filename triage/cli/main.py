"""The entry of the command `triage`, and the one place where errors become a line and an exit code.

Only light modules are imported here, so that what happens while the others load is told like everything else.
"""

import sys
from collections.abc import Mapping
from typing import NoReturn

from triage.cli.stopping import stop_at_once
from triage.cli.streams import ReaderGone, guard_streams
from triage.model.errors import DigiVanError

_OPTIONS = {
    "case": "--case",
    "exhibit": "--exhibit",
    "library": "--library",
    "folder": "--out",
    "trace": "--profile-run",
    "second": "--second NAME --second-reason TEXT",
    "acknowledged": "--acknowledge all",
}


def main(beside: Mapping[str, str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; every error is one line on standard error.

    `beside` are commands of other rooms: the module of each, by its name.
    """
    stop_at_once()
    try:
        guard_streams()
        code = _run(beside or {})
    except ReaderGone:
        code = 0
    except DigiVanError as error:
        _tell(error)
        code = error.exit_code
    sys.exit(code)


def _tell(error: DigiVanError) -> None:
    from triage.cli.text import safe  # noqa: PLC0415 - see above

    option = f" ({_OPTIONS[error.field]})" if error.field else ""
    sys.stderr.write(f"triage: {safe(' '.join(str(error).split()))}{option}\n")


def _run(beside: Mapping[str, str]) -> int:
    from triage.cli.commands import run  # noqa: PLC0415 - see above

    try:
        return run(beside)
    finally:
        sys.stdout.flush()
