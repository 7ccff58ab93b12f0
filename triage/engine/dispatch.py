"""Dispatch: the pending items of an exhibit handed to workers in batches, and what became of each."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from triage.engine.messages import Done, ExamineItems, Reply, Results, raise_refusal
from triage.engine.plan import Limits
from triage.engine.pool import Lost, WorkerPool
from triage.model.errors import SourceError
from triage.model.event import Event, Found, Met, Progress
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, total
from triage.store.case import Case

_STARTS = 8
_BATCH_ITEMS = 64
_BATCH_BYTES = 64 << 20
_UNKNOWN_STORED = 1 << 30


class Clock(Protocol):
    """Time, handed down from the session so that nothing below it reads a clock for a result."""

    def now(self) -> str:
        """Return the time as ISO 8601 UTC."""

    def seconds(self) -> float:
        """Return the seconds since the examination of this exhibit began, earlier runs included."""


@dataclass(slots=True)
class Dispatch:
    """Examines every item that has no outcome yet. `stand` is how far it is, `found` the findings of this run."""

    case: Case
    exhibit: str
    pool: WorkerPool
    clock: Clock
    stand: Progress = field(default_factory=Progress)
    found: int = 0
    _settled: set[int] = field(default_factory=set)
    _losses: dict[int, Lost] = field(default_factory=dict)
    _starts: int = 0
    _retries: deque[ExamineItems] = field(default_factory=deque)

    def events(self) -> Iterator[Event]:
        """Yield progress and findings until every item has its outcome."""
        self.stand = self._standing()
        batches = self._batches()
        exhausted = False
        while True:
            while self.pool.idle and not exhausted:
                batch = self._retries.popleft() if self._retries else next(batches, None)
                exhausted = batch is None
                if batch is not None:
                    self.pool.give(batch, self._limits.item_seconds, self._longest(batch))
            exhausted = exhausted and not self._retries
            if not self.pool.busy and exhausted:
                return
            for request, reply in self.pool.replies():
                assert isinstance(request, ExamineItems)
                yield from self._take(request, reply)
                exhausted = exhausted and not self._retries

    def _take(self, request: ExamineItems, reply: Reply | Lost) -> Iterator[Event]:
        match reply:
            case Results():
                yield from self._record(request, reply.results)
                yield self._progress(reply.in_hand)
            case Done():
                self._starts = 0
                self._settled.difference_update(number for number, _ in request.items)
                account(self.case, self.exhibit, self.clock, reply)
            case Lost(starting=True):
                self._starts += 1
                if self._starts > _STARTS:
                    raise SourceError(f"no reader of the source starts any more: {reply.text}; run again to resume")
                self._retries.append(request)
            case Lost():
                yield from self._after_loss(request, reply)
            case _:
                raise_refusal(reply)

    def _record(self, request: ExamineItems, results: tuple[ItemResult, ...]) -> Iterator[Event]:
        if not request.decode:
            results = tuple(self._undecoded(result) for result in results)
        self.case.journal.record_results(results, found_at=self.clock.now(), seconds=self.clock.seconds())
        items = dict(request.items)
        for result in results:
            self._settled.add(result.item)
            self.found += len(result.findings)
            self.stand = replace(
                self.stand,
                items_done=self.stand.items_done + 1,
                bytes_done=self.stand.bytes_done + items[result.item].size,
            )
            for finding in result.findings:
                yield Found(item=items[result.item], finding=finding)

    def _undecoded(self, result: ItemResult) -> ItemResult:
        """Return a result that was had without decoding under the outcome that decoding had."""
        lost = self._losses.pop(result.item, None)
        if lost is None or result.outcome is not Outcome.EXAMINED:
            return result
        return replace(result, outcome=lost.outcome, reason=f"decoding: {lost.text}")

    def _after_loss(self, request: ExamineItems, lost: Lost) -> Iterator[Event]:
        """Give the unfinished items of a lost batch out again, the one that was in hand alone.

        A death may be an accident, so that item is tried again; after a hang, or a second death, it is examined
        without decoding, for its digests; if that fails too, its outcome is what happened.
        """
        left = [(number, item) for number, item in request.items if number not in self._settled]
        culprit = next((pair for pair in left if pair[0] == lost.in_hand), None)
        rest = tuple(pair for pair in left if pair != culprit)
        if culprit is not None:
            yield from self._try_again(request, lost, *culprit)
        elif len(rest) == len(request.items):
            # Nothing was begun, so that the same batch would be lost for ever: smaller ones end it.
            yield from self._without_culprit(request, lost, rest)
            return
        if rest:
            self._retries.append(replace(request, items=rest))

    def _try_again(self, request: ExamineItems, lost: Lost, number: int, item: Item) -> Iterator[Event]:
        alone = ExamineItems(volume=request.volume, items=((number, item),), decode=request.decode)
        if not lost.timed_out and number not in self._losses:
            self._losses[number] = lost
            self._retries.append(alone)
        elif request.decode:
            self._losses[number] = lost
            self._retries.append(replace(alone, decode=False))
        else:
            yield from self._give_up(alone, lost)

    def _without_culprit(
        self, request: ExamineItems, lost: Lost, rest: tuple[tuple[int, Item], ...]
    ) -> Iterator[Event]:
        if len(rest) == 1:
            yield from self._give_up(request, lost)
            return
        middle = len(rest) // 2
        self._retries.append(replace(request, items=rest[:middle]))
        self._retries.append(replace(request, items=rest[middle:]))

    def _give_up(self, request: ExamineItems, lost: Lost) -> Iterator[Event]:
        ((number, item),) = request.items
        result = ItemResult(item=number, outcome=lost.outcome, reason=lost.text)
        trouble = lost.trouble(item.address, "examining the item")
        with self.case.transaction():
            self.case.obstacles.record_troubles(self.exhibit, (trouble,))
            recorded = list(self._record(request, (result,)))
        yield from recorded
        yield Met(trouble=trouble)

    def _batches(self) -> Iterator[ExamineItems]:
        """Cut the pending items into batches of one volume each, small enough to report often."""
        batch: list[tuple[int, Item]] = []
        stored = 0
        volume: ByteRun | None = None
        for pending in chain.from_iterable(self.case.journal.pending(self.exhibit)):
            if batch and (pending.volume != volume or len(batch) >= _BATCH_ITEMS or stored >= _BATCH_BYTES):
                assert volume is not None
                yield ExamineItems(volume=volume, items=tuple(batch))
                batch, stored = [], 0
            volume = pending.volume
            batch.append((pending.number, pending.item))
            stored += _stored(pending.item)
        if batch:
            assert volume is not None
            yield ExamineItems(volume=volume, items=tuple(batch))

    def _longest(self, batch: ExamineItems) -> float:
        largest = max(_stored(item) for _, item in batch.items)
        return self._limits.item_seconds + largest * self._limits.seconds_per_byte

    def _standing(self) -> Progress:
        """Return how far earlier runs came."""
        stand = self.case.journal.standing(self.exhibit)
        return Progress(
            items_done=stand.items_done,
            items_total=stand.items_total,
            bytes_done=stand.bytes_done,
            bytes_total=stand.bytes_total,
        )

    def _progress(self, in_hand: str) -> Progress:
        return replace(self.stand, seconds=self.clock.seconds(), in_hand=in_hand)

    @property
    def _limits(self) -> Limits:
        return self.pool.setup.limits


def account(case: Case, exhibit: str, clock: Clock, done: Done) -> None:
    """Record what a request took: the time so far, what was read for it, and what could not be."""
    case.exhibits.set_seconds(exhibit, clock.seconds())
    case.exhibits.add_bytes_read(exhibit, done.bytes_read)
    case.obstacles.record_unreadable(exhibit, done.unreadable)


def _stored(item: Item) -> int:
    return total(item.runs) if item.runs else min(item.size, _UNKNOWN_STORED)
