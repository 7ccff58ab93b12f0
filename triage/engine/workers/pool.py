"""Worker processes: started, spoken to, watched, and replaced when they die or hang."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import c_int64
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

from triage.engine.messages import GONE, NOTHING, Alive, Done, Failed, Ready, Refused, Reply, Request, Setup
from triage.engine.workers.hearing import StrangeReplyError, hear
from triage.engine.workers.server import start_server, worker_process
from triage.model.address import Address
from triage.model.errors import SourceGoneError
from triage.model.item import Outcome
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.presence import Presence

_OURS = (signal.SIGINT, signal.SIGHUP)
_TICK = 0.1
_AWAY = 1.0
_FAREWELL = 2.0
_MESSAGE = 20.0  # seconds in which a message is through the pipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A worker failed on its request, died, or was ended because it hung; the request is not done.

    `in_hand` is the number of the item it was at, if any, or the byte of the source from which on it searched;
    `starting`: it never got so far as to look at the request.
    """

    request: Request
    text: str
    timed_out: bool = False
    starting: bool = False
    in_hand: int | None = None

    @property
    def outcome(self) -> Outcome:
        """The outcome of an item that was lost like this."""
        return Outcome.TIMED_OUT if self.timed_out else Outcome.CRASHED

    def trouble(self, where: Address, doing: str, run: ByteRun | None = None) -> Trouble:
        """Return the fact to record: where, what was being done there, and the bytes that it is about."""
        code = TroubleCode.TIMED_OUT if self.timed_out else TroubleCode.CRASHED
        return Trouble(address=where, code=code, text=f"{doing} was ended: {self.text}", run=run)


