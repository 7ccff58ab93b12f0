"""The backlog: which items are handed out next, in batches that one worker finishes in a moment."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

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
_SIZE, _RUNS = ITEM_COLUMNS.split(", ").index("size"), ITEM_COLUMNS.split(", ").index("runs")


@dataclass(slots=True)
class Backlog:
    """The items of one exhibit that wait. `out` are those that were handed out and have no outcome yet."""

    case: Case
    exhibit: str
    out: dict[int, Pending] = field(default_factory=dict)
    _bytes: int = _FIRST_BYTES
    _looking: set[int] = field(default_factory=set)
    _ready: deque[Pending] = field(default_factory=deque)

    def forget_order(self) -> None:
        """Ask the case anew what comes next: something was listed or moved up."""
        self._ready.clear()

    def batch(self) -> ExamineItems | None:
        """Return the next items to examine, all of one volume; None where nothing waits now."""
        if not self._ready:
            self._ready.extend(self.case.queue.next(self.exhibit, _BATCH_ITEMS, without=self.out.keys()))
        if not self._ready:
            return None
        volume = self._ready[0].volume
        batch: list[Pending] = []
        seconds, size = 0.0, 0
        while self._ready and self._ready[0].volume == volume and len(batch) < _BATCH_ITEMS:
            stored = stored_bytes(self._ready[0].row)
            seconds += cost(stored, is_picture=self._ready[0].is_picture)
            size += stored
            if batch and (seconds > _BATCH_SECONDS or size > self._bytes):
                break
            batch.append(self._ready.popleft())
        self.out.update((pending.number, pending) for pending in batch)
        return ExamineItems(volume=volume, items=_numbered(batch))

    def took(self, seconds: float) -> None:
        """Suit the next batches to how long one took: a slow source gets smaller ones, so that results come often."""
        if seconds < _BATCH_SECONDS:
            self._bytes = min(_MOST_BYTES, self._bytes * 2)
        elif seconds > 4 * _BATCH_SECONDS:
            self._bytes = max(_FIRST_BYTES, self._bytes // 2)

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


def _numbered(batch: Iterable[Pending]) -> tuple[Numbered, ...]:
    return tuple((pending.number, pending.row) for pending in batch)
