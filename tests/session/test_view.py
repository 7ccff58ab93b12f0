"""Pages and counts of a case agree with its full lists, in every order, from either end, and narrowed down."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from suite import placed, record
from synthetic.concluded import SET, SIZE, concluded

from triage.model.address import Address
from triage.model.errors import StoreError, UsageError
from triage.model.event import EndedBy
from triage.model.finding import Finding, Match, MatchBy
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.session.examination import open_case
from triage.session.judging import judge
from triage.session.view import CaseView, FindingState, Sort, Wanted
from triage.store.case import Case

FINDINGS = 2600  # a page far down is counted from the end


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a case of two exhibits with findings of every kind; those of one are further on."""
    folder = tmp_path_factory.mktemp("view") / "case"
    concluded(folder, MatchBy.PDQ, MatchBy.MD5, exhibit="B/1", files=3)
    concluded(folder, exhibit="A/1", files=1, ended_by=EndedBy.REQUEST)
    with Case.open(folder) as case:
        items = [item(number) for number in range(FINDINGS)]
        case.journal.add_items("A/1", 0, placed(items), first=1)
        waiting = case.queue.next("A/1", 2 * FINDINGS)
        record(case.journal, [result(pending.number, items[place]) for place, pending in enumerate(waiting)])
        more = [replace(item(FINDINGS + number), path=f"later/{number}") for number in range(9)]
        case.journal.add_items("A/1", 0, placed(more), first=FINDINGS + 1)
        ended = [Outcome.SKIPPED, Outcome.SKIPPED, Outcome.ENCRYPTED, Outcome.TIMED_OUT]
        for pending, outcome in zip(case.queue.next("A/1", 4), ended, strict=True):
            reason = f"size: number {pending.number}" if outcome is Outcome.SKIPPED else None
            record(case.journal, [ItemResult(item=pending.number, outcome=outcome, reason=reason)])
    candidates = [row["id"] for row in rows(folder) if row["match"] == "pdq"]
    judge(folder, candidates[:4], confirmed=True, examiner="A Examiner")
    judge(folder, candidates[4:7], confirmed=False, examiner="A Examiner")
    return folder


def item(number: int) -> Item:
    return Item(
        address=Address("file", str(number + 100)),
        kind=ItemKind.FILE,
        path=f"folder {number % 7}/100%_{number * 7919 % FINDINGS}.JPG",
        size=10,
        allocated=True,
        reference=str(number),
        runs=(ByteRun(number * 10 % SIZE, 10),),
    )


def result(number: int, of: Item) -> ItemResult:
    chance = random.Random(number)
    match = Match(
        set=replace(SET, name=chance.choice(("demo", "other"))),
        by=chance.choice((MatchBy.PDQ, MatchBy.SHA1, MatchBy.MD5)),
        distance=chance.randrange(31),
        category=chance.choice(("A", "B", None)),
        grade=chance.choice(("trusted", None)),
    )
    found = Finding(address=of.address, match=match, analyzer="a", analyzer_version="1")
    return ItemResult(item=number, outcome=Outcome.EXAMINED, findings=(found,))


def rows(folder: Path) -> list[dict[str, Any]]:
    with open_case(folder) as case:
        return list(case.queries.findings())


def state(row: dict[str, Any]) -> str:
    if row["match"] != "pdq":
        return "match"
    return {None: "candidate", True: "confirmed", False: "rejected"}[row["confirmed"]]


_KEYS: dict[Sort, tuple[str, ...]] = {
    Sort.NUMBER: ("id",),
    Sort.PATH: ("path",),
    Sort.CATEGORY: ("category",),
    Sort.GRADE: ("grade",),
    Sort.SET: ("set",),
    Sort.MATCH: ("match", "distance"),
    Sort.STATE: ("state",),
}


def place(row: dict[str, Any], sort: Sort) -> tuple[Any, ...]:
    """Return what a row is sorted by, nothing first."""
    return tuple((row[key] is not None, row[key] or 0) for key in (*_KEYS[sort], "id"))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
