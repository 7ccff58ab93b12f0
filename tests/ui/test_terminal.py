"""A whole visit at the keyboard of a real terminal, whose window takes every size on the way."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from suite import Demo, Tool

from ui.desk import SIZES
from ui.household import Household
from ui.terminal import Terminal, terminal
from ui.whole_visit import WholeVisit
from ui.window import Window


def test_a_whole_visit_two_devices_in_one_seized_one_returned_and_all_is_there_again(
    tmp_path: Path, demo: Demo, tool: Tool, household: Household
) -> None:
    sizes = cycle(SIZES)

    def in_every_size(window: Window) -> None:
        """See all of the screen in each size; the next steps are done in another one than those before."""
        assert isinstance(window, Terminal)
        for size in islice(sizes, len(SIZES) + 1):
            window.resize(size)
            window.whole()

    @contextmanager
    def console() -> Iterator[Terminal]:
        words = [sys.executable, "-m", "triage", "console", "--case", f"{tmp_path}/case"]
        environment = {"LOGNAME": "sam", "LANG": "C.UTF-8"}
        with terminal(tool("tmux"), [*words, "--library", str(demo.library)], SIZES[0], environment) as window:
            yield window

    visit = WholeVisit(tmp_path, console, in_every_size)
    visit.go()
    visit.check(tool("pdftotext"))
    assert household.end() == {}
