"""Debian's Chromium without a window, driven by the DevTools protocol; no more of it than the tests need."""

import asyncio
import base64
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

WAIT = 60.0  # seconds that anything here may take on a busy machine
_LOOK = 0.05
_ALONE = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--window-size=1200,800",
    "--remote-debugging-port=0",
)  # fmt: skip


@dataclass
class Page:
    """One tab."""

    _socket: aiohttp.ClientWebSocketResponse
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def say(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what a method of the protocol answers."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=WAIT)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    async def open(self, address: str) -> None:
        """Go to an address."""
        await self.say("Page.navigate", url=address)

    async def value(self, script: str) -> Any:
        """Return what a line of JavaScript comes to."""
        return (await self.say("Runtime.evaluate", expression=script, returnByValue=True))["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until a line of JavaScript comes to something that is true, and return it."""
        end = time.monotonic() + WAIT
        while not (value := await self.value(script)):
            assert time.monotonic() < end, f"{script} stays {value!r}"
            await asyncio.sleep(_LOOK)
        return value

    async def press(self, key: str, code: int = 0) -> None:
        """Press a key by its name and the number that browsers give it, or type one character."""
        typed = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            shared = {"key": key, "windowsVirtualKeyCode": code, "code": key}
            await self.say("Input.dispatchKeyEvent", type=kind, **shared, **(typed if kind == "keyDown" else {}))

    async def picture(self) -> bytes:
        """Return the page as a PNG file."""
        return base64.b64decode((await self.say("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def page(chromium: str) -> AsyncIterator[Page]:
    """Open a tab in a browser of its own, as long as the context is open."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        words = [chromium, *_ALONE, f"--user-data-dir={name}", "about:blank"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:  # noqa: ASYNC220 - starts at once
            try:
                port = await _port(Path(name) / "DevToolsActivePort")
                async with aiohttp.ClientSession() as session:
                    async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                        tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
                    async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                        yield Page(socket)
            finally:
                browser.terminate()


async def _port(told: Path) -> int:
    """Wait until the browser says where it listens."""
    end = time.monotonic() + WAIT
    while not (told.exists() and told.read_text().count("\n")):  # noqa: ASYNC240 - a few bytes
        assert time.monotonic() < end, "the browser does not start"
        await asyncio.sleep(_LOOK)
    return int(told.read_text().split("\n")[0])  # noqa: ASYNC240 - as above