def test_pages_are_cut_from_the_list_in_every_order(folder: Path, sort: Sort, descending: bool) -> None:
    everything = [{**row, "state": state(row)} for row in rows(folder)]
    wanted = Wanted(reference="A/1")
    view = CaseView(folder)
    for narrowed, expected in (
        (Wanted(), everything),
        (wanted, [row for row in everything if row["exhibit"] == "A/1"]),
    ):
        numbers = [row["id"] for row in sorted(expected, key=lambda row: place(row, sort), reverse=descending)]
        assert view.findings_count(narrowed) == len(numbers)
        for offset, limit in ((0, 50), (1200, 50), (len(numbers) - 20, 50), (len(numbers), 50), (2000, 1)):
            page = view.findings_page(narrowed, sort=sort, descending=descending, offset=offset, limit=limit)
            assert [row["id"] for row in page] == numbers[offset : offset + limit]


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (Wanted(category="A"), lambda row: row["category"] == "A"),
        (Wanted(category=""), lambda row: row["category"] is None),
        (Wanted(grade="trusted", category="B"), lambda row: (row["grade"], row["category"]) == ("trusted", "B")),
        (Wanted(state=FindingState.CONFIRMED), lambda row: state(row) == "confirmed"),
        (Wanted(state=FindingState.REJECTED), lambda row: state(row) == "rejected"),
        (
            Wanted(reference="A/1", state=FindingState.CANDIDATE),
            lambda row: row["exhibit"] == "A/1" and state(row) == "candidate",
        ),
        (Wanted(text="FOLDER 3/100%_1"), lambda row: row["path"].startswith("folder 3/100%_1")),
        (Wanted(text="folder_3"), lambda _: False),
        (Wanted(text="jpg", grade=""), lambda row: row["path"].lower().endswith("jpg") and row["grade"] is None),
    ],
)  # fmt: skip
def test_pages_are_narrowed_down(folder: Path, wanted: Wanted, matches: Any) -> None:
    view = CaseView(folder)
    expected = {row["id"] for row in rows(folder) if matches(row)}
    assert view.findings_count(wanted) == len(expected)
    for sort in Sort:
        assert {row["id"] for row in view.findings_page(wanted, sort=sort, offset=0, limit=FINDINGS)} == expected


def test_findings_are_counted_by_grade_category_and_state(folder: Path) -> None:
    view = CaseView(folder)
    counted = {(row["grade"], row["category"], row["state"]): row["findings"] for row in view.findings_by()}
    everything = [(row["grade"], row["category"], state(row)) for row in rows(folder)]
    assert counted == {key: everything.count(key) for key in set(everything)}
    assert {row["state"]: row["findings"] for row in view.findings_by("B/1")} == {
        "match": 1,
        "confirmed": 1,
    }


def test_a_page_tells_what_the_list_tells(folder: Path) -> None:
    view = CaseView(folder)
    listed = {row["id"]: row for row in rows(folder)}
    for row in view.findings_page(sort=Sort.PATH, offset=0, limit=200):
        assert {key: row[key] for key in listed[row["id"]]} == listed[row["id"]]
        assert (row["kind"], row["state"]) == ("file", state(row))
        assert {key: value for key, value in view.finding(row["id"]).items() if key != "item"} == row
    with pytest.raises(UsageError, match="holds no finding 99999"):
        view.finding(99_999)


def test_siblings_are_the_findings_of_one_folder(folder: Path) -> None:
    view = CaseView(folder)
    one = next(row for row in rows(folder) if row["path"].startswith("folder 3/"))
    expected = sorted(row["path"] for row in rows(folder) if row["path"].startswith("folder 3/"))
    assert [row["path"] for row in view.siblings(one["id"], offset=0, limit=FINDINGS)] == expected
    assert [row["path"] for row in view.siblings(one["id"], offset=10, limit=5)] == expected[10:15]
    top = next(row for row in rows(folder) if row["exhibit"] == "B/1")
    assert {row["path"] for row in view.siblings(top["id"], offset=0, limit=9)} == {"0.jpg", "1.jpg"}


