"""The custody ledger of the case: who recorded what and when, each event chained to the one before."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import DataTable, Static

from triage.model.errors import DigiVanError
from triage.ui import facts
from triage.ui.apart import verify_ledger
from triage.ui.recorded import is_new
from triage.ui.safe import plain
from triage.ui.screens.room import Room
from triage.ui.symbols import symbol
from triage.ui.widgets.paged import Column, PagedTable, Pages

_NOT_VERIFIED = "Not verified in this session: v verifies the chain."
_COLUMNS = (
    Column(title="No.", text=lambda row: f"{row['sequence']}", width=7),
    Column(title="When (UTC)", text=lambda row: row["when"][:19].replace("T", " "), width=19),
    Column(title="Who", text=lambda row: row["actor"], width=14),
    Column(title="Exhibit", text=lambda row: row["subject"] or "-", width=12),
    Column(title="What", text=lambda row: row["action"]),
)


class LedgerScreen(Room):
    """The newest events first, page by page."""

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

    def body(self) -> Iterable[Widget]:
        """Return the table between what was verified and the facts of one event."""
        pages = Pages(read=self._read, count=self._count)
        return (
            Static(_NOT_VERIFIED, id="said", markup=False),
            PagedTable(_COLUMNS, pages, name="events", key="sequence"),
            VerticalScroll(Static("", markup=False), id="facts"),
        )

    def _read(self, offset: int, limit: int) -> list[dict[str, Any]]:
        return [] if is_new(self.console.case) else self.console.view.timeline(offset=offset, limit=limit)

    def _count(self) -> int:
        return 0 if is_new(self.console.case) else self.console.view.timeline_count()

    def on_mount(self) -> None:
        """Let the arrows go through the events."""
        self.query_one(PagedTable).focus()

    def on_screen_resume(self) -> None:
        """Read what was recorded since."""
        super().on_screen_resume()
        self.query_one(PagedTable).again()

    def action_again(self) -> None:
        """Go to the newest event, read anew."""
        self.query_one(PagedTable).restart()

    @on(PagedTable.Turned)
    def _turned(self, event: PagedTable.Turned) -> None:
        if event.problem:
            self._say(f"{symbol('warn')} {event.problem}")
        self._tell()

    @on(DataTable.RowHighlighted)
    def _tell(self) -> None:
        """Show the event with the cursor in full."""
        row = self.query_one(PagedTable).row_in_hand
        self.query_one("#facts Static", Static).update(plain(facts.told(row["facts"])) if row else "")

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Walk the whole chain."""
        self._say(f"verifying{symbol('busy')}")
        try:
            problem = await self.unless_left(self.console.apart.call(verify_ledger, self.console.case))
        except DigiVanError as error:
            problem = str(error)
        self._say(
            f"{symbol('warn')} {problem}" if problem else "Every event is the one that was recorded; none is missing."
        )

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(plain(text))
