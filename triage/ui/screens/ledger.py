"""The custody ledger of the case: who recorded what and when, each event chained to the one before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import DataTable, Static

from triage.model.errors import DigiVanError
from triage.ui import facts
from triage.ui.apart import verify_ledger
from triage.ui.safe import cell, plain
from triage.ui.screens.room import Room
from triage.ui.symbols import symbol

_PAGE = 200
_COLUMNS = ("No.", "When (UTC)", "Who", "Exhibit", "What")


class LedgerScreen(Room):
    """The newest events first; further ones are read as the cursor comes near the end."""

    NAME = "Ledger"
    HELP = (
        "Every event holds the digest of the one before it, so that one that was changed, removed or put in is "
        "noticed. The newest are on top; the row with the cursor is shown in full below. Tab goes there, and arrows "
        "scroll.\n\n"
        "Verifying walks the whole chain."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "Verify the chain"),
        Binding("r", "again", "Read again"),
    ]
    CSS = """
    LedgerScreen #said { height: auto; padding: 0 1; color: $text-muted; }
    LedgerScreen #facts { height: auto; max-height: 8; min-height: 2; padding: 0 1; background: $surface; }
    LedgerScreen #facts:focus { background: $block-cursor-blurred-background; }
    LedgerScreen #facts Static { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Mapping[str, Any]] = []
        self._whole = False

    def body(self) -> Iterable[Widget]:
        """Return the table between what was verified and the facts of one event."""
        table: DataTable[Text] = DataTable(cursor_type="row")
        said = "Not verified in this session: v verifies the chain."
        return (Static(said, id="said", markup=False), table, VerticalScroll(Static("", markup=False), id="facts"))

    def on_mount(self) -> None:
        """Read the newest events."""
        table = self.query_one(DataTable)
        table.add_columns(*_COLUMNS)
        table.focus()

    def on_screen_resume(self) -> None:
        """Read what was recorded since."""
        super().on_screen_resume()
        self.action_again()

    def action_again(self) -> None:
        """Read the newest events again."""
        self._read(0)

    @work(thread=True, exclusive=True)
    def _read(self, offset: int) -> None:
        try:
            events = self.console.view.timeline(offset=offset, limit=_PAGE) if self.console.case.exists() else []
        except DigiVanError as error:
            self.hand(self._say, f"{symbol('warn')} {error}")
            return
        self.hand(self._take, offset, events)

    def _take(self, offset: int, events: Sequence[Mapping[str, Any]]) -> None:
        table = self.query_one(DataTable)
        if offset == 0:
            table.clear()
            self._events = []
        self._events += events
        self._whole = len(events) < _PAGE
        for event in events:
            cells = (
                str(event["sequence"]),
                event["when"][:19].replace("T", " "),
                event["actor"],
                event["subject"],
                event["action"],
            )
            table.add_row(*(cell(said, 120) for said in cells))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the event in full, and read on near the end."""
        if not 0 <= event.cursor_row < len(self._events):
            return
        self.query_one("#facts Static", Static).update(plain(facts.told(self._events[event.cursor_row]["facts"])))
        if not self._whole and event.cursor_row > len(self._events) - _PAGE // 4:
            self._whole = True  # until the next page says otherwise
            self._read(len(self._events))

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Walk the whole chain."""
        self._say(f"verifying{symbol('busy')}")
        try:
            problem = await self.console.apart.call(verify_ledger, self.console.case)
        except DigiVanError as error:
            problem = str(error)
        self._say(
            f"{symbol('warn')} {problem}" if problem else "Every event is the one that was recorded; none is missing."
        )

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(plain(text))
