"""Bytes of a published set to text: encodings by their mark, lines of bounded length, binary files refused."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from triage.hashsets.formats.report import ReadReport

LINE_LIMIT = 1 << 20

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding_of(head: bytes) -> str:
    """Return the encoding by the byte-order mark; UTF-8 without one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def head_text(head: bytes) -> str:
    """Return the head of a file as text, its last cut character replaced."""
    return codecs.decode(head, encoding_of(head), "replace")


def is_binary(head: bytes) -> bool:
    """Tell whether the head of a file holds what no text does."""
    return "\0" in head_text(head)


def head_lines(head: bytes, whole: int) -> list[str]:
    """Return the lines of the head that are not blank; a last line that the head of `whole` bytes cut is left out."""
    lines = head_text(head).splitlines()
    if len(head) >= whole and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line.strip()]


def lines(stream: BinaryIO, report: ReadReport) -> Iterator[str]:
    """Yield the lines with their ends, keeping `report.place`; bytes that are not of the encoding are replaced.

    Raises SourceError for a NUL (a binary file chosen by mistake) and for a line longer than 1 Mi characters.
    """
    start = stream.read(4)
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding_of(start), errors="replace", newline="")
    try:
        while line := text.readline(LINE_LIMIT):
            report.place += 1
            if len(line) >= LINE_LIMIT:
                raise report.refuse(f"a line of more than {LINE_LIMIT} characters, no list of hashes")
            if "\0" in line:
                raise report.refuse("a NUL byte, so this is a binary file and no list of hashes")
            yield line
    finally:
        if not stream.closed:  # the stream is the caller's to close
            text.detach()
