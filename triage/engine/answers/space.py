"""Whether what is said of the space of a source answers what was asked of it; see `answers`."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from triage.engine.answers.rows import are_listed, are_members, are_waiting, items_of
from triage.engine.messages import (
    Followed,
    FollowLeads,
    Piece,
    Reply,
    Request,
    SampleBlocks,
    Sampled,
    Searched,
    SearchSpace,
)
from triage.model.address import Address
from triage.model.blocks import BLOCK_BYTES
from triage.model.finding import Finding
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun


def fits_space(request: Request, reply: Reply, before: Reply | None) -> bool:
    """Tell whether a reply answers a request; `before` is what was answered to the same request last."""
    match request, reply:
        case SearchSpace(), Searched():
            return _follows(reply, before) and _is_searched(request, reply)
        case SampleBlocks(), Sampled():
            return before is None and _is_sampled(request, reply)
        case FollowLeads(), Followed():
            return before is None and _are_findings(_numbers(request.offsets), reply)
        case _:
            return False


def _follows(reply: Searched, before: Reply | None) -> bool:
    """Tell whether what was searched lies behind what was searched before, one after the other."""
    reached = before.runs[-1].end if isinstance(before, Searched) else 0
    starts, ends = [run.offset for run in reply.runs], [run.end for run in reply.runs]
    return bool(reply.runs) and all(end <= start for end, start in zip([reached, *ends], starts, strict=False))


def _is_searched(request: SearchSpace, reply: Searched) -> bool:
    """Tell whether each run lies in one of the pieces, and what was carved begins in it."""
    if not all(_lies_in(request.pieces, run) for run in reply.runs) or not are_listed(reply.rows):
        return False
    inside = all(_begins_in(reply.runs, request.pieces, place) for place in _places(items_of(reply.rows), "carved"))
    return inside and are_waiting(reply.waiting, reply.rows)


def _lies_in(pieces: Sequence[Piece], run: ByteRun) -> bool:
    piece = pieces[bisect_right(pieces, run.offset, key=attrgetter("start")) - 1]  # they ascend
    return piece.start <= run.offset < run.end <= piece.until


def _begins_in(runs: Sequence[ByteRun], pieces: Sequence[Piece], place: ByteRun) -> bool:
    run = runs[bisect_right(runs, place.offset, key=attrgetter("offset")) - 1]
    piece = pieces[bisect_right(pieces, place.offset, key=attrgetter("start")) - 1]
    return run.offset <= place.offset < run.end and place.end <= piece.end


def _is_sampled(request: SampleBlocks, reply: Sampled) -> bool:
    asked = _numbers(request.offsets)
    unreadable = type(reply.unreadable) is int and 0 <= reply.unreadable <= len(asked)
    return unreadable and bool(np.isin(_numbers(reply.leads), asked).all())


def _are_findings(asked: NDArray[np.int64], reply: Followed) -> bool:
    """Tell whether every row is of blocks that were asked for, and has a finding."""
    if not are_members(reply.rows) or {number for number, _ in reply.found} != set(range(len(reply.rows))):
        return False
    inside = all(_is_asked_for(place, asked) for place in _places(items_of(reply.rows), "blocks"))
    return inside and all(_is_of(reply.rows[number], finding) for number, finding in reply.found)


def _is_asked_for(place: ByteRun, asked: NDArray[np.int64]) -> bool:
    """Tell whether a place consists of blocks that were asked for, all of them different."""
    blocks, rest = divmod(place.length, BLOCK_BYTES)
    if rest or not 0 < blocks <= len(asked):
        return False
    return bool(np.isin(place.offset + np.arange(blocks) * BLOCK_BYTES, asked).all())


def _places(items: Sequence[Item], scheme: str) -> list[ByteRun]:
    """Return where items without a name lie. Raises ValueError for one that is no such item."""
    places: list[ByteRun] = []
    for item in items:
        (place,) = item.runs
        address = Address(scheme, f"{place.offset}+{place.length}")
        if (item.kind, item.address, item.size) != (ItemKind.CARVED, address, place.length) or item.allocated:
            raise ValueError("no content without a name")
        places.append(place)
    return places


def _is_of(row: Sequence[object], finding: Finding) -> bool:
    return type(finding) is Finding and str(finding.address) == row[0]


def _numbers(offsets: bytes) -> NDArray[np.int64]:
    return np.frombuffer(offsets, np.int64)
