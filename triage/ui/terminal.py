"""The terminal of the console, which may vanish at any time: a window closed, a connection cut."""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, TextIO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

_STREAMS = (0, 1, 2)


class TerminalDriver(LinuxDriver):
    """Textual's own, but for this: where the terminal vanishes, the console is asked to exit, and can.

    Without it the thread that writes dies of the first error, and the console waits for ever for it to take more: no
    handler of a signal runs then.
    """

    def __init__(self, app: App[Any], **given: Any) -> None:
        super().__init__(app, **given)
        self._vanished = False
        self._file = cast("Any", _Lasting(cast("TextIO", self._file), self._vanish))
        if self.input_tty:
            Thread(target=self._watch, name="terminal-watch", daemon=True).start()

    def _watch(self) -> None:
        """Wait for the end of the terminal: poll(2) tells of it unasked, also where nothing is ever written again."""
        watched = select.poll()
        watched.register(self.fileno, 0)
        watched.poll()
        self._vanish()

    def _vanish(self) -> None:
        """Put nothing in the place of the terminal, so that whoever reads or writes goes on; then ask for the end."""
        if self._vanished:
            return
        self._vanished = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in _STREAMS:
            os.dup2(nowhere, stream)
        os.close(nowhere)
        with suppress(RuntimeError):  # the console has ended already
            self._loop.call_soon_threadsafe(self._app.exit)


class _Lasting:
    """As much of a stream as is written to: what cannot be written is lost, and told."""

    def __init__(self, file: TextIO, lost: Callable[[], None]) -> None:
        self._file, self._lost = file, lost

    def write(self, text: str) -> None:
        """Write, in a thread that must outlive what it writes to."""
        try:
            self._file.write(text)
        except OSError:
            self._lost()

    def flush(self) -> None:
        """Let everything out."""
        try:
            self._file.flush()
        except OSError:
            self._lost()

    def fileno(self) -> int:
        """Return the number of the stream."""
        return self._file.fileno()
