"""What a rule of a recommendation is, and what the rules have in common."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from triage.model.coverage import CoverageClass
from triage.model.event import EndedBy
from triage.model.item import Outcome
from triage.model.recommendation import Reason
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.policy import Policy
from triage.policy.wording import amount, counted, listed


class Weight(IntEnum):
    """What a reason does, the weightiest first: seizure is indicated; the result is not determined; it is stated."""

    INDICATES = 0
    UNKNOWN = 1
    STATED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reason and its weight."""

    weight: Weight
    reason: Reason


Rule = Callable[[Facts, Policy], Iterator[Said]]


def indicates(code: str, text: str) -> Said:
    """Return a reason to seize."""
    return Said(weight=Weight.INDICATES, reason=Reason(code=code, text=text))


def unknown(code: str, text: str) -> Said:
    """Return a reason against any verdict but seizure."""
    return Said(weight=Weight.UNKNOWN, reason=Reason(code=code, text=text))


def stated(code: str, text: str) -> Said:
    """Return a reason that is said and decides nothing."""
    return Said(weight=Weight.STATED, reason=Reason(code=code, text=text))


def judged(code: str, text: str, *, tolerated: bool) -> Said:
    """Return a reason that a policy may tolerate; then it is stated."""
    return stated(code, f"{text} The policy tolerates it.") if tolerated else unknown(code, text)


def trouble(code: TroubleCode, lead: str, parts: list[str], facts: Facts, *, tolerated: bool = False) -> Iterator[Said]:
    """Yield one reason when there is anything of the kind: volumes, items, bytes, or recorded trouble.

    What recorded trouble keeps back has no number, so that it is never tolerated.
    """
    recorded = facts.troubles.get(code, 0)
    if recorded:
        parts = [*parts, counted(recorded, "recorded trouble")]
    if parts:
        yield judged(code.value, f"{lead}: {listed(parts)}.", tolerated=tolerated and not recorded)


def some(number: int, noun: str) -> list[str]:
    """Return the number in words, nothing for none."""
    return [counted(number, noun)] if number > 0 else []


def some_bytes(number: int) -> list[str]:
    """Return the amount in words, nothing for none."""
    return [amount(number)] if number > 0 else []


def volumes(facts: Facts, state: str) -> list[str]:
    """Return the volumes in that state in words."""
    return some(facts.volumes.get(state, 0), "volume")


def items(facts: Facts, outcome: Outcome) -> list[str]:
    """Return the items with that outcome in words."""
    return some(facts.coverage.items.get(outcome, 0), "item")


def bytes_of(facts: Facts, name: CoverageClass) -> int:
    """Return the bytes in a class of the account."""
    return facts.coverage.bytes.get(name, 0)


def not_reached(facts: Facts) -> int:
    """Return the number of listed items that the examination did not come to."""
    return facts.coverage.items.get(Outcome.NOT_REACHED, 0)


def was_stopped(facts: Facts) -> bool:
    """Tell whether the examination did not come to its end."""
    return not facts.finished or facts.ended_by is not EndedBy.END or not_reached(facts) > 0
