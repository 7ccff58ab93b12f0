"""The run: survey, walk, examine. A generator of events; closing it loses nothing committed."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from triage.engine import messages
from triage.engine.backlog import Backlog
from triage.engine.dispatch import Dispatch, never
from triage.engine.messages import (
    Done,
    Opened,
    OpenSource,
    Reply,
    Request,
    Surveyed,
    SurveySource,
    Verified,
    VerifySource,
    WalkVolume,
    raise_refusal,
)
from triage.engine.phases.examining import Examining
from triage.engine.phases.listing import Listing
from triage.engine.phases.looking import Looking
from triage.engine.phases.opening import Opening
from triage.engine.phases.phase import Clock, Phase, Work, account
from triage.engine.phases.proving import Proving
from triage.engine.phases.sampling import Sampling
from triage.engine.phases.searching import Searching
from triage.engine.plan import Limits, Stop
from triage.engine.siblings import Siblings
from triage.engine.tally import Tally
from triage.engine.trace import Span, Trace
from triage.engine.workers.pool import Lost, WorkerPool
from triage.model.address import Address
from triage.model.errors import SourceError
from triage.model.event import EndedBy, Event, Finished, Met, Noted, Verifying
from triage.model.evidence import Region, VolumeReport
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble
from triage.sources.hidden_sectors import with_hidden_sectors
from triage.store.case import Case
from triage.store.exhibits import ExhibitState


def describe(pool: WorkerPool) -> Opened:
    """Return what the source is. Raises SourceError when it cannot be opened, or takes its reader down with it.

    A disk is asked here what it hides: its readers may send it no commands.
    """
    source = pool.setup.source
    for reply in pool.ask(OpenSource(), pool.setup.limits.walk_seconds):
        if isinstance(reply, Opened):
            opened = reply
        if isinstance(reply, Lost):
            raise SourceError(f"{source} cannot be opened: {reply.text}; check the image with another tool")
        raise_refusal(reply)
    return replace(opened, info=with_hidden_sectors(opened.info, Path(source)))


@dataclass(slots=True)
class Run:
    """One run over one exhibit whose plan is stored; `case` is the only place results go to.

    `seed` is that of the random samples; `draws` says how many of so many blocks are to be drawn, None for no sample of
    blocks. While `hold` says so, nothing new is begun. `spans` are what the time went to, where that is measured.
    """

    case: Case
    exhibit: str
    pool: WorkerPool
    clock: Clock
    seed: bytes
    verify: bool = False
    removable: bool = False
    stop: Stop = field(default_factory=Stop)
    hold: Callable[[], bool] = never
    draws: Callable[[int], int] | None = None
    spans: list[tuple[int, Span]] = field(default_factory=list)

    def events(self) -> Generator[Event]:
        """Carry the examination on from where the case says it stands, to its end or a limit."""
        began = self.clock.seconds()
        self.case.exhibits.set_state(self.exhibit, ExhibitState.WALKING, self.clock.now())
        yield Noted(name="run-began", facts={"confined": self.pool.confined, "workers": self.pool.size})
        yield from self._verify(began)
        if self.stop.is_late(self.clock.seconds() - began):
            yield Finished(items=0, findings=0, seconds=self.clock.seconds(), by=EndedBy.TIME_LIMIT)
            return
        yield from self._survey()
        dispatch = self._dispatch(began)
        yield from dispatch.events()
        self.spans.extend((os.getpid(), span) for span in dispatch.trace.taken())
        work = dispatch.work
        yield Finished(items=work.tally.items, findings=work.found, seconds=self.clock.seconds(), by=dispatch.ended_by)

    def _dispatch(self, began: float) -> Dispatch:
        """Return what hands out the work of this run."""
        setup = self.pool.setup
        backlog = Backlog(self.case, self.exhibit, self.pool.size)
        siblings, tally = Siblings(self.case.queue), Tally(self.clock.seconds())
        work = Work(self.case, self.exhibit, self.clock, setup.limits, tally, backlog, siblings)
        return Dispatch(
            work,
            self._phases(work),
            self.pool,
            began,
            stop=self.stop,
            hold=self.hold,
            spans=self.spans,
            trace=Trace(on=setup.traced),
        )

    def _phases(self, work: Work) -> tuple[Phase, ...]:
        """Return everything that is to be done, first what comes first among equals."""
        setup, depth = self.pool.setup, self.pool.setup.depth
        walks = (WalkVolume(region=region, seed=self.seed, removable=self.removable) for region in self._unwalked())
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        has_bytes = record.info.kind != "folder" and record.info.size > 0
        listing, proving = Listing(work, deque(walks)), Proving(work)
        others: tuple[Phase, ...] = (
            # One worker alone would list everything before it is tested.
            *((proving, listing) if self.pool.size == 1 else (listing, proving)),
            Looking(work, wanted=depth.first_look and bool(setup.sets), workers=self.pool.size),
            Examining(work),
            Opening(work, wanted=depth.members),
            Searching(work, wanted=depth.carving and has_bytes),
        )
        draws = self.draws if has_bytes else None
        return *others, Sampling(work, self.seed, draws, lambda: all(phase.is_done() for phase in others))

    def _verify(self, began: float) -> Iterator[Event]:
        if not self.verify or self.case.layout.regions(self.exhibit):
            return
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        for reply in self.pool.ask(VerifySource(), self._limits.walk_seconds):
            match reply:
                case messages.Verifying() if self.stop.is_late(self.clock.seconds() - began):
                    return
                case messages.Verifying():
                    yield Verifying(bytes_done=reply.bytes_done, bytes_total=record.info.size)
                case Verified():
                    yield from self._meet(reply.troubles)
                case Lost():
                    yield from self._meet((reply.trouble(Address("source", "all"), "comparing the source"),))
                case Done():
                    account(self.case, self.exhibit, self.clock, reply)
                case _:
                    raise_refusal(reply)

    def _survey(self) -> Iterator[Event]:
        if self.case.layout.regions(self.exhibit):
            return
        found: Surveyed | None = None
        for reply in self._insist(SurveySource()):
            match reply:
                case Surveyed():
                    found = reply
                case Lost():
                    found = self._no_survey(reply)
                case Done():
                    account(self.case, self.exhibit, self.clock, reply)
                case _:
                    raise_refusal(reply)
        assert found is not None
        with self.case.transaction():
            # Together: a kill between the regions and the trouble met in finding them would lose the trouble for good.
            self.case.obstacles.record_troubles(self.exhibit, found.troubles)
            self.case.layout.record_regions(self.exhibit, found.regions)
        for trouble in found.troubles:
            yield Met(trouble=trouble)

    def _no_survey(self, lost: Lost) -> Surveyed:
        """Go on with the source as one volume: its tables cannot be read, its file system perhaps can."""
        record = self.case.exhibits.get(self.exhibit)
        assert record is not None
        whole = Region(run=ByteRun(0, record.info.size), name="whole source", scheme="none", is_volume=True)
        trouble = lost.trouble(Address("volume", "0"), "reading the partition tables")
        return Surveyed(regions=(whole,), troubles=(trouble,))

    def _insist(self, request: Request) -> Iterator[Reply | Lost]:
        """Ask once more when the worker died or never started; a request that hangs is not tried again."""
        for again in (True, False):
            retry = False
            for reply in self.pool.ask(request, self._limits.walk_seconds, self._limits.listing_seconds):
                retry = again and isinstance(reply, Lost) and not (reply.timed_out and not reply.starting)
                if not retry:
                    yield reply
            if not retry:
                return

    def _meet(self, troubles: tuple[Trouble, ...]) -> Iterator[Event]:
        if troubles:
            self.case.obstacles.record_troubles(self.exhibit, troubles)
        for trouble in troubles:
            yield Met(trouble=trouble)

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

    @property
    def _limits(self) -> Limits:
        return self.pool.setup.limits
