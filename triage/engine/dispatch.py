"""Dispatch: who does what next. Volumes are listed while what is listed is looked at and examined."""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from triage.engine.answers import fits
from triage.engine.backlog import Backlog, stored_bytes
from triage.engine.first_look import FirstLook
from triage.engine.losses import GivenUp, Losses
from triage.engine.messages import (
    Done,
    ExamineItems,
    LookAtItems,
    Looked,
    Reply,
    Request,
    Results,
    WalkVolume,
    raise_refusal,
)
from triage.engine.plan import Limits
from triage.engine.pool import Lost, WorkerPool
from triage.engine.siblings import Siblings
from triage.engine.tally import Tally
from triage.engine.trace import Span, Trace
from triage.engine.walking import Walk
from triage.items.order import Tier
from triage.model.errors import SourceError
from triage.model.event import EndedBy, Event, Found, Met, Noted
from triage.model.finding import Finding
from triage.store.case import Case
from triage.store.exhibits import ExhibitState
from triage.store.rows import Row, item_of

_STARTS = 8
_GRACE = 5.0  # seconds


class Clock(Protocol):
    """Time, handed down from the session so that nothing below it reads a clock for a result."""

    def now(self) -> str:
        """Return the time as ISO 8601 UTC."""

    def seconds(self) -> float:
        """Return the seconds since the examination of this exhibit began, earlier runs included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When a run ends before its end: after so many seconds, or with so many findings in all; None: never."""

    seconds: float | None = None
    findings: int | None = None

    def is_late(self, seconds: float) -> bool:
        """Tell whether a run that takes so long already is to end."""
        return self.seconds is not None and seconds >= self.seconds


