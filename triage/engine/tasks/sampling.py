"""Sampling blocks: what is read is compared with the blocks of known files, and leads are followed."""

from collections.abc import Iterator

import numpy as np

from triage.engine.messages import Followed, FollowLeads, SampleBlocks, Sampled
from triage.engine.tasks.tools import Tools
from triage.items.block_search import BlockSearch, KnownRun
from triage.model.address import Address
from triage.model.blocks import BLOCK_BYTES
from triage.model.finding import Finding, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.store.rows import member_row

_NAME, _VERSION = "block-search", "1"


def sampled(request: SampleBlocks, tools: Tools) -> Iterator[Sampled]:
    """Tell which blocks are of known files."""
    offsets = np.frombuffer(request.offsets, np.int64)
    with tools.trace.span("sample blocks", len(offsets), len(offsets) * BLOCK_BYTES):
        read, leads = _search(tools).compare(offsets)
    yield Sampled(unreadable=len(offsets) - read, leads=leads.tobytes())


def followed(request: FollowLeads, tools: Tools) -> Iterator[Followed]:
    """Tell the runs of blocks around leads that are long enough; one place may be a run of several sets."""
    by_place: dict[ByteRun, list[KnownRun]] = {}
    for known in _search(tools).runs(np.frombuffer(request.offsets, np.int64)):
        if known.run.is_finding:
            place = ByteRun(known.run.offset, known.run.blocks * BLOCK_BYTES)
            by_place.setdefault(place, []).append(known)
    items = [_item(place) for place in sorted(by_place)]
    found = [(number, _finding(item, known)) for number, item in enumerate(items) for known in by_place[item.runs[0]]]
    rows = tuple(member_row(item, Placed(0, 0), _result(by_place[item.runs[0]])) for item in items)
    yield Followed(rows=rows, found=tuple(found))


def _search(tools: Tools) -> BlockSearch:
    sets = tools.examiner().learner.sets
    notable = [one for one in sets if one.identity.kind is SetKind.NOTABLE]
    return BlockSearch(tools.evidence.source, notable)


def _item(place: ByteRun) -> Item:
    text = f"{place.offset}+{place.length}"
    return Item(
        address=Address("blocks", text),
        kind=ItemKind.CARVED,
        path=f"blocks/{text}",
        size=place.length,
        allocated=False,
        reference=f"blocks {text}",
        runs=(place,),
        recovered=True,
        direct=True,
    )


def _result(same: list[KnownRun]) -> ItemResult:
    told = [
        f"blocks: {known.run.blocks}, from number {known.run.index} on, of the {_of(known)} of a known file"
        for known in same
    ]
    return ItemResult(item=0, outcome=Outcome.EXAMINED, reason="; ".join(dict.fromkeys(told)))


def _of(known: KnownRun) -> str:
    blocks = known.known.blocks_in(known.run.record)
    return "blocks" if blocks is None else f"{blocks} blocks"


def _finding(item: Item, known: KnownRun) -> Finding:
    match = known.known.block_match(known.run.record)
    return Finding(address=item.address, match=match, analyzer=_NAME, analyzer_version=_VERSION)
