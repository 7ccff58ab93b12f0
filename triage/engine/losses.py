"""What becomes of items whose worker died or hung: tried again, then without decoding, then given up."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from triage.engine.backlog import Numbered
from triage.engine.messages import ExamineItems
from triage.engine.workers.pool import Lost
from triage.model.result import ItemResult
from triage.store.rows import Row, result_row


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An item that no worker survives: what happened is its outcome."""

    request: ExamineItems
    lost: Lost

    @property
    def result(self) -> Row:
        """The result of the item, as a row."""
        ((number, _),) = self.request.items
        return result_row(ItemResult(item=number, outcome=self.lost.outcome, reason=self.lost.text))


@dataclass(slots=True)
class Losses:
    """Remembers which items cost a worker already."""

    _died: set[int] = field(default_factory=set)

    def after(self, request: ExamineItems, left: list[Numbered], lost: Lost) -> Iterator[ExamineItems | GivenUp]:
        """Yield what to do with the items of a lost batch that have no outcome (`left`): the one in hand alone.

        A death may be an accident, so that item is tried again; after a hang, or a second death, it is examined
        without decoding, for its digests; if that fails too, its outcome is what happened.
        """
        culprit = next((pair for pair in left if pair[0] == lost.in_hand), None)
        rest = tuple(pair for pair in left if pair != culprit)
        if culprit is not None:
            yield self._again(replace(request, items=(culprit,)), lost)
        elif len(rest) == len(request.items):
            # Nothing was begun, so that the same batch would be lost for ever: smaller ones end it.
            yield from _halves(request, lost)
            return
        if rest:
            yield replace(request, items=rest)

    def _again(self, alone: ExamineItems, lost: Lost) -> ExamineItems | GivenUp:
        ((number, _),) = alone.items
        if alone.failed is not None:
            return GivenUp(alone, lost)
        if not lost.timed_out and number not in self._died:
            self._died.add(number)
            return alone
        return replace(alone, failed=(lost.outcome, lost.text))


def _halves(request: ExamineItems, lost: Lost) -> Iterator[ExamineItems | GivenUp]:
    if len(request.items) == 1:
        yield GivenUp(request, lost)
        return
    middle = len(request.items) // 2
    yield replace(request, items=request.items[:middle])
    yield replace(request, items=request.items[middle:])
