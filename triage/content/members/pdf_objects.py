"""The objects of a PDF file, found by going through it from start to end.

A stream always stands by itself in the file, whatever the cross-reference table says, so that one pass finds all of
them, those of earlier revisions too, in damaged files as in whole ones.

Source: ISO 32000-1, 7.2 (lexical conventions), 7.3 (objects), 7.5.7 (object streams), 7.6 (encryption).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from triage.content.members.member import ObstacleError
from triage.model.trouble import TroubleCode

_SPACE = rb"[\0\t\n\f\r ]"
_TOKEN = re.compile(
    _SPACE + rb"*+(?:%[^\r\n]*+" + _SPACE + rb"*+)*+"
    rb"(?:(?P<ref>\d{1,10}" + _SPACE + rb"{1,9}\d{1,5}" + _SPACE + rb"{1,9}R)(?![^\0\t\n\f\r ()<>\[\]{}/%])"
    rb"|(?P<mark><<|>>|\[|\]|\()"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*+)"
    rb"|<(?P<hex>[0-9A-Fa-f\0\t\n\f\r ]*+)>"
    rb"|(?P<number>[+-]?(?:\d{1,20}(?:\.\d*+)?+|\.\d++))"
    rb"|(?P<word>[A-Za-z]{1,20}))"
)
_OBJECT = re.compile(
    rb"(?<!\d)(\d{1,10})" + _SPACE + rb"{1,9}\d{1,5}" + _SPACE + rb"{1,9}obj(?![A-Za-z])|trailer(?![A-Za-z])"
)
_STREAM = re.compile(_SPACE + rb"{0,9}stream(?:\r\n|\n|\r)")
_END_OF_STREAM = re.compile(_SPACE + rb"{0,9}endstream")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_STRING = re.compile(rb"[()]|\\(?:[0-7]{1,3}|\r\n|.)", re.DOTALL)
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_DEEPEST = 30
_LONGEST_STRING = 1 << 16
_MOST_OBJECTS = 1_000_000


class Name(bytes):
    """A name, without its slash."""

    __slots__ = ()


class Ref(NamedTuple):
    """A reference to an object by its number."""

    number: int


Value = int | bytes | Name | Ref | list["Value"] | dict[bytes, "Value"] | None


class Stream(NamedTuple):
    """A stream: its object's number, its dictionary, and where its bytes are; `whole` unless its end was not found."""

    number: int
    about: dict[bytes, Value]
    offset: int
    length: int
    whole: bool


class _Bad(Exception):  # noqa: N818 - never leaves this module
    """No object begins here; the place is where reading stopped."""


