"""Small cases whose one exhibit is examined and concluded: no evidence, no workers, only what a case holds of them."""

import json
from pathlib import Path

from suite import placed, record

from triage.model.address import Address
from triage.model.event import EndedBy
from triage.model.evidence import Region, SourceInfo, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.session.conclusion import conclude
from triage.store.case import Case
from triage.store.exhibits import ExhibitState

WHEN = "2026-11-23T10:00:00.000000Z"
SIZE = 1 << 20
SET = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
PLAN = json.dumps(
    {
        "profile": "scene",
        "pictures": True,
        "members": True,
        "sets": [{"name": "demo", "version": "3", "digest": "d" * 64, "kind": "notable"}],
        "sets_hold_pictures": True,
        "set_dates": {"d" * 64: "2026-11-20"},
    }
)


def concluded(
    folder: Path, *matches: MatchBy, exhibit: str = "A/1", ended_by: EndedBy = EndedBy.END, files: int = 4
) -> Path:
    """Make, or add to, the case in a folder; the first of the files have one finding each, by these hashes.

    Without a match the recommendation is to return, with a digest to seize, with a candidate or a stop it is open.
    """
    with Case.open_or_create(folder, when=WHEN, actor="examiner") as case:
        _examine(case, exhibit, matches, files)
        state = ExhibitState.FINISHED if ended_by is EndedBy.END else ExhibitState.STOPPED
        case.exhibits.set_state(exhibit, ExhibitState.EXAMINING, WHEN)
        case.exhibits.set_state(exhibit, state, WHEN, ended_by=ended_by.value)
        held = case.exhibits.get(exhibit)
        assert held is not None
        coverage, recommendation = conclude(case, held, ended_by=ended_by)
        case.exhibits.record_coverage(exhibit, coverage)
        case.exhibits.record_recommendation(exhibit, recommendation)
    return folder


def _examine(case: Case, exhibit: str, matches: tuple[MatchBy, ...], files: int) -> None:
    region = Region(run=ByteRun(0, SIZE), name="whole source", scheme="none", is_volume=True)
    info = SourceInfo(kind="raw", files=("disk.raw",), size=SIZE)
    case.exhibits.add(exhibit, info, "f" * 64, plan_text=PLAN, plan_digest="e" * 64, when=WHEN)
    case.exhibits.record_self_test(exhibit, True, "all abilities as expected")
    case.layout.record_regions(exhibit, [region])
    case.layout.record_volume(exhibit, VolumeReport(region=region, state="read", file_system="ntfs"))
    items = [_item(number) for number in range(files)]
    case.journal.add_items(exhibit, 0, placed(items), first=0)
    case.layout.mark_walked(exhibit, 0, listed=True)
    results = [
        ItemResult(
            item=pending.number,
            outcome=Outcome.EXAMINED,
            findings=() if place >= len(matches) else (_finding(items[place], matches[place]),),
        )
        for place, pending in enumerate(case.queue.next(exhibit, files))
    ]
    record(case.journal, results, found_at=WHEN, seconds=1.0)


def _item(number: int) -> Item:
    return Item(
        address=Address("file", str(number)),
        kind=ItemKind.FILE,
        path=f"{number}.jpg",
        size=4096,
        allocated=True,
        reference=str(number),
        runs=(ByteRun(4096 * number, 4096),),
    )


def _finding(item: Item, by: MatchBy) -> Finding:
    match = Match(set=SET, by=by, distance=12 if by is MatchBy.PDQ else 0)
    return Finding(address=item.address, match=match, analyzer="a", analyzer_version="1")
