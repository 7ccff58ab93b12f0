"""Several panes in one place, one of them in front, chosen with the figures."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

_WIDE = 110  # columns in which the long names fit
_FRONT = "bold $block-cursor-foreground on $block-cursor-background"


class PaneStrip(Static):
    """The names of the panes in one row; the one in front is marked by brackets as well as by colour."""

    DEFAULT_CSS = "PaneStrip { height: 1; background: $panel; color: $foreground; }"
    front = reactive(0)

    def __init__(self, names: Sequence[tuple[str, str]]) -> None:
        """Take pairs of a long name and one of few letters."""
        super().__init__(markup=False)
        self._names = tuple(names)

    def render(self) -> Content:
        """Return the row for the width at hand."""
        wide = self.size.width >= _WIDE
        parts = [Content("[" if self.front == 0 else " ")]
        for number, (long, short) in enumerate(self._names):
            name = Content(f"{number + 1} {long if wide else short}")
            # A link has a colour of its own, which is that of the ground of the one in front.
            parts.append(name.stylize(_FRONT if number == self.front else f"@click=screen.pane({number})"))
            parts.append(Content("]" if number == self.front else "[" if number + 1 == self.front else " "))
            if wide and number + 1 != self.front:
                parts.append(Content(" "))
        return Content("").join(parts)


class Panes(Vertical):
    """The strip, and below it the pane in front; the pane gets the focus."""

    DEFAULT_CSS = """
    Panes { height: 1fr; }
    Panes > ContentSwitcher { height: 1fr; }
    """

    class Turned(Message):
        """Another pane is in front."""

        def __init__(self, pane: Widget) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, panes: Sequence[tuple[str, str, Widget]]) -> None:
        """Take each pane with its two names; a pane has an id."""
        super().__init__()
        self._panes = tuple(panes)

    def compose(self) -> ComposeResult:
        """Yield strip and panes."""
        yield PaneStrip([(long, short) for long, short, _ in self._panes])
        with ContentSwitcher(initial=self._panes[0][2].id):
            for *_, pane in self._panes:
                yield pane

    @property
    def front(self) -> Widget:
        """The pane in front."""
        return self._panes[self.query_one(PaneStrip).front][2]

    def turn(self, number: int) -> None:
        """Bring a pane to the front, counted from 0, round and round."""
        strip = self.query_one(PaneStrip)
        strip.front = number % len(self._panes)
        self.query_one(ContentSwitcher).current = self.front.id
        wanted = self.front if self.front.can_focus else next(iter(self.front.query("DataTable, VerticalScroll")))
        wanted.focus()
        self.post_message(self.Turned(self.front))

    def step(self, steps: int) -> None:
        """Bring the pane beside to the front."""
        self.turn(self.query_one(PaneStrip).front + steps)