@dataclass(slots=True)
class _Hand:
    """One worker: its process, our end of the pipe, what it holds, and when it was last heard of and last told news."""

    process: ForkServerProcess
    connection: Connection
    in_hand: c_int64
    request: Request | None = None
    starting: bool = True
    patience: float = 0.0
    longest: float = 0.0
    heard: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def end(self) -> None:
        """Kill the process. One that waits for a stalled device cannot die: nobody waits for it for long."""
        self.process.kill()
        self.process.join(_FAREWELL)
        self.connection.close()

    @contextmanager
    def within(self) -> Iterator[None]:
        """Kill the process if what happens inside takes too long: one half of a message would hold the run for ever."""
        timer = threading.Timer(_MESSAGE, self.process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def send(self, request: Request) -> bool:
        """Hand a request over; tell whether the worker is there to take it."""
        try:
            with self.within():
                self.connection.send(request)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def is_overdue(self, now: float, start: float) -> bool:
        """Tell whether the worker has been silent for too long, or alive for too long without news.

        What lies in the pipe unread is no silence.
        """
        if self.request is None:
            return False
        if now - self.told > (start if self.starting else self.longest):
            return True
        return not self.starting and now - self.heard > self.patience and not self.connection.poll()


class WorkerPool:
    """A fixed number of workers over one source. Close it to end every worker.

    `confined` says what the last worker that started is kept from.
    """

    def __init__(self, setup: Setup, size: int) -> None:
        start_server(pictures=setup.depth.pictures)
        self.setup = setup
        self.confined = ""
        self._hands: list[_Hand] = []
        self._size = size
        self._listened = time.monotonic()
        self._presence: Presence | None = None
        with suppress(OSError):  # whoever opens it says what is wrong
            self._presence = Presence.of(Path(setup.source))

    def close(self) -> None:
        """End every worker; calling it twice is harmless."""
        for hand in self._hands:
            hand.end()
        self._hands.clear()

    @property
    def idle(self) -> bool:
        """Whether a worker is free, or there is room to start one."""
        return len(self._hands) < self._size or any(hand.request is None for hand in self._hands)

    @property
    def size(self) -> int:
        """How many workers there may be at once."""
        return self._size

    @property
    def requests(self) -> list[Request]:
        """The requests that workers hold."""
        return [hand.request for hand in self._hands if hand.request is not None]

    @property
    def busy(self) -> bool:
        """Whether any worker holds a request."""
        return any(hand.request is not None for hand in self._hands)

    def give(self, request: Request, patience: float, longest: float | None = None) -> None:
        """Hand a request to a free worker.

        `patience` is how many seconds it may be silent, `longest` how many it may say no more than that it is alive.
        """
        hand = next((hand for hand in self._hands if hand.request is None), None) or self._start()
        # A worker that starts gets its request when it is ready: until then nobody would empty the pipe.
        if not hand.starting and not hand.send(request):
            # It died while it was idle: that is nobody's fault, another one takes the request.
            self._dismiss(hand)
            self.give(request, patience, longest)
            return
        hand.request, hand.patience, hand.longest = request, patience, longest or patience
        hand.heard = hand.told = time.monotonic()

    def replies(self) -> Iterator[tuple[Request, Reply | Lost]]:
        """Yield what workers have said within a short wait, each with the request it answers."""
        self._forgive_absence()
        waiting = {hand.connection: hand for hand in self._hands if hand.request is not None}
        for ready in wait(list(waiting), timeout=_TICK):
            assert isinstance(ready, Connection)
            if answer := self._hear(waiting[ready]):
                yield answer
        for hand in list(self._hands):
            if hand.is_overdue(self._listened, self.setup.limits.start_seconds):
                text = f"no result for {self._listened - hand.told:.0f} seconds"
                yield self._lose(hand, timed_out=True, text=text)

    def ask(self, request: Request, patience: float, longest: float | None = None) -> Iterator[Reply | Lost]:
        """Give one request and yield its replies until it is done, refused or lost."""
        self.give(request, patience, longest)
        while self.busy:
            for _, reply in self.replies():
                yield reply

    def lose(self, request: Request, text: str) -> Lost:
        """End the worker that holds a request, and return the loss of it."""
        hand = next((hand for hand in self._hands if hand.request is request), None)
        return Lost(request=request, text=text) if hand is None else self._lose(hand, timed_out=False, text=text)[1]

    def _forgive_absence(self) -> None:
        """Take the time in which nobody listened (a paused terminal, a slow disk) off the workers' silence."""
        now = time.monotonic()
        away = now - self._listened
        if away > _AWAY:
            for hand in self._hands:
                hand.heard += away
                hand.told += away
        self._listened = now

    def _start(self) -> _Hand:
        ours, theirs = Pipe()
        in_hand = RawValue(c_int64, NOTHING)
        process = worker_process(theirs, self.setup, in_hand)
        # A worker leaves signals of the terminal to the run, from its first instruction on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        hand = _Hand(process, ours, in_hand)
        self._hands.append(hand)
        return hand

    def _hear(self, hand: _Hand) -> tuple[Request, Reply | Lost] | None:
        request = hand.request
        assert request is not None
        reply = self._heard(hand)
        if isinstance(reply, str):
            return self._lose(hand, timed_out=False, text=reply)
        hand.heard = time.monotonic()
        if isinstance(reply, Alive):
            return None
        hand.told = hand.heard
        match reply:
            case Ready() if hand.starting:
                self.confined = reply.confined
                if not hand.send(request):
                    return self._lose(hand, timed_out=False, text="the reader ended while it started")
                hand.starting = False
                return None
            case Failed():
                hand.request = None
                return request, Lost(request=request, text=reply.text, in_hand=_number(hand))
            case Done() | Refused():
                hand.request = None
        return request, reply

    def _heard(self, hand: _Hand) -> Reply | str:
        """Return what a worker says, or why it has said its last."""
        try:
            with hand.within():
                return hear(hand.connection)
        except (EOFError, OSError):  # it died, perhaps in the middle of a message
            hand.process.join(_FAREWELL)
            if hand.process.exitcode == GONE and not self._is_present():
                raise SourceGoneError(
                    f"{self.setup.source} is gone: nothing is recorded of what could not be read since; "
                    "connect it again to go on"
                ) from None
            return _how_it_died(hand.process.exitcode)
        except StrangeReplyError as error:
            return f"the reader said what no reader says: {error}"

    def _is_present(self) -> bool:
        """Tell whether the source is still there: a worker that was taken over could say that it is not, for ever."""
        return self._presence is not None and self._presence.lasts()

    def _lose(self, hand: _Hand, *, timed_out: bool, text: str) -> tuple[Request, Lost]:
        request = hand.request
        assert request is not None
        number = _number(hand)
        self._dismiss(hand)
        return request, Lost(request=request, text=text, timed_out=timed_out, starting=hand.starting, in_hand=number)

    def _dismiss(self, hand: _Hand) -> None:
        self._hands.remove(hand)
        hand.end()


def _number(hand: _Hand) -> int | None:
    return None if hand.in_hand.value == NOTHING else hand.in_hand.value


def _how_it_died(code: int | None) -> str:
    return f"the reader was ended by signal {-code}" if code is not None and code < 0 else f"the reader ended ({code})"