@dataclass(slots=True)
class Dispatch:
    """Lists every volume and examines every item that has no outcome yet. `found` are the findings of this run.

    `began` is when the run began, on the clock.

    `ended_by` says at the end what ended it; `spans` what the time of every process went to, where that is measured.
    """

    case: Case
    exhibit: str
    pool: WorkerPool
    clock: Clock
    walks: deque[WalkVolume]
    began: float
    stop: Stop = field(default_factory=Stop)
    look_first: bool = False
    found: int = 0
    ended_by: EndedBy = EndedBy.END
    spans: list[tuple[int, Span]] = field(default_factory=list)
    trace: Trace = field(default_factory=lambda: Trace(on=False))
    _tally: Tally = field(init=False)
    _backlog: Backlog = field(init=False)
    _first_look: FirstLook = field(init=False)
    _siblings: Siblings = field(init=False)
    _found_before: int = field(init=False)
    _walk: Walk | None = None
    _retries: deque[Request] = field(default_factory=deque)
    _losses: Losses = field(default_factory=Losses)
    _busy: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _given: dict[int, float] = field(default_factory=dict)
    _starts: int = 0
    _limit_at: float = 0.0
    _tier: int | None = None

    def __post_init__(self) -> None:
        """Take up where the case stands."""
        self._tally = Tally(self.clock.seconds())
        self._backlog = Backlog(self.case, self.exhibit)
        self._first_look = FirstLook(self.case.queue, self.exhibit, self._backlog, wanted=self.look_first)
        self._siblings = Siblings(self.case.queue)
        self._found_before = self.case.journal.findings(self.exhibit)
        self._take_stand()

    def events(self) -> Iterator[Event]:
        """Yield progress and findings until everything is listed and every item has its outcome."""
        self._enter_state()
        while True:
            self._check_limits()
            yield from self._give_out()
            if not self.pool.busy or self._only_lists_in_vain():
                break
            for request, reply in self.pool.replies():
                with self.trace.span(f"take {type(reply).__name__}"):
                    events = list(self._take(request, reply))
                yield from events
        if self.ended_by is not EndedBy.END and self._nothing_is_left():
            self.ended_by = EndedBy.END
        yield Noted(name="examining-ended", facts={"seconds": round(self._busy["examine"] / self.pool.size, 3)})

    def _take_stand(self) -> None:
        for standing in self.case.queue.tiers(self.exhibit):
            self._tally.take(standing)

    def _enter_state(self) -> None:
        state = ExhibitState.WALKING if self.walks or self._walk else ExhibitState.EXAMINING
        self.case.exhibits.set_state(self.exhibit, state, self.clock.now())

    def _check_limits(self) -> None:
        if self.ended_by is not EndedBy.END:
            return
        if self.stop.is_late(self.clock.seconds() - self.began):
            self.ended_by = EndedBy.TIME_LIMIT
        elif self.stop.findings is not None and self._found_before + self.found >= self.stop.findings:
            self.ended_by = EndedBy.ENOUGH_FOUND

    def _only_lists_in_vain(self) -> bool:
        """Tell whether a limit is reached and nothing is in hand but a listing, which nobody will wait for."""
        listing = all(isinstance(request, WalkVolume) for request in self.pool.requests)
        return self.ended_by is not EndedBy.END and (listing or self._grace_is_over())

    def _grace_is_over(self) -> bool:
        """Tell whether what was in hand when a limit was reached takes too long: it is begun anew by the next run."""
        self._limit_at = self._limit_at or time.monotonic()
        return time.monotonic() - self._limit_at > _GRACE

    def _nothing_is_left(self) -> bool:
        """Tell whether a limit was reached just when there was nothing more to do."""
        if self._walk is not None or self.walks or self._retries or self._backlog.out:
            return False
        return not self.case.queue.next(self.exhibit, 1)

    def _give_out(self) -> Iterator[Event]:
        while self.ended_by is EndedBy.END and self.pool.idle:
            with self.trace.span("choose"):
                request = self._next()
            if request is None:
                return
            if isinstance(request, WalkVolume) and self._walk is None:
                self._walk = Walk(self.case, self.exhibit, request, self._tally)
                yield Noted(name="walk-began", facts={"volume": request.region.run.offset})
            self._give(request)

    def _next(self) -> Request | None:
        """Return what to do now: what was lost, a volume to list, a first look and examining in turn."""
        if self._retries:
            return self._retries.popleft()
        if self._walk is None and self.walks:
            return self.walks.popleft()
        return self._first_look.turn() or self._backlog.batch() or self._first_look.next()

    def _give(self, request: Request) -> None:
        self._given[id(request)] = time.monotonic()
        match request:
            case WalkVolume():
                self.pool.give(request, self._limits.walk_seconds, self._limits.listing_seconds)
            case LookAtItems():
                self.pool.give(request, self._limits.item_seconds, self._limits.item_seconds * 2)
            case ExamineItems():
                self._tier = self._backlog.out[request.items[0][0]].tier
                self.pool.give(request, self._limits.item_seconds, self._longest(request))
            case _:
                raise AssertionError(request)

    def _take(self, request: Request, reply: Reply | Lost) -> Iterator[Event]:
        if not fits(request, reply, self._backlog.out):
            reply = self.pool.lose(request, "the reader told of what it was not asked")
        raise_refusal(reply)
        if isinstance(reply, Done):
            self._starts = 0
            account(self.case, self.exhibit, self.clock, reply)
            self.spans.extend((reply.worker, span) for span in reply.spans)
        if isinstance(reply, Lost):
            self._after_any_loss(reply)
            yield Noted(name="worker-lost", facts={"text": reply.text, "timed_out": reply.timed_out})
        match request:
            case WalkVolume():
                yield from self._take_walk(request, reply)
            case LookAtItems():
                yield from self._take_look(request, reply)
            case ExamineItems():
                yield from self._take_results(request, reply)
            case _:
                raise AssertionError(request)

    def _after_any_loss(self, lost: Lost) -> None:
        if not lost.starting:
            return
        self._starts += 1
        if self._starts > _STARTS:
            raise SourceError(f"no reader of the source starts any more: {lost.text}; run again to resume")

    def _took(self, request: Request, what: str) -> float:
        """Return the time that one worker was at a request, and count it."""
        seconds = time.monotonic() - self._given.pop(id(request))
        self._busy[what] += seconds
        return seconds

    def _take_walk(self, request: WalkVolume, reply: Reply | Lost) -> Iterator[Event]:
        assert self._walk is not None
        match reply:
            case Lost() if self._walk.may_try_again(reply):
                self._retries.append(request)
            case Lost() | Done():
                self._took(request, "walk")
                yield from self._walk.end(reply if isinstance(reply, Lost) else None)
                if self._walk.repeats:
                    self._take_stand()
                self._walk = None
                self._backlog.forget_order()
                self._enter_state()
            case _:
                yield from self._walk.take(reply)
                self._backlog.forget_order()

    def _take_look(self, request: LookAtItems, reply: Reply | Lost) -> Iterator[Event]:
        match reply:
            case Looked():
                self._first_look.take(reply)
            case Lost(starting=True):
                self._retries.append(request)
            case Lost():
                self._first_look.give_up(request)
                self._took(request, "look")
            case Done():
                self._took(request, "look")
            case _:
                pass
        if isinstance(reply, Lost | Done):
            seen = self._first_look.ends(all_listed=self._walk is None and not self.walks)
            if seen is not None:
                seconds = round(self._busy["look"] / self.pool.size, 3)
                yield Noted(name="first-look-ended", facts={"seconds": seconds, **seen})

    def _take_results(self, request: ExamineItems, reply: Reply | Lost) -> Iterator[Event]:
        match reply:
            case Results():
                yield from self._record(reply.rows, reply.found)
                yield self._tally.progress(self.clock.seconds(), tier=self._tier, in_hand=reply.in_hand)
            case Done():
                self._backlog.took(self._took(request, "examine"))
            case Lost(starting=True):
                self._retries.append(request)
            case Lost():
                self._backlog.took(self._took(request, "examine"))
                for step in self._losses.after(request, self._backlog.without_outcome(request), reply):
                    if isinstance(step, GivenUp):
                        yield from self._give_up(step)
                    else:
                        self._retries.append(step)
            case _:
                pass

    def _record(self, rows: Sequence[Row], found: Sequence[tuple[int, Finding]]) -> Iterator[Event]:
        self.case.journal.record_results(rows, found, found_at=self.clock.now(), seconds=self.clock.seconds())
        settled = {cast("int", row[-1]): self._backlog.out.pop(cast("int", row[-1])) for row in rows}
        self.found += len(found)
        for number in dict.fromkeys(number for number, _ in found):
            if self._siblings.of_hit(settled[number]):
                self._backlog.forget_order()
        for number, finding in found:
            yield Found(item=item_of(settled[number].row), finding=finding)
        for pending in settled.values():
            self._tally.done(pending)
        for tier in sorted({pending.tier for pending in settled.values()}):
            if self._tally.is_done(tier) and self._walk is None and not self.walks:
                label, seconds = Tier(tier).label, round(self.clock.seconds(), 3)
                yield Noted(name="tier-ended", facts={"tier": label, "seconds": seconds})

    def _give_up(self, given_up: GivenUp) -> Iterator[Event]:
        ((_, row),) = given_up.request.items
        trouble = given_up.lost.trouble(item_of(row).address, "examining the item")
        with self.case.transaction():
            self.case.obstacles.record_troubles(self.exhibit, (trouble,))
            recorded = list(self._record([given_up.result], []))
        yield from recorded
        yield Met(trouble=trouble)

    def _longest(self, batch: ExamineItems) -> float:
        """Return the seconds that a batch may take without a result: the bytes of all of it are read together."""
        stored = sum(stored_bytes(row) for _, row in batch.items)
        return self._limits.item_seconds + stored * self._limits.seconds_per_byte

    @property
    def items(self) -> int:
        """How many items with content are listed so far, in all runs."""
        return self._tally.items

    @property
    def _limits(self) -> Limits:
        return self.pool.setup.limits


def account(case: Case, exhibit: str, clock: Clock, done: Done) -> None:
    """Record what a request took: the time so far, what was read for it, and what could not be."""
    case.exhibits.set_seconds(exhibit, clock.seconds())
    case.exhibits.add_bytes_read(exhibit, done.bytes_read)
    case.obstacles.record_unreadable(exhibit, done.unreadable)
