"""Consoles: nothing in a text is markup, and a table is folded for a terminal alone."""

import sys

from rich.console import Console

_UNFOLDED = 1 << 16


def console(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error; in a file or pipe a line is as long as it must be."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNFOLDED
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
