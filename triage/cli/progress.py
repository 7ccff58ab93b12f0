"""Progress on standard error: live on a terminal, a line every few seconds without one."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triage.cli.text import safe, size
from triage.model.event import Event, Found, Met, Verifying, VolumeOpened, Walking
from triage.model.event import Progress as Examined
from triage.model.finding import EXACT

_LINE_SECONDS = 5.0
_PATH_WIDTH = 40


class ProgressView(Protocol):
    """A context manager that is shown events."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop showing."""

    def show(self, event: Event) -> None:
        """Show one event."""


def progress_view(exhibit: str, *, resumed: bool, finished: bool) -> ProgressView:
    """Return the view that fits standard error, after saying how the examination begins."""
    view: ProgressView = LiveView() if sys.stderr.isatty() else LineView()
    if finished:
        _say(f"{exhibit} is already examined; this is its result")
    elif resumed:
        _say(f"{exhibit}: resuming where the last run ended")
    return view


def _say(text: str) -> None:
    sys.stderr.write(safe(text) + "\n")
    sys.stderr.flush()


def sentence(event: Event) -> str | None:
    """Return the line that a person should keep of an event, None for those that only move a bar."""
    match event:
        case VolumeOpened():
            report = event.report
            held = report.file_system or report.state
            line = f"{report.region.name} at {report.region.run.offset}: {held}, {size(report.region.run.length)}"
            return f"{line}; {report.text}" if report.text else line
        case Found():
            match = event.finding.match
            sure = "match" if match.by in EXACT else f"candidate, {match.distance} bits away, to be confirmed"
            return f"FOUND {event.item.path}: {match.by} {sure} in {match.set.name}"
        case Met():
            return f"{event.trouble.code}: {event.trouble.text} ({event.trouble.address})"
        case _:
            return None


class LineView:
    """Plain lines, one every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return

    def show(self, event: Event) -> None:
        """Write what is worth a line, and how far the run is when it is time to."""
        if line := sentence(event):
            _say(line)
        elif time.monotonic() - self._last > _LINE_SECONDS:
            self._last = time.monotonic()
            if isinstance(event, Examined):
                done = f"{event.items_done:,} of {event.items_total:,} items"
                _say(f"{done}, {size(event.bytes_done)} of {size(event.bytes_total)}, {_left(event)}")
            elif isinstance(event, Verifying):
                _say(f"verified {size(event.bytes_done)} of {size(event.bytes_total)}")
            elif isinstance(event, Walking):
                _say(f"{event.volume}: {event.items:,} names listed")


def _left(event: Examined) -> str:
    share = event.bytes_done / event.bytes_total if event.bytes_total else 1.0
    if not share:
        return "time left unknown"
    return f"about {event.seconds * (1 - share) / share:.0f} s left"


class LiveView:
    """A bar with rate and time left; findings and trouble scroll by above it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[bytes]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[path]}", markup=False),
            console=self._console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("listing", total=None, bytes="", path="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.refresh()
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Move the bar, or print the line above it."""
        if line := sentence(event):
            self._console.print(safe(line), markup=False, soft_wrap=True)
        if isinstance(event, Verifying):
            self._bar.update(self._task, description="verifying", total=event.bytes_total, completed=event.bytes_done)
        elif isinstance(event, Walking):
            self._bar.update(self._task, completed=event.items, path=safe(event.volume)[-_PATH_WIDTH:])
        elif isinstance(event, Examined):
            self._bar.update(
                self._task,
                description="examining",
                total=event.items_total,
                completed=event.items_done,
                bytes=f"{size(event.bytes_done)} of {size(event.bytes_total)}",
                path=safe(event.in_hand)[-_PATH_WIDTH:],
            )
        self._bar.refresh()
