"""What a person on a terminal is asked before a decision; every question goes to standard error."""

from dataclasses import replace

import click

from triage.cli.output import console
from triage.cli.report import show_recommendation
from triage.cli.text import safe
from triage.model.decision import Statement
from triage.model.recommendation import Reason, Recommendation
from triage.policy.deciding import codes_of, must_acknowledge, not_stated, unacknowledged

_QUESTIONS = {
    "power": "Legal power relied on",
    "necessity": "Why it is necessary and proportionate",
    "practicability": "Why it was not practicable to determine the matter on scene",
}


def stated_on_a_terminal(statement: Statement) -> Statement:
    """Ask for what a decision of this kind should state; an empty answer is asked again."""
    answers = {
        name: str(click.prompt(_QUESTIONS[name], err=True)) for name in not_stated(statement.verdict, statement.facts())
    }
    return replace(statement, **answers)  # type: ignore[arg-type] # the names are those of texts


def acknowledged_on_a_terminal(statement: Statement, recommendation: Recommendation) -> Statement:
    """Ask for every limitation that a decision of this kind has to acknowledge, all together or one by one.

    Raises click.Abort where one is not.
    """
    left = unacknowledged(statement.acknowledged, recommendation)
    if not left or not must_acknowledge(statement.verdict):
        return statement
    show_recommendation(console(stderr=True), recommendation.as_fields())
    codes = codes_of(left)
    if not click.confirm(f"Do you acknowledge all of these: {', '.join(codes)}?", err=True):
        for code in codes:
            click.confirm(_question(code, left), abort=True, err=True)
    return replace(statement, acknowledged=(*statement.acknowledged, *codes))


def _question(code: str, reasons: tuple[Reason, ...]) -> str:
    texts = " ".join(reason.text for reason in reasons if reason.code == code)
    return f"{safe(texts)} [{code}] Do you acknowledge this?"
