"""Decisions: what a named examiner does with an exhibit, why, and on which standing of the examination."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from triage.model.custody import canonical
from triage.model.recommendation import Recommendation


class Decided(StrEnum):
    """What becomes of the exhibit; the values are part of the command-line contract. `refer`: to the laboratory."""

    RETURN = "return"
    SEIZE = "seize"
    REFER = "refer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a decision rests on, as it stood: a later change of any of it leaves the decision as it was.

    `coverage` counts bytes by class. `plan_digest` and `policy_digest` are those of the examination, `ledger_head` is
    the digest of the last custody event. `examination` is `finished` or `stopped`, `ended_by` what ended it.
    """

    recommendation: Recommendation
    coverage: Mapping[str, int]
    plan_digest: str
    policy_digest: str
    ledger_head: str
    examination: str
    ended_by: str | None

    def recommendation_text(self) -> str:
        """Return the recommendation as canonical JSON: `verdict` and `reasons`."""
        return canonical(self.recommendation.as_fields())

    def coverage_text(self) -> str:
        """Return the coverage account as canonical JSON: class to bytes."""
        return canonical(self.coverage)

    def facts(self) -> dict[str, object]:
        """Return what the custody ledger says of it."""
        return {
            "recommended": self.recommendation.verdict.value,
            "recommendation_digest": _digest(self.recommendation_text()),
            "coverage_digest": _digest(self.coverage_text()),
            "plan_digest": self.plan_digest,
            "policy_digest": self.policy_digest,
            "ledger_head": self.ledger_head,
            "examination": self.examination,
            "ended_by": self.ended_by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the examiner says: the verdict, who decides, and why. None is what was not stated.

    `power` is the legal power relied on, `necessity` is of necessity and proportionality, `practicability` why it was
    or was not practicable to determine the matter on the scene. `acknowledged` are codes of reasons of the
    recommendation. `second` is the person who stands for a decision against the recommendation, with a reason.
    """

    verdict: Decided
    reason: str
    examiner: str
    power: str | None = None
    necessity: str | None = None
    practicability: str | None = None
    acknowledged: tuple[str, ...] = ()
    second: str | None = None
    second_reason: str | None = None

    def facts(self) -> dict[str, object]:
        """Return what the custody ledger says of it."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "examiner": self.examiner,
            "power": self.power,
            "necessity": self.necessity,
            "practicability": self.practicability,
            "acknowledged": list(self.acknowledged),
            "second": self.second,
            "second_reason": self.second_reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision on one exhibit; a later one supersedes it. `number` counts in the case, `when` is ISO 8601 UTC."""

    number: int
    exhibit: str
    when: str
    statement: Statement
    basis: Basis

    def facts(self) -> dict[str, object]:
        """Return what the custody ledger says of the decision; its time and its exhibit are those of the event."""
        return {"decision": self.number, **self.statement.facts(), **self.basis.facts()}


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
