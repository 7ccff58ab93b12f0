"""The console in a real browser: nothing without the token, then the same visit as in a terminal."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from suite import Demo, Tool

from ui.chromium import Browser, BrowserWindow, browser
from ui.household import Household
from ui.whole_visit import WholeVisit
from ui.window import WAIT, Window

_TEXT = 20  # colours; written text has more, for its edges are smooth
_REFUSED = "open the address that triage console --serve printed"


@contextmanager
def served(case: Path, library: Path) -> Iterator[str]:
    """Serve a console as long as the context is open; the address that it prints."""
    words = [sys.executable, "-m", "triage", "console", "--serve", "0", "--case", str(case), "--library", str(library)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        server.terminate()
        rest, _ = server.communicate(timeout=WAIT)
    assert (rest, server.returncode) == ("", 0)


def check_refused(tab: Browser, address: str) -> None:
    """Ask without the token."""
    tab.open(address.partition("?")[0])
    assert _REFUSED in tab.value("document.body.innerText")
    assert tab.value("document.querySelectorAll('canvas').length") == 0


def is_painted(tab: Browser) -> bool:
    """Say whether there is text in the picture of the page."""
    return len(Image.open(io.BytesIO(tab.picture())).convert("RGB").getcolors(1 << 24) or []) > _TEXT


def test_without_the_token_the_browser_is_refused_and_with_it_a_visit_goes_as_in_a_terminal(
    tmp_path: Path, demo: Demo, tool: Tool, household: Household
) -> None:
    with served(tmp_path / "case", demo.library) as address, browser(tool("chromium"), household) as tab:
        check_refused(tab, address)

        def look_at(window: Window) -> None:
            window.whole()
            window.wait(lambda: is_painted(tab), "a picture of it")

        @contextmanager
        def console() -> Iterator[BrowserWindow]:
            yield BrowserWindow(tab, address)
            assert tab.value("location.search") == ""  # the token is in no history

        visit = WholeVisit(tmp_path, console, look_at)
        visit.go()
    visit.check(tool("pdftotext"))
    assert household.end() == {}
