"""Fields of a form: a label, what is typed or chosen, and below it the sentence that helps where it is wrong."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from triage.ui.safe import plain, safe
from triage.ui.symbols import symbol


class Field(Vertical):
    """One line to type, with its label; `value` has no blanks around it."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field:focus-within { color: $foreground; } /* without a rule of its own nothing inside is styled anew */
    Field Horizontal { height: 1; }
    Field .label { width: 19; height: 1; color: $text-muted; }
    Field:focus-within .label { color: $accent; text-style: bold underline; }
    Field Input { width: 1fr; }
    Field .wrong { display: none; color: $text-error; padding-left: 19; height: auto; }
    Field.-wrong .wrong { display: block; }
    """

    def __init__(self, name: str, label: str, *, hint: str = "", password: bool = False) -> None:
        super().__init__(id=f"field-{name.replace('_', '-')}")
        self.field = name
        self._label, self._hint, self._password = label, hint, password

    def compose(self) -> ComposeResult:
        """Yield label, line and sentence."""
        with Horizontal():
            yield Static(self._label, classes="label", markup=False)
            yield Input(placeholder=self._hint, password=self._password, select_on_focus=False)
        yield Static("", classes="wrong", markup=False)

    @property
    def value(self) -> str:
        """What was typed."""
        return self.query_one(Input).value.strip()

    @value.setter
    def value(self, text: str) -> None:
        self.query_one(Input).value = safe(text)

    def tell(self, sentence: str) -> None:
        """Say what is wrong; the empty text: nothing."""
        self.set_class(bool(sentence), "-wrong")
        self.query_one(".wrong", Static).update(plain(f"{symbol('warn')} {sentence}") if sentence else "")

    def take_focus(self) -> None:
        """Put the cursor here, and the sentence below it in view."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.scroll_visible, animate=False)


class Choice(Widget, can_focus=True):
    """One of a few things, changed with the left and right arrows."""

    DEFAULT_CSS = """
    Choice { height: 1; color: $foreground; }
    Choice:focus { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next choice"),
        Binding("left", "turn(-1)", "Previous choice", show=False),
    ]
    place = reactive(0)

    class Changed(Message):
        """Something else was chosen."""

    def __init__(self, name: str, label: str, options: Sequence[tuple[str, str]]) -> None:
        """Take (value, words) pairs; the first is chosen."""
        super().__init__(id=f"choice-{name.replace('_', '-')}")
        self.field = name
        self._label, self._options = label, tuple(options)

    @property
    def value(self) -> str:
        """The value that is chosen."""
        return self._options[self.place][0]

    @value.setter
    def value(self, value: str) -> None:
        self.place = next((place for place, (held, _) in enumerate(self._options) if held == value), 0)

    def render(self) -> Content:
        """Return label and choice in arrows, and how many there are; marked while the keys change it."""
        chosen, which = f" < {self._options[self.place][1]} > ", (f" {self._which()}, left and right", "$text-muted")
        if not self.has_focus:
            return Content.assemble((f"{self._label:<19}", "$text-muted"), chosen, which)
        label = Content.styled(self._label, "bold underline $accent")
        gap = " " * (19 - len(self._label))
        return Content.assemble(label, gap, (chosen, "$block-cursor-foreground on $block-cursor-background"), which)

    def _which(self) -> str:
        """Return which of how many it is; what stands for no choice is none of them."""
        held = [value for value, _ in self._options if value]
        return f"{held.index(self.value) + 1} of {len(held)}" if self.value else f"none of {len(held)}"

    def action_turn(self, steps: int) -> None:
        """Choose another."""
        self.place = (self.place + steps) % len(self._options)
        self.post_message(self.Changed())
