"""Dispatch: who does what next. The phases of a run offer their work, and the most urgent is handed out."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from triage.engine.answers.fitting import fits
from triage.engine.messages import Done, ExamineItems, Reply, Request, raise_refusal
from triage.engine.phases.phase import Phase, Work
from triage.engine.plan import Stop
from triage.engine.trace import Span, Trace
from triage.engine.workers.pool import Lost, WorkerPool
from triage.model.errors import SourceError
from triage.model.event import EndedBy, Event, Noted

_STARTS = 8
_GRACE = 2.0  # seconds: many times what a batch is meant to take
_HELD = 0.2


def never() -> bool:
    """Tell that a run is not held."""
    return False


@dataclass(slots=True)
class Dispatch:
    """Hands out the work of all phases to the workers until nothing is left, or a limit is reached.

    `began` is when the run began, on the clock; while `hold` says so, nothing new is handed out. `ended_by` says at the
    end what ended the run; `spans` what the time of every process went to, where that is measured.
    """

    work: Work
    phases: Sequence[Phase]
    pool: WorkerPool
    began: float
    stop: Stop = field(default_factory=Stop)
    hold: Callable[[], bool] = never
    ended_by: EndedBy = EndedBy.END
    spans: list[tuple[int, Span]] = field(default_factory=list)
    trace: Trace = field(default_factory=lambda: Trace(on=False))
    _by_request: dict[type[Request], Phase] = field(init=False)
    _found_before: int = field(init=False)
    _retries: deque[Request] = field(default_factory=deque)
    _said: dict[int, Reply] = field(default_factory=dict)  # by request, what was answered last
    _starts: int = 0
    _limit_at: float = 0.0

    def __post_init__(self) -> None:
        """Take up where the case stands."""
        self._by_request = {request: phase for phase in self.phases for request in phase.handles}
        self._found_before = self.work.case.journal.findings(self.work.exhibit)
        self.work.take_stand()

    def events(self) -> Iterator[Event]:
        """Yield progress and findings until every phase is done."""
        while True:
            self._check_limits()
            held = self.hold()
            if not held:
                self._give_out()
            if (not self.pool.busy and not held) or self._waits_in_vain():
                break
            if not self.pool.busy:
                time.sleep(_HELD)
                yield self._progress()
            for request, reply in self.pool.replies():
                with self.trace.span(f"take {type(reply).__name__}"):
                    events = list(self._take(request, reply))
                yield from events
        if self.ended_by is not EndedBy.END and not self.pool.busy and all(phase.is_done() for phase in self.phases):
            self.ended_by = EndedBy.END
        seconds = round(self.work.busy[ExamineItems] / self.pool.size, 3)
        yield Noted(name="examining-ended", facts={"seconds": seconds})

    def _progress(self) -> Event:
        return self.work.tally.progress(self.work.clock.seconds(), tier=self.work.tier, in_hand="")

    def _check_limits(self) -> None:
        if self.ended_by is not EndedBy.END:
            return
        if self.stop.is_late(self.work.clock.seconds() - self.began):
            self.ended_by = EndedBy.TIME_LIMIT
        elif self.stop.findings is not None and self._found_before + self.work.found >= self.stop.findings:
            self.ended_by = EndedBy.ENOUGH_FOUND

    def _waits_in_vain(self) -> bool:
        """Tell whether a limit is reached and nothing is in hand that is waited for."""
        if self.ended_by is EndedBy.END:
            return False
        return not any(self._phase_of(request).is_awaited for request in self.pool.requests) or self._grace_is_over()

    def _grace_is_over(self) -> bool:
        """Tell whether what was in hand when a limit was reached takes too long: it is begun anew by the next run."""
        self._limit_at = self._limit_at or time.monotonic()
        return time.monotonic() - self._limit_at > _GRACE

    def _give_out(self) -> None:
        while self.ended_by is EndedBy.END and self.pool.idle:
            with self.trace.span("choose"):
                request = self._next()
            if request is None:
                return
            self.work.gave(request)
            self.pool.give(request, *self._phase_of(request).patience(request))

    def _next(self) -> Request | None:
        """Return the most urgent piece of work that is to be had."""
        if self._retries:
            return self._retries.popleft()
        ranks = [(rank, number) for number, phase in enumerate(self.phases) if (rank := phase.rank()) is not None]
        for _, number in sorted(ranks):
            request = self.phases[number].next()
            if request is not None:
                return request
        return None

    def _phase_of(self, request: Request) -> Phase:
        return self._by_request[type(request)]

    def _take(self, request: Request, reply: Reply | Lost) -> Iterator[Event]:
        if not fits(request, reply, self.work.backlog.out, self._said.get(id(request))):
            reply = self.pool.lose(request, "the reader told of what it was not asked")
        raise_refusal(reply)
        seconds = 0.0
        if isinstance(reply, Done | Lost):
            self._said.pop(id(request), None)
            seconds = self.work.took(request)
        else:
            self._said[id(request)] = reply
        if isinstance(reply, Done):
            self._starts = 0
            self.work.account(reply)
            self.spans.extend((reply.worker, span) for span in reply.spans)
        if isinstance(reply, Lost):
            yield Noted(name="worker-lost", facts={"text": reply.text, "timed_out": reply.timed_out})
            if reply.starting:
                self._start_again(request, reply)
                return
        yield from self._phase_of(request).take(request, reply, seconds)

    def _start_again(self, request: Request, lost: Lost) -> None:
        """Give a request out again that no worker has seen."""
        self._starts += 1
        if self._starts > _STARTS:
            raise SourceError(f"no reader of the source starts any more: {lost.text}; run again to resume")
        self._retries.append(request)
