"""Whether rows that a worker tells are such as a case can hold and be read from again."""

from collections.abc import Sequence
from functools import lru_cache
from types import NoneType

from triage.items.order import Tier
from triage.model.item import Item, Outcome
from triage.store.rows import (
    ITEM_WIDTH,
    LARGEST,
    LISTED_OUTCOME,
    LISTED_WIDTH,
    MEMBER_WIDTH,
    RESULT_WIDTH,
    Row,
    item_of,
)

_Kind = frozenset[type]
_Kinds = tuple[_Kind, ...]

_TEXT: _Kind = frozenset({str})
_NUMBER: _Kind = frozenset({int})
_TRUTH: _Kind = frozenset({bool, int})
_BYTES_OR_NONE: _Kind = frozenset({bytes, NoneType})
_TEXT_OR_BYTES: _Kind = frozenset({str, bytes})
_TEXT_OR_NONE: _Kind = frozenset({str, NoneType})
_NUMBER_OR_NONE: _Kind = frozenset({int, NoneType})
_ANY: _Kind = frozenset({NoneType, bool, int, float, str})
_ITEM: _Kinds = (
    *(_TEXT, _TEXT, _BYTES_OR_NONE, _TEXT, _NUMBER, _TRUTH, _TRUTH, _TEXT_OR_NONE, _TEXT_OR_NONE),
    *(_TEXT_OR_BYTES, *(_TEXT_OR_NONE,) * 4, _TEXT, _TRUTH),
)
_LISTED: _Kinds = (*_ITEM, _TEXT, _NUMBER, _NUMBER, _NUMBER_OR_NONE, _TRUTH, _NUMBER)
_LEARNT: _Kinds = (_ANY,) * 10
_MEMBER: _Kinds = (*_LISTED, *_LEARNT, _TEXT_OR_NONE)
_RESULT: _Kinds = (*_LEARNT, _TEXT, _TEXT_OR_NONE, _TRUTH, _NUMBER)
assert (len(_LISTED), len(_MEMBER), len(_RESULT)) == (LISTED_WIDTH, MEMBER_WIDTH, RESULT_WIDTH)

_NOT_YET = Outcome.NOT_REACHED.value
_WHEN_LISTED = frozenset({_NOT_YET, Outcome.EXAMINED.value})
_OUTCOMES = frozenset(outcome.value for outcome in Outcome) - {_NOT_YET}
_RESULT_OUTCOME = len(_LEARNT)
_TIERS = frozenset(map(int, Tier))


def are_listed(rows: Sequence[Row]) -> bool:
    """Tell whether rows are such as `listed_row` makes."""
    return _are(rows, _LISTED) and all(row[LISTED_OUTCOME] in _WHEN_LISTED for row in rows)


def are_members(rows: Sequence[Row]) -> bool:
    """Tell whether rows are such as `member_row` makes."""
    return _are(rows, _MEMBER) and all(row[LISTED_OUTCOME] in _OUTCOMES for row in rows)


def are_results(rows: Sequence[Row]) -> bool:
    """Tell whether rows are such as `result_row` makes."""
    return _are(rows, _RESULT) and all(row[_RESULT_OUTCOME] in _OUTCOMES for row in rows)


def items_of(rows: Sequence[Row]) -> list[Item]:
    """Return the items of rows. Raises ValueError, and other errors, where a row is that of no item."""
    return [item_of(row[:ITEM_WIDTH]) for row in rows]


def are_waiting(waiting: Sequence[tuple[int, int, bool]], rows: Sequence[Row]) -> bool:
    """Tell whether what is told of items that wait can be true of rows."""
    return len(waiting) <= len(rows) and all(
        type(tier) is int and tier in _TIERS and type(size) is int and size >= 0 for tier, size, _ in waiting
    )


def _are(rows: Sequence[Row], kinds: _Kinds) -> bool:
    return all(
        type(row) is tuple and _fit(tuple(map(type, row)), kinds) and all(map(_is_storable, row)) for row in rows
    )


@lru_cache(maxsize=1024)
def _fit(given: tuple[type, ...], kinds: _Kinds) -> bool:
    return len(given) == len(kinds) and all(kind in allowed for kind, allowed in zip(given, kinds, strict=True))


def _is_storable(cell: object) -> bool:
    """Tell whether SQLite takes a value: text that has a form in UTF-8, and a number of 64 bits."""
    if type(cell) is str:
        return cell.isascii() or _encodes(cell)
    return type(cell) is not int or -LARGEST <= cell <= LARGEST


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
