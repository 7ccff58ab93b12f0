"""Progress on standard error: live on a terminal, a line every few seconds without one."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from triage.cli.output import console
from triage.cli.status import Status, numbers
from triage.cli.text import place, safe, size
from triage.model.event import Event, Found, Met, VolumeOpened
from triage.model.finding import EXACT

_LINE_SECONDS = 5.0
_REDRAWS = 2  # a second


class ProgressView(Protocol):
    """A context manager that is shown events."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop showing."""

    def show(self, event: Event) -> None:
        """Show one event."""


def progress_view(exhibit: str, warnings: Iterable[str], *, resumed: bool, finished: bool) -> ProgressView:
    """Return the view that fits standard error, after saying how the examination begins."""
    if finished:
        _say(f"{exhibit} is already examined; this is its result")
    elif resumed:
        _say(f"{exhibit}: resuming where the last run ended")
    for warning in warnings:
        _say(f"warning: {warning}")
    return LiveView() if sys.stderr.isatty() and not finished else LineView()


def _say(text: str) -> None:
    sys.stderr.write(safe(text) + "\n")


def sentence(event: Event) -> str | None:
    """Return the line that a person should keep of an event, safe for a terminal; None where there is none."""
    match event:
        case VolumeOpened():
            report = event.report
            held = report.file_system or report.state
            line = f"{report.region.name} at {report.region.run.offset}: {held}, {size(report.region.run.length)}"
            more = report.text if report.text.casefold() != held.casefold() else ""
            return safe(f"{line}; {more}" if more else line)
        case Found():
            match = event.finding.match
            sure = "match" if match.by in EXACT else f"candidate, {match.distance} bits away, to be confirmed"
            where = place(event.item.path, allocated=event.item.allocated)
            return f"FOUND {where}: {match.by} {sure} in {safe(match.set.name)}"
        case Met():
            return safe(f"{event.trouble.code}: {event.trouble.text} ({event.trouble.address})")
        case _:
            return None


class LineView:
    """Plain lines, one every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._status = Status(self._last)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return

    def show(self, event: Event) -> None:
        """Write what is worth a line, and how far the run is when it is time to."""
        now = time.monotonic()
        self._status.take(event, now)
        if line := sentence(event):
            _say(line)
        elif now - self._last > _LINE_SECONDS:
            self._last = now
            _say(", ".join(numbers(self._status.stand, now)))


class LiveView:
    """Two lines that are drawn anew: numbers, and the path in hand; findings and trouble scroll by above them."""

    def __init__(self) -> None:
        self._status = Status(time.monotonic())
        self._console = console(stderr=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._lines,
            refresh_per_second=_REDRAWS,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._status.rest()
        self._live.stop()

    def show(self, event: Event) -> None:
        """Take the numbers, and print the line above them; the numbers are drawn in their own time."""
        self._status.take(event, time.monotonic())
        if line := sentence(event):
            self._console.print(line, soft_wrap=True)

    def _lines(self) -> Group:
        lines = self._status.lines(self._console.width, time.monotonic())
        return Group(*(Text(line, no_wrap=True, overflow="crop") for line in lines))
