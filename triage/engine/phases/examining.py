"""Examining: every item that has content gets its one outcome, in the order of looking."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from triage.engine.backlog import stored_bytes
from triage.engine.losses import GivenUp, Losses
from triage.engine.messages import Done, ExamineItems, Reply, Request, Results
from triage.engine.phases.phase import AT_ONCE, Work
from triage.engine.workers.pool import Lost
from triage.items.order import Tier
from triage.model.event import Event, Found, Noted
from triage.model.finding import Finding
from triage.store.rows import RESULT_OPENS, Row, item_of


@dataclass(slots=True)
class Examining:
    """Hands out batches of items, and stores their results."""

    work: Work
    is_awaited: bool = True
    handles: tuple[type[Request], ...] = (ExamineItems,)
    _retries: deque[ExamineItems] = field(default_factory=deque)
    _losses: Losses = field(default_factory=Losses)

    def rank(self) -> int | None:
        """Return the rank of what comes next; what was lost comes at once."""
        return AT_ONCE if self._retries else self.work.backlog.rank()

    def next(self) -> Request | None:
        """Return the next items."""
        request = self._retries.popleft() if self._retries else self.work.backlog.batch()
        if request is not None:
            self.work.tier = self.work.backlog.out[request.items[0][0]].tier
        return request

    def patience(self, request: Request) -> tuple[float, float]:
        """Return the bounds of a batch: the bytes of all of it are read together."""
        assert isinstance(request, ExamineItems)
        stored = sum(stored_bytes(row) for _, row in request.items)
        limits = self.work.limits
        return limits.item_seconds, limits.item_seconds + stored * limits.seconds_per_byte

    def take(self, request: Request, reply: Reply | Lost, seconds: float) -> Iterator[Event]:
        """Store results; what was lost is tried again, alone."""
        assert isinstance(request, ExamineItems)
        work = self.work
        match reply:
            case Results():
                yield from self._record(reply.rows, reply.found)
                yield work.tally.progress(work.clock.seconds(), tier=work.tier, in_hand=reply.in_hand)
            case Done():
                work.backlog.took(seconds)
            case Lost():
                work.backlog.took(seconds)
                for step in self._losses.after(request, work.backlog.without_outcome(request), reply):
                    if isinstance(step, GivenUp):
                        yield from self._give_up(step)
                    else:
                        self._retries.append(step)
            case _:
                pass

    def is_done(self) -> bool:
        """Tell whether every listed item has its outcome."""
        waits = self._retries or self.work.backlog.out
        return not waits and not self.work.case.queue.next(self.work.exhibit, 1)

    def _record(self, rows: Sequence[Row], found: Sequence[tuple[int, Finding]]) -> Iterator[Event]:
        work, backlog = self.work, self.work.backlog
        work.case.journal.record_results(rows, found, found_at=work.clock.now(), seconds=work.clock.seconds())
        settled = {cast("int", row[-1]): backlog.out.pop(cast("int", row[-1])) for row in rows}
        work.found += len(found)
        work.containers_met = work.containers_met or any(row[RESULT_OPENS] for row in rows)
        for number in dict.fromkeys(number for number, _ in found):
            if work.siblings.of_hit(settled[number]):
                backlog.forget_order()
        for number, finding in found:
            yield Found(item=item_of(settled[number].row), finding=finding)
        for pending in settled.values():
            work.tally.done(pending)
        for tier in sorted({pending.tier for pending in settled.values()}):
            if work.tally.is_done(tier) and work.all_listed:
                label, seconds = Tier(tier).label, round(work.clock.seconds(), 3)
                yield Noted(name="tier-ended", facts={"tier": label, "seconds": seconds})

    def _give_up(self, given_up: GivenUp) -> Iterator[Event]:
        ((_, row),) = given_up.request.items
        trouble = given_up.lost.trouble(item_of(row).address, "examining the item")
        with self.work.case.transaction():
            met = list(self.work.meet(trouble))
            recorded = list(self._record([given_up.result], []))
        yield from recorded
        yield from met
