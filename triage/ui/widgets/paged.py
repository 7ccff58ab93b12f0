"""A table that holds one page of a list, however long the list is, and reads the next when the cursor leaves it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import DataTable
from textual.worker import Worker, get_current_worker

from triage.model.errors import DigiVanError
from triage.ui.safe import head, tail

Row = Mapping[str, Any]
Place = Literal["same", "top", "bottom"] | int  # in the page

PAGE = 100
_EDGES = 2  # columns of the scroll bar
_PADDING = 2  # columns beside each cell
_NARROWEST = 12
_HEADER = -1  # the row of the titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: `width` in characters, 0 for what the others leave; of a path the end is shown."""

    title: str
    text: Callable[[Row], str]
    width: int = 0
    is_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How a list is read, in the background: `read` gets offset and limit, `count` tells how long the list is.

    Both may raise DigiVanError.
    """

    read: Callable[[int, int], Sequence[Row]]
    count: Callable[[], int]


class PagedTable(DataTable[str], inherit_bindings=False):
    """Rows `offset` to `offset + len(rows)` of `total`; the cursor goes on from page to page.

    Its base knows of one empty column: it keeps cursor and place. What stands in a row is drawn here as one piece of
    text: to lay out hundreds of cells one by one takes longer than a person who pages through them waits gladly.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open"),
        Binding("up,k", "cursor_up", "Row above", show=False),
        Binding("down,j", "cursor_down", "Row below", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_top", "First", show=False),
        Binding("end", "scroll_bottom", "Last", show=False),
    ]
    DEFAULT_CSS = "PagedTable { height: 1fr; overflow-x: hidden; }"

    class Turned(Message):
        """Another page, or the same one anew, is in the table; `problem` says why not."""

        def __init__(self, table: "PagedTable", problem: str = "") -> None:
            super().__init__()
            self.table, self.problem = table, problem

    def __init__(
        self, columns: Sequence[Column], pages: Pages, *, name: str, key: str = "", opens: bool = False
    ) -> None:
        """Take what `key` tells a row from the others by, so that the cursor stays on it; without it, its place does.

        With `opens`, Enter leads somewhere.
        """
        super().__init__(id=name, cursor_type="row")
        self._laid, self._pages, self._key = tuple(columns), pages, key
        self._opens = opens
        self._turning: Worker[None] | None = None
        self.rows_shown: list[Row] = []
        self.offset_shown = 0
        self.total = 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open a row only where that leads somewhere."""
        del parameters
        return self._opens or action != "select_cursor"

    @property
    def row_in_hand(self) -> Row | None:
        """The row with the cursor."""
        return self.rows_shown[self.cursor_row] if 0 <= self.cursor_row < len(self.rows_shown) else None

    def again(self) -> None:
        """Read the same page again, unless another is on its way: a person has asked for that one."""
        if self._turning is None or self._turning.is_finished:
            self._fetch(self.offset_shown, "same")

    def restart(self) -> None:
        """Read from the beginning, for what is wanted or its order has changed."""
        self._turning = self._fetch(0, "top")

    def go_to(self, number: int) -> None:
        """Put the cursor on the row of that number, counted from 0 in the whole list."""
        self._turning = self._fetch(number - number % PAGE, number % PAGE)

    @work(thread=True, exclusive=True, group="page")
    def _fetch(self, offset: int, place: Place) -> None:
        try:
            total = self._pages.count()
            start = max(0, total - PAGE) if place == "bottom" and offset < 0 else min(offset, max(0, total - 1))
            rows = list(self._pages.read(start, PAGE))
        except DigiVanError as error:
            self.app.call_from_thread(self.post_message, self.Turned(self, str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take, start, total, rows, place)

    def _take(self, offset: int, total: int, rows: list[Row], place: Place) -> None:
        changed = (offset, rows) != (self.offset_shown, self.rows_shown) or not self.columns
        held, at = self.row_in_hand, self.cursor_row
        self.offset_shown, self.total, self.rows_shown = offset, total, rows
        if changed:
            self._fill()
        if changed or place != "same":
            places = {"top": 0, "bottom": len(rows) - 1, "same": self._place_of(held, at)}
            self.move_cursor(row=place if isinstance(place, int) else places[place])
        self.post_message(self.Turned(self))

    def _place_of(self, held: Row | None, otherwise: int) -> int:
        if held is None or not self._key:
            return otherwise
        return next((at for at, row in enumerate(self.rows_shown) if row[self._key] == held[self._key]), otherwise)

    def _fill(self) -> None:
        """Have as many rows as the page has."""
        if not self.columns:
            self.add_column("", width=1)
        if self.row_count != len(self.rows_shown):
            self.clear()
            self.add_rows([("",)] * len(self.rows_shown))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row of the window."""
        at = _HEADER if y == 0 else y - 1 + self.scroll_offset.y
        width, style = self.size.width, self.rich_style
        if at < len(self.rows_shown):
            style += self._style_of(at) + Style.from_meta({"row": at, "column": 0})
            return Strip([Segment(self._text_of(at), style)]).adjust_cell_length(width, style)
        return Strip.blank(width, style)

    def _style_of(self, at: int) -> Style:
        parts = {_HEADER: "header", self.cursor_row: "cursor"}
        part = parts.get(at, "hover" if self._show_hover_cursor and at == self.hover_row else "even-row")
        return self.get_component_rich_style(f"datatable--{part}")

    def _text_of(self, at: int) -> str:
        rest = max(self.size.width - sum(column.width + _PADDING for column in self._laid) - _EDGES, _NARROWEST)
        row = None if at == _HEADER else self.rows_shown[at]
        return "".join(f" {_shown(column, row, column.width or rest)} " for column in self._laid)

    def action_cursor_down(self) -> None:
        """Go to the row below, on the next page if need be."""
        if not self._turn_on():
            super().action_cursor_down()

    def action_page_down(self) -> None:
        """Go a screen on, to the next page from the last row."""
        if not self._turn_on():
            super().action_page_down()

    def action_cursor_up(self) -> None:
        """Go to the row above, on the page before if need be."""
        if not self._turn_back():
            super().action_cursor_up()

    def action_page_up(self) -> None:
        """Go a screen back, to the page before from the first row."""
        if not self._turn_back():
            super().action_page_up()

    def action_scroll_top(self) -> None:
        """Go to the first row of all."""
        self.restart()

    def action_scroll_bottom(self) -> None:
        """Go to the last row of all."""
        self._turning = self._fetch(-1, "bottom")

    def _turn_on(self) -> bool:
        end = self.offset_shown + len(self.rows_shown)
        turns = self.cursor_row == len(self.rows_shown) - 1 and end < self.total
        if turns:
            self._turning = self._fetch(end, "top")
        return turns

    def _turn_back(self) -> bool:
        turns = self.cursor_row <= 0 < self.offset_shown
        if turns:
            self._turning = self._fetch(max(0, self.offset_shown - PAGE), "bottom")
        return turns


def _shown(column: Column, row: Row | None, width: int) -> str:
    """Return a cell, or without a row the title, in exactly so many columns."""
    text = column.title if row is None else column.text(row)
    cut = tail(text, width) if column.is_path and row is not None else head(text, width)
    return cut + " " * (width - cell_len(cut))
