"""Worker processes: started, spoken to, watched, and replaced when they die or hang."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from triage.engine.messages import Alive, Done, Failed, Refused, Reply, Request, Setup
from triage.engine.worker import work

_TICK = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A worker failed on its request, died, or was ended because it hung; the request is not done."""

    request: Request
    timed_out: bool
    text: str


@dataclass(slots=True)
class _Hand:
    """One worker: its process, our end of the pipe, what it holds, and when it was last heard of and last told news."""

    process: SpawnProcess
    connection: Connection
    request: Request | None = None
    patience: float = 0.0
    longest: float = 0.0
    heard: float = 0.0
    told: float = 0.0

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class WorkerPool:
    """A fixed number of workers over one source. Close it to end every worker."""

    def __init__(self, setup: Setup, size: int) -> None:
        self.setup = setup
        self._context = get_context("spawn")
        self._hands: list[_Hand] = []
        self._size = size

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
    def busy(self) -> bool:
        """Whether any worker holds a request."""
        return any(hand.request is not None for hand in self._hands)

    def give(self, request: Request, patience: float, longest: float | None = None) -> None:
        """Hand a request to a free worker.

        `patience` is how many seconds it may be silent, `longest` how many it may say no more than that it is alive.
        """
        hand = next((hand for hand in self._hands if hand.request is None), None) or self._start()
        hand.request, hand.patience, hand.longest = request, patience, longest or patience
        hand.heard = hand.told = time.monotonic()
        try:
            hand.connection.send(request)
        except BrokenPipeError:
            # It died while idle; `replies` sees the closed pipe and reports the request as lost.
            return

    def replies(self) -> Iterator[tuple[Request, Reply | Lost]]:
        """Yield what workers have said within a short wait, each with the request it answers."""
        waiting = {hand.connection: hand for hand in self._hands if hand.request is not None}
        for ready in wait(list(waiting), timeout=_TICK):
            assert isinstance(ready, Connection)
            yield self._hear(waiting[ready])
        now = time.monotonic()
        for hand in list(self._hands):
            if hand.request is not None and (now - hand.heard > hand.patience or now - hand.told > hand.longest):
                yield self._lose(hand, timed_out=True, text=f"no result for {now - hand.told:.0f} seconds")

    def ask(self, request: Request, patience: float, longest: float | None = None) -> Iterator[Reply | Lost]:
        """Give one request and yield its replies until it is done, refused or lost."""
        self.give(request, patience, longest)
        while self.busy:
            for _, reply in self.replies():
                yield reply

    def _start(self) -> _Hand:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self.setup), daemon=True)
        process.start()
        theirs.close()
        hand = _Hand(process, ours)
        self._hands.append(hand)
        return hand

    def _hear(self, hand: _Hand) -> tuple[Request, Reply | Lost]:
        request = hand.request
        assert request is not None
        try:
            reply: Reply = hand.connection.recv()
        except (EOFError, ConnectionResetError):
            hand.process.join()
            return self._lose(hand, timed_out=False, text=_how_it_died(hand.process.exitcode))
        hand.heard = time.monotonic()
        if not isinstance(reply, Alive):
            hand.told = hand.heard
        if isinstance(reply, Failed):
            hand.request = None
            return request, Lost(request=request, timed_out=False, text=reply.text)
        if isinstance(reply, Done | Refused):
            hand.request = None
        return request, reply

    def _lose(self, hand: _Hand, *, timed_out: bool, text: str) -> tuple[Request, Lost]:
        request = hand.request
        assert request is not None
        hand.end()
        self._hands.remove(hand)
        return request, Lost(request=request, timed_out=timed_out, text=text)


def _how_it_died(code: int | None) -> str:
    return f"the reader was ended by signal {-code}" if code is not None and code < 0 else f"the reader ended ({code})"
