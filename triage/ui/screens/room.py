"""What every full screen of the console has: a title, a banner, a body, the keys, and words for the help."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, ParamSpec, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from triage.model.errors import DigiVanError
from triage.ui.widgets.frame import Banner, TitleStrip
from triage.ui.widgets.keybar import KeyBar

if TYPE_CHECKING:
    from triage.ui.app import Console


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_RECORDING = "recording"


class Room(Screen[None], inherit_bindings=False):
    """A full screen. `NAME` is its title, `HELP` what a person should know of it beside its keys."""

    NAME: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("question_mark", "app.help", "Help", key_display="?", show=False),
        # First of all, or what a scanner of bar codes types behind a tab would still go to the field before it.
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Previous field", show=False, priority=True),
    ]

    @property
    def console(self) -> "Console":
        """The application, by its own type."""
        return cast("Console", self.app)

    @property
    def heading(self) -> str:
        """The title at the head of the screen."""
        return self.NAME

    def compose(self) -> ComposeResult:
        """Yield the frame around the body."""
        yield TitleStrip(self.heading, str(self.console.case), self.console.actor)
        yield Banner()
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """Return what stands between title and keys."""
        return ()

    def on_screen_resume(self) -> None:
        """Bring everything up to date when the screen comes to the front again."""
        self.tell(self.console.urgent())
        self.renew()

    def tell(self, urgent: list[str]) -> None:
        """Show what needs a person now."""
        for banner in self.query(Banner):
            banner.tell(urgent)

    def hand(self, take: Callable[_Given, object], *given: _Given.args, **named: _Given.kwargs) -> None:
        """From a thread, hand what it read to this screen; nothing happens where the screen was left meanwhile."""
        self.app.call_from_thread(self._take_in, lambda: take(*given, **named))

    def _take_in(self, take: Callable[[], object]) -> None:
        if self.is_there:
            take()

    @property
    def is_there(self) -> bool:
        """Whether neither it nor the console was left for good, so that all that belongs to it can be found."""
        kept = self in self.app.screen_stack or self.app.is_screen_installed(self)
        return self.app.is_running and kept and self.is_attached and bool(self.children)

    @property
    def is_in_front(self) -> bool:
        """Whether nothing lies over it, the lock above all: what ends in the background must not close that."""
        return self.app.screen is self

    async def unless_left(self, awaited: Awaitable[_Result]) -> _Result:
        """Wait for something, and go no further where the screen was left meanwhile; its error is told all the same."""
        try:
            result = await awaited
        except DigiVanError as error:
            if self.is_there:
                raise
            self.console.tell_problem(error)
            raise asyncio.CancelledError from error
        if not self.is_there:
            raise asyncio.CancelledError
        return result

    def record(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin what writes into the case: unlike reading, it is not given up where the screen is left."""
        self.app.run_worker(work, group=_RECORDING)

    @property
    def is_recording(self) -> bool:
        """Whether something is being written: a key that bounces must not record anything twice."""
        return any(one.group == _RECORDING and not one.is_finished for one in self.workers)

    def renew(self) -> None:
        """Show what has changed; called a few times a second while devices run, so it must be quick."""

    def action_back(self) -> None:
        """Go back to the screen below, which is the board at last."""
        self.console.go_back()
