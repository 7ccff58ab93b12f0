"""The run: survey, walk, examine. A generator of events; closing it loses nothing committed."""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from triage.engine import messages
from triage.engine.messages import (
    Done,
    ExamineItems,
    Listed,
    Opened,
    OpenSource,
    Recognised,
    Refused,
    Reply,
    Request,
    Results,
    Surveyed,
    SurveySource,
    Verified,
    VerifySource,
    WalkVolume,
)
from triage.engine.plan import Limits
from triage.engine.pool import Lost, WorkerPool
from triage.model.address import Address
from triage.model.errors import DigiVanError, SourceError, StoreError, UsageError
from triage.model.event import Event, Finished, Found, Met, Progress, Verifying, VolumeOpened, Walking
from triage.model.evidence import Region, VolumeReport
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, total
from triage.model.trouble import Trouble, TroubleCode
from triage.store.case import Case
from triage.store.exhibits import ExhibitState

_BATCH_ITEMS = 64
_BATCH_BYTES = 64 << 20
_UNKNOWN_STORED = 1 << 30
_ERRORS: dict[str, type[DigiVanError]] = {kind.__name__: kind for kind in (SourceError, StoreError, UsageError)}


class Clock(Protocol):
    """Time, handed down from the session so that nothing below it reads a clock for a result."""

    def now(self) -> str:
        """Return the time as ISO 8601 UTC."""

    def seconds(self) -> float:
        """Return the seconds since the examination of this exhibit began, earlier runs included."""


def describe(pool: WorkerPool) -> Opened:
    """Return what the source is. Raises SourceError when it cannot be opened, or takes its reader down with it."""
    source = pool.setup.source
    for reply in pool.ask(OpenSource(), pool.setup.limits.walk_seconds):
        if isinstance(reply, Opened):
            opened = reply
        if isinstance(reply, Lost):
            raise SourceError(f"{source} cannot be opened: {reply.text}; check the image with another tool")
        _raise_refusal(reply)
    return opened


