"""Searching: pictures and videos without a name, in all bytes that belong to no allocated file."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from triage.engine.messages import Piece, Reply, Request, Searched, SearchSpace
from triage.engine.phases.phase import AT_ONCE, WITH_FREE_SPACE, Work
from triage.engine.phases.space import space_of
from triage.engine.pool import Lost
from triage.items.order import Tier
from triage.model.address import Address
from triage.model.event import Event
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.store.spans import Spans, spans_of, subtract

_SECTOR = 512
_PIECE = 256 << 20  # so that many workers share one stretch, and results come often
_BATCH_BYTES = 16 << 20
_BATCH = 512
_PASSED_OVER = 1 << 20  # what costs a worker twice


@dataclass(slots=True)
class Searching:
    """Hands out free space piece by piece once every name is listed; what is carved is examined like all else."""

    work: Work
    wanted: bool
    is_awaited: bool = False
    handles: tuple[type[Request], ...] = (SearchSpace,)
    _pieces: deque[Piece] | None = None
    _out: dict[int, list[Piece]] = field(default_factory=dict)
    _alone: deque[Piece] = field(default_factory=deque)
    _died: set[int] = field(default_factory=set)

    def rank(self) -> int | None:
        """Return the rank of free space."""
        if not self.wanted or not self.work.all_listed:
            return None
        if self._alone:
            return AT_ONCE
        if self._pieces is None:
            self._pieces = deque(_pieces(self._free()))
        return WITH_FREE_SPACE if self._pieces else None

    def next(self) -> Request | None:
        """Return pieces that lie one behind the other."""
        if self._alone:
            return self._hand_out([self._alone.popleft()])
        assert self._pieces
        batch: list[Piece] = []
        size = 0
        while self._pieces and len(batch) < _BATCH and size < _BATCH_BYTES:
            size += self._pieces[0].until - self._pieces[0].start
            batch.append(self._pieces.popleft())
        return self._hand_out(batch)

    def patience(self, _: Request) -> tuple[float, float]:
        """Return the bounds of a search: it tells how far it is with every mebibyte."""
        return self.work.limits.item_seconds, self.work.limits.item_seconds * 2

    def take(self, request: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Store what was carved, and how far the search is."""
        match reply:
            case Searched():
                yield from self._store(request, reply)
            case Lost():
                yield from self._after(self._out.pop(id(request)), reply)
            case _:
                yield from self.work.meet(*map(_given_up, self._out.pop(id(request))))

    def is_done(self) -> bool:
        """Tell whether all free space is searched."""
        return not self.wanted or (self.rank() is None and not self._out and self.work.all_listed)

    def _hand_out(self, batch: list[Piece]) -> SearchSpace:
        request = SearchSpace(pieces=tuple(batch))
        self._out[id(request)] = batch
        self.work.tier = Tier.UNALLOCATED
        return request

    def _store(self, request: Request, searched: Searched) -> Iterator[Event]:
        work, left = self.work, self._out[id(request)]
        new = work.case.journal.add_carved(work.exhibit, searched.rows, searched.run)
        if new:
            for tier, size, is_picture in searched.waiting:
                work.tally.listed(tier, size, is_picture=is_picture)
            work.backlog.forget_order()
        first = left[0]
        if searched.run.end < first.until:
            left[0] = first._replace(start=searched.run.end)
        else:
            del left[0]
        yield work.tally.progress(work.clock.seconds(), tier=work.tier, in_hand=f"free space at {searched.run.end}")

    def _after(self, left: list[Piece], lost: Lost) -> Iterator[Event]:
        """Search on behind a place that cost a worker twice, or hung."""
        if not left:
            return
        first, *others = left
        self._alone.extend(others)
        if not lost.timed_out and first.start not in self._died:
            self._died.add(first.start)
            self._alone.appendleft(first)
            return
        beyond = min(first.until, first.start + _PASSED_OVER)
        run = ByteRun(first.start, beyond - first.start)
        where = Address("bytes", f"{run.offset}+{run.length}")
        yield from self.work.meet(lost.trouble(where, "searching free space", run))
        if beyond < first.until:
            self._alone.appendleft(first._replace(start=beyond))

    def _free(self) -> Spans:
        """Return what belongs to no allocated file and was not searched yet, from the first sector of it on."""
        case, reference = self.work.case, self.work.exhibit
        searched = case.journal.searched(reference)
        free = subtract(
            space_of(case, reference).free, spans_of(searched, max((run.end for run in searched), default=0))
        )
        starts = -(-free[:, 0] // _SECTOR) * _SECTOR
        return np.stack((starts, free[:, 1]), axis=1)[free[:, 1] - starts >= _SECTOR]


def _pieces(free: Spans) -> Iterable[Piece]:
    for start, end in free.tolist():
        for offset in range(start, end, _PIECE):
            yield Piece(start=offset, until=min(end, offset + _PIECE), end=end)


def _given_up(piece: Piece) -> Trouble:
    """Return the trouble of a piece in which there is more to follow than is worth it."""
    run = ByteRun(piece.start, piece.until - piece.start)
    text = f"{run.length} bytes of free space were not searched: what begins there cost too much to follow"
    return Trouble(address=Address("bytes", f"{run.offset}+{run.length}"), code=TroubleCode.LIMIT, text=text, run=run)
