"""`triage`: the command line, with the console as one of its commands. Here the two are put together."""

from typing import NoReturn

from triage.cli.main import main

_BESIDE = {"console": "triage.ui.command"}


def triage() -> NoReturn:
    """Run the command line and leave with its exit code."""
    main(_BESIDE)


if __name__ == "__main__":  # processes that are spawned import this module once more
    triage()
