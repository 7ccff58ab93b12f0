"""Coverage and recommendation made anew from what a case holds, and recorded."""

from dataclasses import dataclass

from triage.model.coverage import Coverage
from triage.model.event import EndedBy
from triage.model.recommendation import Recommendation
from triage.session.conclusion import conclude
from triage.session.host import now
from triage.store.case import Case
from triage.store.exhibits import ExhibitRecord, ExhibitState

_CUT_OFF = frozenset({ExhibitState.WALKING, ExhibitState.EXAMINING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What follows from a case now for one exhibit; `cut_off`: its examination ended without a conclusion."""

    exhibit: str
    coverage: Coverage
    recommendation: Recommendation
    ended_by: EndedBy
    cut_off: bool


def was_cut_off(record: ExhibitRecord) -> bool:
    """Tell whether the examination ended without a conclusion: by a kill or a loss of power, if nobody writes now."""
    return record.state in _CUT_OFF


def renewed(case: Case, record: ExhibitRecord) -> Renewal:
    """Conclude anew; reads only. An examination that was cut off counts as stopped by an error."""
    cut_off = was_cut_off(record)
    ended_by = EndedBy.ERROR if cut_off else _ended_by(record)
    coverage, recommendation = conclude(case, record, ended_by=ended_by)
    return Renewal(
        exhibit=record.reference, coverage=coverage, recommendation=recommendation, ended_by=ended_by, cut_off=cut_off
    )


def record_renewal(case: Case, renewal: Renewal, *, actor: str) -> None:
    """Record coverage and recommendation in place of earlier ones, in the caller's transaction.

    An examination that was cut off is stopped from then on; it can be resumed as before.
    """
    reference, coverage, recommendation = renewal.exhibit, renewal.coverage, renewal.recommendation
    if renewal.cut_off:
        case.exhibits.set_state(reference, ExhibitState.STOPPED, now(), ended_by=renewal.ended_by.value)
    case.exhibits.record_coverage(reference, coverage)
    case.exhibits.record_recommendation(reference, recommendation)
    facts = {
        "coverage": {kind.value: count for kind, count in coverage.bytes.items()},
        "items": dict(coverage.items),
        "ended_by": renewal.ended_by.value,
        "verdict": recommendation.verdict.value,
        "reasons": [reason.code for reason in recommendation.reasons],
    }
    action = "examination.stopped" if renewal.cut_off else "recommendation.renewed"
    case.ledger.append(when=now(), actor=actor, action=action, subject=reference, payload=facts)


def _ended_by(record: ExhibitRecord) -> EndedBy:
    """Return what ended the last run; cases from before that was recorded tell it by the state alone."""
    if record.ended_by is not None:
        return EndedBy(record.ended_by)
    return EndedBy.END if record.state is ExhibitState.FINISHED else EndedBy.REQUEST