def test_what_was_not_looked_at_is_listed_with_its_reason(folder: Path) -> None:
    view = CaseView(folder)
    with open_case(folder) as case:
        expected = {
            row["path"]: (row["outcome"], row["reason"])
            for row in case.queries.items("A/1")
            if row["outcome"] != "examined"
        }
    page = view.not_looked_at("A/1", offset=0, limit=100)
    assert {row["path"]: (row["outcome"], row["reason"]) for row in page} == expected
    assert [row["outcome"] for row in page] == [
        "encrypted", "skipped", "skipped", "timed-out", *["not-reached"] * 5,
    ]  # fmt: skip
    for start in range(10):
        assert view.not_looked_at("A/1", offset=start, limit=3) == page[start : start + 3]
    assert view.not_looked_at("A/1", outcome="skipped", offset=1, limit=5) == page[2:3]
    assert view.not_looked_at("A/1", outcome="not-reached", offset=0, limit=2) == page[4:6]
    assert view.not_looked_at_by("A/1") == [
        {"outcome": "not-reached", "code": None, "items": 5},
        {"outcome": "skipped", "code": "size", "items": 2},
        {"outcome": "encrypted", "code": None, "items": 1},
        {"outcome": "timed-out", "code": None, "items": 1},
    ]


def test_the_rest_of_a_case_is_told_as_the_command_line_tells_it(folder: Path) -> None:
    view = CaseView(folder)
    with open_case(folder) as case:
        assert view.volumes("A/1") == case.queries.volumes("A/1")
        assert view.volume_reports("A/1") == case.layout.volumes("A/1")
        assert view.coverage("B/1") == case.queries.coverage("B/1")
        assert view.recommendation("B/1") == case.queries.recommendation("B/1")
        events = list(case.ledger.events())
    assert view.source("A/1").size == SIZE
    assert view.coverage_now("A/1")["size"] == SIZE
    assert (view.troubles("A/1"), view.troubles_by("A/1"), view.indications("A/1"), view.strata("A/1")) == (
        [],
        {},
        [],
        [],
    )
    assert view.decisions() == []
    newest = view.timeline(limit=2)
    assert [row["sequence"] for row in newest] == [len(events), len(events) - 1]
    assert {row["subject"] for row in view.timeline("A/1")} == {"A/1"}
    assert view.timeline_count("A/1") == len(view.timeline("A/1")) > 0
    assert [row["reference"] for row in view.exhibits("A/1")] == ["A/1"]
    first, second = view.exhibits()
    assert (first["reference"], first["state"], first["findings"], first["received"]) == ("B/1", "finished", 2, None)
    assert (second["reference"], second["state"], second["findings"]) == ("A/1", "stopped", FINDINGS)


def test_what_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no case"):
        CaseView(tmp_path).exhibits()
    with pytest.raises(UsageError, match="holds no exhibit C/1"):
        CaseView(folder).findings_count(Wanted(reference="C/1"))
    with pytest.raises(UsageError, match="holds no exhibit C/1"):
        CaseView(folder).not_looked_at("C/1", offset=0, limit=1)


@pytest.mark.parametrize("sort", list(Sort))
def test_a_page_is_cut_with_an_index_alone(folder: Path, sort: Sort) -> None:
    with open_case(folder) as case:
        where, values = case.pages._where(Wanted(reference="A/1", grade="", state=FindingState.MATCH, text="x"))
        query = f"SELECT id FROM finding INDEXED BY finding_by_{sort} {where} ORDER BY {_KEYS[sort][0]} LIMIT 1"
        plan = [
            row["detail"]
            for row in case._database.rows(f"EXPLAIN QUERY PLAN {query.replace('set L', 'set_name L')}", values)
        ]
    assert len(plan) == 1
    assert "COVERING INDEX" in plan[0]