class Objects:
    """The objects of a file, as far as they were gone through by `streams`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places: dict[int, int] = {}
        self._packed: dict[int, Value] = {}
        self.encrypted = False

    def streams(self) -> Iterator[Stream]:
        """Yield the streams in the order of the file; afterwards all objects are known."""
        position = 0
        while found := _OBJECT.search(self._data, position):
            position = found.end()
            value, end = parsed(self._data, position)
            number = int(found[1]) if found[1] else 0
            if found[1]:
                self._places[number] = position
            if len(self._places) > _MOST_OBJECTS:
                raise ObstacleError(TroubleCode.LIMIT, f"a file of more than {_MOST_OBJECTS} objects")
            position = max(end, position)
            if isinstance(value, dict):
                self.encrypted |= b"Encrypt" in value and (not found[1] or value.get(b"Type") == b"XRef")
                start = _STREAM.match(self._data, end)
                if start:
                    stream = self._stream(number, value, start.end())
                    position = stream.offset + stream.length
                    yield stream

    def _stream(self, number: int, about: dict[bytes, Value], offset: int) -> Stream:
        """Return a stream that ends where its dictionary says, if that is an end, else at the next end there is."""
        length = self.resolved(about.get(b"Length"))
        if isinstance(length, int) and length >= 0 and _END_OF_STREAM.match(self._data, offset + length):
            return Stream(number, about, offset, length, whole=True)
        end = self._data.find(b"endstream", offset)
        if end < 0:
            return Stream(number, about, offset, len(self._data) - offset, whole=False)
        for line_end in (b"\r\n", b"\n", b"\r"):
            if self._data.endswith(line_end, offset, end):
                return Stream(number, about, offset, end - len(line_end) - offset, whole=True)
        return Stream(number, about, offset, end - offset, whole=True)

    def resolved(self, value: Value) -> Value:
        """Return what a reference stands for; any other value as it is. What is not known is None."""
        for _ in range(_DEEPEST):
            if not isinstance(value, Ref):
                return value
            place = self._places.get(value.number)
            value = parsed(self._data, place)[0] if place is not None else self._packed.get(value.number)
        return None

    def add_packed(self, data: bytes, count: int, first: int) -> None:
        """Take in the objects of an object stream: `count` pairs of number and place, then from `first` the objects."""
        pairs = data[:first].split()[: 2 * min(count, _MOST_OBJECTS)]
        for number, place in zip(pairs[::2], pairs[1::2], strict=False):
            if number.isdigit() and place.isdigit() and len(number) + len(place) < 20:  # noqa: PLR2004 - numbers of ten digits
                self._packed[int(number)] = parsed(data, first + int(place))[0]


def parsed(data: bytes, position: int) -> tuple[Value, int]:
    """Return the object at a place, None where it is damaged, and where reading ended; it never raises."""
    reader = _Reader(data, position)
    try:
        return reader.value(0), reader.position
    except _Bad:
        return None, reader.position


class _Reader:
    """Reads one object."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def value(self, depth: int) -> Value:
        token = self._token()
        if token["mark"] == b"<<":
            return self._dictionary(depth + 1)
        if token["mark"] == b"[":
            return self._array(depth + 1)
        return self._simple(token)

    def _token(self) -> re.Match[bytes]:
        token = _TOKEN.match(self._data, self.position)
        if token is None or token["word"] in {b"endobj", b"stream", b"obj"}:
            raise _Bad
        self.position = token.end()
        return token

    def _simple(self, token: re.Match[bytes]) -> Value:
        if token["ref"]:
            return Ref(int(token["ref"].split()[0]))
        if token["name"]:
            return Name(_NAME_ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), token["name"][1:]))
        if token["number"]:
            return int(float(token["number"]))
        if token["hex"] is not None:
            digits = token["hex"].translate(None, b"\0\t\n\f\r ").decode()
            return bytes.fromhex(digits + "0" * (len(digits) % 2))
        if token["mark"] == b"(":
            return self._string()
        if token["word"]:
            return {b"true": 1, b"false": 0}.get(token["word"])
        raise _Bad

    def _dictionary(self, depth: int) -> dict[bytes, Value]:
        found: dict[bytes, Value] = {}
        while True:
            key = self._token()
            if key["mark"] == b">>":
                return found
            if not key["name"] or depth > _DEEPEST:
                raise _Bad
            found[key["name"][1:]] = self.value(depth)

    def _array(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while True:
            token = self._token()
            if token["mark"] == b"]":
                return found
            if depth > _DEEPEST:
                raise _Bad
            self.position = token.start()
            found.append(self.value(depth))

    def _string(self) -> bytes:
        """Return a string up to the parenthesis that closes it."""
        parts, start, depth, end = list[bytes](), self.position, 1, self.position + _LONGEST_STRING
        for found in _STRING.finditer(self._data, start, min(end, len(self._data))):
            depth += {b"(": 1, b")": -1}.get(found[0], 0)
            if not depth:
                parts.append(self._data[start : found.start()])
                self.position = found.end()
                return b"".join(parts)
            if found[0][:1] == b"\\":
                parts += [self._data[start : found.start()], _unescaped(found[0][1:])]
                start = found.end()
        self.position = min(end, len(self._data))
        raise _Bad


def _unescaped(escape: bytes) -> bytes:
    if escape.isdigit():
        return bytes((int(escape, 8) & 0xFF,)) if escape[0] < ord("8") else escape
    return b"" if escape in {b"\r\n", b"\n", b"\r"} else _ESCAPES.get(escape, escape)
