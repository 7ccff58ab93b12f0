"""Standard output and standard error: results must arrive, progress is a courtesy."""

import io
import os
import sys
from typing import TextIO

from triage.model.errors import DigiVanError

_OUT = 1
_ERR = 2


class OutputError(DigiVanError):
    """A result cannot be written to standard output."""

    exit_code = 4

    def __init__(self, cause: str) -> None:
        super().__init__(f"the output cannot be written: {cause}; free space or write elsewhere")


class ReaderGone(Exception):  # noqa: N818 - the end of a pipe such as `| head` is no error
    """Nobody reads standard output any more."""


class _Results(io.FileIO):
    """Standard output: what cannot be written raises OutputError or ReaderGone once, and is dropped from then on.

    No OSError, because the libraries above take a broken pipe for their own affair and end with exit code 1.
    """

    def __init__(self) -> None:
        super().__init__(_OUT, "w", closefd=False)
        self._failed = False

    def write(self, data: memoryview, /) -> int:  # type: ignore[override] # buffered writers give nothing else
        if self._failed:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self._failed = True
            raise ReaderGone from None
        except OSError as error:
            self._failed = True
            raise OutputError(error.strerror or str(error)) from error


class _Courtesy(io.FileIO):
    """Standard error: what cannot be written is dropped, for no examination stops because nobody looks on."""

    def __init__(self) -> None:
        super().__init__(_ERR, "w", closefd=False)

    def write(self, data: memoryview, /) -> int:  # type: ignore[override] # buffered writers give nothing else
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def guard_streams() -> None:
    """Take over both streams, in UTF-8. Raises OutputError where standard output is closed."""
    closed = sys.stdout is None
    for number in (0, _OUT, _ERR):
        _occupy(number)
    sys.stdout = _text(_Results())
    sys.stderr = _text(_Courtesy())
    if closed:
        raise OutputError("standard output is closed")


def _occupy(number: int) -> None:
    """Give a closed standard stream to the null device, or the next file opened (the case!) would become it."""
    try:
        os.fstat(number)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, so this one


def _text(raw: io.FileIO) -> TextIO:
    buffered = io.BufferedWriter(raw)
    lines = raw.isatty() or raw.fileno() == _ERR
    return io.TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace", newline="\n", line_buffering=lines)
