"""Listing: the names of every volume, one volume after the other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from triage.engine.messages import Done, Reply, Request, WalkVolume
from triage.engine.phases.phase import AT_ONCE, Work
from triage.engine.phases.walk import Walk
from triage.engine.workers.pool import Lost
from triage.model.event import Event, Noted
from triage.store.exhibits import ExhibitState


@dataclass(slots=True)
class Listing:
    """Lists volumes in turn; one that kills its worker is begun again once."""

    work: Work
    walks: deque[WalkVolume]
    is_awaited: bool = False
    handles: tuple[type[Request], ...] = (WalkVolume,)
    _walk: Walk | None = None
    _again: WalkVolume | None = None
    _is_told: bool = False

    def __post_init__(self) -> None:
        """Say how far the examination is."""
        self._enter_state()

    def rank(self) -> int | None:
        """Return that everything waits for names."""
        return AT_ONCE if self._again or (self._walk is None and self.walks) else None

    def next(self) -> Request | None:
        """Return the next volume."""
        if self._again is not None:
            request, self._again = self._again, None
            return request
        request = self.walks.popleft()
        self._walk = Walk(self.work.case, self.work.exhibit, request, self.work.tally)
        self._is_told = False
        return request

    def patience(self, _: Request) -> tuple[float, float]:
        """Return the bounds of a walk."""
        return self.work.limits.walk_seconds, self.work.limits.listing_seconds

    def take(self, request: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Store what is listed."""
        assert isinstance(request, WalkVolume)
        assert self._walk is not None
        if not self._is_told:
            self._is_told = True
            yield Noted(name="walk-began", facts={"volume": request.region.run.offset})
        match reply:
            case Lost() if self._walk.may_try_again(reply):
                self._again = request
            case Lost() | Done():
                yield from self._end(self._walk, reply if isinstance(reply, Lost) else None)
            case _:
                yield from self._walk.take(reply)
                self.work.backlog.forget_order()

    def is_done(self) -> bool:
        """Tell whether every name is listed."""
        return self._walk is None and not self.walks and self._again is None

    def _end(self, walk: Walk, lost: Lost | None) -> Iterator[Event]:
        yield from walk.end(lost)
        if walk.repeats:
            self.work.take_stand()
        self._walk = None
        self.work.backlog.forget_order()
        self._enter_state()

    def _enter_state(self) -> None:
        self.work.all_listed = self.is_done()
        state = ExhibitState.EXAMINING if self.work.all_listed else ExhibitState.WALKING
        self.work.case.exhibits.set_state(self.work.exhibit, state, self.work.clock.now())
