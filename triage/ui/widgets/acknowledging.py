"""The limitations of a result, each with a box that a person ticks."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from triage.model.recommendation import Reason
from triage.ui.safe import plain, safe
from triage.ui.symbols import symbol


class Tick(Widget, can_focus=True):
    """One code of limitations with its sentences, and whether it is acknowledged."""

    DEFAULT_CSS = """
    Tick { height: auto; color: $foreground; }
    Tick:focus { text-style: bold; background: $block-cursor-blurred-background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "turn", "Tick", key_display="Space")]
    ticked = reactive(False)

    class Changed(Message):
        """A box was ticked, or is no longer."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        """Take all limitations with one code."""
        super().__init__()
        self.code = reasons[0].code
        self._text = " ".join(reason.text for reason in reasons)

    def render(self) -> Content:
        """Return box, sentences and code."""
        mark = "[x]" if self.ticked else "[ ]"
        code = f"({safe(self.code)})"
        return Content.assemble((mark, "bold $accent"), f" {safe(self._text)} ", (code, "$text-muted"))

    def action_turn(self) -> None:
        """Tick it, or take that back."""
        self.ticked = not self.ticked
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """Do as the key does."""
        self.action_turn()


class Acknowledging(Vertical):
    """All limitations under a heading that counts the ticks; `codes` are those that are ticked."""

    DEFAULT_CSS = """
    Acknowledging { height: auto; }
    Acknowledging .wrong { display: none; color: $text-error; height: auto; }
    Acknowledging.-wrong .wrong { display: block; }
    """

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        by_code: dict[str, list[Reason]] = {}
        for reason in reasons:
            by_code.setdefault(reason.code, []).append(reason)
        self._by_code = by_code

    def compose(self) -> ComposeResult:
        """Yield the boxes."""
        yield Static(self._heading(0), classes="section", markup=False)
        if not self._by_code:
            yield Static("none: every reason speaks of what was found or looked at", markup=False)
        yield Static("", classes="wrong", markup=False)
        yield from (Tick(reasons) for reasons in self._by_code.values())

    def _heading(self, ticked: int) -> str:
        words = "What limits the result"
        return f"{words}: {ticked} of {len(self._by_code)} ticked (End: the form below)" if self._by_code else words

    @on(Tick.Changed)
    def _count(self) -> None:
        self.query_one(".section", Static).update(self._heading(len(self.codes)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that are acknowledged."""
        return tuple(tick.code for tick in self.query(Tick) if tick.ticked)

    def tick_all(self) -> None:
        """Acknowledge every one."""
        for tick in self.query(Tick):
            tick.ticked = True
        self._count()

    def tell(self, sentence: str) -> None:
        """Say what is wrong; the empty text: nothing."""
        self.set_class(bool(sentence), "-wrong")
        self.query_one(".wrong", Static).update(plain(f"{symbol('warn')} {sentence}") if sentence else "")

    def take_focus(self) -> None:
        """Put the cursor on the first that is not ticked."""
        ticks = list(self.query(Tick))
        for tick in [one for one in ticks if not one.ticked][:1] or ticks[:1]:
            tick.focus()
