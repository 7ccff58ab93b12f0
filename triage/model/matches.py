"""Findings counted: what a recommendation rests on."""

from dataclasses import dataclass

from triage.model.finding import SetIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMatches:
    """Items of one exhibit with findings in one category of one set.

    `exact` counts those with a digest match, `exact_deleted` those of them that are deleted; `unconfirmed`
    perceptual candidates that no person has judged yet;
    `confirmed` those that a person confirmed. Rejected candidates are not counted.
    """

    set: SetIdentity
    category: str | None = None
    exact: int = 0
    exact_deleted: int = 0
    unconfirmed: int = 0
    confirmed: int = 0
