"""What is told of a device in lists: not looked at, trouble, volumes, hints of names, and what happened when."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable

from triage.session.view import CaseView
from triage.ui import facts
from triage.ui.symbols import counted, size, symbol
from triage.ui.widgets.findings_pane import listing
from triage.ui.widgets.paged import Column, PagedTable, Pages, Row
from triage.ui.widgets.words import Words


class ListPane(Vertical):
    """A table, a line above that sums it up, and below it the row with the cursor in full."""

    DEFAULT_CSS = """
    ListPane .summed { height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
    ListPane .full { height: auto; min-height: 1; max-height: 4; padding: 0 1; background: $surface; }
    """

    def __init__(
        self, name: str, table: PagedTable, summed: Callable[[PagedTable], str], full: Callable[[Row], str]
    ) -> None:
        super().__init__(id=name)
        self.table, self._summed, self._full = table, summed, full

    def compose(self) -> ComposeResult:
        """Yield the three."""
        yield Words(classes="summed")
        yield self.table
        yield Words(classes="full")

    @on(PagedTable.Turned)
    def say(self, event: PagedTable.Turned) -> None:
        """Sum up what is in the table, and tell the row with the cursor."""
        said = f"{symbol('warn')} {event.problem}" if event.problem else self._summed(self.table)
        self.query_one(".summed", Words).say(said)
        self._told()

    @on(DataTable.RowHighlighted)
    def _told(self) -> None:
        row = self.table.row_in_hand
        self.query_one(".full", Words).say(self._full(row) if row else "")


def not_looked_at(view: CaseView, reference: str) -> ListPane:
    """Return the list of what was not examined, with why."""
    by: list[Row] = []

    def count() -> int:
        by[:] = view.not_looked_at_by(reference)
        return sum(row["items"] for row in by)

    def summed(table: PagedTable) -> str:
        if not table.total:
            return "Every item that was listed has been examined."
        parts = [f"{row['items']:,} {row['outcome']}{': ' + row['code'] if row['code'] else ''}" for row in by]
        return f"{counted(table.total, 'item')} not examined: {', '.join(parts)}"

    columns = (
        Column(title="What became of it", text=lambda row: row["outcome"], width=17),
        Column(title="Why", text=lambda row: row["reason"] or "-", width=26),
        Column(title="Size", text=lambda row: "-" if row["size"] is None else size(row["size"]), width=11),
        Column(title="Where", text=lambda row: row["path"], is_path=True),
    )
    pages = Pages(read=lambda offset, limit: view.not_looked_at(reference, offset=offset, limit=limit), count=count)
    table = PagedTable(columns, pages, name="table-unseen", key="number")
    return ListPane("unseen", table, summed, lambda row: f"{row['path']}: {row['reason'] or row['outcome']}")


def troubles(view: CaseView, reference: str) -> ListPane:
    """Return the list of what kept us from reading."""
    columns = (
        Column(title="What", text=lambda row: row["code"], width=22),
        Column(title="Where", text=lambda row: row["address"], width=20),
        Column(title="In words", text=lambda row: row["text"]),
    )
    pages = Pages(
        read=lambda offset, limit: view.troubles(reference, offset=offset, limit=limit),
        count=lambda: sum(view.troubles_by(reference).values()),
    )
    return ListPane(
        "troubles",
        PagedTable(columns, pages, name="table-troubles"),
        lambda table: counted(table.total, "trouble") if table.total else "No trouble with reading was met.",
        lambda row: f"{row['address']}: {row['text']}",
    )


def volumes(view: CaseView, reference: str) -> ListPane:
    """Return the list of volumes and what was made of them."""
    columns = (
        Column(title="Part", text=lambda row: row["name"], width=18),
        Column(title="Begins at", text=lambda row: f"{row['offset']:,}", width=15),
        Column(title="Size", text=lambda row: size(row["length"]), width=11),
        Column(title="State", text=lambda row: row["state"], width=14),
        Column(title="Holds", text=lambda row: row["file_system"] or row["text"] or "-"),
    )
    return ListPane(
        "volumes",
        listing("table-volumes", columns, lambda: list(view.volumes(reference))),
        lambda table: f"{counted(table.total, 'part')} of the device looked into",
        lambda row: f"{row['name']}: {row['text'] or row['file_system'] or row['state']}",
    )


def hints(view: CaseView, reference: str) -> ListPane:
    """Return the list of what names and a few contents hint at."""
    columns = (
        Column(title="Group", text=lambda row: row["group"], width=24),
        Column(title="Items", text=lambda row: f"{row['items']:,}", width=10),
        Column(title="What is hinted at", text=lambda row: row["label"]),
    )
    return ListPane(
        "hints",
        listing("table-hints", columns, lambda: list(view.indications(reference))),
        lambda table: (
            "Hints where to look: no proof, and no part of a recommendation."
            if table.total
            else "Nothing hints at anything that the table of indications holds."
        ),
        lambda row: f"{row['label']}: {counted(row['items'], 'item')}",
    )


def timeline(view: CaseView, reference: str) -> ListPane:
    """Return what was recorded of the exhibit in the ledger, the newest first."""
    columns = (
        Column(title="When (UTC)", text=lambda row: row["when"][:19].replace("T", " "), width=19),
        Column(title="Who", text=lambda row: row["actor"], width=14),
        Column(title="What", text=lambda row: row["action"]),
    )
    pages = Pages(
        read=lambda offset, limit: view.timeline(reference, offset=offset, limit=limit),
        count=lambda: view.timeline_count(reference),
    )
    return ListPane(
        "events",
        PagedTable(columns, pages, name="table-events", key="sequence"),
        lambda table: f"{counted(table.total, 'event')} of this exhibit in the ledger, the newest first",
        lambda row: facts.told(row["facts"]),
    )
