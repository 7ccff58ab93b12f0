"""The backlog: which items are handed out next, in batches that one worker finishes in a moment.

Where the source is no slower than digests are, large items are set aside, until there are enough to be digested side by
side (see `Learner`), or thousands of others of their tier came before them: then they are a batch of their own. A slow
source is read from one large item to the next, for it would lose more by going to and fro.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from triage.engine.messages import ExamineItems, LookAtItems
from triage.engine.tally import cost
from triage.model.runs import total
from triage.store.case import Case
from triage.store.queue import Pending
from triage.store.rows import ITEM_COLUMNS, Row, runs_of

Numbered = tuple[int, Row]
"""An item, as a row, and its number in the case."""

_BATCH_SECONDS = 0.25
_FIRST_BYTES = 4 << 20
_MOST_BYTES = 96 << 20
_BATCH_ITEMS = 512
_BATCH_LOOKS = 128
_UNKNOWN_STORED = 1 << 30
_PLAIN = 16 << 20  # holes in less are not worth looking for
_LARGE = 8 << 20  # bytes
_SIDE_BY_SIDE = 16  # as many as share the lanes of digests
_SIDE_BYTES = 8 << 30  # which one worker has done within some seconds
_OVERTAKE = 4096  # others that may come before an item that was set aside
_SWIFT = 4.0  # times what a core would take
_SIZE, _RUNS, _DIRECT = (ITEM_COLUMNS.split(", ").index(name) for name in ("size", "runs", "direct"))


class _Handed(NamedTuple):
    """A batch that is at a worker, and how many seconds it would take where no source is waited for."""

    request: ExamineItems
    seconds: float
    is_large: bool


@dataclass(slots=True)
class Backlog:
    """The items of one exhibit that wait. `out` are those that were handed out and have no outcome yet."""

    case: Case
    exhibit: str
    workers: int = 1
    out: dict[int, Pending] = field(default_factory=dict)
    _bytes: int = _FIRST_BYTES
    _looking: set[int] = field(default_factory=set)
    _ready: deque[Pending] = field(default_factory=deque)
    _large: list[Pending] = field(default_factory=list)
    _handed: list[_Handed] = field(default_factory=list)
    _overtook: int = 0
    _is_swift: bool = False

    def forget_order(self) -> None:
        """Ask the case anew what comes next: something was listed or moved up."""
        self._ready.clear()
        self._large.clear()

    def rank(self) -> int | None:
        """Return the rank of what comes next, None where nothing waits now."""
        if self._look_ahead():
            return self._ready[0].rank
        return self._large[0].rank if self._large else None

    def batch(self) -> ExamineItems | None:
        """Return the next items to examine, all of one volume; None where nothing waits now."""
        while self._look_ahead():
            if self._large and self._large_are_due():
                return self._hand_out(self._next_large(), is_large=True)
            if batch := self._next_few():
                self._overtook += len(batch) if self._large else 0
                return self._hand_out(batch, is_large=False)
        return self._hand_out(self._next_large(), is_large=True) if self._large else None

    def took(self, seconds: float) -> None:
        """Suit the next batches to how long one took: a slow source gets smaller ones, so that results come often."""
        ended = [handed for handed in self._handed if not self.without_outcome(handed.request)]
        if ended:
            self._handed = [handed for handed in self._handed if handed not in ended]
            self._is_swift = seconds < _SWIFT * sum(handed.seconds for handed in ended)
        if any(handed.is_large for handed in ended):
            return
        if seconds < _BATCH_SECONDS:
            self._bytes = min(_MOST_BYTES, self._bytes * 2)
        elif seconds > 4 * _BATCH_SECONDS:
            self._bytes = max(_FIRST_BYTES, self._bytes // 2)

    def _look_ahead(self) -> bool:
        """Tell whether items wait that are not set aside, after asking for them."""
        if not self._ready:
            without = self.out.keys() | {pending.number for pending in self._large}
            self._ready.extend(self.case.queue.next(self.exhibit, _BATCH_ITEMS, without=without))
        return bool(self._ready)

    def _next_few(self) -> list[Pending]:
        """Return what comes next and is not set aside: none, where something is to be handed out before."""
        volume = self._ready[0].volume
        batch: list[Pending] = []
        seconds, size = 0.0, 0
        while self._ready and self._ready[0].volume == volume and len(batch) < _BATCH_ITEMS:
            if self._large and self._large_are_due():
                break
            if self._is_swift and _is_large(self._ready[0]):
                self._large.append(self._ready.popleft())
                continue
            stored = stored_bytes(self._ready[0].row)
            seconds += cost(stored, is_picture=self._ready[0].is_picture)
            size += stored
            if batch and (seconds > _BATCH_SECONDS or size > self._bytes):
                break
            batch.append(self._ready.popleft())
        return batch

    def _large_are_due(self) -> bool:
        """Tell whether what is set aside is a batch now: it is enough, or what comes next is of another kind."""
        first, following = self._large[0], self._ready[0]
        if (first.volume, first.tier) != (following.volume, following.tier):
            return True
        enough = len(self._large) >= _SIDE_BY_SIDE or sum(pending.size for pending in self._large) >= _SIDE_BYTES
        return enough or self._overtook >= _OVERTAKE

    def _next_large(self) -> list[Pending]:
        """Take a batch of what is set aside; where nothing else waits, an even share of it for each worker."""
        free = 1 if self._ready else max(1, self.workers - sum(handed.is_large for handed in self._handed))
        self._large.sort(key=lambda pending: pending.size, reverse=True)
        batch = self._large[::free]
        del self._large[::free]
        self._overtook = 0
        return batch

    def _hand_out(self, batch: list[Pending], *, is_large: bool) -> ExamineItems:
        self.out.update((pending.number, pending) for pending in batch)
        request = ExamineItems(volume=batch[0].volume, items=_numbered(batch))
        seconds = sum(cost(stored_bytes(pending.row), is_picture=False) for pending in batch)
        self._handed.append(_Handed(request, seconds, is_large))
        return request

    def looks(self) -> LookAtItems | None:
        """Return the next items to look at, all of one volume; None where there are none now."""
        waiting = self.case.queue.looks(self.exhibit, _BATCH_LOOKS, without=self._looking | self.out.keys())
        batch = [pending for pending in waiting if pending.volume == waiting[0].volume]
        if not batch:
            return None
        self._looking.update(pending.number for pending in batch)
        return LookAtItems(volume=batch[0].volume, items=_numbered(batch))

    def without_look(self, request: LookAtItems) -> tuple[int, ...]:
        """Return the numbers of the items of a request that nobody has looked at yet."""
        return tuple(number for number, _ in request.items if number in self._looking)

    def looked(self, numbers: Iterable[int]) -> None:
        """Take note that items were looked at, or that they cannot be."""
        self._looking.difference_update(numbers)

    def without_outcome(self, request: ExamineItems) -> list[Numbered]:
        """Return the items of a request that have no outcome yet."""
        return [pair for pair in request.items if pair[0] in self.out]

    @property
    def is_looking(self) -> bool:
        """Whether somebody is at a first look."""
        return bool(self._looking)


def stored_bytes(row: Row) -> int:
    """Return how many bytes are read for an item, or a guess where its file system does not tell."""
    size = cast("int", row[_SIZE])
    if size <= _PLAIN:
        return size
    stored = total(runs_of(cast("str", row[_RUNS])))
    return stored or min(size, _UNKNOWN_STORED)


def _is_large(pending: Pending) -> bool:
    return bool(pending.row[_DIRECT]) and not pending.is_picture and pending.size > _LARGE


def _numbered(batch: Iterable[Pending]) -> tuple[Numbered, ...]:
    return tuple((pending.number, pending.row) for pending in batch)
