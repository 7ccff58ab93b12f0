"""What the software recommends: never a decision, always with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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

    @classmethod
    def from_fields(cls, given: Mapping[str, Any]) -> "Recommendation":
        """Return the recommendation with these fields; `as_fields` is the inverse."""
        reasons = tuple(Reason(code=one["code"], text=one["text"]) for one in given["reasons"])
        return cls(verdict=Verdict(given["verdict"]), reasons=reasons)

    def as_fields(self) -> dict[str, Any]:
        """Return verdict and reasons as they go into JSON."""
        reasons = [{"code": reason.code, "text": reason.text} for reason in self.reasons]
        return {"verdict": self.verdict.value, "reasons": reasons}
