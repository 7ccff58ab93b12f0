"""A decision is bound to what it rests on, superseded and never edited, and goes with its custody event."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic.concluded import WHEN, concluded

from triage.model.decision import Decided, Statement
from triage.model.errors import StoreError, UsageError
from triage.model.event import EndedBy
from triage.model.finding import MatchBy
from triage.model.recommendation import Verdict
from triage.policy.deciding import codes_of, limitations
from triage.policy.policy import DEFAULT, Policy
from triage.session.deciding import Deciding, decisions
from triage.session.examination import open_case
from triage.session.judging import judge
from triage.store.case import Case
from triage.store.exhibits import ExhibitState

REFER = Statement(verdict=Decided.REFER, reason="to be looked into", examiner="A Examiner")
SEIZE = replace(REFER, verdict=Decided.SEIZE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "case"


def decide(folder: Path, statement: Statement, exhibit: str = "A/1") -> dict[str, Any]:
    with Deciding(folder, exhibit) as deciding:
        return deciding.record(statement)


def recorded(folder: Path, exhibit: str | None = None) -> list[dict[str, Any]]:
    with open_case(folder) as case:
        return list(decisions(case, exhibit))


def actions(folder: Path) -> list[str]:
    with open_case(folder) as case:
        return [event.action for event in case.ledger.events()]


def test_a_decision_is_bound_to_what_it_rests_on(folder: Path) -> None:
    concluded(folder, MatchBy.SHA256)
    with open_case(folder) as case:
        recommendation = case.queries.recommendation("A/1")
        coverage, head = case.queries.coverage("A/1"), case.ledger.head()
    row = decide(folder, replace(SEIZE, power="PACE 1984 s.19", necessity="evidence"))
    assert recorded(folder) == [row]
    assert row["recommendation"] == recommendation
    assert (row["recommended"], row["against"], row["not_stated"]) == ("seize-indicated", False, [])
    assert (row["examination"], row["ended_by"]) == ("finished", "end")
    assert (row["plan_digest"], row["ledger_head"]) == ("e" * 64, head)
    assert row["policy_digest"] == Policy.load(DEFAULT).digest()
    for what, held in (("recommendation", recommendation), ("coverage", coverage)):
        text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert row[f"{what}_digest"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_ledger_holds_what_the_row_holds(folder: Path) -> None:
    concluded(folder, MatchBy.SHA256)
    row = decide(folder, replace(SEIZE, second="B Second", second_reason="agreed"))
    with open_case(folder) as case:
        event = list(case.ledger.events())[-1]
        case.ledger.verify()
    assert (event.action, event.subject, event.when) == ("decision.recorded", "A/1", row["when"])
    payload = json.loads(event.payload)
    assert payload == {key: row[key] for key in payload}
    assert (payload["examiner"], payload["second"]) == ("A Examiner", "B Second")


def test_a_later_decision_supersedes_and_the_earlier_one_stays(folder: Path) -> None:
    concluded(folder, MatchBy.PDQ)
    concluded(folder, exhibit="A/2")
    first = decide(folder, REFER)
    other = decide(folder, REFER, "A/2")
    second = decide(folder, replace(SEIZE, power="PACE 1984 s.19"))
    assert [row["decision"] for row in (first, other, second)] == [1, 2, 3]
    rows = recorded(folder)
    assert [(row["decision"], row["superseded_by"]) for row in rows] == [(1, 3), (2, None), (3, None)]
    assert {**rows[0], "superseded_by": None} == first
    assert [row["since"] for row in rows] == [[], [], []]
    with open_case(folder) as case:
        assert case.queries.summary("A/1")["decision"]["verdict"] == "seize"
        assert case.queries.summary("A/2")["decision"]["decision"] == 2


def test_a_return_against_the_recommendation_is_refused_without_a_second_person(folder: Path) -> None:
    concluded(folder, MatchBy.SHA256)
    with Deciding(folder, "A/1") as deciding:
        codes = codes_of(limitations(deciding.recommendation))
        alone = replace(REFER, verdict=Decided.RETURN, acknowledged=tuple(codes))
        with pytest.raises(UsageError, match="a second person has to stand for it"):
            deciding.record(alone)
        assert deciding.record(replace(alone, second="B Second", second_reason="seen"))["against"] is True
    assert [row["second"] for row in recorded(folder)] == ["B Second"]


def test_what_is_refused_leaves_nothing(folder: Path) -> None:
    concluded(folder)
    before = actions(folder)
    with pytest.raises(UsageError, match="against the recommendation"):
        decide(folder, SEIZE)
    assert (recorded(folder), actions(folder)) == ([], before)


def test_what_is_judged_after_a_decision_shows(folder: Path) -> None:
    concluded(folder, MatchBy.PDQ)
    before = decide(folder, REFER)
    judge(folder, [1], confirmed=True, examiner="A Examiner")
    (after,) = recorded(folder)
    assert after == {**before, "since": ["candidate.confirmed", "recommendation.renewed"]}
    assert after["recommended"] == Verdict.NOT_DETERMINED
    decide(folder, SEIZE)
    assert [row["since"] for row in recorded(folder)][1:] == [[]]


def test_an_examination_that_goes_on_after_a_decision_shows(folder: Path) -> None:
    concluded(folder, ended_by=EndedBy.TIME_LIMIT)
    row = decide(folder, REFER)
    assert (row["examination"], row["ended_by"]) == ("stopped", "time-limit")
    assert "stopped-early" in row["limitations"]
    with Case.open(folder) as case:
        case.ledger.append(when=WHEN, actor="a", action="examination.resumed", subject="A/1", payload={})
        case.ledger.append(when=WHEN, actor="a", action="examination.resumed", subject="A/2", payload={})
    assert [row["since"] for row in recorded(folder)] == [["examination.resumed"]]


def test_an_examination_that_never_began_cannot_be_decided(folder: Path) -> None:
    concluded(folder)
    with Case.open(folder) as case:
        held = case.exhibits.get("A/1")
        assert held is not None
        case.exhibits.add("A/2", held.info, "f" * 64, plan_text="{}", plan_digest="e" * 64, when=WHEN)
    with pytest.raises(UsageError, match="A/2 never began"):
        Deciding(folder, "A/2")
    with pytest.raises(UsageError, match=r"no exhibit A/3; it holds: A/1, A/2"):
        Deciding(folder, "A/3")
    decide(folder, REFER)  # the case is not held by what was refused


def test_an_examination_that_was_cut_off_is_concluded_with_the_decision(folder: Path) -> None:
    concluded(folder)
    with Case.open(folder) as case:
        case.exhibits.set_state("A/1", ExhibitState.EXAMINING, WHEN)
    with Deciding(folder, "A/1") as deciding:
        assert deciding.recommendation.verdict is Verdict.NOT_DETERMINED
    assert actions(folder) == ["case.created"]
    row = decide(folder, REFER)
    assert actions(folder) == ["case.created", "examination.stopped", "decision.recorded"]
    assert (row["examination"], row["ended_by"], row["recommended"]) == ("stopped", "error", "not-determined")
    assert row["since"] == []
    with open_case(folder) as case:
        assert case.queries.recommendation("A/1") == row["recommendation"]


def test_an_exhibit_in_use_cannot_be_decided_on_and_another_one_can(folder: Path) -> None:
    concluded(folder)
    concluded(folder, exhibit="A/2")
    with Case.open(folder) as case:
        case.claim("A/2")
        with pytest.raises(StoreError, match=r"exhibit A/2 of the case .* is in use by process"):
            Deciding(folder, "A/2")
        assert decide(folder, REFER)["exhibit"] == "A/1"


def test_a_candidate_judged_while_a_decision_is_made_undoes_it(folder: Path) -> None:
    concluded(folder)
    concluded(folder, MatchBy.PDQ, exhibit="A/2")
    with Deciding(folder, "A/1") as deciding:
        judge(folder, [1], confirmed=False, examiner="A Examiner")
        with pytest.raises(UsageError, match="a candidate was judged while"):
            deciding.record(REFER)
    assert recorded(folder) == []


def forge_text(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE decision SET reason = 'another'")


def forge_recommendation(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE decision SET recommendation = replace(recommendation, 'demo', 'other')")


def test_a_decision_that_was_removed_is_missed(folder: Path) -> None:
    concluded(folder, MatchBy.SHA256)
    decide(folder, SEIZE)
    raw = sqlite3.connect(folder / "case.sqlite")
    raw.execute("DROP TRIGGER decision_is_not_removed")
    raw.execute("DELETE FROM decision")
    raw.commit()
    raw.close()
    for look in (recorded, lambda folder: Deciding(folder, "A/1")):
        with pytest.raises(StoreError, match="the decision of custody event 2 is missing"):
            look(folder)


@pytest.mark.parametrize("forge", [forge_text, forge_recommendation])
def test_a_decision_that_was_changed_is_refused(folder: Path, forge: Callable[[sqlite3.Connection], None]) -> None:
    concluded(folder, MatchBy.SHA256)
    decide(folder, SEIZE)
    raw = sqlite3.connect(folder / "case.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="superseded, never changed"):
        forge(raw)
    raw.execute("DROP TRIGGER decision_is_not_changed")
    forge(raw)
    raw.commit()
    raw.close()
    with pytest.raises(StoreError, match=r"decision 1 of .* is not the one that the custody ledger holds"):
        recorded(folder)
