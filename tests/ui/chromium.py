"""Debian's Chromium without a window, driven by the DevTools protocol; no more of it than the tests need.

The protocol goes over a pair of descriptors (--remote-debugging-pipe: messages in JSON, each ended by a zero byte), so
that no port is open, and the browser ends when the test does, whatever ends that.
"""

import json
import socket
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ui.household import Household
from ui.window import WAIT, Window

_ALONE = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--window-size=1200,900",
    "--remote-debugging-pipe",
)  # fmt: skip
# The page keeps the terminal to itself: whatever is assigned to a property of this name is noted on its way.
_NOTE_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {configurable: true, set(value) {
  Object.defineProperty(this, "terminal", {value, writable: true});
  window.shown = value;
}});
"""
_STYLED = r"""
(() => {
  const rows = [], buffer = shown.buffer.active, cell = buffer.getNullCell();
  for (let y = 0; y < shown.rows; y++) {
    const line = buffer.getLine(buffer.viewportY + y);
    let row = "", underlined = false;
    for (let x = 0; x < shown.cols; x++) {
      line.getCell(x, cell);
      if (!!cell.isUnderline() !== underlined) {
        underlined = !underlined;
        row += underlined ? "\x1b[4m" : "\x1b[0m";
      }
      row += cell.getWidth() ? cell.getChars() || " " : "";
    }
    rows.push(row + "\x1b[0m");
  }
  return rows.join("\n");
})()
"""
_CODES = {"Enter": 13, "Tab": 9, "Escape": 27, "Left": 37, "Up": 38, "Right": 39, "Down": 40}
_LOOK = 0.05
_CTRL, _SHIFT = 2, 8  # of the protocol's modifiers


class Browser:
    """One tab of a browser."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe, self._held, self._number, self._session = pipe, b"", 0, ""
        target = self.say("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.say("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.say("Page.enable")
        self.say("Page.addScriptToEvaluateOnNewDocument", source=_NOTE_TERMINAL)
        self.say("Emulation.setFocusEmulationEnabled", enabled=True)

    def say(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what a method of the protocol answers."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        session = {"sessionId": self._session} if self._session else {}
        self._pipe.sendall(json.dumps({**message, **session}).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            more = self._pipe.recv(1 << 16)
            assert more, "the browser has ended"
            self._held += more
        message, _, self._held = self._held.partition(b"\0")
        return dict(json.loads(message))

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page is loaded."""
        self.say("Page.navigate", url=address)
        end = time.monotonic() + WAIT
        while self.value("document.readyState") != "complete":
            assert time.monotonic() < end, f"{address} is not loaded"
            time.sleep(_LOOK)

    def value(self, script: str) -> Any:
        """Return what a line of JavaScript comes to."""
        answer = self.say("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """Return the page as a PNG file."""
        return b64decode(self.say("Page.captureScreenshot", format="png")["data"])


class BrowserWindow(Window):
    """The console in a tab."""

    def __init__(self, tab: Browser, address: str) -> None:
        """Go to an address, again as long as the console that was there before still concludes."""
        self.tab = tab
        self.wait(lambda: self._opened(address), f"{address} with a console")

    def _opened(self, address: str) -> bool:
        self.tab.open(address)
        ready = "document.activeElement?.className.includes('xterm')"
        self.wait(lambda: self._is("-closed") or (self._is("-first-byte") and self.tab.value(ready)), f"{address} open")
        return not self._is("-closed")

    def _is(self, state: str) -> bool:
        return bool(self.tab.value(f"document.body?.classList.contains('{state}')"))

    def styled(self) -> str:
        """Return what stands in the terminal of the page; before there is one, the text of the page."""
        has_terminal = self.tab.value("typeof shown !== 'undefined'")
        return str(self.tab.value(_STYLED if has_terminal else "document.body?.innerText ?? ''"))

    def size(self) -> tuple[int, int]:
        """Return columns and rows."""
        columns, rows = self.tab.value("[shown.cols, shown.rows]")
        return columns, rows

    def press(self, *keys: str) -> None:
        """Press one key after the other."""
        for key in keys:
            if key.startswith("C-"):
                self._key(key[2:], ord(key[2:].upper()), modifiers=_CTRL)
            elif key == "BTab":
                self._key("Tab", _CODES["Tab"], modifiers=_SHIFT)
            elif key in _CODES:
                self._key(f"Arrow{key}" if key in {"Left", "Up", "Right", "Down"} else key, _CODES[key])
            else:
                self._key(key, 111 + int(key.removeprefix("F")))

    def type(self, text: str) -> None:
        """Type characters."""
        for character in text:
            self._key(character, 0, text=character)

    def _key(self, key: str, code: int, **more: Any) -> None:
        """Press a key by its name and the number that browsers give it."""
        shared = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.tab.say("Input.dispatchKeyEvent", type="keyDown", **shared, **more)
        self.tab.say("Input.dispatchKeyEvent", type="keyUp", **shared)

    def ended(self) -> None:
        """Wait until the page says that the console has ended."""
        self.wait(lambda: self._is("-closed"), "the end")
        assert "The console has ended; what ran was concluded." in self.tab.value("document.body.innerText")


@contextmanager
def browser(chromium: str, household: Household) -> Iterator[Browser]:
    """Open a tab in a browser of its own, as long as the context is open."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        ours, theirs = socket.socketpair()
        ours.settimeout(WAIT)
        words = [chromium, *_ALONE, f"--user-data-dir={name}", "about:blank"]
        started = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&0 </dev/null', "sh", *words],
            stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        household.sessions.add(started.pid)
        theirs.close()
        try:
            yield Browser(ours)
        finally:
            ours.close()  # which ends the browser
            started.wait(WAIT)
