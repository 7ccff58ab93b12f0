"""What the conclusion counts from a case, and that it is of one moment."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import placed, record

from triage.model.address import Address
from triage.model.coverage import CoverageClass
from triage.model.digest import PictureHashes
from triage.model.event import EndedBy
from triage.model.evidence import Region, SourceInfo, VolumeReport
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.policy.policy import Policy
from triage.session.conclusion import conclude, coverage_now
from triage.store.case import Case, CaseReader
from triage.store.journal import AccountedItems

WHEN = "2026-11-23T10:00:00.000000Z"
PLAN = '{"profile":"scene","pictures":true,"sets":[],"sets_hold_pictures":true}'
SIZE = 1 << 20
REASONS = ("cannot be decoded: damaged header", "tiny: 3 x 4 pixels", "flat: one colour throughout", "low quality: 7")


def listed(number: int, *, allocated: bool) -> Item:
    return Item(
        address=Address("file", str(number)),
        kind=ItemKind.FILE,
        path=f"{number}.jpg",
        size=4096,
        allocated=allocated,
        reference=str(number),
        runs=(ByteRun(4096 * number, 4096),),
    )


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    region = Region(run=ByteRun(0, SIZE), name="whole source", scheme="none", is_volume=True)
    with Case.open_or_create(tmp_path / "case", when=WHEN, actor="examiner") as opened:
        info = SourceInfo(kind="raw", files=("disk.raw",), size=SIZE)
        opened.exhibits.add("A/1", info, "f" * 64, plan_text=PLAN, plan_digest="e" * 64, when=WHEN)
        opened.layout.record_regions("A/1", [region])
        opened.layout.record_volume("A/1", VolumeReport(region=region, state="read", file_system="ntfs"))
        opened.layout.mark_walked("A/1", 0, listed=True)
        yield opened


@pytest.fixture
def examined(case: Case) -> Case:
    """Each reason, and one damaged picture, once on an allocated item and once on a deleted one."""
    case.journal.add_items("A/1", 0, placed([listed(number, allocated=number < 5) for number in range(10)]), first=0)
    results = [
        ItemResult(
            item=pending.number,
            outcome=Outcome.EXAMINED,
            reason=(*REASONS, None)[position % 5],
            pictures=PictureHashes(damaged=position % 5 == 4),
        )
        for position, pending in enumerate(case.queue.next("A/1", 10))
    ]
    record(case.journal, results, found_at=WHEN, seconds=1.0)
    return case


def test_pictures_are_counted_where_they_are_allocated(examined: Case) -> None:
    record = examined.exhibits.get("A/1")
    assert record is not None
    coverage, recommendation = conclude(examined, record, ended_by=EndedBy.END)
    texts = {reason.code: reason.text for reason in recommendation.reasons}
    assert texts["pictures-undecodable"].endswith("1 picture not at all and 1 picture only in part, because of damage.")
    assert texts["pictures-not-comparable"].endswith("3 pictures.")
    assert "10 files" in texts["looked-at"]
    assert coverage.items["examined"] == 10
    assert coverage.bytes[CoverageClass.EXAMINED] == coverage.bytes[CoverageClass.UNALLOCATED_EXAMINED] == 5 * 4096


def test_the_policy_of_the_plan_is_the_one_that_counts(case: Case) -> None:
    """The default one for a plan from before there were policies, which asks for no self-test."""
    told = {}
    for reference, policy in (("A/1", None), ("A/2", Policy(name="ours", version="1"))):
        if policy is not None:
            plan = json.dumps({**json.loads(PLAN), "policy": policy.as_fields()})
            info = SourceInfo(kind="raw", files=("disk.raw",), size=SIZE)
            case.exhibits.add(reference, info, "f" * 64, plan_text=plan, plan_digest="e" * 64, when=WHEN)
        record = case.exhibits.get(reference)
        assert record is not None
        _, recommendation = conclude(case, record, ended_by=EndedBy.END)
        codes = [reason.code for reason in recommendation.reasons]
        told[reference] = codes.index("self-test-missing") < codes.index("looked-at")
    assert told == {"A/1": False, "A/2": True}


def test_the_coverage_now_is_of_one_moment(examined: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer commits after the record was read and before the items are."""

    def after_a_commit(reference: str) -> Iterator[AccountedItems]:
        examined.journal.add_items("A/1", 0, placed([listed(50, allocated=True)]), first=10)
        return accounted(reference)

    with CaseReader.open(examined.folder) as reader:
        accounted = reader.journal.accounted
        monkeypatch.setattr(reader.journal, "accounted", after_a_commit)
        account = coverage_now(reader, "A/1")
        assert account["items"] == dict.fromkeys([outcome.value for outcome in Outcome], 0) | {"examined": 10}
        assert sum(some.items for some in accounted("A/1")) == 11
