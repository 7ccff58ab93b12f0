"""Leaving the console: asked first, and every run is concluded before the window goes."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from triage.ui.screens.dialog import Dialog
from triage.ui.screens.question import Question
from triage.ui.symbols import counted

if TYPE_CHECKING:
    from triage.ui.app import Console

_NOTHING_RUNS = "No examination is running. Everything recorded is in the case."
_RUNNING = (
    "{running} will be stopped and concluded. Nothing found so far is lost: each goes on where it was when it is begun "
    "again."
)


def leave(console: "Console") -> None:
    """Ask, then stop what runs and leave."""
    running = sum(not device.state.is_over for device in console.devices.values())
    text = _RUNNING.format(running=counted(running, "examination")) if running else _NOTHING_RUNS

    def answered(sure: bool | None) -> None:
        if sure:
            console.push_screen(Leaving(console))

    console.push_screen(Question("Quit?", text, yes="Quit", no="Stay"), answered)


class Leaving(Dialog[None]):
    """Waits until every run put its work in order."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._desk = console

    def compose(self) -> ComposeResult:
        """Yield the one line."""
        with Vertical() as box:
            box.border_title = "Quitting"
            yield Static("", markup=False)

    def on_mount(self) -> None:
        """Ask every run to stop, and wait."""
        self._desk.visit.stop_all()
        self._wait()
        self.set_interval(0.25, self._wait)

    def _wait(self) -> None:
        visit = self._desk.visit
        if not visit.busy:
            self._desk.exit()
            return
        left = sum(not device.state.is_over for device in visit.devices.values())
        self.query_one(Static).update(f"{counted(left, 'examination')} put their work in order, please wait.")
