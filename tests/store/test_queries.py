import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from suite import placed, record

from triage.model.coverage import Coverage, CoverageClass
from triage.model.evidence import SourceInfo
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.model.result import ItemResult
from triage.store.case import Case, CaseReader

ITEM_KEYS = (
    "path volume file_system kind size allocated md5 sha1 sha256 media_type pdq pdq_quality phash outcome reason "
    "modified created accessed changed"
)
FINDING_KEYS = "path volume set set_version set_digest category grade match distance confirmed found_at seconds"
SUMMARY_KEYS = (
    "case exhibit source size source_kind volumes items examined findings coverage recommendation seconds "
    "first_finding_seconds bytes_read plan_digest"
)
SET = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)


@pytest.fixture
def examined(prepared: Case, item: Callable[[int], Item]) -> Case:
    """Four items: two with findings, one directory, one not reached; a second exhibit without items."""
    directory = replace(item(3), kind=ItemKind.DIRECTORY)
    raw = replace(item(4), path="Bilder/caf\udce9.jpg")
    prepared.journal.add_items("ABC/1", 1 << 20, placed([item(1), item(2), directory, raw]), first=0)
    first, second, _ = (one.number for one in prepared.queue.next("ABC/1", 10))
    record(
        prepared.journal,
        [
            _result(first, item(1), MatchBy.MD5, 0),
            _result(second, item(2), MatchBy.PDQ, 20),
        ],
        found_at="2026-11-23T10:00:05.000000Z",
        seconds=5.0,
    )
    return prepared


def _result(number: int, item: Item, by: MatchBy, distance: int) -> ItemResult:
    match = Match(set=SET, by=by, distance=distance, category="B")
    finding = Finding(address=item.address, match=match, analyzer="a", analyzer_version="1")
    return ItemResult(item=number, outcome=Outcome.EXAMINED, findings=(finding,))


def test_item_rows_have_the_keys_of_the_interface_in_order(examined: Case) -> None:
    rows = list(examined.queries.items("ABC/1"))
    assert [list(row)[: len(ITEM_KEYS.split())] for row in rows] == [ITEM_KEYS.split()] * 4
    assert list(rows[0])[len(ITEM_KEYS.split()) :] == [
        *("recovered", "picture_scale", "address", "exhibit", "space_bytes", "reused_bytes")
    ]
    first = rows[0]
    assert (first["path"], first["volume"], first["file_system"]) == ("Pictures/IMG_0001.JPG", 1 << 20, "ntfs")
    assert first["allocated"] is True
    assert rows[2]["allocated"] is False
    assert first["modified"] == "2019-08-31T10:22:59.960217401Z"
    assert first["created"] is None
    assert rows[3]["path"] == "Bilder/caf\\xe9.jpg"
    json.dumps(rows, allow_nan=False)


def test_finding_rows_have_the_keys_of_the_interface_in_order(examined: Case) -> None:
    rows = list(examined.queries.findings("ABC/1"))
    assert [list(row)[: len(FINDING_KEYS.split())] for row in rows] == [FINDING_KEYS.split()] * 2
    assert [(row["path"], row["set"], row["set_version"], row["match"], row["distance"]) for row in rows] == [
        ("Pictures/IMG_0001.JPG", "demo", "3", "md5", 0),
        ("Pictures/IMG_0002.JPG", "demo", "3", "pdq", 20),
    ]
    assert list(rows[0])[len(FINDING_KEYS.split()) :] == [
        "series",
        "flags",
        "allocated",
        "recovered",
        "address",
        "exhibit",
        "id",
        "space_bytes",
        "reused_bytes",
    ]
    assert [row["id"] for row in rows] == [1, 2]
    assert (rows[0]["allocated"], rows[0]["recovered"]) == (True, False)
    assert rows[0]["confirmed"] is None
    json.dumps(rows, allow_nan=False)


def test_without_a_reference_all_exhibits_are_listed(examined: Case, info: SourceInfo, when: str) -> None:
    examined.exhibits.add("ABC/2", info, "x", plan_text="{}", plan_digest="x", when=when)
    assert {row["exhibit"] for row in examined.queries.items()} == {"ABC/1"}
    assert list(examined.queries.items("ABC/2")) == []
    assert list(examined.queries.findings("ABC/2")) == []


