"""The first look: embedded pictures of all items are compared before whole ones are decoded."""

from collections import Counter
from dataclasses import dataclass, field

from triage.engine.backlog import Backlog
from triage.engine.messages import LookAtItems, Looked
from triage.store.queue import Queue

_NEAR = -(1 << 20)  # before every folder with hits: a picture that looks like a known one is examined at once


@dataclass(slots=True)
class FirstLook:
    """Gives out looks in turn with examining while `wanted`, and takes what they saw."""

    queue: Queue
    exhibit: str
    backlog: Backlog
    wanted: bool
    _seen: Counter[str] = field(default_factory=Counter)
    _was_last: bool = False

    def turn(self) -> LookAtItems | None:
        """Return what to look at, every other time."""
        request = self.next() if not self._was_last else None
        self._was_last = request is not None
        return request

    def next(self) -> LookAtItems | None:
        """Return what to look at, None where there is nothing."""
        return self.backlog.looks() if self.wanted else None

    def take(self, looked: Looked) -> None:
        """Store what was seen; what comes near a known picture is examined next."""
        self.backlog.looked(looked.items)
        self.queue.looked(looked.items, looked.near, rank=_NEAR)
        self._seen.update(items=len(looked.items), pictures=looked.pictures, near=len(looked.near))
        if looked.near:
            self.backlog.forget_order()

    def give_up(self, request: LookAtItems) -> None:
        """Look no more at what a worker was lost over: it is accounted for when it is examined in its turn."""
        self.take(Looked(items=self.backlog.without_look(request), near=(), pictures=0))

    def ends(self, *, all_listed: bool) -> Counter[str] | None:
        """Return what was seen in all where nothing is left to look at, once."""
        if not self.wanted or not all_listed or self.backlog.is_looking:
            return None
        if self.queue.looks(self.exhibit, 1, without=self.backlog.out.keys()):
            return None
        self.wanted = False
        return self._seen
