"""SQL scripts as tokens, in bounded memory: the text is read and never run, and no statement is held as a whole.

Source of the facts: SQLite's documents "SQL As Understood By SQLite": literals, names, comments.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from triage.hashsets.formats.report import ReadReport

CHUNK_CHARACTERS = 1 << 20

_TOKEN = re.compile(
    r"""(?P<space> (?: \s++ | --[^\n]*+(?:\n|\Z) | /\*(?:[^*]++|\*(?!/))*+\*/ )++ )
      | (?P<text> '(?:[^']++|'')*+' )
      | (?P<name> "(?:[^"]++|"")*+" | `(?:[^`]++|``)*+` | \[[^\]]*+\] )
      | (?P<blob> [xX]'[^']*+' )
      | (?P<word> (?![xX]')[\w$]++ )
      | (?P<mark> (?!--|/\*)[^\s\w'"`\[] )""",
    re.VERBOSE,
)
_SHOWN = 20


class Token(NamedTuple):
    """`kind`: text, name, blob, word (a keyword, a name or a number) or mark; `value` without its quotes."""

    kind: str
    value: str


class SqlScript:
    """The script from where it was read to: tokens one by one, or whatever a pattern takes in one go.

    Raises SourceError for a quoted text or a comment that does not end within a million characters.
    """

    def __init__(self, stream: TextIO, report: ReadReport) -> None:
        self._stream = stream
        self._report = report
        self._buffer = ""
        self._at = 0
        self._ended = False

    def __iter__(self) -> Iterator[Token]:
        return self

    def __next__(self) -> Token:
        while True:
            match = _TOKEN.match(self._buffer, self._at)
            # What touches the end of the buffer may go on behind it.
            if (match is None or match.end() == len(self._buffer)) and self._more():
                continue
            if match is None:
                return self._unmatched()
            self._at = match.end()
            if match.lastgroup == "space":
                continue
            return _token(str(match.lastgroup), match[0])

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return what the pattern takes here if the buffer holds it and what follows, None where it does not."""
        match = pattern.match(self._buffer, self._at)
        if match is None or match.end() == len(self._buffer):
            return None
        self._at = match.end()
        return match

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        rest = len(self._buffer) - self._at
        if rest > 2 * CHUNK_CHARACTERS:
            raise self._report.refuse(f"a text or comment of more than {CHUNK_CHARACTERS} characters, no delta of NSRL")
        chunk = "" if self._ended else self._stream.read(CHUNK_CHARACTERS)
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        self._ended = not chunk
        return bool(chunk)

    def _unmatched(self) -> Token:
        """End at the end of the file, in peace or in the middle of a text or comment."""
        rest = self._buffer[self._at :]
        if not rest:
            raise StopIteration
        raise self._report.refuse(f"the script ends in the middle of a text: {rest[:_SHOWN]!a}", "get it again")


def _token(kind: str, raw: str) -> Token:
    match kind:
        case "text":
            return Token(kind, raw[1:-1].replace("''", "'"))
        case "name":
            return Token(kind, raw[1:-1].replace(raw[-1] * 2, raw[-1]))
        case "blob":
            return Token(kind, raw[2:-1])
    return Token(kind, raw)
