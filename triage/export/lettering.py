r"""Letters for any text: one plain font, others for the scripts that it lacks, and escapes for what none has."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped] # it ships no types

PLAIN = "NotoSans"

LONGEST = 4000
"""Characters of a text as it is shown; a longer one is cut, and says so."""

_NOT_NEEDED = "NotoSans-Italic"
_BYTES = range(0xDC80, 0xDD00)  # bytes that are not UTF-8, surrogate-escaped
_STACKED = 3  # marks on one character; living scripts get by with fewer
_VARIATIONS = range(0xFE00, 0xFE10)


@cache
def font_files() -> dict[str, Path]:
    """Return the file of each font, the plain one first."""
    found = {path.name.partition("[")[0]: Path(str(path)) for path in files("manimgx_fonts").iterdir()}
    names = sorted(name for name in found if name.startswith("Noto") and name != _NOT_NEEDED)
    names.sort(key=lambda name: name != PLAIN)
    return {name: found[name] for name in names}


def fonts_of(text: str) -> Iterator[str]:
    """Return the fonts that a safe text needs, each once."""
    yield from dict.fromkeys(name for character in text if (name := _font_of(character)) is not None)


def safe(text: str, limit: int = LONGEST) -> str:
    r"""Return text that steers nothing, turns nothing round, and has a glyph for every character.

    Controls, marks of direction, separators other than a blank, characters that no font has and marks piled up on one
    character are written as `\u{4e2d}`, the number hexadecimal; bytes that are not UTF-8 as `\xNN`.
    """
    parts: list[str] = []
    marks = length = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        plain = character.isprintable() and marks <= _STACKED and ord(character) not in _VARIATIONS
        shown = character if plain and _font_of(character) is not None else _escape(ord(character))
        length += len(shown)
        if length > limit:
            return f"{''.join(parts)}... ({len(text):,} characters)"
        parts.append(shown)
    return "".join(parts)


def _escape(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if code in _BYTES else f"\\u{{{code:x}}}"


@cache
def _covered(name: str) -> frozenset[int]:
    with TTFont(font_files()[name], lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def _font_of(character: str) -> str | None:
    return next((name for name in font_files() if ord(character) in _covered(name)), None)
