"""Whether a reply can be the answer to a request: about what was asked, once, and in values that a case can hold.

A worker that hostile evidence has taken over knows the form of replies. What it says of items that it was given cannot
be told from the truth; what it says of others is refused here, and costs it its request.
"""

from collections.abc import Container, Iterable
from types import NoneType

from triage.engine.messages import (
    Done,
    ExamineItems,
    Listed,
    LookAtItems,
    Looked,
    Recognised,
    Refused,
    Reply,
    Request,
    Results,
    WalkVolume,
)
from triage.engine.pool import Lost
from triage.items.order import Tier
from triage.model.item import Outcome
from triage.store.rows import LISTED_OUTCOME, LISTED_WIDTH, RESULT_WIDTH, Row

_CELLS = frozenset({NoneType, bool, int, float, str, bytes})
_LISTED = frozenset({Outcome.NOT_REACHED.value, Outcome.EXAMINED.value})
_TIERS = frozenset(map(int, Tier))


def fits(request: Request, reply: Reply | Lost, waiting: Container[int]) -> bool:
    """Tell whether a reply answers a request; `waiting` are the numbers of all items that have no outcome yet."""
    match request, reply:
        case _, Done() | Refused() | Lost():
            return True
        case ExamineItems(), Results():
            return _are_results(request, reply, waiting)
        case LookAtItems(), Looked():
            given = {number for number, _ in request.items}
            return _among(reply.items, given) and _among(reply.near, set(reply.items))
        case WalkVolume(), Recognised():
            return reply.report.region == request.region
        case WalkVolume(), Listed():
            return _are_listed(reply)
        case _:
            return False


def _are_results(request: ExamineItems, reply: Results, waiting: Container[int]) -> bool:
    if not _are_rows(reply.rows, RESULT_WIDTH):
        return False
    numbers = [row[-1] for row in reply.rows]
    given = {number for number, _ in request.items if number in waiting}
    return _among(numbers, given) and {number for number, _ in reply.found} <= set(numbers)


def _are_listed(reply: Listed) -> bool:
    return (
        _are_rows(reply.rows, LISTED_WIDTH)
        and all(row[LISTED_OUTCOME] in _LISTED for row in reply.rows)
        and len(reply.waiting) <= len(reply.rows)
        and all(tier in _TIERS and type(size) is int for tier, size, _ in reply.waiting)
    )


def _are_rows(rows: Iterable[Row], width: int) -> bool:
    return all(type(row) is tuple and len(row) == width and _CELLS.issuperset(map(type, row)) for row in rows)


def _among(numbers: Iterable[object], allowed: set[int]) -> bool:
    """Tell whether all are numbers that are allowed, none of them twice."""
    named = list(numbers)
    return all(type(number) is int for number in named) and len(set(named)) == len(named) and allowed.issuperset(named)
