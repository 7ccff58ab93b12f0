"""Ctrl-C, SIGTERM and SIGHUP: at once where there is nothing to put in order, else as an exception."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from triage.model.errors import DigiVanError

STOPPED = 5

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(DigiVanError):  # noqa: N818 - to be stopped is no error
    """A person, or the system, ended the command before its end."""

    exit_code = STOPPED


def stop_at_once() -> None:
    """Let a signal end the process with one line: libraries interrupted while they load fail in ways of their own."""
    _handle(_at_once)


@contextmanager
def stoppable(what_remains: str) -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt inside, so that work is put in order; raises Stopped with what remains."""
    _handle(_interrupt)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(f"stopped; {what_remains}") from None
    finally:
        _handle(_at_once)


def _handle(handler: Callable[[int, FrameType | None], NoReturn]) -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # whoever started us said so, as nohup does
            signal.signal(number, handler)


def _at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    with suppress(OSError):
        os.write(2, b"triage: stopped\n")
    os._exit(STOPPED)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
