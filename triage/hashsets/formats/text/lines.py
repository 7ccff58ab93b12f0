"""The lines of one block of text as arrays: digests and numbers of thousands of rows in a few array operations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

import numpy as np

from triage.hashsets.batch import Bytes
from triage.hashsets.formats.decoding import blocks
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Ints

NUMBER_DIGITS = 18
"""Decimal digits that a 64-bit integer always holds."""

_PADDING = bytes(256)  # so that a window at the last line stays inside
_NOT_HEX = 255


def _values_of_hex() -> Bytes:
    values = np.full(256, _NOT_HEX, np.uint8)
    for value, digit in enumerate("0123456789abcdef"):
        values[[ord(digit), ord(digit.upper())]] = value
    return values


_HEX = _values_of_hex()
_POWERS = 10 ** np.arange(NUMBER_DIGITS, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of UTF-8: `data` is `raw` and some padding, line i `data[start[i]:end[i]]`, its place `first + i`."""

    raw: bytes
    data: Bytes
    start: Ints
    end: Ints
    first: int

    @classmethod
    def of(cls, raw: bytes, first: int) -> Self:
        """Return the lines of a text that ends with a line feed."""
        data = np.frombuffer(raw + _PADDING, np.uint8)
        end = np.flatnonzero(data == ord("\n"))
        return cls(raw, data, np.append(0, end[:-1] + 1) if len(end) else end, end, first)

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.end)

    def text(self, line: int, last: int | None = None) -> str:
        """Return a line, or all from it up to `last`, as text; bytes that are not UTF-8 are replaced."""
        return self.raw[self.start[line] : self.end[line if last is None else last]].decode("utf-8", "replace")

    def places(self) -> Ints:
        """Return the line number of each."""
        return np.arange(self.first, self.first + self.count)

    def occurrences(self, char: str) -> Ints:
        """Return where a character is, in order."""
        return np.flatnonzero(self.data == ord(char))

    def holds(self, text: str, at: Ints) -> Flags:
        """Tell where a text is; nowhere before the first byte."""
        window = _windows(self.data, np.maximum(at, 0), len(text))
        same: Flags = (window == np.frombuffer(text.encode(), np.uint8)).all(axis=1)
        return same & (at >= 0)

    def first_but(self, char: str, start: Ints, width: int) -> Ints:
        """Return where from each start on, within so many bytes, there is first another character; else the start."""
        after: Ints = (_windows(self.data, start, width) != ord(char)).argmax(axis=1)
        return start + after

    def hashes(self, start: Ints, length: int) -> tuple[Bytes, Flags]:
        """Return the (n, length) bytes whose hexadecimal digits are at each start, and where there are such."""
        digits = _HEX[_windows(self.data, start, 2 * length)]
        raw: Bytes = digits[:, ::2] << np.uint8(4) | digits[:, 1::2] & np.uint8(15)
        good: Flags = (digits != _NOT_HEX).all(axis=1)
        return raw, good

    def numbers(self, start: Ints, end: Ints) -> tuple[Ints, Flags]:
        """Return the decimal numbers, and where there is one of at most `NUMBER_DIGITS` digits and nothing else."""
        length = end - start
        fits = (length > 0) & (length <= NUMBER_DIGITS)
        length = np.where(fits, length, 0)
        width = int(length.max(initial=1))
        digits = _windows(self.data, start, width) - np.uint8(ord("0"))
        place = length[:, None] - 1 - np.arange(width)
        inside = place >= 0
        values = np.where(inside, digits * _POWERS[np.maximum(place, 0)], 0).sum(axis=1)
        good: Flags = fits & ((digits <= 9) | ~inside).all(axis=1)  # noqa: PLR2004 - the last digit
        return values, good


def _windows(data: Bytes, start: Ints, width: int) -> Bytes:
    """Return the (n, width) bytes from each start on."""
    return np.lib.stride_tricks.sliding_window_view(data, width)[start]


def lines_in_blocks(stream: BinaryIO, report: ReadReport) -> Iterator[Lines]:
    """Yield all lines, about 256 KiB of them at a time; raises SourceError as `blocks` does."""
    first = 1
    for raw in blocks(stream, report):
        found = Lines.of(raw, first)
        yield found
        first += found.count
