"""The first look: embedded pictures of all items are compared before whole ones are decoded."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.engine.messages import Done, LookAtItems, Looked, Reply, Request
from triage.engine.phases.phase import IN_TURN, LAST, Work
from triage.engine.workers.pool import Lost
from triage.model.event import Event, Noted

_NEAR = -(1 << 20)  # before every folder with hits: a picture that looks like a known one is examined at once


@dataclass(slots=True)
class Looking:
    """Gives out looks in turn with everything else while `wanted`, and takes what they saw.

    A look decides nothing but what comes first, so that it is never left to do; `workers` share its time.
    """

    work: Work
    wanted: bool
    workers: int
    is_awaited: bool = True
    handles: tuple[type[Request], ...] = (LookAtItems,)
    _seen: Counter[str] = field(default_factory=Counter)

    def rank(self) -> int | None:
        """Return that every other request is a look."""
        if not self.wanted:
            return None
        return LAST if self.work.last is LookAtItems else IN_TURN

    def next(self) -> Request | None:
        """Return what to look at."""
        return self.work.backlog.looks()

    def patience(self, _: Request) -> tuple[float, float]:
        """Return the bounds of a look."""
        return self.work.limits.item_seconds, self.work.limits.item_seconds * 2

    def take(self, request: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Store what was seen; what nobody survives looking at is accounted for when it is examined in its turn."""
        assert isinstance(request, LookAtItems)
        match reply:
            case Looked():
                self._store(reply)
            case Lost():
                self._store(Looked(items=self.work.backlog.without_look(request), near=(), pictures=0))
            case _:
                pass
        if isinstance(reply, Lost | Done) and self._ends():
            self.wanted = False
            seconds = round(self.work.busy[LookAtItems] / self.workers, 3)
            yield Noted(name="first-look-ended", facts={"seconds": seconds, **self._seen})

    def is_done(self) -> bool:
        """Tell that nothing has to be looked at."""
        return True

    def _store(self, looked: Looked) -> None:
        """Store what was seen; what comes near a known picture is examined next."""
        backlog = self.work.backlog
        backlog.looked(looked.items)
        self.work.case.queue.looked(looked.items, looked.near, rank=_NEAR)
        self._seen.update(items=len(looked.items), pictures=looked.pictures, near=len(looked.near))
        if looked.near:
            backlog.forget_order()

    def _ends(self) -> bool:
        """Tell whether nothing is left to look at."""
        work = self.work
        if not self.wanted or not work.all_listed or work.backlog.is_looking:
            return False
        return not work.case.queue.looks(work.exhibit, 1, without=work.backlog.out.keys())
