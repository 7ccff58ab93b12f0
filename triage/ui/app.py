"""The console itself: it opens screens, polls the visit, and knows nothing of what a screen shows."""

import asyncio
import gc
import re
import signal
from collections.abc import Iterable, Mapping
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.reactive import reactive
from textual.screen import Screen

from triage.model.errors import DigiVanError
from triage.model.event import Event, Found
from triage.ui.apart import Apart
from triage.ui.safe import safe
from triage.ui.screens.board import BoardScreen
from triage.ui.screens.help import HelpScreen
from triage.ui.screens.room import Room
from triage.ui.terminal import TerminalDriver
from triage.ui.themes import THEMES, VAN

if TYPE_CHECKING:  # they bring the whole engine along, and the first screen must come at once
    from triage.session.live_device import LiveDevice
    from triage.session.pin import Pin
    from triage.session.view import CaseView
    from triage.session.visit import Visit
    from triage.ui.graphics import Graphics

REFRESH = 0.25
"""Seconds between two looks at what the devices do."""

IDLE = 300.0
"""Seconds without a key after which the console locks, where the person has a PIN."""

_LOADED = "triage.ui.screens."
_PLACES = {
    "intake": ("intake", "IntakeScreen"),
    "sets": ("hashsets", "HashSetsScreen"),
    "ledger": ("ledger", "LedgerScreen"),
    "selftest": ("selftest", "SelfTestScreen"),
}
_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "space": "Space",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
_FUNCTION = re.compile(r"f\d{1,2}")


