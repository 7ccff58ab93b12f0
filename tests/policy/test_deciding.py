from dataclasses import replace

import pytest

from triage.model.decision import Decided, Statement
from triage.model.errors import UsageError
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.policy.deciding import (
    check_statement,
    codes_of,
    is_against,
    limitations,
    must_acknowledge,
    not_stated,
    same_person,
    unacknowledged,
)

RETURN, SEIZE, REFER = Decided.RETURN, Decided.SEIZE, Decided.REFER
OPEN = Recommendation(
    verdict=Verdict.NOT_DETERMINED,
    reasons=tuple(
        Reason(code=code, text=f"{code}.")
        for code in (
            "notable-match",
            "candidate-confirmed",
            "encrypted",
            "encrypted",
            "looked-at",
            "of-a-later-version",
        )
    ),
)
PLAIN = Statement(verdict=REFER, reason="to be looked into", examiner="A Examiner")
RETURNED = replace(PLAIN, verdict=RETURN, acknowledged=("encrypted", "of-a-later-version"))
SECONDED = replace(RETURNED, second="B Second", second_reason="seen by me")


def recommended(verdict: Verdict) -> Recommendation:
    return replace(OPEN, verdict=verdict)


def refused(statement: Statement, recommendation: Recommendation = OPEN) -> str:
    with pytest.raises(UsageError) as error:
        check_statement(statement, recommendation)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_what_goes_against_a_recommendation() -> None:
    against = {(decided, verdict) for decided in Decided for verdict in Verdict if is_against(decided, verdict)}
    assert against == {
        (RETURN, Verdict.SEIZE_INDICATED), (RETURN, Verdict.NOT_DETERMINED), (SEIZE, Verdict.RETURN_INDICATED),
    }  # fmt: skip


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("decided", list(Decided))
def test_against_the_recommendation_needs_a_second_person(decided: Decided, verdict: Verdict) -> None:
    statement = replace(RETURNED, verdict=decided)
    if is_against(decided, verdict):
        assert "give the name and the reason of that person" in refused(statement, recommended(verdict))
    else:
        check_statement(statement, recommended(verdict))
    check_statement(replace(SECONDED, verdict=decided), recommended(verdict))


@pytest.mark.parametrize(
    "name", ["A Examiner", " a  EXAMINER ", "\uff21 Examiner", "A\u200d Examiner", "A\u00a0Examiner"]
)
def test_the_second_person_is_another_one(name: str) -> None:
    assert "at once" in refused(replace(SECONDED, second=name))
    assert same_person(name, "A Examiner")


def test_names_that_differ_are_two_persons() -> None:
    assert not same_person("A Examiner", "B Examiner")
    assert not same_person("Renée", "Renee")
    assert same_person("Rene\u0301e STRASSE", "renée straße")


@pytest.mark.parametrize("half", [{"second": "B Second"}, {"second_reason": "seen by me"}])
def test_a_second_person_is_a_name_and_a_reason(half: dict[str, str]) -> None:
    assert "give both" in refused(replace(PLAIN, **half))  # type: ignore[arg-type] # the names are those of texts


def test_a_return_acknowledges_every_limitation() -> None:
    assert codes_of(limitations(OPEN)) == ["encrypted", "of-a-later-version"]
    check_statement(SECONDED, OPEN)
    for code in SECONDED.acknowledged:
        others = tuple(other for other in SECONDED.acknowledged if other != code)
        assert code in refused(replace(SECONDED, acknowledged=others))
        assert codes_of(unacknowledged(others, OPEN)) == [code]
    check_statement(replace(PLAIN, acknowledged=()), OPEN)
    assert [decided for decided in Decided if must_acknowledge(decided)] == [RETURN]


@pytest.mark.parametrize("code", ["notable-match", "looked-at", "encryptd"])
def test_what_is_no_limitation_cannot_be_acknowledged(code: str) -> None:
    assert "its limitations are: encrypted, of-a-later-version" in refused(replace(PLAIN, acknowledged=(code,)))


def test_what_should_be_stated_depends_on_the_verdict() -> None:
    said = PLAIN.facts()
    assert not_stated(RETURN, said) == ()
    assert not_stated(SEIZE, said) == ("power", "necessity")
    assert not_stated(REFER, said) == ("power", "necessity", "practicability")
    assert not_stated(SEIZE, {**said, "power": "PACE 1984 s.19"}) == ("necessity",)


@pytest.mark.parametrize(
    "name", ["reason", "examiner", "power", "necessity", "practicability", "second", "second_reason"]
)
@pytest.mark.parametrize(("text", "why"), [(" . ", "no letter"), ("\u200b", "no letter"), ("a\udcff", "not UTF-8")])
def test_every_text_can_be_read(name: str, text: str, why: str) -> None:
    assert why in refused(replace(SECONDED, **{name: text}))  # type: ignore[arg-type] # the names are those of texts
