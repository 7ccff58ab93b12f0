"""A person's word on perceptual candidates: recorded, and the recommendation made anew with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triage.model.errors import UsageError
from triage.model.finding import EXACT
from triage.model.judgement import Judgement
from triage.policy.deciding import check_text
from triage.session.host import now, person
from triage.session.renewal import record_renewal, renewed, was_cut_off
from triage.store.case import Case
from triage.store.judgements import CONFIRMED, REJECTED, Candidate
from triage.store.lock import InUseError

Row = dict[str, Any]


def judge(
    folder: Path, findings: Sequence[int], *, confirmed: bool, examiner: str, note: str | None = None
) -> tuple[list[Row], dict[str, Row]]:
    """Confirm or reject candidates, all or none; return the judgements, and by exhibit what is recommended now.

    The judgements are as `triage judgements` lists them. Where an exhibit is being examined, its examination takes them
    in when it ends, and what was recommended before, if anything was, stands until then. Raises StoreError while an
    exhibit is being decided on, and UsageError for a finding that the case does not hold or that is no candidate.
    """
    check_text(examiner, "the examiner's name")
    if note is not None:
        check_text(note, "the note")
    with Case.open(folder) as case:
        case.judgements.verify()
        candidates = [_candidate(case, number) for number in dict.fromkeys(findings)]
        exhibits = list(dict.fromkeys(candidate.exhibit for candidate in candidates))
        with case.transaction():
            numbers = [_record(case, one, confirmed=confirmed, examiner=examiner, note=note) for one in candidates]
            for exhibit in exhibits:
                _renew(case, exhibit)
        made = [row for exhibit in exhibits for row in case.judgements.rows(exhibit) if row["judgement"] in numbers]
        recommended = {exhibit: case.queries.recommendation(exhibit) for exhibit in exhibits}
    return made, {exhibit: told for exhibit, told in recommended.items() if told is not None}


def _candidate(case: Case, number: int) -> Candidate:
    candidate = case.judgements.finding(number)
    if candidate.match in EXACT:
        raise UsageError(
            f"finding {number} is a digest match ({candidate.match}), which is not judged by looking; if it should not "
            "count, decide against the recommendation with a second person"
        )
    return candidate


def _record(case: Case, candidate: Candidate, *, confirmed: bool, examiner: str, note: str | None) -> int:
    judgement = Judgement(
        number=case.judgements.next_number(),
        finding=candidate.number,
        confirmed=confirmed,
        examiner=examiner,
        when=now(),
        note=note,
        address=candidate.address,
        set_digest=candidate.set_digest,
        match=candidate.match.value,
        distance=candidate.distance,
    )
    event = case.ledger.append(
        when=judgement.when,
        actor=person(),
        action=CONFIRMED if confirmed else REJECTED,
        subject=candidate.exhibit,
        payload=judgement.facts(),
    )
    case.judgements.add(judgement, event)
    return judgement.number


def _renew(case: Case, reference: str) -> None:
    """Recommend anew, unless the exhibit is being examined."""
    record = case.exhibits.get(reference)
    assert record is not None
    try:
        case.claim(reference)
    except InUseError:
        if was_cut_off(record):  # by its state; as somebody has it, it goes on
            return
        raise
    record_renewal(case, renewed(case, record), actor=person())
