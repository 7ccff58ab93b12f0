"""What the conclusion counts from a case, and that it is of one moment."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from suite import placed, record

from triage.content.members.member import Obstacle
from triage.engine.learning.learnt import hindered
from triage.model.address import Address
from triage.model.blocks import BlockStratum
from triage.model.coverage import Coverage, CoverageClass
from triage.model.digest import PictureHashes
from triage.model.event import EndedBy
from triage.model.evidence import Region, SourceInfo, VolumeReport
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.recommendation import Recommendation, Verdict
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.policy.policy import Demands, Policy, Tolerated
from triage.session.conclusion import conclude, coverage_now
from triage.store.case import Case, CaseReader
from triage.store.exhibits import ExhibitState
from triage.store.journal import AccountedItems

WHEN = "2026-11-23T10:00:00.000000Z"
PLAN = '{"profile":"scene","pictures":true,"members":true,"sets":[],"sets_hold_pictures":true}'
DEMO = {"name": "demo", "version": "3", "digest": "d" * 64, "kind": "notable"}
NOTABLE = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
GIVEN = json.loads(PLAN) | {"sets": [DEMO], "set_dates": {"d" * 64: "2026-11-20T10:00:00Z"}}
SIZE = 1 << 20
RULE_OF_OBSTACLE = {
    code: {
        TroubleCode.ENCRYPTED: "encrypted",
        TroubleCode.LIMIT: "limit",
        TroubleCode.DAMAGED: "unreadable",
        TroubleCode.UNREADABLE: "unreadable",
    }.get(code, "unsupported")
    for code in TroubleCode
}
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
    """The default one for a plan from before there were policies, which asks for a self-test."""
    told = {}
    lenient = Policy(name="ours", version="1", demanded=Demands(self_test=False))
    for reference, policy in (("A/1", None), ("A/2", lenient)):
        if policy is not None:
            plan = json.dumps({**json.loads(PLAN), "policy": policy.as_fields()})
            info = SourceInfo(kind="raw", files=("disk.raw",), size=SIZE)
            case.exhibits.add(reference, info, "f" * 64, plan_text=plan, plan_digest="e" * 64, when=WHEN)
        record = case.exhibits.get(reference)
        assert record is not None
        _, recommendation = conclude(case, record, ended_by=EndedBy.END)
        codes = [reason.code for reason in recommendation.reasons]
        told[reference] = codes.index("self-test-missing") < codes.index("looked-at")
    assert told == {"A/1": True, "A/2": False}


def concluded(case: Case, **plan: object) -> tuple[Coverage, Recommendation]:
    """Conclude A/1 as if it had been planned with these fields besides, ended and tested."""
    case.exhibits.record_self_test("A/1", True, "as expected")
    case.exhibits.set_state("A/1", ExhibitState.WALKING, WHEN)
    held = case.exhibits.get("A/1")
    assert held is not None
    return conclude(case, replace(held, plan_text=json.dumps(GIVEN | plan)), ended_by=EndedBy.END)


def add(case: Case, item: Item, result: ItemResult | None = None, *, first: int = 0) -> None:
    """List one item at a place in the walk, and store its result: examined, unless another is given."""
    case.journal.add_items("A/1", 0, placed([item]), first=first)
    (pending,) = case.queue.next("A/1", 1)
    given = ItemResult(item=0, outcome=Outcome.EXAMINED) if result is None else result
    record(case.journal, [given._replace(item=pending.number)])


def codes(recommendation: Recommendation) -> list[str]:
    return [reason.code for reason in recommendation.reasons]


def test_with_dated_sets_and_a_self_test_return_is_indicated_under_the_default_policy(case: Case) -> None:
    add(case, listed(1, allocated=True))
    assert concluded(case)[1].verdict is Verdict.RETURN_INDICATED
    for dated in ({}, {"d" * 64: "spring"}, {"d" * 64: "0001-01-01T00:00:00+14:00"}, {"d" * 64: "2026-11-26"}):
        undated = concluded(case, set_dates=dated)[1]
        assert (undated.verdict, codes(undated)[0]) == (Verdict.NOT_DETERMINED, "hash-set-undated")
    old = concluded(case, set_dates={"d" * 64: "2026-01-26T23:00:00-05:00"})[1]
    assert old.reasons[0].text.endswith("demo 3 (300 days).")


def test_a_self_test_that_failed_stands_in_the_way(case: Case) -> None:
    add(case, listed(1, allocated=True))
    _, passed = concluded(case)
    case.exhibits.record_self_test("A/1", False, "md5: not as expected")
    held = case.exhibits.get("A/1")
    assert held is not None
    _, failed = conclude(case, replace(held, plan_text=json.dumps(GIVEN)), ended_by=EndedBy.END)
    assert passed.verdict is Verdict.RETURN_INDICATED
    assert codes(failed)[0] == "self-test-failed"
    assert failed.reasons[0].text == "A self-test before the examination failed: md5: not as expected."
    _, tested_again = concluded(case)
    assert tested_again == failed


@pytest.mark.parametrize(
    ("outcome", "reason", "code"),
    [
        (Outcome.ENCRYPTED, "encrypted: ZIP", "encrypted"),
        (Outcome.ENCRYPTED, "high-entropy: noise throughout", "high-entropy"),
        (Outcome.UNREADABLE, "damaged: cut short", "unreadable"),
        (Outcome.CRASHED, "decoding: failed", "crashed"),
        (Outcome.TIMED_OUT, None, "timed-out"),
        (Outcome.SKIPPED, "limit: too deep", "limit"),
        (Outcome.SKIPPED, "unsupported: the compression method Deflate64 is not read", "unsupported"),
        (Outcome.SKIPPED, "a code of a later version: x", "unsupported"),
        (Outcome.SKIPPED, None, "unsupported"),
        *((hindered(Obstacle(code, "x")).outcome, f"{code}: x", rule) for code, rule in RULE_OF_OBSTACLE.items()),
    ],
)
def test_a_member_that_could_not_be_examined_weighs_as_much_as_a_file(
    case: Case, outcome: Outcome, reason: str | None, code: str
) -> None:
    add(case, listed(1, allocated=True))
    member = replace(listed(2, allocated=True), kind=ItemKind.MEMBER, path="Windows/a.zip/b.zip/c.jpg", runs=())
    add(case, member, ItemResult(item=0, outcome=outcome, reason=reason), first=1)
    coverage, open_result = concluded(case)
    assert (open_result.verdict, codes(open_result)[0]) == (Verdict.NOT_DETERMINED, code)
    assert coverage.items[outcome] == 1
    assert coverage.bytes[CoverageClass.EXAMINED] + coverage.bytes[CoverageClass.UNALLOCATED_NOT_EXAMINED] == SIZE


def test_what_could_not_be_decoded_is_told_by_its_causes_and_apart_from_rules(case: Case) -> None:
    texts = ["limit: too deep", "size: in no set", "known: not opened"]
    texts += ["unsupported: the method PPMd is not read"] * 2 + ["unsupported: a sparse member"]
    for number, reason in enumerate(texts):
        result = ItemResult(item=0, outcome=Outcome.SKIPPED, reason=reason)
        add(case, replace(listed(number, allocated=True), kind=ItemKind.MEMBER, runs=()), result, first=number)
    told = {reason.code: reason.text for reason in concluded(case)[1].reasons}
    assert told["unsupported"].endswith(
        ": 3 items that could not be decoded (the method PPMd is not read; a sparse member)."
    )
    assert "a limit: 1 item;" in told["skipped-by-rule"]
    assert told["limit"].endswith(": 1 item.")


def test_a_container_of_the_system_that_was_not_opened_is_told_with_its_path(case: Case) -> None:
    item = replace(listed(1, allocated=True), path="Windows/a.cab")
    add(case, item)
    case.obstacles.record_troubles("A/1", [Trouble(address=item.address, code=TroubleCode.NOT_OPENED, text="CAB")])
    _, told = concluded(case)
    assert told.verdict is Verdict.RETURN_INDICATED
    text = next(reason.text for reason in told.reasons if reason.code == "container-not-opened")
    assert text.endswith(" (among them Windows/a.cab): 1 recorded trouble.")


def test_pictures_and_videos_that_are_deleted_and_undecodable_are_stated_with_their_number(case: Case) -> None:
    pictures = [PictureHashes(damaged=True), PictureHashes(declined="cannot be decoded: cut"), None, PictureHashes()]
    reasons = [None, "cannot be decoded: cut", "no decoder for its video", "tiny: 3 x 4 pixels"]
    for number, (hashes, reason) in enumerate(zip(pictures, reasons, strict=True)):
        result = ItemResult(item=0, outcome=Outcome.EXAMINED, reason=reason, pictures=hashes)
        add(case, listed(number, allocated=False), result, first=number)
    _, told = concluded(case)
    assert told.verdict is Verdict.RETURN_INDICATED
    text = next(reason.text for reason in told.reasons if reason.code == "deleted-undecodable")
    assert text.endswith(": 3 items.")


def test_a_plan_that_opens_no_containers_leaves_the_result_open(case: Case) -> None:
    add(case, listed(1, allocated=True))
    _, told = concluded(case, members=False)
    assert (told.verdict, codes(told)[0]) == (Verdict.NOT_DETERMINED, "members-not-opened")


def test_noise_is_counted_apart_in_files_and_bytes(case: Case) -> None:
    noise = ItemResult(item=0, outcome=Outcome.ENCRYPTED, reason="high-entropy: noise throughout, possibly a container")
    add(case, listed(1, allocated=True))
    add(case, listed(2, allocated=True), noise, first=1)
    tolerant = Policy.from_fields({
        "name": "ours", "version": "1", "tolerated": {"high_entropy_files": 1}, "reach": {"least_percent": 90.0},
    }, "here")  # fmt: skip
    coverage, result = concluded(case, policy=tolerant.as_fields())
    assert (coverage.bytes[CoverageClass.ENCRYPTED], coverage.high_entropy) == (4096, 4096)
    texts = {reason.code: reason.text for reason in result.reasons}
    assert "1 file and 4.1 kilobytes (4,096 bytes). The policy tolerates it." in texts["high-entropy"]
    assert "encrypted" not in texts


def test_members_and_carved_files_are_told_among_the_files(case: Case) -> None:
    add(case, listed(1, allocated=True))
    add(case, replace(listed(2, allocated=True), kind=ItemKind.MEMBER, runs=()), first=1)
    add(case, replace(listed(3, allocated=False), kind=ItemKind.CARVED), first=2)
    _, result = concluded(case, members=True, carving=True, shadows=True)
    texts = {reason.code: reason.text for reason in result.reasons}
    assert "3 files, 1 of them inside others, 1 of them found where no file is" in texts["looked-at"]
    assert "searched-by-signature" in texts
    assert texts["whole-files-only"].startswith("Databases and videos were digested as whole files")
    assert "shadow copies" not in texts["whole-files-only"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("cannot be decoded: no frame", "videos-undecodable"),
        ("damaged: not all of the video could be decoded", "videos-undecodable"),
        ("no decoder for its video", "videos-undecodable"),
        ("limit: more than 9 packets", "limit"),
        ("plain: 3 of 3 frames", "videos-not-comparable"),
        ("no video in it", "videos-not-comparable"),
    ],
)
def test_a_video_that_was_not_compared_is_told_where_it_is_allocated(case: Case, reason: str, code: str) -> None:
    result = ItemResult(item=0, outcome=Outcome.EXAMINED, reason=reason)
    add(case, listed(1, allocated=False), result)
    assert (code in codes(concluded(case)[1])) is (code == "limit")
    add(case, listed(2, allocated=True), result, first=1)
    _, told = concluded(case)
    assert code in codes(told)
    assert (told.verdict is Verdict.RETURN_INDICATED) is (code == "videos-not-comparable")


def test_the_share_of_undecodable_pictures_is_of_those_that_were_to_be_compared(case: Case) -> None:
    broken = PictureHashes(declined="cannot be decoded: cut")
    for number in range(20):
        pictures = broken if number == 0 else PictureHashes()
        result = ItemResult(
            item=0, outcome=Outcome.EXAMINED, reason=broken.declined if number == 0 else None, pictures=pictures
        )
        add(case, listed(number, allocated=True), result, first=number)
    for percent, verdict in ((4.9, Verdict.NOT_DETERMINED), (5.0, Verdict.RETURN_INDICATED)):
        policy = Policy(name="ours", version="1", tolerated=Tolerated(undecodable_pictures_percent=percent))
        _, told = concluded(case, policy=policy.as_fields())
        assert told.verdict is verdict
        assert "1 picture not at all" in {reason.code: reason.text for reason in told.reasons}["pictures-undecodable"]


def test_a_run_of_blocks_is_no_file_that_was_examined(case: Case) -> None:
    add(case, listed(1, allocated=True))
    run = replace(listed(2, allocated=False), kind=ItemKind.CARVED)
    blocks = ItemResult(item=0, outcome=Outcome.EXAMINED, reason="blocks: 6 of the 9 blocks of a known file")
    add(case, run, blocks, first=1)
    coverage, result = concluded(case)
    assert " 1 file, 8.2 kilobytes" in next(one.text for one in result.reasons if one.code == "looked-at")
    assert coverage.bytes[CoverageClass.UNALLOCATED_EXAMINED] == 4096


def test_a_reason_that_names_no_rule_is_none(case: Case) -> None:
    for number, reason in enumerate(["6 blocks, from number 0 on", "size: in no set", "\N{SNOWMAN}: x", ""]):
        outcome = Outcome.SKIPPED if number == 1 else Outcome.EXAMINED
        add(case, listed(number, allocated=True), ItemResult(item=0, outcome=outcome, reason=reason), first=number)
    with CaseReader.open(case.folder) as reader:
        assert coverage_now(reader, "A/1")["rules"] == [
            {"outcome": "examined", "code": None, "items": 3},
            {"outcome": "skipped", "code": "size", "items": 1},
        ]


def test_what_was_searched_is_examined_but_for_what_an_item_claims(case: Case) -> None:
    add(case, listed(1, allocated=True))
    add(case, listed(2, allocated=False), ItemResult(item=0, outcome=Outcome.TIMED_OUT), first=1)
    case.journal.add_carved("A/1", [], [ByteRun(0, SIZE // 2)])
    coverage, _ = concluded(case)
    assert coverage.bytes[CoverageClass.EXAMINED] == coverage.bytes[CoverageClass.NOT_EXAMINED] == 4096
    assert coverage.bytes[CoverageClass.UNALLOCATED_EXAMINED] == SIZE // 2 - 2 * 4096
    assert coverage.bytes[CoverageClass.UNALLOCATED_NOT_EXAMINED] == SIZE // 2


def test_a_container_still_to_be_gone_through_leaves_the_result_open(case: Case) -> None:
    add(case, listed(1, allocated=True), ItemResult(item=0, outcome=Outcome.EXAMINED, opens=True))
    waiting = concluded(case)[1]
    assert codes(waiting)[0] == "containers-not-reached"
    assert waiting.reasons[0].text.endswith(": 1 file.")
    (container,) = case.queue.containers("A/1", 2, without=())
    case.journal.end_container(container.number, whole=True)
    assert concluded(case)[1].verdict is Verdict.RETURN_INDICATED


def test_a_sample_of_blocks_is_told_with_its_leads(case: Case) -> None:
    add(case, listed(1, allocated=True))
    drawn = BlockStratum(label="space that no file has", blocks=250, grid=0, grid_read=0, drawn=100)
    case.samples.record("A/1", [drawn])
    assert "block-sample" in codes(concluded(case)[1])
    case.samples.record("A/1", [replace(drawn, leads=1, alone=1)])
    assert codes(concluded(case)[1])[0] == "block-lead"
    found = Finding(
        address=listed(2, allocated=False).address,
        match=Match(
            set=SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE),
            by=MatchBy.BLOCK,
            distance=0,
        ),
        analyzer="blocks",
        analyzer_version="1",
    )
    add(case, listed(2, allocated=False), ItemResult(item=0, outcome=Outcome.EXAMINED, findings=(found,)), first=1)
    assert codes(concluded(case)[1])[:3] == ["candidate-unconfirmed", "block-lead", "looked-at"]
    case.samples.record("A/1", [replace(drawn, leads=1)])
    assert codes(concluded(case)[1])[:2] == ["candidate-unconfirmed", "looked-at"]


def test_the_account_now_tells_each_region_and_each_rule(examined: Case) -> None:
    with CaseReader.open(examined.folder) as reader:
        account: dict[str, Any] = coverage_now(reader, "A/1")
    (region,) = account["regions"]
    assert {**region, "bytes": None} == {
        "name": "whole source", "offset": 0, "length": SIZE, "state": "read", "file_system": "ntfs", "bytes": None,
    }  # fmt: skip
    assert region["bytes"] == account["bytes"]
    assert account["rules"] == [
        {"outcome": "examined", "code": code, "items": 2}
        for code in (None, "cannot be decoded", "flat", "low quality", "tiny")
    ]


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
