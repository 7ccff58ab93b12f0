"""Searching: pictures and videos without a name, in all bytes that belong to no allocated file."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from triage.engine.messages import Piece, Reply, Request, Searched, SearchSpace
from triage.engine.phases.phase import AT_ONCE, WITH_FREE_SPACE, Work
from triage.engine.phases.space import space_of
from triage.engine.workers.pool import Lost
from triage.items.order import Tier
from triage.model.address import Address
from triage.model.event import Event
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.store.rows import ITEM_WIDTH, Row, item_of
from triage.store.spans import Spans, spans_of, subtract, total

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
    _pieces: Iterator[Piece] | None = None
    _ready: Piece | None = None
    _deleted: NDArray[np.int64] | None = None
    _out: dict[int, list[Piece]] = field(default_factory=dict)
    _again: deque[list[Piece]] = field(default_factory=deque)
    _died: set[int] = field(default_factory=set)

    def rank(self) -> int | None:
        """Return the rank of free space."""
        if not self.wanted or not self.work.all_listed:
            return None
        if self._again:
            return AT_ONCE
        if self._pieces is None:
            free = self._free()
            self.work.tally.to_search(total(free))
            self._pieces = _pieces(free)
            self._ready = next(self._pieces, None)
        return WITH_FREE_SPACE if self._ready else None

    def next(self) -> Request | None:
        """Return pieces that lie one behind the other."""
        if self._again:
            return self._hand_out(self._again.popleft())
        assert self._pieces is not None
        batch: list[Piece] = []
        size = 0
        while self._ready and len(batch) < _BATCH and size < _BATCH_BYTES:
            size += self._ready.until - self._ready.start
            batch.append(self._ready)
            self._ready = next(self._pieces, None)
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
        work, runs = self.work, searched.runs
        fresh = [not self._has_a_name(row) for row in searched.rows]
        new = work.case.journal.add_carved(work.exhibit, list(compress(searched.rows, fresh)), runs)
        if new:
            for tier, size, is_picture in compress(searched.waiting, fresh):
                work.tally.listed(tier, size, is_picture=is_picture)
            work.backlog.forget_order()
        left = self._out[id(request)]
        for run in runs:
            at = bisect_right(left, run.offset, key=attrgetter("start")) - 1
            left[at : at + 1] = _without(left[at], run)
            work.tally.searched(run.length)
        yield work.tally.progress(work.clock.seconds(), tier=work.tier, in_hand=f"free space at {runs[-1].end}")

    def _has_a_name(self, row: Row) -> bool:
        """Tell whether what was carved is the content of a deleted file, which is examined by its name."""
        if self._deleted is None:
            self._deleted = self.work.case.journal.deleted(self.work.exhibit)
        (run,) = item_of(row[:ITEM_WIDTH]).runs
        first, last = (self._deleted[:, 0].searchsorted(run.offset, side) for side in ("left", "right"))
        return bool((self._deleted[first:last, 1] == run.length).any())

    def _after(self, left: list[Piece], lost: Lost) -> Iterator[Event]:
        """Search on behind a place that cost a worker twice, or hung."""
        if not left:
            return
        at = max(0, bisect_right(left, lost.in_hand or 0, key=attrgetter("start")) - 1)
        place = left.pop(at)
        if left:
            self._again.append(left)
        if lost.in_hand is not None and place.start < lost.in_hand < place.until:
            # What lies before it was searched, but not told: it is searched once more, without the place.
            self._again.append([place._replace(until=lost.in_hand)])
            place = place._replace(start=lost.in_hand)
        if not lost.timed_out and place.start not in self._died:
            self._died.add(place.start)
            self._again.append([place])
            return
        beyond = min(place.until, place.start + _PASSED_OVER)
        run = ByteRun(place.start, beyond - place.start)
        where = Address("bytes", f"{run.offset}+{run.length}")
        yield from self.work.meet(lost.trouble(where, "searching free space", run))
        if beyond < place.until:
            self._again.append([place._replace(start=beyond)])

    def _free(self) -> Spans:
        """Return what belongs to no allocated file and was not searched yet."""
        case, reference = self.work.case, self.work.exhibit
        searched = case.journal.searched(reference)
        return subtract(
            space_of(case, reference).free, spans_of(searched, max((run.end for run in searched), default=0))
        )


def _pieces(free: Spans) -> Iterator[Piece]:
    for span in free:
        start, end = map(int, span)
        while start < end:
            # The borders are those of the source, so that a search that is taken up again has the same.
            until = min(end, (start // _PIECE + 1) * _PIECE)
            yield Piece(start=start, until=until, end=end)
            start = until


def _without(piece: Piece, run: ByteRun) -> Iterator[Piece]:
    """Yield what is left of a piece when some bytes of it are searched."""
    if piece.start < run.offset:
        yield piece._replace(until=run.offset)
    if run.end < piece.until:
        yield piece._replace(start=run.end)


def _given_up(piece: Piece) -> Trouble:
    """Return the trouble of a piece in which there is more to follow than is worth it."""
    run = ByteRun(piece.start, piece.until - piece.start)
    text = f"{run.length} bytes of free space were not searched: what begins there cost too much to follow"
    return Trouble(address=Address("bytes", f"{run.offset}+{run.length}"), code=TroubleCode.LIMIT, text=text, run=run)