class Console(App[None], inherit_bindings=False):
    """`case` is the folder of the case, `actor` the person at the keyboard; visit and view are opened on demand."""

    TITLE = "DigiVan triage"
    CSS_PATH = "triage.tcss"
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("f2", "board", "Board"),
        Binding("f3", "place('intake')", "Intake"),
        Binding("f4", "place('sets')", "Sets"),
        Binding("f5", "place('ledger')", "Ledger"),
        Binding("f6", "place('selftest')", "Test"),
        Binding("f8", "daylight", "Light or dark", show=False),
        Binding("f9", "lock", "Lock"),
        Binding("f10,ctrl+q,ctrl+c", "leave", "Quit"),
        Binding("ctrl+p", "command_palette", "Commands", show=False, priority=True),
    ]
    graphics: "Graphics | None" = None
    """How the terminal draws pictures by itself, where it does."""
    lockable = reactive(True)
    """Whether the person has a PIN, as far as is known; the head of every screen says so where there is none."""

    def __init__(
        self, case: Path, *, actor: str, library: Path | None = None, visit: "Visit | None" = None, idle: float = IDLE
    ) -> None:
        """Take a visit that is open already, or open one with the first device; `idle` in seconds."""
        super().__init__()
        # It inherits standard error, which is not a file any more once the screens are on.
        resource_tracker.ensure_running()
        self.case, self.actor, self.library = case, actor, library
        self.apart = Apart()
        self._visit = visit
        self._view: CaseView | None = None
        self._idle, self._touched = idle, monotonic()
        self._found: set[str] = set()
        self._told: dict[str, str] = {}

    @property
    def visit(self) -> "Visit":
        """The devices of this visit."""
        if self._visit is None:
            from triage.session.visit import Visit  # noqa: PLC0415 - see above

            self._visit = Visit(self.case, actor=self.actor, library=self.library)
        return self._visit

    @property
    def devices(self) -> "Mapping[str, LiveDevice]":
        """The devices of this visit; none before the visit is opened."""
        return {} if self._visit is None else self._visit.devices

    @property
    def view(self) -> "CaseView":
        """The case, for reading."""
        if self._view is None:
            from triage.session.view import CaseView  # noqa: PLC0415 - see above

            self._view = CaseView(self.case)
        return self._view

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of a terminal that may vanish, unless the console is in a browser."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def get_default_screen(self) -> BoardScreen:
        """Return the board: all other screens lie upon it."""
        return BoardScreen()

    def on_mount(self) -> None:
        """Put the themes on, and begin to look at the devices; a page that is loaded anew is no way round the PIN."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = VAN.name
        if self.is_web:
            self.lock_if_possible()
        self.set_interval(REFRESH, self.look)
        self.call_after_refresh(self._load)
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)

    @work(thread=True)
    def _load(self) -> None:
        """Load what examines, once the first screen is there: nobody waits for it then."""
        import_module("triage.session.visit")
        import_module("triage.session.intake")
        self.call_from_thread(self._know, import_module("triage.session.pin").Pin(self.actor))
        # What is loaded stays: to go through it again at each full collection would keep a key waiting.
        gc.freeze()

    def _know(self, pin: "Pin") -> None:
        try:
            self.lockable = pin.is_set
        except DigiVanError as error:
            self.lockable = False
            self.tell_problem(error)

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there."""
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
            self._touched = monotonic()
        await super().on_event(event)

    def look(self) -> None:
        """Take what the devices told, ring where a person should look up, and let the screen in front show it."""
        if monotonic() - self._touched > self._idle:
            self.lock_if_possible()
        for reference, event in () if self._visit is None else self._visit.poll():
            self._heard(reference, event)
        for reference, device in self.devices.items():
            before, state = self._told.get(reference), device.state.value
            self._told[reference] = state
            if state != before and state in {"finished", "failed", "gone"}:
                self.bell()
        room = self.room
        if room is not None and room.is_there:
            room.tell(self.urgent())
            room.renew()

    def _heard(self, reference: str, event: Event) -> None:
        if isinstance(event, Found) and reference not in self._found:
            self._found.add(reference)
            self.bell()

    @property
    def room(self) -> Room | None:
        """The screen in front, below any question, help or lock."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Room)), None)

    @property
    def locked(self) -> bool:
        """Whether nobody sees anything before the PIN is given."""
        return any(screen.has_class("lock") for screen in self.screen_stack)

    def urgent(self) -> list[str]:
        """Return what needs a person now, in words."""
        gone = [device.reference for device in self.devices.values() if device.state == "gone"]
        if not gone:
            return []
        return [f"{', '.join(gone)}: device gone. Put it back in; it goes on where it was."]

    def go_back(self) -> None:
        """Leave the screen in front; the board stays."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_board(self) -> None:
        """Go to the board."""
        self._to_board()

    def _to_board(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_place(self, name: str) -> None:
        """Go to one of the places; what was typed there is still there."""
        module, screen = _PLACES[name]
        if not self.is_screen_installed(name):
            self.install_screen(getattr(import_module(_LOADED + module), screen)(), name)
        if self.screen is not self.get_screen(name):
            self._to_board()
            self.push_screen(name)

    def open_device(self, reference: str) -> None:
        """Open all there is to see of a device."""
        self._open("device", "DeviceScreen", reference)

    def open_finding(self, number: int) -> None:
        """Open one finding, to look at it and judge it."""
        self._open("review", "ReviewScreen", number)

    def open_decision(self, reference: str) -> None:
        """Open the form of the decision on an exhibit."""
        self._open("decision", "DecisionScreen", reference)

    def open_intake(self, reference: str) -> None:
        """Open the form of an arrival for an exhibit that is known already."""
        self.action_place("intake")
        screen = self.get_screen("intake")
        screen.call_after_refresh(screen.take_up, reference)  # type: ignore[attr-defined] # loaded when asked for

    def _open(self, module: str, name: str, subject: str | int) -> None:
        screen = getattr(import_module(_LOADED + module), name)
        self.push_screen(screen(self.view, subject))

    def get_key_display(self, binding: Binding) -> str:
        """Return the name of a key as it stands on the keyboard."""
        if binding.key_display:
            return binding.key_display
        if _FUNCTION.fullmatch(binding.key):
            return binding.key.upper()
        if binding.key.startswith("ctrl+"):
            return f"Ctrl+{binding.key[5:].upper()}"
        return _NAMES.get(binding.key) or super().get_key_display(binding)

    def action_help(self) -> None:
        """Tell what the screen in front is for and what its keys do."""
        self.push_screen(HelpScreen(self.screen))

    def action_daylight(self) -> None:
        """Change between the theme for the dark van and the one for daylight."""
        van, daylight = (theme.name for theme in THEMES)
        self.theme = daylight if self.theme == van else van

    def action_command_palette(self) -> None:
        """Open the palette, but never over what has to be answered first: the lock above all."""
        if isinstance(self.screen, Room):
            super().action_command_palette()

    def action_lock(self) -> None:
        """Lock, or set a PIN first where there is none."""
        from triage.ui.screens.lock import lock  # noqa: PLC0415 - brings the hashing of the PIN along

        lock(self)

    def lock_if_possible(self) -> None:
        """Lock because nobody is there; without a PIN that is not possible."""
        from triage.ui.screens.lock import lock_idle  # noqa: PLC0415 - as above

        self._touched = monotonic()
        if not self.locked:
            lock_idle(self)

    def action_leave(self) -> None:
        """Ask whether to quit."""
        from triage.ui.screens.leaving import leave  # noqa: PLC0415 - wanted at the end only

        leave(self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return what the palette offers."""
        from triage.ui.commands import commands  # noqa: PLC0415 - wanted with the palette only

        del screen
        return commands(self)

    def close(self) -> None:
        """Let every run that is still there conclude, whatever ended the console."""
        if self._visit is not None:
            self._visit.close()
        self.apart.close()

    def tell_problem(self, error: Exception) -> None:
        """Show the one line of an error."""
        self.notify(safe(str(error)), severity="error", markup=False, timeout=12)
