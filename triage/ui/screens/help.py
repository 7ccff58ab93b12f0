"""Help in context: what the screen below is for, and every key that works on it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from triage.ui.screens.dialog import Dialog
from triage.ui.screens.room import Room

_GENERAL = (
    "The software recommends; a named person decides. Nothing here says that a device is clean: hash sets find only "
    "material that is already known, and every result says what was not looked at."
)


class HelpScreen(Dialog[None]):
    """Shown over a screen; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,question_mark,q,enter", "dismiss", "Close")]
    CSS = """
    HelpScreen > VerticalScroll {
        width: 90%; max-width: 96; height: auto; max-height: 90%;
        border: solid $border; border-title-color: $accent; background: $surface; padding: 1 2;
    }
    HelpScreen Static { height: auto; margin-bottom: 1; }
    """

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._words = below.HELP if isinstance(below, Room) else ""
        self._name = below.NAME if isinstance(below, Room) else ""
        self._keys = list(self._rows(below))

    def compose(self) -> ComposeResult:
        """Yield what there is to say."""
        with VerticalScroll() as box:
            box.border_title = f"Help: {self._name}  (Esc closes)"
            yield Static(self._words, markup=False)
            yield Static(Content("\n").join(self._keys))
            yield Static(_GENERAL, markup=False)

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one(VerticalScroll).focus()

    @staticmethod
    def _rows(below: Screen[object]) -> Iterable[Content]:
        """Yield one line for each action that a key starts, those of every screen last."""
        keys: dict[str, dict[str, None]] = {}
        everywhere = {binding.key for binding in Binding.make_bindings(Room.BINDINGS)}
        active_ones = below.active_bindings.values()
        for active in sorted(active_ones, key=lambda one: one.node is below.app or one.binding.key in everywhere):
            if active.binding.description and not active.binding.system:
                shown = keys.setdefault(active.binding.description, {})
                shown[below.app.get_key_display(active.binding)] = None  # two codes of one key are one key
        for words, shown in keys.items():
            yield Content.assemble((f"{' '.join(shown):<16}", "bold $accent"), f" {words}")
