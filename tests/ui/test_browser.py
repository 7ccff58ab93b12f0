"""The console in a real browser: nothing without the token, then a visit at the keyboard."""

import asyncio
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from images.fat12 import Entry, fat12_disk
from PIL import Image
from suite import Tool

from triage.model.errors import DigiVanError
from triage.session.view import CaseView
from ui.chromium import WAIT, Page, page

F3, F7, F10, TAB = 114, 118, 121, 9


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve a console, and return the address that it prints."""
    words = ["console", "--serve", "0", "--case", f"{tmp_path}/case", "--library", f"{tmp_path}/library"]
    with subprocess.Popen([sys.executable, "-m", "triage", *words], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        yield found[0]
        server.terminate()


def colours(picture: bytes) -> int:
    """Return how many colours are in a picture; text has many, for its edges are smooth."""
    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 24) or [])


async def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not what():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.1)


async def painted_anew(tab: Page, before: bytes) -> bytes:
    """Wait until the page shows something else."""
    end = time.monotonic() + WAIT
    while (now := await tab.picture()) == before:
        assert time.monotonic() < end, "the page stays as it is"
        await asyncio.sleep(0.1)
    return now


async def fill(tab: Page, texts: list[str]) -> None:
    """Type into one field after the other."""
    for text in texts:
        for character in text:
            await tab.press(character)
        await tab.press("Tab", TAB)


async def entered(tab: Page, address: str) -> bytes:
    """Open the console and return how it looks."""
    await tab.open(address)
    await tab.until("document.body.className.includes('-first-byte')")
    await tab.until("document.activeElement.className.includes('xterm')")
    return await tab.picture()


async def visit(tab: Page, address: str, image: Path, view: CaseView) -> None:
    """Take a device in, watch its examination, and quit; all by keys."""
    before = await entered(tab, address)
    while colours(before) < 20:
        before = await painted_anew(tab, before)
    assert await tab.value("location.search") == ""  # the token is in no history
    await tab.press("F3", F3)
    await painted_anew(tab, before)
    said = ["Lantern", "warrant", "Mill Lane", "Sam Brown", "", "black stick", "S1", "", "", "", "", "", "", ""]
    await fill(tab, [*said, str(image)])
    await tab.press("F7", F7)
    await tab.press("y")
    await until(lambda: state(view) == "finished")
    await tab.press("F10", F10)
    await tab.press("y")
    await tab.until("document.body.className.includes('-closed')")


def state(view: CaseView) -> str | None:
    """Return how the examination of the one exhibit stands, None before it has begun."""
    try:
        return next((row["state"] for row in view.exhibits()), None)
    except DigiVanError:  # no case yet, or one that is being made
        return None


def test_without_the_token_the_browser_is_refused_and_with_it_a_visit_goes_as_in_a_terminal(
    tmp_path: Path, tool: Tool, address: str
) -> None:
    image, view = tmp_path / "one.img", CaseView(tmp_path / "case")
    image.write_bytes(fat12_disk([Entry(name=b"NOTES   TXT", clusters=(4,), data=b"first")]))

    async def steps() -> None:
        async with page(tool("chromium")) as tab:
            await tab.say("Emulation.setFocusEmulationEnabled", enabled=True)
            await tab.open(address.partition("?")[0])
            await tab.until("document.body.innerText.includes('open the address that triage console --serve printed')")
            assert await tab.value("document.querySelectorAll('canvas').length") == 0
            await visit(tab, address, image, view)

    asyncio.run(steps())
    (row,) = view.exhibits()
    assert (row["reference"], row["received"]["operation"], row["findings"]) == ("SB/1", "Lantern", 0)
