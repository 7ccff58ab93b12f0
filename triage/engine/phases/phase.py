"""The protocol of a phase, and what the phases of one run have in common."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from triage.engine.backlog import Backlog
from triage.engine.messages import Done, Reply, Request
from triage.engine.plan import Limits
from triage.engine.siblings import Siblings
from triage.engine.tally import Tally
from triage.engine.workers.pool import Lost
from triage.items.order import STEPS, Tier
from triage.model.event import Event, Met
from triage.model.trouble import Trouble
from triage.store.case import Case

AT_ONCE = -(1 << 40)
"""The rank of what everything else waits for."""

IN_TURN = -(1 << 39)
"""The rank of what is done alternately with everything else."""

WITH_FREE_SPACE = Tier.UNALLOCATED * STEPS
"""The rank of what comes before the folders of the operating system, and after all others."""

LAST = 1 << 40
"""The rank of what waits for everything else."""


class Clock(Protocol):
    """Time, handed down from the session so that nothing below it reads a clock for a result."""

    def now(self) -> str:
        """Return the time as ISO 8601 UTC."""

    def seconds(self) -> float:
        """Return the seconds since the examination of this exhibit began, earlier runs included."""


@dataclass(slots=True)
class Work:
    """What the phases of one run share.

    `found` counts the findings of this run, `tier` is the one in hand, `last` the kind of the request handed out last,
    `busy` the seconds of workers by kind of request. `all_listed`: the names of every volume are listed.
    `containers_met`: items have come out to be containers since somebody last asked.
    """

    case: Case
    exhibit: str
    clock: Clock
    limits: Limits
    tally: Tally
    backlog: Backlog
    siblings: Siblings
    found: int = 0
    tier: int | None = None
    last: type[Request] | None = None
    all_listed: bool = False
    containers_met: bool = False
    busy: defaultdict[type[Request], float] = field(default_factory=lambda: defaultdict(float))
    _given: dict[int, float] = field(default_factory=dict)

    def take_stand(self) -> None:
        """Take up where the case stands."""
        for standing in self.case.queue.tiers(self.exhibit):
            self.tally.take(standing)

    def gave(self, request: Request) -> None:
        """Take note that a worker has a request now."""
        self._given[id(request)] = time.monotonic()
        self.last = type(request)

    def took(self, request: Request) -> float:
        """Return the seconds that one worker was at a request, and count them."""
        seconds = time.monotonic() - self._given.pop(id(request))
        self.busy[type(request)] += seconds
        return seconds

    def account(self, done: Done) -> None:
        """Record what a request took."""
        account(self.case, self.exhibit, self.clock, done)

    def meet(self, *troubles: Trouble) -> Iterator[Event]:
        """Record trouble with the evidence."""
        if troubles:
            self.case.obstacles.record_troubles(self.exhibit, troubles)
        for trouble in troubles:
            yield Met(trouble=trouble)


class Phase(Protocol):
    """One kind of work. A phase is never told of a worker that did not even start."""

    handles: tuple[type[Request], ...]
    """The requests it hands out, and takes the answers to."""

    is_awaited: bool
    """Whether what workers have in hand is waited for when a limit ends the run."""

    def rank(self) -> int | None:
        """Return how urgent the next piece of work is, lower first; None where there is none to be had now."""

    def next(self) -> Request | None:
        """Return the next piece of work, None where there is none after all."""

    def patience(self, request: Request) -> tuple[float, float]:
        """Return how many seconds a worker may be silent over a request, and how many without news."""

    def take(self, request: Request, reply: Reply | Lost, seconds: float) -> Iterator[Event]:
        """Store what a worker answers; `seconds` is how long it took in all, 0 before the last answer."""

    def is_done(self) -> bool:
        """Tell whether nothing is left to do, nor in hand."""


def account(case: Case, exhibit: str, clock: Clock, done: Done) -> None:
    """Record what a request took: the time so far, what was read for it, and what could not be."""
    case.exhibits.set_seconds(exhibit, clock.seconds())
    case.exhibits.add_bytes_read(exhibit, done.bytes_read)
    case.obstacles.record_unreadable(exhibit, done.unreadable)
