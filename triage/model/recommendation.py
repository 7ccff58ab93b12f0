"""What the software recommends: never a decision, always with its reasons."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The values are part of the command-line contract."""

    SEIZE_INDICATED = "seize-indicated"
    RETURN_INDICATED = "return-indicated"
    NOT_DETERMINED = "not-determined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One coded reason and its plain-English sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A verdict and every reason for it, weightiest first."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
