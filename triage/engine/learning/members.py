"""Learning of the members of containers: small ones are copied and digested together, large ones read piece by piece.

What lies inside other files comes in the order of its container and stays in it. The content of a member is good only
until the next is asked for, so that what waits for others is a copy.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from triage.content.content import Content
from triage.content.digesting import digest, digest_many
from triage.engine.learning.learnt import Learnt, guarded, hindered
from triage.engine.learning.telling import Teller
from triage.items.expansion import Expanded
from triage.model.item import Item, Outcome
from triage.model.result import NO_DIGESTS
from triage.model.trouble import Trouble

_SMALL = 1 << 20
_ROOM = 8 << 20
_MOST = 512
_NEITHER = Learnt(outcome=Outcome.SKIPPED, reason="unsupported: its content is not given out")


class _Waiting(NamedTuple):
    """A member in its turn: its place among the bytes that wait, or what is learnt of it already."""

    item: Item
    start: int = 0
    end: int = 0
    learnt: Learnt | None = None


def learn_members(teller: Teller, expanded: Iterable[Expanded | Trouble]) -> Iterator[tuple[Item, Learnt] | Trouble]:
    """Yield what is learnt of each member, in their order; what one of them does to a decoder is its own outcome.

    A member that cannot be had as it should be gets the outcome of its obstacle and no digest; what there is of its
    content is compared by appearance. Trouble passes through, ahead of members that came before it. At most some
    8 MiB are kept, and what a content keeps by itself.
    """
    batch = _Batch(teller)
    for entry in expanded:
        if isinstance(entry, Trouble):
            yield entry
            continue
        if not batch.takes(entry):
            yield from batch.learn()
        if batch.takes(entry):
            batch.add(entry)
        else:
            yield entry.item, _learn_alone(teller, entry)
    yield from batch.learn()


class _Batch:
    """Members that wait to be digested together, those of which all is known among them."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._waiting: list[_Waiting] = []
        self._arena = np.empty(0, np.uint8)
        self._filled = 0

    def takes(self, entry: Expanded) -> bool:
        """Tell whether there is room for a member, and it is one that may wait."""
        if len(self._waiting) == _MOST:
            return False
        if entry.content is None:
            return True
        return entry.obstacle is None and entry.content.size <= min(_SMALL, _ROOM - self._filled)

    def add(self, entry: Expanded) -> None:
        """Take a member, with a copy of its content."""
        if entry.content is None:
            learnt = hindered(entry.obstacle) if entry.obstacle is not None else _NEITHER
            self._waiting.append(_Waiting(entry.item, learnt=learnt))
            return
        data = guarded(entry.content.whole)
        if isinstance(data, Learnt):
            self._waiting.append(_Waiting(entry.item, learnt=data))
            return
        if not len(self._arena):
            self._arena = np.empty(_ROOM, np.uint8)
        start, self._filled = self._filled, self._filled + len(data)
        self._arena.data[start : self._filled] = data
        self._waiting.append(_Waiting(entry.item, start, self._filled))

    def learn(self) -> Iterator[tuple[Item, Learnt]]:
        """Yield what is learnt of those that wait, and begin anew."""
        learnt = iter(self._digested())
        for item, start, end, known in self._waiting:
            if known is not None:
                yield item, known
                continue
            content = Content.of(self._arena.data[start:end])
            yield item, _told(self._teller, item, content, next(learnt))
        self._waiting, self._filled = [], 0

    def _digested(self) -> list[Learnt]:
        """Return the digests of contents, and what sets hold of them."""
        spans = [(start, end) for _, start, end, known in self._waiting if known is None]
        if not spans:
            return []
        teller = self._teller
        with teller.trace.span("digest members", len(spans), self._filled):
            made = digest_many(self._arena, spans, teller.wanted)
        with teller.trace.span("look up", len(spans)):
            held = teller.held([digested.digests for digested in made])
        return [
            Learnt(outcome=Outcome.EXAMINED, digests=digests, digest_way=_way(teller, in_lanes=in_lanes), exact=exact)
            for (digests, in_lanes), exact in zip(made, held, strict=True)
        ]


def _learn_alone(teller: Teller, entry: Expanded) -> Learnt:
    """Learn of a member that is large, or not as it should be."""
    item, content, obstacle = entry
    assert content is not None
    if obstacle is not None:
        base = hindered(obstacle)._replace(exact=teller.held([NO_DIGESTS])[0])
        told = guarded(lambda: teller.tell(item, content, base, decode=True))
        return told._replace(outcome=base.outcome, reason=base.reason)
    return guarded(partial(_read, teller, item, content))


def _read(teller: Teller, item: Item, content: Content) -> Learnt:
    with teller.trace.span("digest alone", 1, content.size):
        digests = digest(content, teller.wanted)
    learnt = Learnt(
        outcome=Outcome.EXAMINED,
        digests=digests,
        digest_way=_way(teller, in_lanes=False),
        exact=teller.held([digests])[0],
    )
    return _told(teller, item, content, learnt)


def _told(teller: Teller, item: Item, content: Content, learnt: Learnt) -> Learnt:
    return guarded(lambda: teller.tell(item, content, learnt, decode=True))


def _way(teller: Teller, *, in_lanes: bool) -> str | None:
    return f"container, {'lanes' if in_lanes else 'openssl'}" if teller.wanted else None
