"""A pull reader of JSON too large to hold: the caller walks down to an array and takes its elements one by one.

One element at a time is decoded by the standard library's scanner, which is twice as fast as an event parser, keeps
memory to one element, and turns nesting of any depth into an error where an event parser holds a path for each level.
"""

import codecs
import json
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO, NoReturn

from triage.hashsets.formats.decoding import encoding_of
from triage.hashsets.formats.report import ReadReport

CHUNK_BYTES = 1 << 20
VALUE_LIMIT = 1 << 25  # characters of one element; a record of a hash set has hundreds, one with a long EXIF thousands

_AGAIN = "get the file again from its publisher"
_BLANK = re.compile(r"[ \t\n\r]*")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant, strict=False).raw_decode


class JsonStream:
    """A position in a JSON text; every method that fails raises SourceError through the report."""

    def __init__(self, stream: BinaryIO, report: ReadReport) -> None:
        self._stream = stream
        self._report = report
        self._text = ""
        self._at = 0
        self._ended = False
        start = stream.read(CHUNK_BYTES)
        self._decoder = codecs.getincrementaldecoder(encoding_of(start))("replace")
        self._text = self._decoder.decode(start, final=not start)

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
            self._at = end
            return value

    def rest(self) -> Iterator[Any]:
        """Yield the values up to the end of the array in which the position is before a value."""
        while True:
            yield self.value()
            # The usual case without a call: a comma and the next value are already here.
            if self._text.startswith(",", self._at):
                self._at += 1
            elif not self.more("]"):
                return

    def _grow(self) -> bool:
        """Read on while one value is incomplete; twice as much each time, so that a large one is not quadratic."""
        held = len(self._text) - self._at
        if held > VALUE_LIMIT:
            raise self._report.refuse(f"one value of more than {VALUE_LIMIT} characters, or broken JSON", _AGAIN)
        return self._fill(max(CHUNK_BYTES, held))

    def _fill(self, size: int = CHUNK_BYTES) -> bool:
        """Add text behind the position; False at the end of the file."""
        while not self._ended:
            data = self._stream.read(size)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            if text:
                self._text = self._text[self._at :] + text
                self._at = 0
                return True
        return False
