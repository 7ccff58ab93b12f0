"""Listing a volume: what it is, its names, and what they stand for."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.engine.messages import Listed, Recognised, Reply, WalkVolume
from triage.engine.tasks.tools import FLUSH_SECONDS, Tools
from triage.items.indicators import Indicators
from triage.items.order import Order
from triage.model.item import Item
from triage.model.trouble import Trouble
from triage.store.rows import Row, listed_row

_FIRST, _MOST = 64, 1024


def walked(request: WalkVolume, tools: Tools) -> Iterator[Reply]:
    """Tell what a volume is, then what a walk lists: the first names soon, to have something to examine meanwhile."""
    with tools.trace.span("recognise"):
        yield Recognised(report=tools.evidence.recognise(request.region))
    order = Order(seed=request.seed, removable=request.removable)
    indicators = tools.indicators()
    with tools.trace.span("walk"):
        some = _Some(order)
        last, enough = time.monotonic(), _FIRST
        for entry in tools.evidence.walk(request.region):
            some.add(entry)
            if some.entries >= enough or time.monotonic() - last > FLUSH_SECONDS:
                yield some.told(indicators)
                some, last = _Some(order), time.monotonic()
                enough = min(2 * enough, _MOST)
        yield some.told(indicators)


@dataclass(slots=True)
class _Some:
    """Some entries of a walk, gathered for one message."""

    order: Order
    entries: int = 0
    rows: list[Row] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    waiting: list[tuple[int, int, bool]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def add(self, entry: Item | Trouble) -> None:
        self.entries += 1
        if isinstance(entry, Trouble):
            self.troubles.append(entry)
            return
        placed = self.order.place(entry)
        self.rows.append(listed_row(entry, placed))
        self.paths.append(entry.path)
        if entry.has_content:
            self.waiting.append((int(placed.tier), entry.size, placed.draw is not None))

    def told(self, indicators: Indicators) -> Listed:
        by_path = indicators.of(self.paths)
        return Listed(
            rows=tuple(self.rows),
            waiting=tuple(self.waiting),
            told=tuple((number, one) for number, told in enumerate(by_path) for one in told),
            troubles=tuple(self.troubles),
        )
