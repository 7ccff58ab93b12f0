"""What the case says of its exhibits, gathered for the board: read in the background."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.model.errors import DigiVanError, StoreError

if TYPE_CHECKING:  # it brings the store along, and the first screen must come at once
    from triage.session.view import CaseView

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exhibit; `by` counts findings by grade, category and state, `encrypted` volumes."""

    row: Row = field(default_factory=dict)
    by: tuple[Row, ...] = ()
    coverage: Mapping[str, int] = field(default_factory=dict)
    troubles: Mapping[str, int] = field(default_factory=dict)
    encrypted: int = 0
    recommendation: Row | None = None
    decision: Row | None = None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """All exhibits by reference, in the order of arrival; `problem` is why there is nothing to tell, if so."""

    exhibits: Mapping[str, Recorded] = field(default_factory=dict)
    problem: str = ""


def read_case(view: "CaseView", reference: str | None = None) -> CaseFacts:
    """Return what the case holds, of one exhibit or of all; no case is no problem, for the first arrival makes it."""
    try:
        if is_new(view.folder):
            return CaseFacts()
        return CaseFacts({row["reference"]: _recorded(view, row) for row in view.exhibits(reference)})
    except DigiVanError as error:
        return CaseFacts({}, str(error))


def is_new(case: Path) -> bool:
    """Tell whether nothing was recorded in that folder yet. Raises StoreError where that cannot be known."""
    try:
        return not case.exists() or not any(case.iterdir())
    except OSError as error:
        raise StoreError(f"the case in {case} cannot be read: {error.strerror}; name another with --case") from error


def _recorded(view: "CaseView", row: Row) -> Recorded:
    reference = row["reference"]
    if row["state"] is None:
        return Recorded(row=row)
    decisions = view.decisions(reference)
    return Recorded(
        row=row,
        by=tuple(view.findings_by(reference)),
        coverage=view.coverage(reference),
        troubles=view.troubles_by(reference),
        encrypted=sum(volume["state"] == "encrypted" for volume in view.volumes(reference)),
        recommendation=view.recommendation(reference),
        decision=decisions[-1] if decisions else None,
    )