def test_items_stream_without_a_sort(examined: Case) -> None:
    from triage.store.queries import _ITEMS  # noqa: PLC0415 - the statement itself is under test

    steps = [row["detail"] for row in examined._database.rows(f"EXPLAIN QUERY PLAN {_ITEMS}", (1,))]
    assert steps
    assert not any("item" in step and "SCAN" in step for step in steps)
    assert steps[0].startswith("SEARCH exhibit") or steps[0].startswith("SCAN exhibit")


def test_counts_for_a_recommendation(examined: Case) -> None:
    (matches,) = examined.queries.matches("ABC/1")
    assert (matches.set, matches.category) == (SET, "B")
    assert (matches.exact, matches.unconfirmed, matches.confirmed) == (1, 1, 0)
    assert matches.exact_deleted == 0
    assert examined.queries.outcomes("ABC/1")[Outcome.EXAMINED] == 3


def test_matches_on_deleted_items_of_uncertain_content_are_counted(prepared: Case, item: Callable[[int], Item]) -> None:
    prepared.journal.add_items("ABC/1", 1 << 20, placed([item(2), item(3)]), first=0)
    first, second = (one.number for one in prepared.queue.next("ABC/1", 10))
    results = [_result(first, item(2), MatchBy.MD5, 0), _result(second, item(3), MatchBy.SHA1, 0)]
    record(prepared.journal, results, found_at="2026", seconds=1.0)
    (matches,) = prepared.queries.matches("ABC/1")
    assert (matches.exact, matches.exact_deleted) == (2, 1)


def test_a_summary_is_of_one_moment(
    examined: Case, item: Callable[[int], Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer commits between two of the reads that a summary is made of."""

    def after_a_commit(reference: str) -> dict[Outcome, int]:
        examined.journal.add_items("ABC/1", 1 << 20, placed([item(77)]), first=4)
        return outcomes(reference)

    with CaseReader.open(examined.folder) as reader:
        outcomes = reader.queries.outcomes
        monkeypatch.setattr(reader.queries, "outcomes", after_a_commit)
        assert reader.queries.summary("ABC/1")["items"] == 4
        assert sum(outcomes("ABC/1").values()) == 5


def test_the_coverage_account_sums_to_the_size(examined: Case, info: SourceInfo) -> None:
    taken = {CoverageClass.EXAMINED: 4096, CoverageClass.OUTSIDE_PARTITIONS: info.size - 4096}
    examined.exhibits.record_coverage("ABC/1", Coverage(size=info.size, bytes=taken, items={}))
    summary = examined.queries.summary("ABC/1")
    assert list(summary["coverage"]) == [name.value for name in CoverageClass]
    assert sum(summary["coverage"].values()) == summary["size"] == info.size
    assert summary["items"] == 4
    assert examined.queries.outcomes("ABC/1") == {
        outcome: {"examined": 3, "not-reached": 1}.get(outcome.value, 0) for outcome in Outcome
    }


def test_the_summary_has_the_keys_of_the_interface_in_order(examined: Case) -> None:
    reasons = (Reason(code="notable-match", text="1 item."),)
    examined.exhibits.record_recommendation("ABC/1", Recommendation(verdict=Verdict.SEIZE_INDICATED, reasons=reasons))
    summary = examined.queries.summary("ABC/1")
    assert list(summary)[: len(SUMMARY_KEYS.split())] == SUMMARY_KEYS.split()
    assert (summary["items"], summary["examined"], summary["findings"]) == (4, 3, 2)
    assert summary["first_finding_seconds"] == 5.0
    assert summary["recommendation"] == {
        "verdict": "seize-indicated",
        "reasons": [{"code": "notable-match", "text": "1 item."}],
    }
    assert [(volume["name"], volume["file_system"]) for volume in summary["volumes"]] == [("partition 1", "ntfs")]
    json.dumps(summary, allow_nan=False)


def test_a_summary_before_the_first_finding_has_nothing_made_up(prepared: Case) -> None:
    summary = prepared.queries.summary("ABC/1")
    assert summary["first_finding_seconds"] is None
    assert summary["recommendation"] is None
    assert summary["decision"] is None
    assert summary["coverage"] == {}
