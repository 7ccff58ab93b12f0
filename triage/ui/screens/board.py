"""The board: every device of the case, one card each."""

from collections.abc import Iterable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.content import Content
from textual.widget import Widget
from textual.worker import get_current_worker

from triage.ui.recorded import CaseFacts, Recorded, read_case
from triage.ui.screens.steering import RUNNING, URGENCY, Steering
from triage.ui.widgets.card import DeviceCard
from triage.ui.widgets.words import Words

if TYPE_CHECKING:  # it brings the whole engine along, and this screen must come at once
    from triage.session.live_device import LiveDevice

_READ_AGAIN = 2.0  # seconds
_COLUMN = 38  # columns that a card needs at least
_ROWS = 4  # rows that a card needs at least, its frame among them
_GOOD_ROWS = 8  # rows in which it says nearly all
_EMPTY = Content(
    "No device yet.\n\nF3 takes the first one in: what it is, where it was found, its seal. Then the examination "
    "begins.\n\nF4 shows the hash sets it is compared with, F6 tests the software. F1 is help, on every screen."
)


class BoardScreen(Steering):
    """Cards in a grid that fits the window; the arrows move between them."""

    NAME = "Board"
    HELP = (
        "One card for each device of the case. The first row says in words what is going on; below are how far the "
        "tier in hand is, what was found, and what keeps the result from being whole. A larger window shows more.\n\n"
        "Pausing hands out nothing new; stopping concludes, and the device can be begun again from where it was. A "
        "device whose cable comes out waits, and goes on when it is back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("enter", "open", "Open"),
        Binding("n", "app.place('intake')", "New"),
        *RUNNING,
        Binding("b", "begin", "Begin again"),
        Binding("d", "decide", "Decide"),
        *URGENCY,
        Binding("right,j", "move(1)", "Next", show=False),
        Binding("left,k", "move(-1)", "Previous", show=False),
        Binding("down", "row(1)", "Row below", show=False),
        Binding("up", "row(-1)", "Row above", show=False),
    ]
    CSS = """
    BoardScreen Grid { grid-size: 1; grid-gutter: 0; padding: 0; height: 1fr; overflow-y: auto; }
    BoardScreen #empty { padding: 2 4; color: $text-muted; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts = CaseFacts()
        self._read_at = 0.0
        self._states: tuple[str, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Return the grid, and the words that stand in for it."""
        return (Words(_EMPTY, id="empty"), Grid())

    def renew(self) -> None:
        """Show what the devices do; the case is read again after a while, and when a state changed."""
        states = tuple(device.state.value for device in self.console.devices.values())
        if states != self._states:
            self.refresh_bindings()
        if states != self._states or monotonic() - self._read_at > _READ_AGAIN:
            self._states, self._read_at = states, monotonic()
            self._read()
        self._show()

    @work(thread=True, exclusive=True, exit_on_error=True)
    def _read(self) -> None:
        facts = read_case(self.console.view)
        if not get_current_worker().is_cancelled:
            self.hand(self._take, facts)

    def _take(self, facts: CaseFacts) -> None:
        # A case that cannot be read at the moment still holds what was read before.
        self._facts = replace(facts, exhibits=self._facts.exhibits) if facts.problem else facts
        self._show()

    def _show(self) -> None:
        devices, exhibits = self.console.devices, self._facts.exhibits
        references = list(dict.fromkeys((*exhibits, *devices)))
        self._fit(references)
        empty = self.query_one("#empty", Words)
        empty.display = not references or bool(self._facts.problem)
        empty.say(self._facts.problem or _EMPTY)
        for card in self.query(DeviceCard):
            card.show(devices.get(card.reference), exhibits.get(card.reference, Recorded()))

    def _fit(self, references: list[str]) -> None:
        """Have one card for each device."""
        grid = self.query_one(Grid)
        held = {card.reference for card in self.query(DeviceCard)}
        added = [DeviceCard(reference) for reference in references if reference not in held]
        if added:
            grid.mount(*added)
            if not isinstance(self.focused, DeviceCard):
                self.call_after_refresh(added[0].focus)
        self._arrange(len(held) + len(added))

    def on_resize(self) -> None:
        """Arrange the cards anew."""
        self.call_after_refresh(lambda: self._arrange(len(self.query(DeviceCard))))

    def _arrange(self, count: int) -> None:
        """Choose as many columns as cards need to be seen all at once, and no more."""
        grid = self.query_one(Grid)
        width, height = grid.container_size
        height = max(height - 4, _ROWS)  # the title, the keys, and a banner
        columns = next(
            (columns for columns in range(1, width // _COLUMN + 1) if -(-count // columns) * _GOOD_ROWS <= height),
            max(width // _COLUMN, 1),
        )
        grid.styles.grid_size_columns = columns
        grid.styles.grid_rows = f"{_ROWS}" if -(-count // columns) * _ROWS > height else "1fr"

    @property
    def _columns(self) -> int:
        return self.query_one(Grid).styles.grid_size_columns or 1

    @property
    def _card(self) -> DeviceCard | None:
        return self.focused if isinstance(self.focused, DeviceCard) else None

    @property
    def live(self) -> "LiveDevice | None":
        """The device of the card that has the focus."""
        return None if self._card is None else self._card.live

    def action_move(self, steps: int) -> None:
        """Go to another card."""
        cards = list(self.query(DeviceCard))
        if cards:
            place = cards.index(self._card) if self._card else 0
            cards[min(max(place + steps, 0), len(cards) - 1)].focus()

    def action_row(self, steps: int) -> None:
        """Go to the card above or below."""
        self.action_move(steps * self._columns)

    def action_open(self) -> None:
        """Open the device."""
        if self._card is not None:
            self.console.open_device(self._card.reference)

    def action_decide(self) -> None:
        """Open the decision."""
        if self._card is not None:
            self.console.open_decision(self._card.reference)

    def action_begin(self) -> None:
        """Begin an examination that is not running: at once where this visit knows how, else by the form."""
        card = self._card
        if card is None:
            return
        if card.live is None:
            self.console.open_intake(card.reference)
        elif card.live.state.is_over:
            self.console.visit.begin(card.live.order.to_the_end())
            self.renew()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense for the card that has the focus."""
        match action:
            case "open" | "decide":
                return self._card is not None
            case "begin":
                return self._card is not None and not self.runs
            case _:
                return super().check_action(action, parameters)
