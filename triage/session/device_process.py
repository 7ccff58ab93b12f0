"""The process of one device: it examines, tells what happens, and does what the visit says meanwhile.

Light to import: what workers are forked from is started before the rest is loaded, so that both load at the same time.
"""

import os
import signal
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

from triage.model.errors import DigiVanError, SourceError, SourceGoneError
from triage.model.event import EndedBy, Found, Progress
from triage.session.device_messages import Began, Ended, Gone, Halt, Nice, Pause, Refused, Report
from triage.session.host import ready_workers

if TYPE_CHECKING:  # heavy to load
    from triage.session.examination import Examination, Order

_PROGRESS = 0.2  # seconds between two reports of it
_LOOK = 0.5  # seconds between two looks for a device that is gone
_SETTLE = 1.0  # seconds before the first
_BEHIND = 4  # the nice value of the most urgent run: the console, where a person waits for an answer, comes first
_AUTOGROUP = "/proc/self/autogroup"


def run_device(visit: Connection, *, pictures: bool) -> None:
    """Carry out the order that comes first through the pipe; `pictures`: it will compare them.

    A visit that ends, in whichever way, stops the run like a person who asks for it.
    """
    _leave_terminal()
    _stop_once()
    _be_nice(0)
    try:
        ready_workers(pictures=pictures)
        order = visit.recv()
        listener = _Listener(visit)
        Thread(target=listener.listen, daemon=True).start()
        ended = _carried_out(order, listener, _Teller(visit))
    except (KeyboardInterrupt, BrokenPipeError):
        ended = Ended(EndedBy.REQUEST)
    except Exception as error:  # noqa: BLE001 - whatever it is, the visit goes on and says so
        ended = Ended(EndedBy.ERROR, f"{type(error).__name__}: {error}; report this as a defect")
    with suppress(OSError):
        visit.send(ended)


def _carried_out(order: "Order", listener: "_Listener", teller: "_Teller") -> Ended:
    """Examine until the end, a stop or an error; take up where it was each time the device comes back."""
    while True:
        try:
            return _examined(order, listener, teller)
        except SourceError as error:
            if not _is_gone(order, error, teller):
                return Ended(EndedBy.ERROR, str(error))
            gone = Gone(str(error))
        except DigiVanError as error:
            return Ended(EndedBy.ERROR, str(error))
        teller.tell(gone)
        _await(order)


def _is_gone(order: "Order", error: SourceError, teller: "_Teller") -> bool:
    """Tell whether a source that was open is not there: whatever cannot be opened meanwhile is to be waited for."""
    from triage.sources.presence import is_there  # noqa: PLC0415 - heavy to load

    return isinstance(error, SourceGoneError) or teller.gone or (teller.began and not is_there(order.source))


def _examined(order: "Order", listener: "_Listener", teller: "_Teller") -> Ended:
    from triage.session.examination import Examination  # noqa: PLC0415 - heavy to load

    with Examination(order, hold=listener.is_paused) as examination:
        teller.tell(_began(order, examination))
        with closing(examination.events()) as events:
            for event in events:
                teller.tell(event)
        return Ended(EndedBy.END if examination.finished else examination.ended_by)


def _began(order: "Order", examination: "Examination") -> Began:
    from triage.session.view import CaseView  # noqa: PLC0415 - heavy to load

    view = CaseView(order.case)
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for row in view.findings_by(order.exhibit):
        counts[row["grade"], row["category"]] += row["findings"]
    return Began(
        resumed=examination.resumed,
        counts=tuple(counts.items()),
        troubles=tuple(view.troubles_by(order.exhibit).items()),
        volumes=view.volume_reports(order.exhibit),
        info=view.source(order.exhibit),
    )


def _await(order: "Order") -> None:
    from triage.sources.presence import is_there  # noqa: PLC0415 - heavy to load

    time.sleep(_SETTLE)
    while not is_there(order.source):
        time.sleep(_LOOK)


class _Teller:
    """Tells the visit what happens: of the progress only so much as a person can follow, of items what they show.

    `began`: a run was begun; `gone`: the device was taken away since.
    """

    def __init__(self, visit: Connection) -> None:
        self.began = self.gone = False
        self._visit = visit
        self._told = 0.0

    def tell(self, report: Report) -> None:
        """Send a report. Raises BrokenPipeError when the visit is over; nothing interrupts what is done then."""
        self.began = self.began or isinstance(report, Began)
        self.gone = isinstance(report, Gone) or (self.gone and not isinstance(report, Began))
        if isinstance(report, Progress):
            if time.monotonic() - self._told < _PROGRESS:
                return
            self._told = time.monotonic()
        try:
            self._visit.send(_light(report))
        except OSError as error:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise BrokenPipeError from error


def _light(report: Report) -> Report:
    """Return a finding without the places of its item's content, which may be millions."""
    return replace(report, item=replace(report.item, runs=())) if isinstance(report, Found) else report


class _Listener:
    """Hears what the visit says, in a thread of its own."""

    def __init__(self, visit: Connection) -> None:
        self._visit = visit
        self._paused = False

    def is_paused(self) -> bool:
        """Tell whether nothing new is to be handed out."""
        return self._paused

    def listen(self) -> None:
        """Do as told, until told to stop or nobody is there any more; then interrupt the run."""
        with suppress(EOFError, OSError):
            while not isinstance(command := self._visit.recv(), Halt):
                if isinstance(command, Pause):
                    self._paused = command.on
                elif isinstance(command, Nice):
                    self._give_way(command.value)
        os.kill(os.getpid(), signal.SIGINT)

    def _give_way(self, value: int) -> None:
        try:
            _be_nice(value)
        except OSError as error:
            self._visit.send(Refused(f"the system does not give this run more of the processor: {error.strerror}"))


def _be_nice(value: int) -> None:
    """Set the priority of this process, of its readers, and of those to come.

    Where Linux weighs sessions against each other (sched(7), the autogroup feature), the nice value of a process counts
    within its session only, and the session has one of its own.
    """
    with suppress(OSError), open(_AUTOGROUP, "w", encoding="ascii") as session:  # noqa: PTH123 - light to import
        session.write(f"{_BEHIND + value}")
    os.setpriority(os.PRIO_PGRP, 0, _BEHIND + value)


def _leave_terminal() -> None:
    """Leave the terminal to the console: its signals, and what libraries would write on it."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _stop_once() -> None:
    """Let the first interrupt stop the run, and none disturb it while it puts its work in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
