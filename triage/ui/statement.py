"""What a decision still lacks, field by field, in the words in which `triage decide` says it."""

from collections.abc import Iterator, Mapping

from triage.model.decision import Statement
from triage.model.errors import UsageError
from triage.model.recommendation import Recommendation
from triage.policy.deciding import (
    check_text,
    codes_of,
    is_against,
    must_acknowledge,
    not_stated,
    same_person,
    unacknowledged,
)

_WHAT = {
    "reason": "the reason",
    "examiner": "the examiner's name",
    "power": "the power",
    "necessity": "the necessity",
    "practicability": "the practicability",
    "second": "the second person's name",
    "second_reason": "the second person's reason",
}
_ALWAYS = ("reason", "examiner")
ACKNOWLEDGED = "acknowledged"


def lacking(statement: Statement, recommendation: Recommendation) -> Mapping[str, str]:
    """Return a sentence for each field of a statement that is wrong or missing; empty where it can be recorded.

    More is asked than the rules demand, as on a terminal: a return acknowledges every limitation, and what a decision
    of a kind should state it states.
    """
    wrong: dict[str, str] = {}
    for name, sentence in _sentences(statement, recommendation):
        wrong.setdefault(name, sentence)
    return wrong


def _sentences(statement: Statement, recommendation: Recommendation) -> Iterator[tuple[str, str]]:
    for name, what in _WHAT.items():
        text = getattr(statement, name)
        if text is not None or name in _ALWAYS:
            yield from _said(name, lambda text=text, what=what: check_text(text or "", what))
    for name in not_stated(statement.verdict, statement.facts()):
        yield name, f"to {statement.verdict} an exhibit, state {_WHAT[name]}"
    yield from _second(statement, recommendation)
    left = codes_of(unacknowledged(statement.acknowledged, recommendation))
    if left and must_acknowledge(statement.verdict):
        yield ACKNOWLEDGED, f"a return acknowledges everything that was not looked at; left out: {', '.join(left)}"


def _second(statement: Statement, recommendation: Recommendation) -> Iterator[tuple[str, str]]:
    """Yield what `check_statement` refuses of the second person, in words of the form instead of options."""
    name, reason = statement.second, statement.second_reason
    if name is None and reason is None:
        if is_against(statement.verdict, recommendation.verdict):
            yield "second", f"to {statement.verdict} is against the recommendation: name who stands for it, or refer it"
    elif name is None:
        yield "second", "name the person whose reason it is"
    elif reason is None:
        yield "second_reason", f"state why {name} stands for it"
    elif same_person(name, statement.examiner):
        yield "second", f"{name} cannot be examiner and second person at once: name somebody else"


def _said(name: str, check: object) -> Iterator[tuple[str, str]]:
    try:
        check()  # type: ignore[operator]
    except UsageError as error:
        yield name, str(error)
