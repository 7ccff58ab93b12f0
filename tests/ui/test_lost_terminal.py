"""A terminal that goes away while a device is examined: the console ends, and the examination goes on where it was."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from select import select
from struct import pack
from termios import TIOCSWINSZ

import pytest
from suite import Demo

from triage.engine.plan import Stop
from triage.model.event import EndedBy
from triage.session.examination import Examination, Order
from triage.session.intake import Received, receive
from triage.session.view import CaseView
from ui.examined import REFERENCE, card

WAIT = 60.0  # seconds that anything here may take on a busy machine
_CODES = re.compile(r"\x1b(?:\[[\d;?<>$ ]*[A-Za-z]|[^\[])")


@dataclass(slots=True)
class Window:
    """The console behind a terminal of which the test holds the other end."""

    process: subprocess.Popen[bytes]
    master: int
    said: str = field(default="")

    def until(self, *wanted: str) -> None:
        """Read until all of this was written since the last key, in this order."""
        end, pattern = time.monotonic() + WAIT, ".*".join(map(re.escape, wanted))
        while not re.search(pattern, self._words(), re.DOTALL):
            assert time.monotonic() < end, f"{wanted} never came; there is: {self._words()[-2000:]}"
            if select([self.master], [], [], 0.1)[0]:
                self.said += os.read(self.master, 1 << 16).decode(errors="replace")

    def _words(self) -> str:
        return _CODES.sub("", self.said)

    def press(self, keys: bytes) -> None:
        """Type, and look at what comes after that."""
        self.said = ""
        os.write(self.master, keys)

    def close(self) -> None:
        """Close the window, once."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@contextmanager
def window(case: Path, library: Path, *, controlling: bool) -> Iterator[Window]:
    """Start the console; where the terminal is its controlling one, its end is told by a signal."""
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, pack("HHHH", 24, 80, 0, 0))

    words = [sys.executable, "-m", "triage", "console", "--case", str(case), "--library", str(library)]
    if controlling:  # it is, of a session's first process, what that opens
        words = ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), *words]
    environment = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**environment, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    opened = Window(process, master)
    try:
        yield opened
    finally:
        opened.close()
        process.kill()
        process.wait()


@pytest.fixture
def begun(tmp_path: Path, demo: Demo) -> Path:
    """Return a case with an examination that stopped at the first finding."""
    source, case = tmp_path / "card.img", tmp_path / "case"
    source.write_bytes(card())
    assert examined(source, case, demo, Stop(findings=1)) is EndedBy.ENOUGH_FOUND
    receive(case, Received(exhibit=REFERENCE, description="black card", examiner="A Examiner"))
    return case


def examined(source: Path, case: Path, demo: Demo, stop: Stop) -> EndedBy:
    """Begin the examination, or take it up, and return what ended it."""
    order = Order(source=source, case=case, exhibit=REFERENCE, library=demo.library, stop=stop)
    with Examination(order) as examination, closing(examination.events()) as events:
        for _ in events:
            pass
        return examination.ended_by


WAYS: dict[str, tuple[bool, Callable[[Window], None]]] = {
    "its window is closed": (True, lambda opened: opened.close()),
    "its window is closed without a signal": (False, lambda opened: opened.close()),
    "a signal says that it is": (True, lambda opened: opened.process.send_signal(signal.SIGHUP)),
    "it is told to end": (True, lambda opened: opened.process.send_signal(signal.SIGTERM)),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_console_ends_and_what_it_examined_can_be_resumed_when(begun: Path, demo: Demo, way: str) -> None:
    controlling, end = WAYS[way]
    with window(begun, demo.library, controlling=controlling) as opened:
        opened.until(REFERENCE, "Begin again")
        opened.press(b"b")
        opened.until("The case", "black card")
        opened.press(b"\x1b[18~")  # F7
        opened.until("Record it so?")
        opened.press(b"y")
        opened.until("starting")
        opened.press(b"p")
        opened.until("paused")
        end(opened)
        assert opened.process.wait(WAIT) == 0
    (exhibit,) = CaseView(begun).exhibits()
    assert exhibit["state"] == "stopped"
    assert examined(begun.parent / "card.img", begun, demo, Stop()) is EndedBy.END
