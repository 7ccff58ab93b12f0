"""What people say is kept as it was said; the rules of it are tested where they are."""

import sqlite3
from collections.abc import Callable

import pytest
from suite import placed, record

from triage.model.decision import Basis, Decided, Decision, Statement
from triage.model.errors import StoreError, UsageError
from triage.model.finding import Finding, Match, MatchBy, SetIdentity, SetKind
from triage.model.item import Item, Outcome
from triage.model.judgement import Judgement
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.model.result import ItemResult
from triage.store.case import Case, CaseReader

STATEMENT = Statement(
    verdict=Decided.SEIZE,
    reason="Umlaut ü, quote ' and\nline",
    examiner="A Examiner",
    power="PACE 1984 s.19",
    acknowledged=("encrypted",),
)
BASIS = Basis(
    recommendation=Recommendation(verdict=Verdict.NOT_DETERMINED, reasons=(Reason(code="encrypted", text="1 item."),)),
    coverage={"examined": 5},
    plan_digest="e" * 64,
    policy_digest="a" * 64,
    ledger_head="b" * 64,
    examination="stopped",
    ended_by=None,
)


def add(case: Case, when: str, number: int | None = None) -> Decision:
    decision = Decision(
        number=number or case.decisions.next_number(), exhibit="ABC/1", when=when, statement=STATEMENT, basis=BASIS
    )
    with case.transaction():
        event = case.ledger.append(
            when=when, actor="a", action="decision.recorded", subject="ABC/1", payload=decision.facts()
        )
        case.decisions.add(decision, event)
    return decision


def test_a_decision_comes_back_as_it_was_said(prepared: Case, when: str) -> None:
    assert prepared.decisions.in_force("ABC/1") is None
    facts = add(prepared, when).facts()
    with CaseReader.open(prepared.folder) as reader:
        (row,) = reader.decisions.rows()
    assert {key: row[key] for key in facts} == facts
    assert (row["exhibit"], row["when"], row["reason"]) == ("ABC/1", when, STATEMENT.reason)
    assert row["recommendation"] == {"verdict": "not-determined", "reasons": [{"code": "encrypted", "text": "1 item."}]}
    with pytest.raises(UsageError, match="no exhibit ABC/9"):
        next(prepared.decisions.rows("ABC/9"))


def test_decision_and_event_are_one_transaction(prepared: Case, when: str) -> None:
    before = list(prepared.ledger.events())
    with pytest.raises(StoreError, match="a decision follows the last one"):
        add(prepared, when, number=5)
    assert list(prepared.ledger.events()) == before
    assert prepared.decisions.next_number() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET verdict = 'return'",
        "DELETE FROM decision",
        "INSERT OR REPLACE INTO decision SELECT * FROM decision",
        "UPDATE judgement SET confirmed = 1",
        "DELETE FROM judgement",
        "INSERT OR REPLACE INTO judgement SELECT * FROM judgement",
    ],
)
def test_the_file_itself_forbids_changes(
    prepared: Case, when: str, item: Callable[[int], Item], statement: str
) -> None:
    add(prepared, when)
    judge(prepared, when, item(1))
    prepared.close()
    raw = sqlite3.connect(prepared.folder / "case.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match=r"a (decision|judgement) (is superseded|follows)"):
        raw.execute(statement)
    raw.close()


def judge(case: Case, when: str, item: Item) -> Judgement:
    held = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
    match = Match(set=held, by=MatchBy.PDQ, distance=9)
    finding = Finding(address=item.address, match=match, analyzer="a", analyzer_version="1")
    case.journal.add_items("ABC/1", 1 << 20, placed([item]), first=0)
    result = ItemResult(item=1, outcome=Outcome.EXAMINED, findings=(finding,))
    record(case.journal, [result], found_at=when, seconds=1.0)
    candidate = case.judgements.finding(1)
    judgement = Judgement(
        number=case.judgements.next_number(),
        finding=1,
        confirmed=False,
        examiner="A Examiner",
        when=when,
        note=None,
        address=candidate.address,
        set_digest=candidate.set_digest,
        match=candidate.match.value,
        distance=candidate.distance,
    )
    with case.transaction():
        facts = judgement.facts()
        event = case.ledger.append(when=when, actor="a", action="candidate.rejected", subject="ABC/1", payload=facts)
        case.judgements.add(judgement, event)
    return judgement


def test_a_judgement_marks_its_finding(prepared: Case, when: str, item: Callable[[int], Item]) -> None:
    facts = judge(prepared, when, item(1)).facts()
    (row,) = prepared.judgements.rows("ABC/1")
    assert {key: row[key] for key in facts} == facts
    assert (row["exhibit"], row["set"], row["path"]) == ("ABC/1", "demo", "Pictures/IMG_0001.JPG")
    assert [row["confirmed"] for row in prepared.queries.findings()] == [False]
    (matches,) = prepared.queries.matches("ABC/1")
    assert (matches.unconfirmed, matches.confirmed) == (0, 0)
    with pytest.raises(UsageError, match="no finding 2"):
        prepared.judgements.finding(2)
