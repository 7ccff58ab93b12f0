"""What a terminal shows of what a console has written to it, as far as Textual steers one: places, colours and text."""

import re

Cell = tuple[str, str]  # a character and how it is painted

_TOKEN = re.compile(r"\x1b\[([?\d;]*)([@-~])|\x1b[^\[]|([\x00-\x1f])|([^\x00-\x1f]+)")
_MOVE, _PAINT = "Hf", "m"


class Painted:
    """A grid of cells; every character is taken to be one column wide."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self.cells: dict[tuple[int, int], Cell] = {}
        self._row = self._column = 0
        self._paint = ""
        self._rest = b""

    def write(self, data: bytes) -> None:
        """Take what was written; what breaks off within a sequence or a character waits for the rest of it."""
        data, self._rest = self._rest + data, b""
        text, used = _decoded(data)
        self._rest = data[used:]
        for token in _TOKEN.finditer(text):
            self._take(*token.groups())

    def rows(self) -> list[str]:
        """Return the text of each row."""
        blank = (" ", "")
        return [
            "".join(self.cells.get((row, column), blank)[0] for column in range(self._columns))
            for row in range(self._rows)
        ]

    def _take(self, given: str | None, final: str | None, control: str | None, text: str | None) -> None:
        if text:
            for character in text:
                self.cells[self._row, self._column] = character, self._paint
                self._column += 1
        elif control == "\n":
            self._row += 1
        elif control == "\r":
            self._column = 0
        elif final and final in _MOVE:
            row, _, column = (given or "").partition(";")
            self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
        elif final == _PAINT:
            self._paint = given or ""


def _decoded(data: bytes) -> tuple[str, int]:
    """Return the text up to the last whole character and the last whole sequence, and how many bytes that is."""
    end = len(data)
    escape = data.rfind(b"\x1b")
    if escape >= 0 and not re.match(rb"\x1b(\[[?\d;]*[@-~]|[^\[])", data[escape:]):
        end = escape
    while True:
        try:
            return data[:end].decode(), end
        except UnicodeDecodeError as error:
            end = error.start
