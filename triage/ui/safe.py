"""Text that comes from evidence, made fit for a terminal: the one place where that is done.

What reaches a widget from a name, a label or a message goes through here, and is then given as `Content`, never as
markup: brackets in a file name are brackets.
"""

import unicodedata

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

LONGEST = 4000
"""Characters; a longer text is cut, and says so."""

_BYTES = range(0xDC80, 0xDD00)  # bytes that are not UTF-8, surrogate-escaped
_STACKED = 3  # marks on one character; living scripts get by with fewer
_VARIATIONS = range(0xFE00, 0xFE10)  # they change the width of a character, and terminals do not agree how


def safe(text: str, limit: int = LONGEST) -> str:
    r"""Return text that steers nothing and turns nothing round, at most `limit` characters of it.

    Controls, marks of direction, separators other than a blank, and what has no glyph are written as `\xNN`, `\uNNNN`
    or `\UNNNNNNNN`, bytes that are not UTF-8 as `\xNN`; so are marks piled up on one character.
    """
    cut = text[:limit]
    if not (cut.isascii() and cut.isprintable()):
        cut = _escaped(cut)
    return cut if len(text) <= limit else f"{cut}\u2026 ({len(text):,} characters)"


def _escaped(text: str) -> str:
    parts, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        plain = character.isprintable() and marks <= _STACKED and ord(character) not in _VARIATIONS
        parts.append(character if plain else _escape(ord(character)))
    return "".join(parts)


def _escape(code: int) -> str:
    if code in _BYTES:
        code -= 0xDC00
    if code > 0xFFFF:  # noqa: PLR2004 - four digits hold no more
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits hold a byte


def plain(text: str, limit: int = LONGEST) -> Content:
    """Return safe text for a widget, without markup."""
    return Content(safe(text, limit))


def plain_rows(text: str) -> Content:
    """Return a text of our own with line breaks, each of its rows made safe."""
    return Content("\n").join([plain(row) for row in text.split("\n")])


def cell(text: str, limit: int = 200) -> Text:
    """Return safe text for one cell of a table: one row, without markup."""
    return Text(safe(text, limit), no_wrap=True, overflow="ellipsis")


def head(text: str, columns: int) -> str:
    """Return the beginning of a text, safe, within so many columns of a terminal."""
    shown = safe(text)
    if cell_len(shown) <= columns:
        return shown
    return _fitting(shown, columns - 1) + "\u2026"[: max(columns, 0)]


def tail(text: str, columns: int) -> str:
    """Return the end of a text, where the name of a file is, safe, within so many columns of a terminal."""
    shown = safe(text[-LONGEST:])
    if cell_len(shown) <= columns:
        return shown
    return "\u2026"[: max(columns, 0)] + _fitting(shown[::-1], columns - 1)[::-1]


def _fitting(text: str, columns: int) -> str:
    columns = max(columns, 0)
    kept = text[:columns]  # no character is narrower than nothing; marks are, and are cut with the rest
    while cell_len(kept) > columns:
        kept = kept[:-1]
    return kept
