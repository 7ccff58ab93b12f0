"""What stands at the head of every screen: where one is, which case it is, who sits there, and what is urgent."""

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from triage.ui.safe import head, safe
from triage.ui.symbols import symbol
from triage.ui.widgets.words import Words


class TitleStrip(Static):
    """One row: the screen on the left, the case and the person on the right."""

    DEFAULT_CSS = """
    TitleStrip { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, title: str, case: str, actor: str) -> None:
        super().__init__(markup=False)
        self._heading, self._case, self._actor = title, case, actor

    def on_mount(self) -> None:
        """Say at once when a PIN was set."""
        self.watch(self.app, "lockable", self._say_anew, init=False)

    def _say_anew(self) -> None:
        self.refresh()

    def render(self) -> Content:
        """Return the row for the width at hand; what has no room is left out, the case first."""
        width = self.content_size.width
        left = Content.assemble(("DigiVan triage", "bold $accent"), f"  {safe(self._heading)}")
        room, dot = width - left.cell_length - 3, f"  {symbol('dot')}  "
        locks = "" if self.app.lockable else f"{dot}no PIN, never locks: F9"  # type: ignore[attr-defined] # the console
        person = head(f"{self._actor}{locks}", room)
        case = head(f"case {self._case}", room - cell_len(person + dot))
        right = f"{case}{dot}{person}" if len(case) > len("case ") else person
        return Content.assemble(left, " " * max(width - left.cell_length - Content(right).cell_length, 1), right)


class Banner(Words):
    """What needs a person now, in words; nothing where there is nothing."""

    DEFAULT_CSS = """
    Banner {
        height: auto; max-height: 2; display: none; padding: 0 1;
        background: $error; color: $button-color-foreground; text-style: bold;
        &.-shown { display: block; }
    }
    """

    def tell(self, lines: list[str]) -> None:
        """Show these lines, or nothing."""
        self.set_class(bool(lines), "-shown")
        self.say(Content("\n").join([Content(f"{symbol('warn')} {safe(line)}") for line in lines]))
