"""The cells of one row of a table in quotes: over several lines, and where a name has a quote too many."""

import csv
from dataclasses import dataclass

import numpy as np

from triage.hashsets.formats.decoding import LINE_LIMIT
from triage.hashsets.formats.rows import Ints
from triage.hashsets.formats.text.layout import Layout, cells_of
from triage.hashsets.formats.text.lines import Lines

_CELL_LINES = 64  # that one row may span


@dataclass(frozen=True, slots=True)
class QuotedRow:
    """The cells, None where they cannot be told; the line after the row; whether its quotes are not balanced."""

    cells: list[str] | None
    following: int
    is_repaired: bool = False


class QuotedRows:
    """The rows of some lines. `is_last`: no lines are yet to come.

    What an open quote swallows is never a row: one quote too many in a name must not cost the rows that follow. Where
    lines can be read in two ways, no hash is lost in either.
    """

    def __init__(self, lines: Lines, layout: Layout, *, is_last: bool) -> None:
        self._lines = lines
        self._layout = layout
        self._is_last = is_last
        self._uneven = _with_uneven_quotes(lines)

    def row(self, line: int) -> QuotedRow | None:
        """Return the row that begins at a line; None where it may go on in lines that are yet to come."""
        text = self._lines.text(line)
        cells = self._cells(text)
        if cells is not None:
            return QuotedRow(cells, line + 1)
        closing = self._closing(line)
        is_torn = self._has_row_between(line, closing)
        if closing == self._lines.count and not is_torn:
            return None
        cells = self._joined(line, closing)
        if cells is None:
            return QuotedRow(self._repaired(text), line + 1, is_repaired=True)
        return QuotedRow(cells, line + 1 if is_torn else closing + 1, is_repaired=is_torn)

    def _joined(self, line: int, closing: int) -> list[str] | None:
        """Return the cells from one line to the other, None where they are no row, or two.

        They are two where the first line and the last one are rows that each have all the hashes of the whole: a row
        in good order has its hashes outside its quotes, and only once.
        """
        if not line < closing < self._lines.count:
            return None
        cells = self._cells(self._lines.text(line, closing))
        whole = self._filled(cells)
        first, last = (self._filled(self._repaired(self._lines.text(number))) for number in (line, closing))
        if whole is None or (first is not None and last and whole <= first & last):
            return None
        return cells

    def _closing(self, line: int) -> int:
        """Return the line that closes the open quote; itself where none does, the number of lines where one may come.

        Lines with an even number of quotes are within the cell, or close it and open another.
        """
        lines, uneven = self._lines, self._uneven
        at = int(np.searchsorted(uneven, line))
        if at == len(uneven) or uneven[at] != line:
            return line
        closing = int(uneven[at + 1]) if at + 1 < len(uneven) else lines.count
        last = min(closing, lines.count - 1)
        if closing - line >= _CELL_LINES or lines.end[last] - lines.start[line] > LINE_LIMIT:
            return line
        return line if closing == lines.count and self._is_last else closing

    def _has_row_between(self, line: int, closing: int) -> bool:
        """Tell whether a line between two others is a row with a hash by itself, which is then read as one too."""
        return any(self._filled(self._cells(self._lines.text(inside))) for inside in range(line + 1, closing))

    def _filled(self, cells: list[str] | None) -> set[int] | None:
        """Return which columns of hashes have one; None where the cells are of no row."""
        if cells is None or len(cells) != self._layout.width:
            return None
        return self._layout.filled(cells)

    def _cells(self, text: str, *, strict: bool = True) -> list[str] | None:
        try:
            return cells_of(text, self._layout.delimiter, strict=strict)
        except csv.Error:
            return None

    def _repaired(self, text: str) -> list[str] | None:
        """Return the cells where their number is right, with the quotes taken as they are or as any character."""
        for cells in (self._cells(text, strict=False), text.split(self._layout.delimiter)):
            if cells is not None and len(cells) == self._layout.width:
                return cells
        return None


def _with_uneven_quotes(lines: Lines) -> Ints:
    """Return the lines with an odd number of quotes, in order."""
    marks = lines.occurrences('"')
    quotes = np.searchsorted(marks, lines.end) - np.searchsorted(marks, lines.start)
    return np.flatnonzero(quotes % 2)