@dataclass(slots=True)
class Run:
    """One run over one exhibit whose plan is stored; `case` is the only place results go to."""

    case: Case
    exhibit: str
    pool: WorkerPool
    clock: Clock
    verify: bool = False
    _listed: int = 0
    _found: int = 0
    _stand: Progress = field(default_factory=Progress)
    _settled: set[int] = field(default_factory=set)
    _retries: deque[ExamineItems] = field(default_factory=deque)

    def events(self) -> Generator[Event]:
        """Carry the examination on from where the case says it stands, to its end."""
        yield from self._verify()
        yield from self._survey()
        for region in self._unwalked():
            yield from self._walk(region)
        self.case.exhibits.set_state(self.exhibit, ExhibitState.EXAMINING, self.clock.now())
        self._stand = self._standing()
        yield from self._examine()
        yield Finished(items=self._stand.items_total, findings=self._found, seconds=self.clock.seconds())

    def _verify(self) -> Iterator[Event]:
        if not self.verify or self.case.layout.regions(self.exhibit):
            return
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        for reply in self.pool.ask(VerifySource(), self._limits.walk_seconds):
            match reply:
                case messages.Verifying():
                    yield Verifying(bytes_done=reply.bytes_done, bytes_total=record.info.size)
                case Verified():
                    yield from self._meet(reply.troubles)
                case Lost():
                    yield from self._meet((_lost_trouble(Address("source", "all"), reply, "comparing the source"),))
                case Done():
                    self._account(reply)
                case _:
                    _raise_refusal(reply)

    def _survey(self) -> Iterator[Event]:
        if self.case.layout.regions(self.exhibit):
            return
        self.case.exhibits.set_state(self.exhibit, ExhibitState.WALKING, self.clock.now())
        for reply in self.pool.ask(SurveySource(), self._limits.walk_seconds, self._limits.listing_seconds):
            match reply:
                case Surveyed():
                    self.case.layout.record_regions(self.exhibit, reply.regions)
                    yield from self._meet(reply.troubles)
                case Lost():
                    yield from self._no_survey(reply)
                case Done():
                    self._account(reply)
                case _:
                    _raise_refusal(reply)

    def _no_survey(self, lost: Lost) -> Iterator[Event]:
        """Go on with the source as one volume: its tables cannot be read, its file system perhaps can."""
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        whole = Region(run=ByteRun(0, record.info.size), name="whole source", scheme="none", is_volume=True)
        self.case.layout.record_regions(self.exhibit, (whole,))
        yield from self._meet((_lost_trouble(Address("volume", "0"), lost, "the partition tables"),))

    def _walk(self, region: Region) -> Iterator[Event]:
        request = WalkVolume(region=region)
        sequence = 0
        lost: Lost | None = None
        report: VolumeReport | None = None
        for reply in self.pool.ask(request, self._limits.walk_seconds, self._limits.listing_seconds):
            match reply:
                case Recognised():
                    report = reply.report
                    self.case.layout.record_volume(self.exhibit, report)
                    yield VolumeOpened(report=report)
                case Listed():
                    self.case.journal.add_items(self.exhibit, region.run.offset, reply.items, first=sequence)
                    sequence += len(reply.items)
                    self._listed += len(reply.items)
                    yield from self._meet(reply.troubles)
                    yield Walking(volume=region.name, items=self._listed)
                case Done():
                    self._account(reply)
                case Lost():
                    lost = reply
                case Refused():
                    _raise_refusal(reply)
                case _:
                    continue
        if lost is not None:
            yield from self._walk_ended_early(region, report, lost)
        self.case.layout.mark_walked(self.exhibit, region.run.offset, listed=lost is None)

    def _walk_ended_early(self, region: Region, report: VolumeReport | None, lost: Lost) -> Iterator[Event]:
        where = Address("volume", str(region.run.offset))
        if report is None:
            text = f"the file system could not be recognised: {lost.text}"
            self.case.layout.record_volume(self.exhibit, VolumeReport(region=region, state="unsupported", text=text))
        yield from self._meet((_lost_trouble(where, lost, f"listing the names of {region.name}"),))

    def _examine(self) -> Iterator[Event]:
        batches = self._batches()
        exhausted = False
        while True:
            while self.pool.idle and not exhausted:
                batch = self._retries.popleft() if self._retries else next(batches, None)
                exhausted = batch is None
                if batch is not None:
                    self.pool.give(batch, self._patience(batch))
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
                self._settled.difference_update(number for number, _ in request.items)
                self._account(reply)
            case Lost():
                yield from self._retry_alone(request, reply)
            case _:
                _raise_refusal(reply)

    def _record(self, request: ExamineItems, results: tuple[ItemResult, ...]) -> Iterator[Event]:
        self.case.journal.record_results(results, found_at=self.clock.now(), seconds=self.clock.seconds())
        items = dict(request.items)
        for result in results:
            self._settled.add(result.item)
            self._found += len(result.findings)
            self._stand = replace(
                self._stand,
                items_done=self._stand.items_done + 1,
                bytes_done=self._stand.bytes_done + items[result.item].size,
            )
            for finding in result.findings:
                yield Found(item=items[result.item], finding=finding)

    def _retry_alone(self, request: ExamineItems, lost: Lost) -> Iterator[Event]:
        """Blame nobody until an item was alone: the rest of a lost batch comes back one by one."""
        items = tuple((number, item) for number, item in request.items if number not in self._settled)
        if len(request.items) > 1:
            self._retries.extend(ExamineItems(volume=request.volume, items=(pair,)) for pair in items)
            return
        outcome = Outcome.TIMED_OUT if lost.timed_out else Outcome.CRASHED
        results = tuple(ItemResult(item=number, outcome=outcome, reason=lost.text) for number, _ in items)
        yield from self._record(request, results)
        for _, item in items:
            yield from self._meet((_lost_trouble(item.address, lost, "examining the item"),))

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

    def _patience(self, batch: ExamineItems) -> float:
        largest = max(_stored(item) for _, item in batch.items)
        return self._limits.item_seconds + largest * self._limits.seconds_per_byte

    def _meet(self, troubles: tuple[Trouble, ...]) -> Iterator[Event]:
        if troubles:
            self.case.obstacles.record_troubles(self.exhibit, troubles)
        for trouble in troubles:
            yield Met(trouble=trouble)

    def _account(self, done: Done) -> None:
        self.case.exhibits.add_effort(self.exhibit, seconds=0, bytes_read=done.bytes_read)
        self.case.obstacles.record_unreadable(self.exhibit, done.unreadable)

    def _unwalked(self) -> Iterator[Region]:
        """Return the volumes still to be listed; an encrypted container has none that could be."""
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        walked = self.case.layout.walked(self.exhibit)
        for region in self.case.layout.regions(self.exhibit):
            if record.info.encrypted and region.is_volume:
                text = f"the image itself is encrypted: {record.info.encrypted}"
                self.case.layout.record_volume(self.exhibit, VolumeReport(region=region, state="encrypted", text=text))
            elif region.is_volume and region.run.offset not in walked:
                yield region

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
        return replace(self._stand, seconds=self.clock.seconds(), in_hand=in_hand)

    @property
    def _limits(self) -> Limits:
        return self.pool.setup.limits


def _stored(item: Item) -> int:
    return total(item.runs) if item.runs else min(item.size, _UNKNOWN_STORED)


def _lost_trouble(where: Address, lost: Lost, doing: str) -> Trouble:
    code = TroubleCode.TIMED_OUT if lost.timed_out else TroubleCode.CRASHED
    return Trouble(address=where, code=code, text=f"{doing} was ended: {lost.text}")


def _raise_refusal(reply: Request | Reply | Lost) -> None:
    if isinstance(reply, Refused):
        raise _ERRORS.get(reply.error, StoreError)(reply.text)
