"""Sampling: blocks of the whole source, on a grid and drawn at random, compared with those of known files."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage.engine.messages import Followed, FollowLeads, Reply, Request, SampleBlocks, Sampled
from triage.engine.phases.phase import AT_ONCE, LAST, Work
from triage.engine.phases.space import Aligned, aligned, inside, space_of
from triage.engine.workers.pool import Lost
from triage.items.block_sample import BlockBatch, BlockSample, BlockSpace, stride_for
from triage.items.block_search import StratumCount, neighbours
from triage.items.order import Tier
from triage.model.address import Address
from triage.model.blocks import ASSURED_BYTES, BLOCK_BYTES, BlockStratum
from triage.model.event import Event, Found
from triage.model.runs import ByteRun
from triage.store.rows import ITEM_WIDTH, item_of
from triage.store.spans import Spans, merge, spans_of

Numbers = NDArray[np.int64]


@dataclass(slots=True)
class _Stratum:
    """One part of the source and what its sample showed; one batch of it is in hand at a time.

    Of the batch, `leads` are blocks of known files, and `unexplained` is where those are that lie in no finding.
    """

    sample: BlockSample
    count: StratumCount
    batches: Iterator[BlockBatch]
    batch: BlockBatch | None = None
    leads: int = 0
    unexplained: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    unreadable: int = 0
    died: bool = False


@dataclass(slots=True)
class Sampling:
    """Hands out batches of blocks when all else is done: what explains known blocks is then found, in whatever order.

    `draws` says how many of so many blocks are to be drawn, None for no sample at all; `seed` decides which.
    """

    work: Work
    seed: bytes
    draws: Callable[[int], int] | None
    others_are_done: Callable[[], bool]
    is_awaited: bool = False
    handles: tuple[type[Request], ...] = (SampleBlocks, FollowLeads)
    _strata: list[_Stratum] | None = None
    _waiting: deque[_Stratum] = field(default_factory=deque)
    _out: dict[int, _Stratum] = field(default_factory=dict)
    _urgent: deque[tuple[Request, _Stratum]] = field(default_factory=deque)
    _matched: Spans = field(default_factory=lambda: np.empty((0, 2), np.int64))

    def rank(self) -> int | None:
        """Return that leads are followed at once, and blocks sampled last of all."""
        if self.draws is None:
            return None
        if self._strata is None:
            if not self.others_are_done():
                return None
            self._begin()
        if self._urgent:
            return AT_ONCE
        return LAST if self._waiting else None

    def next(self) -> Request | None:
        """Return leads to follow, or the next batch of a stratum."""
        if self._urgent:
            request, stratum = self._urgent.popleft()
        else:
            stratum = self._waiting.popleft()
            assert stratum.batch is not None
            request = SampleBlocks(offsets=stratum.batch.offsets.tobytes())
        self._out[id(request)] = stratum
        self.work.tier = Tier.UNALLOCATED
        return request

    def patience(self, _: Request) -> tuple[float, float]:
        """Return the bounds of a batch: a slow disk seeks for every block of it."""
        return self.work.limits.item_seconds, self.work.limits.walk_seconds * 4

    def take(self, request: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Count what was read, follow leads, and store the runs that they are part of."""
        stratum = self._out[id(request)]
        match reply:
            case Sampled():
                self._take_sample(stratum, reply)
            case Followed():
                yield from self._store(stratum, reply)
                self._count(stratum)
            case Lost():
                yield from self._after(request, stratum, reply)
            case _:
                del self._out[id(request)]

    def is_done(self) -> bool:
        """Tell whether the sample is complete."""
        return self.draws is None or (self.rank() is None and self._strata is not None and not self._out)

    def _begin(self) -> None:
        """Divide the source, and take up where an earlier run stopped."""
        work = self.work
        self._matched = merge([work.case.journal.matched(work.exhibit)])
        space = space_of(work.case, work.exhibit)
        before = {one.label: one for one in work.case.samples.of(work.exhibit)}
        self._strata = []
        for name, spans in (("files", space.allocated), ("space that belongs to no file", space.free)):
            for step, part in aligned(spans, space.begins, work.case, work.exhibit).items():
                label = name if step == BLOCK_BYTES else f"{name} (a block begins every {step:,} bytes)"
                self._strata.append(self._stratum(label, step, part, before.get(label)))
                self._go_on(self._strata[-1])
        self._record()

    def _stratum(self, label: str, step: int, part: Aligned, before: BlockStratum | None) -> _Stratum:
        assert self.draws is not None
        space = BlockSpace(_runs(part.spans), step=step, cut=part.cut)
        sample = BlockSample(space, label, seed=self.seed, stride=stride_for(ASSURED_BYTES))
        apart = space.size * step // BLOCK_BYTES
        # Where all would be read of as many bytes with blocks that do not overlap, all is read.
        draws = space.size if self.draws(apart) >= apart else self.draws(space.size)
        return _Stratum(sample, StratumCount(sample, label, before), sample.batches(draws))

    def _go_on(self, stratum: _Stratum) -> None:
        """Put a stratum in line with its next batch, if there is one."""
        stratum.leads = stratum.unreadable = 0
        stratum.unexplained = np.empty(0, np.int64)
        stratum.died = False
        stratum.batch = next((batch for batch in stratum.batches if not stratum.count.has(batch)), None)
        if stratum.batch is not None:
            self._waiting.append(stratum)

    def _take_sample(self, stratum: _Stratum, sampled: Sampled) -> None:
        leads = np.frombuffer(sampled.leads, np.int64)
        stratum.leads, stratum.unreadable = len(leads), sampled.unreadable
        stratum.unexplained = leads[~inside(leads, BLOCK_BYTES, self._matched)]
        if len(stratum.unexplained):
            # A batch counts when its leads are followed: a run that is killed before that samples it again.
            follow = FollowLeads(offsets=neighbours(stratum.sample.space, stratum.unexplained).tobytes())
            self._urgent.append((follow, stratum))
        else:
            self._count(stratum)

    def _count(self, stratum: _Stratum) -> None:
        assert stratum.batch is not None
        alone = len(stratum.unexplained)
        stratum.count.add(stratum.batch, unreadable=stratum.unreadable, leads=stratum.leads, alone=alone)
        self._go_on(stratum)
        self._record()

    def _record(self) -> None:
        strata = [one.count.stratum for one in self._strata or []]
        self.work.case.samples.record(self.work.exhibit, [one for one in strata if one.blocks])

    def _store(self, stratum: _Stratum, followed: Followed) -> Iterator[Event]:
        work = self.work
        items = [item_of(row[:ITEM_WIDTH]) for row in followed.rows]
        runs = [item.runs[0] for item in items]
        known = merge([self._matched, spans_of(runs, max((run.end for run in runs), default=0))])
        stratum.unexplained = stratum.unexplained[~inside(stratum.unexplained, BLOCK_BYTES, known)]
        fresh = [position for position, run in enumerate(runs) if not self._is_matched(run)]
        numbers = {position: number for number, position in enumerate(fresh)}
        found = [(numbers[position], finding) for position, finding in followed.found if position in numbers]
        rows = [followed.rows[position] for position in fresh]
        new = work.case.journal.add_found(
            work.exhibit, rows, found, found_at=work.clock.now(), seconds=work.clock.seconds()
        )
        for number, finding in found:
            if number in new:
                work.found += 1
                yield Found(item=items[fresh[number]], finding=finding)

    def _is_matched(self, run: ByteRun) -> bool:
        """Tell whether a run lies in a content that matches as a whole: its blocks say nothing more."""
        return bool(inside(np.array([run.offset], np.int64), run.length, self._matched)[0])

    def _after(self, request: Request, stratum: _Stratum, lost: Lost) -> Iterator[Event]:
        """Try once more; then the batch could not be read, or its leads stay unexplained."""
        del self._out[id(request)]
        if not stratum.died:
            stratum.died = True
            self._urgent.append((request, stratum))
            return
        assert stratum.batch is not None
        yield from self.work.meet(lost.trouble(Address("source", "blocks"), "sampling blocks"))
        if isinstance(request, SampleBlocks):
            stratum.unreadable = len(stratum.batch.offsets)
        self._count(stratum)


def _runs(spans: Spans) -> Iterator[ByteRun]:
    return (ByteRun(start, end - start) for start, end in spans.tolist())
