"""A pull reader of JSON too large to hold: the caller walks down to an array and takes its elements.

Elements are taken many at a time where they are plain, see `JsonStream.rest`, and else one by one with the standard
library's scanner, which keeps memory to one element, and turns nesting of any depth into an error where an event
parser holds a path for each level.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from json import JSONDecodeError
from typing import Any, BinaryIO, NoReturn

from triage.hashsets.formats.report import ReadReport

CHUNK_BYTES = 1 << 20
VALUE_LIMIT = 1 << 23  # characters of one element; a record of a hash set has hundreds, one with a long EXIF thousands

Several = Callable[[str], Sequence[Any] | None]
"""Decodes the text of an array with all its elements, None where that is to be done one by one.

It may take no text that is not JSON, not even in the parts of an element that it does not decode.
"""

_AGAIN = "get the file again from its publisher"
_BLANKS = " \t\n\r"
_BLANK = re.compile(f"[{_BLANKS}]*")
_OPENING = re.compile(rf'\{{[{_BLANKS}]*"[^"\\]{{1,100}}"')
_LEAST_WINDOW = 1 << 12


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:  # more digits than Python converts: no size and no code, but no reason to refuse the file
        return float(text)


_decode = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer, strict=False).raw_decode


class JsonStream:
    """A position in a JSON text; every method that fails raises SourceError through the report."""

    def __init__(self, stream: BinaryIO, encoding: str, report: ReadReport, *, chunk: int = CHUNK_BYTES) -> None:
        self._stream = stream
        self._report = report
        self._chunk = chunk
        self._window = min(chunk, _LEAST_WINDOW)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is not blank, "" at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, char: str) -> None:
        """Step over `char`, which must be next."""
        if self.peek() != char:
            raise self._report.refuse(f"broken JSON, {char!r} expected", _AGAIN)
        self._at += 1

    def take_if(self, char: str) -> bool:
        """Step over `char` if it is next."""
        if self.peek() != char:
            return False
        self._at += 1
        return True

    def more(self, close: str) -> bool:
        """Step over the comma before another element, or over the closing bracket; tell which."""
        if self.take_if(close):
            return False
        self.take(",")
        return True

    def key(self) -> str:
        """Take a member's name and its colon."""
        name = self.value()
        if not isinstance(name, str):
            raise self._report.refuse("broken JSON, a name expected", _AGAIN)
        self.take(":")
        return name

    def value(self) -> Any:
        """Take one whole value."""
        while True:
            self.peek()
            try:
                value, end = _decode(self._text, self._at)
            except JSONDecodeError as error:
                if not self._grow():
                    raise self._report.refuse(f"broken or cut JSON ({error.msg})", _AGAIN) from error
                continue
            except RecursionError as error:
                raise self._report.refuse("JSON nested deeper than any hash set", _AGAIN) from error
            except ValueError as error:
                raise self._report.refuse(f"not a hash set in JSON ({error})") from error
            if end == len(self._text) and self._grow():  # a number may go on in what comes next
                continue
            self._refuse_long(end - self._at)
            self._at = end
            return value

    def rest(self, several: Several) -> Iterator[tuple[Sequence[Any], bool]]:
        """Yield the values up to the end of the array in which the position is before a value.

        They come in runs that `several` decoded, told by True, and one by one where it did not.
        """
        while True:
            while (run := self._run(several)) is not None:
                yield run, True
            yield (self.value(),), False
            if not self.more("]"):
                return

    def _run(self, several: Several) -> Sequence[Any] | None:
        """Take the elements that lie whole in the window, None where the next one has to be taken by itself.

        The elements of one array open alike, so the text is cut before the last place that looks like the next
        opening. Wherever that is, in a string or deeper down, a text that is JSON up to there and complete once `]`
        is added has ended between two elements. The window halves while that fails and doubles while it does not.
        """
        self.peek()
        while len(self._text) - self._at < self._window and self._fill():
            pass
        opening = _OPENING.match(self._text, self._at)
        while opening is not None:
            cut = self._text.rfind(opening[0], self._at + 1, self._at + self._window)
            if cut < 0:
                break
            run = self._text[self._at : cut].rstrip(_BLANKS)
            values = several(f"[{run[:-1]}]") if run.endswith(",") else None
            if values is not None:
                self._at = cut
                self._window = min(2 * self._window, self._chunk)
                return values
            if self._window <= _LEAST_WINDOW:
                return None
            self._window //= 2
        self._window = min(2 * self._window, self._chunk)
        return None

    def _grow(self) -> bool:
        """Read on while one value is incomplete; twice as much each time, so that a large one is not quadratic."""
        held = len(self._text) - self._at
        self._refuse_long(held)
        return self._fill(min(max(self._chunk, held), max(self._chunk, VALUE_LIMIT - held + 1)))

    def _refuse_long(self, length: int) -> None:
        if length > VALUE_LIMIT:
            raise self._report.refuse(f"one value of more than {VALUE_LIMIT} characters, or broken JSON", _AGAIN)

    def _fill(self, size: int = 0) -> bool:
        """Add text behind the position; False at the end of the file."""
        while not self._ended:
            data = self._stream.read(size or self._chunk)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            if text:
                self._text = self._text[self._at :] + text
                self._at = 0
                return True
        return False
