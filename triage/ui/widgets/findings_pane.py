"""The findings of one exhibit as they come: sorted, narrowed down and searched, page by page."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from triage.session.view import CaseView, FindingState, Sort, Wanted
from triage.ui.safe import safe
from triage.ui.symbols import counted, symbol
from triage.ui.widgets.paged import Column, PagedTable, Pages, Row
from triage.ui.widgets.words import Words

_SORTS = (Sort.NUMBER, Sort.GRADE, Sort.CATEGORY, Sort.STATE, Sort.MATCH, Sort.SET, Sort.PATH)
_ORDERS = {Sort.NUMBER: "as they were found"}
_STATES = {"match": "match", "candidate": "? candidate", "confirmed": "confirmed", "rejected": "rejected"}
_WITHOUT = "(none)"


def match_words(row: Row) -> str:
    """Return by which hash, and how many bits away where it is not a digest."""
    return f"{row['match']} {row['distance']} bits" if row["match"] in {"pdq", "phash"} else str(row["match"])


def state_words(row: Row) -> str:
    """Return where a finding stands."""
    return _STATES[row["state"]]


COLUMNS = (
    Column(title="No.", text=lambda row: f"{row['id']}", width=6),
    Column(title="State", text=state_words, width=11),
    Column(title="Grade", text=lambda row: row["grade"] or "-", width=9),
    Column(title="Cat.", text=lambda row: row["category"] or "-", width=6),
    Column(title="By", text=match_words, width=11),
    Column(title="Where", text=lambda row: row["path"], is_path=True),
)


class Search(Input):
    """The line to search in; Esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "All names")]

    def action_close(self) -> None:
        """Look for nothing any more."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class FindingsPane(Vertical):
    """What is shown is said in the row above the table."""

    DEFAULT_CSS = """
    FindingsPane #narrowed { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    FindingsPane Search { display: none; }
    FindingsPane Search.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/"),
        Binding("o", "sort", "Sort"),
        Binding("r", "reverse", "Reverse"),
        Binding("g", "narrow('grade')", "Grade"),
        Binding("c", "narrow('category')", "Category"),
        Binding("t", "narrow('state')", "State"),
    ]

    def __init__(self, view: CaseView, reference: str) -> None:
        super().__init__(id="findings")
        self._view = view
        self.wanted = Wanted(reference=reference)
        self.sort, self.descending = Sort.NUMBER, False
        pages = Pages(read=self._read, count=self._count)
        self.table = PagedTable(COLUMNS, pages, name="table-findings", key="id", opens=True)
        self._held: dict[str, list[str | None]] = {}

    def compose(self) -> ComposeResult:
        """Yield the row above, the line to search in, and the table."""
        yield Words(id="narrowed")
        yield Search(placeholder="a part of the path; Enter searches, Esc shows all")
        yield self.table

    def _read(self, offset: int, limit: int) -> list[dict[str, Any]]:
        return self._view.findings_page(
            self.wanted, sort=self.sort, descending=self.descending, offset=offset, limit=limit
        )

    def _count(self) -> int:
        return self._view.findings_count(self.wanted)

    def take(self, by: tuple[Row, ...]) -> None:
        """Learn which grades, categories and states there are to narrow down to."""
        states: list[str | None] = [state.value for state in FindingState]
        self._held = {
            "state": states,
            **{name: sorted({row[name] or "" for row in by}) for name in ("grade", "category")},
        }

    @on(PagedTable.Turned)
    def say(self, event: PagedTable.Turned) -> None:
        """Say what is in the table."""
        table, wanted = event.table, self.wanted
        if event.problem:
            self.query_one("#narrowed", Words).say(f"{symbol('warn')} {event.problem}")
            return
        last = table.offset_shown + len(table.rows_shown)
        place = f", rows {table.offset_shown + 1:,} to {last:,}" if last else ""
        parts = [f"{counted(table.total, 'finding')}{place}", self._order()]
        for name in ("grade", "category", "state"):
            value = getattr(wanted, name)
            parts += [f"{name} {value or _WITHOUT} only"] if value is not None else []
        parts += [f"with \u201c{safe(wanted.text, 60)}\u201d in the path"] if wanted.text else []
        self.query_one("#narrowed", Words).say(f" {symbol('dot')} ".join(parts))

    def _order(self) -> str:
        order = _ORDERS.get(self.sort, f"by {self.sort.value}")
        return f"{order}, reversed" if self.descending else order

    def action_search(self) -> None:
        """Open the line to search in."""
        line = self.query_one(Search)
        line.add_class("-shown")
        line.focus()

    @on(Input.Submitted)
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        self._want(text=event.value)
        event.input.set_class(bool(event.value), "-shown")
        self.table.focus()

    def action_sort(self) -> None:
        """Sort by the next of what can be sorted by."""
        self.sort = _SORTS[(_SORTS.index(self.sort) + 1) % len(_SORTS)]
        self.table.restart()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.descending = not self.descending
        self.table.restart()

    def action_narrow(self, name: str) -> None:
        """Show the next grade, category or state alone; after the last, all again."""
        values: list[str | None] = [None, *self._held.get(name, [])]
        now = getattr(self.wanted, name)
        following = values[(values.index(now) + 1) % len(values)] if now in values else None
        if name == "state" and following is not None:
            following = FindingState(following)
        self._want(**{name: following})

    def _want(self, **changes: Any) -> None:
        kept = {name: getattr(self.wanted, name) for name in ("reference", "text", "grade", "category", "state")}
        self.wanted = Wanted(**{**kept, **changes})
        self.table.restart()


def listing(name: str, columns: tuple[Column, ...], rows: Callable[[], list[Row]]) -> PagedTable:
    """Return a table of a short list, which is read whole and shown page by page."""
    return PagedTable(
        columns,
        Pages(read=lambda offset, limit: rows()[offset : offset + limit], count=lambda: len(rows())),
        name=name,
    )
