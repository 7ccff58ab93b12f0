"""The locked console: nothing of the case is seen until the examiner's PIN is given; examinations go on behind it."""

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from triage.model.errors import DigiVanError
from triage.session.pin import Pin
from triage.ui.safe import plain
from triage.ui.screens.dialog import Dialog
from triage.ui.symbols import counted
from triage.ui.widgets.field import Field

if TYPE_CHECKING:
    from triage.ui.app import Console


def lock(console: "Console") -> None:
    """Lock; a person without a PIN sets one first."""
    pin = Pin(console.actor)
    try:
        console.push_screen(LockScreen(pin) if pin.is_set else NewPin(pin))
    except DigiVanError as error:
        console.tell_problem(error)


def lock_idle(console: "Console") -> None:
    """Lock where that is possible; nobody is there to set a PIN."""
    pin = Pin(console.actor)
    try:
        console.lockable = pin.is_set
    except DigiVanError as error:
        console.lockable = False
        console.tell_problem(error)
    if console.lockable:
        console.push_screen(LockScreen(pin))


class LockScreen(Dialog[None]):
    """Hides everything below it; no key but those of the PIN does anything."""

    CSS = """
    LockScreen { background: $background; }
    LockScreen > Vertical { width: 64; }
    """

    def __init__(self, pin: Pin) -> None:
        super().__init__(classes="lock")
        self._pin = pin
        self._trying = False

    def compose(self) -> ComposeResult:
        """Yield what may be seen by anybody, and the line for the PIN."""
        with Vertical() as box:
            box.border_title = "Locked"
            yield Static("", id="going-on", markup=False)
            yield Field("pin", "PIN", password=True)

    def on_mount(self) -> None:
        """Say how many examinations go on, without names; messages, which have some, get no place here."""
        self.query("ToastRack").remove()
        self._tell()
        self.set_interval(1.0, self._tell)
        self.query_one(Field).take_focus()

    def _tell(self) -> None:
        devices = self.app.devices.values()  # type: ignore[attr-defined] # the console
        running = sum(not device.state.is_over for device in devices)
        gone = sum(device.state == "gone" for device in devices)
        text = f"{counted(running, 'examination')} going on."
        self.query_one("#going-on", Static).update(f"{text} {counted(gone, 'device')} gone: look." if gone else text)

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        given = self.query_one(Field).value
        event.input.value = ""
        if given and not self._trying:  # Enter that bounces is no try
            self._trying = True
            self._try(given)

    @work
    async def _try(self, given: str) -> None:
        try:
            problem = await asyncio.to_thread(_tried, self._pin, given)
        except DigiVanError as error:
            problem = str(error)
        self._trying = False
        if problem:
            self.query_one(Field).tell(problem)
        else:
            self.dismiss()


def _tried(pin: Pin, given: str) -> str:
    """Try a PIN and return why it does not open, the empty text where it does."""
    wait = pin.wait()
    if wait > 0:
        return f"too many wrong ones: the next try counts in {wait:.0f} seconds"
    return "" if pin.verify(given) else "that is not the PIN"


class NewPin(Dialog[None]):
    """Asks for a PIN, twice, and locks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]
    CSS = "NewPin > Vertical { width: 64; }"

    def __init__(self, pin: Pin) -> None:
        super().__init__()
        self._pin = pin
        self._setting = False

    def compose(self) -> ComposeResult:
        """Yield two lines."""
        with Vertical() as box:
            box.border_title = "Set a PIN first (Esc: do not lock)"
            yield Static(plain("It opens the locked console again. It is kept as a hash that is slow to guess."))
            yield Field("first", "PIN", password=True)
            yield Field("second", "Once more", password=True)

    def on_mount(self) -> None:
        """Begin with the first."""
        self.query_one("#field-first", Field).take_focus()

    @on(Input.Submitted)
    def _given(self) -> None:
        first, second = (self.query_one(f"#field-{name}", Field) for name in ("first", "second"))
        if not second.value:
            second.take_focus()
        elif first.value != second.value:
            second.tell("the two are not the same")
        elif not self._setting:
            self._setting = True
            self._set(first.value)

    @work
    async def _set(self, pin: str) -> None:
        try:
            await asyncio.to_thread(self._pin.set, pin)
        except DigiVanError as error:
            if self.is_in_front:
                self.query_one("#field-first", Field).tell(str(error))
            self._setting = False
            return
        app = self.app
        app.lockable = True  # type: ignore[attr-defined] # the console
        if self.is_in_front:
            self.dismiss()
            app.push_screen(LockScreen(self._pin))
