"""Whether a reply can be the answer to a request: about what was asked, once, and in values that a case can hold.

A worker that hostile evidence has taken over knows the form of replies. What it says of items that it was given cannot
be told from the truth; what it says of others is refused here, and costs it its request.
"""

from collections.abc import Container, Iterable, Sequence

from triage.engine.answers.rows import are_listed, are_members, are_results, are_waiting, items_of
from triage.engine.answers.space import fits_space
from triage.engine.messages import (
    Done,
    ExamineItems,
    Listed,
    LookAtItems,
    Looked,
    Members,
    OpenContainers,
    Recognised,
    Refused,
    Reply,
    Request,
    Results,
    SelfTest,
    SelfTested,
    WalkVolume,
)
from triage.engine.workers.pool import Lost
from triage.items.indicators_content import MOST, is_asked
from triage.items.indicators_lines import ACCOUNT, DEVICE, LONGEST
from triage.model.finding import Finding
from triage.model.indication import Indication
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble
from triage.store.rows import ITEM_WIDTH, Row, item_of


def fits(request: Request, reply: Reply | Lost, waiting: Container[int], before: Reply | None = None) -> bool:
    """Tell whether a reply answers a request; `waiting` are the numbers of all items that have no outcome yet.

    `before` is what was answered to the same request last, None at first.
    """
    if isinstance(reply, Done | Refused | Lost):
        return True
    try:
        return _fits(request, reply, waiting, before)
    except Exception:  # noqa: BLE001 - whatever the values of a reply make a check raise, it is no answer
        return False


def _fits(request: Request, reply: Reply, waiting: Container[int], before: Reply | None) -> bool:
    match request, reply:
        case ExamineItems(), Results():
            return _are_results(request, reply, waiting)
        case LookAtItems(), Looked():
            return _is_look(request, reply)
        case WalkVolume(), Recognised() | Listed():
            return reply.report.region == request.region if isinstance(reply, Recognised) else _are_listed(reply)
        case OpenContainers(), Members():
            return _follows(request, reply, before) and _are_members(request, reply)
        case SelfTest(), SelfTested():
            return before is None and type(reply.passed) is bool and type(reply.text) is str
        case _:
            return fits_space(request, reply, before)


def _are_results(request: ExamineItems, reply: Results, waiting: Container[int]) -> bool:
    if not are_results(reply.rows):
        return False
    numbers = [row[-1] for row in reply.rows]
    given = {number: row for number, row in request.items if number in waiting}
    return _among(numbers, set(given)) and all(
        number in numbers and _is_of(given[number], finding) for number, finding in reply.found
    )


def _is_look(request: LookAtItems, reply: Looked) -> bool:
    given = {number for number, _ in request.items}
    return _among(reply.items, given) and _among(reply.near, set(reply.items)) and type(reply.pictures) is int


def _are_listed(reply: Listed) -> bool:
    return (
        are_listed(reply.rows)
        and all(type(number) is int and 0 <= number < len(reply.rows) for number, _ in reply.told)
        and are_waiting(reply.waiting, reply.rows)
        and _are_troubles(reply.troubles)
    )


def _follows(request: OpenContainers, reply: Members, before: Reply | None) -> bool:
    """Tell whether members are the next of their container, or the first of one whose turn has come."""
    numbers = [number for number, _ in request.items]
    if not isinstance(before, Members):
        return (reply.container, reply.first) == (numbers[0], 0)
    if not before.ended:
        return (reply.container, reply.first) == (before.container, before.first + len(before.rows))
    return (reply.container, reply.first) == (numbers[numbers.index(before.container) + 1], 0)


def _are_members(request: OpenContainers, reply: Members) -> bool:
    """Tell whether rows are of what lies inside the container: their addresses and paths go on from its own."""
    if not are_members(reply.rows) or not _are_troubles(reply.troubles):
        return False
    container = item_of(dict(request.items)[reply.container][:ITEM_WIDTH])
    inside, below = f"{container.address}!", f"{container.path}/"
    return (
        all(
            item.kind is ItemKind.MEMBER and str(item.address).startswith(inside) and item.path.startswith(below)
            for item in items_of(reply.rows)
        )
        and all(type(number) is int and number >= 0 and _is_of(reply.rows[number], it) for number, it in reply.found)
        and all(f"{trouble.address}!".startswith(inside) for trouble in reply.troubles)
        and _are_told(container, reply.told)
        and (type(reply.ended), type(reply.whole), type(reply.in_hand)) == (bool, bool, str)
    )


def _are_told(container: Item, told: Sequence[Indication]) -> bool:
    """Tell whether indications are such as the container can give, in lines that a case can hold."""
    if not is_asked(container):
        return not told
    return len(told) <= MOST and all(
        type(each) is Indication
        and each.group in {ACCOUNT, DEVICE}
        and all(type(line) is str and line.isprintable() and len(line) <= LONGEST for line in (each.label, each.text))
        for each in told
    )


def _is_of(row: Row, finding: Finding) -> bool:
    return type(finding) is Finding and str(finding.address) == row[0]


def _are_troubles(troubles: Sequence[Trouble]) -> bool:
    return all(type(trouble) is Trouble for trouble in troubles)


def _among(numbers: Iterable[object], allowed: set[int]) -> bool:
    """Tell whether all are numbers that are allowed, none of them twice."""
    named = list(numbers)
    return all(type(number) is int for number in named) and len(set(named)) == len(named) and allowed.issuperset(named)
