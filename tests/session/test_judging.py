"""What a person saw of a candidate counts in the recommendation, and its history is kept."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from synthetic.concluded import WHEN, concluded

from triage.model.errors import StoreError, UsageError
from triage.model.event import EndedBy
from triage.model.finding import MatchBy
from triage.session.conclusion import conclude
from triage.session.examination import open_case
from triage.session.judging import judge
from triage.store.case import Case
from triage.store.exhibits import ExhibitState

PDQ = MatchBy.PDQ


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "case"


def judged(folder: Path, *findings: int, confirmed: bool, note: str | None = None) -> tuple[str, list[str]]:
    """Return verdict and codes of the one exhibit after the judgement."""
    _, recommended = judge(folder, findings, confirmed=confirmed, examiner="A Examiner", note=note)
    (recommendation,) = recommended.values()
    return recommendation["verdict"], [reason["code"] for reason in recommendation["reasons"]]


def history(folder: Path) -> list[dict[str, Any]]:
    with open_case(folder) as case:
        return list(case.judgements.rows())


def test_candidates_that_are_all_rejected_stand_in_the_way_no_more(folder: Path) -> None:
    concluded(folder, PDQ, PDQ)
    verdict, codes = judged(folder, 1, confirmed=False)
    assert (verdict, codes[0]) == ("not-determined", "candidate-unconfirmed")
    verdict, codes = judged(folder, 2, confirmed=False)
    assert verdict == "return-indicated"
    assert "candidate-unconfirmed" not in codes
    with open_case(folder) as case:
        assert [row["confirmed"] for row in case.queries.findings()] == [False, False]
        assert case.queries.recommendation("A/1") == case.queries.summary("A/1")["recommendation"]


def test_one_confirmed_candidate_indicates_seizure(folder: Path) -> None:
    concluded(folder, PDQ, PDQ)
    verdict, codes = judged(folder, 2, confirmed=True, note="the same room")
    assert (verdict, codes[:2]) == ("seize-indicated", ["candidate-confirmed", "candidate-unconfirmed"])
    with open_case(folder) as case:
        assert [(row["id"], row["confirmed"]) for row in case.queries.findings()] == [(1, None), (2, True)]


def test_a_later_judgement_counts_and_the_earlier_one_stays(folder: Path) -> None:
    concluded(folder, PDQ)
    assert judged(folder, 1, confirmed=True, note="first look")[0] == "seize-indicated"
    assert judged(folder, 1, confirmed=False)[0] == "return-indicated"
    rows = history(folder)
    assert [(row["judgement"], row["confirmed"], row["note"], row["superseded_by"]) for row in rows] == [
        (1, True, "first look", 2),
        (2, False, None, None),
    ]
    assert {row["examiner"] for row in rows} == {"A Examiner"}


def test_a_judgement_is_in_the_ledger(folder: Path) -> None:
    concluded(folder, PDQ)
    judged(folder, 1, confirmed=False, note="another place")
    with open_case(folder) as case:
        case.ledger.verify()
        created, rejected, renewed = case.ledger.events()
    assert (created.action, rejected.action, renewed.action) == (
        "case.created", "candidate.rejected", "recommendation.renewed",
    )  # fmt: skip
    assert json.loads(rejected.payload) == {
        "judgement": 1, "finding": 1, "address": "file:0", "set_digest": "d" * 64, "match": "pdq", "distance": 12,
        "confirmed": False, "examiner": "A Examiner", "note": "another place",
    }  # fmt: skip
    assert json.loads(renewed.payload)["verdict"] == "return-indicated"


def test_a_stopped_examination_stays_stopped(folder: Path) -> None:
    concluded(folder, PDQ, ended_by=EndedBy.TIME_LIMIT)
    verdict, codes = judged(folder, 1, confirmed=False)
    assert (verdict, codes[0]) == ("not-determined", "stopped-early")
    with open_case(folder) as case:
        summary = case.queries.summary("A/1")
    assert (summary["state"], summary["ended_by"]) == ("stopped", "time-limit")


def test_candidates_of_several_exhibits_are_judged_together(folder: Path) -> None:
    concluded(folder, PDQ)
    concluded(folder, PDQ, exhibit="A/2")
    rows, recommended = judge(folder, [2, 1, 2], confirmed=False, examiner="A Examiner")
    assert sorted(row["finding"] for row in rows) == [1, 2]
    assert {exhibit: held["verdict"] for exhibit, held in recommended.items()} == {
        "A/1": "return-indicated", "A/2": "return-indicated",
    }  # fmt: skip


@pytest.mark.parametrize("by", [MatchBy.MD5, MatchBy.SHA1, MatchBy.SHA256])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_digest_match_is_not_judged(folder: Path, by: MatchBy, confirmed: bool) -> None:
    concluded(folder, PDQ, by)
    with pytest.raises(UsageError, match=r"a digest match .* decide against the recommendation with a second person"):
        judge(folder, [1, 2], confirmed=confirmed, examiner="A Examiner")
    assert history(folder) == []
    with open_case(folder) as case:
        assert [row["confirmed"] for row in case.queries.findings()] == [None, None]


@pytest.mark.parametrize("by", [MatchBy.PDQ, MatchBy.PHASH, MatchBy.BLOCK])
def test_every_other_match_is_a_candidate(folder: Path, by: MatchBy) -> None:
    concluded(folder, by)
    assert judged(folder, 1, confirmed=True)[0] == "seize-indicated"


def test_an_unknown_finding_or_a_name_that_is_none_is_refused(folder: Path) -> None:
    concluded(folder, PDQ)
    with pytest.raises(UsageError, match="no finding 9; triage findings shows"):
        judge(folder, [9], confirmed=True, examiner="A Examiner")
    with pytest.raises(UsageError, match="the examiner's name has no letter"):
        judge(folder, [1], confirmed=True, examiner="-")
    with pytest.raises(UsageError, match="the note has no letter"):
        judge(folder, [1], confirmed=True, examiner="A Examiner", note="?")
    with Case.open(folder) as case:
        case.claim("A/1")
        with pytest.raises(StoreError, match=r"exhibit A/1 of the case .* is in use"):
            judge(folder, [1], confirmed=True, examiner="A Examiner")
    assert history(folder) == []


def test_a_candidate_is_judged_while_its_exhibit_is_being_examined(folder: Path) -> None:
    concluded(folder, PDQ)
    with Case.open(folder) as case:
        case.claim("A/1")
        case.exhibits.set_state("A/1", ExhibitState.EXAMINING, WHEN)
        before = case.queries.recommendation("A/1")
        (row,), recommended = judge(folder, [1], confirmed=True, examiner="A Examiner")
        assert (row["confirmed"], recommended) == (True, {"A/1": before})
        found = case.exhibits.get("A/1")
        assert found is not None
        assert found.state is ExhibitState.EXAMINING
        _, concludes = conclude(case, found, ended_by=EndedBy.END)
    assert concludes.reasons[0].code == "candidate-confirmed"


def test_a_judgement_that_was_changed_is_refused(folder: Path) -> None:
    concluded(folder, PDQ)
    judged(folder, 1, confirmed=True)
    raw = sqlite3.connect(folder / "case.sqlite")
    for statement in ("UPDATE judgement SET confirmed = 0", "DELETE FROM judgement"):
        with pytest.raises(sqlite3.IntegrityError, match="a judgement is superseded, never"):
            raw.execute(statement)
    for forged, why in (
        ("UPDATE finding SET distance = 1", r"judgement 1 of .* is not the one"),
        ("UPDATE finding SET confirmed = 0", r"finding 1 of .* is not as it was judged"),
        ("DELETE FROM judgement", r"the judgement of custody event 2 is missing"),
    ):
        raw.execute("DROP TRIGGER IF EXISTS judgement_is_not_removed")
        raw.execute(forged)
        raw.commit()
        with pytest.raises(StoreError, match=why):
            history(folder)
    with pytest.raises(StoreError, match="custody event 2 is missing"):
        judged(folder, 1, confirmed=True)
    raw.close()
