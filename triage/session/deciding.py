"""The examiner's decision on one exhibit: checked, bound to what it rests on, and recorded with its custody event."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, Self

from triage.model.decision import Basis, Decided, Decision, Statement
from triage.model.errors import UsageError
from triage.model.recommendation import Recommendation
from triage.policy.deciding import check_statement, codes_of, is_against, limitations, not_stated
from triage.session.conclusion import policy_of
from triage.session.host import now, person
from triage.session.renewal import record_renewal, renewed, was_cut_off
from triage.store.case import Case, CaseReader
from triage.store.decisions import RECORDED
from triage.store.exhibits import ExhibitRecord, ExhibitState

Row = dict[str, Any]


class Deciding:
    """A context manager that claims the exhibit: what a decision rests on cannot change before it is recorded.

    `recommendation` is what there is to decide on. An examination that was cut off is concluded first, and that is
    recorded together with the decision.
    """

    def __init__(self, folder: Path, reference: str) -> None:
        """Open the case.

        Raises StoreError while another process has the exhibit or when the case does not verify, UsageError for an
        exhibit that the case does not hold or whose examination never began.
        """
        self._reference = reference
        self._case = Case.open(folder)
        try:
            self._case.exhibits.key(reference)  # refuses an unknown reference with the list of known ones
            self._case.claim(reference)
            self._case.decisions.verify()
            self._case.judgements.verify()
            self._judged = self._case.judgements.next_number()
            record = self._record()
            self._renewal = renewed(self._case, record) if was_cut_off(record) else None
            self.recommendation = self._renewal.recommendation if self._renewal else self._recorded()
        except BaseException:
            self._case.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._case.close()

    def record(self, statement: Statement) -> Row:
        """Record a decision and return it as `decisions` does; an earlier one is superseded.

        Raises UsageError for a statement that lacks what its verdict asks for, and where a candidate was judged
        meanwhile: then nothing is recorded.
        """
        check_statement(statement, self.recommendation)
        case = self._case
        with case.transaction():
            if case.judgements.next_number() != self._judged:
                raise UsageError(
                    f"a candidate was judged while the decision on exhibit {self._reference} was being made; "
                    "see what is recommended now, then decide again"
                )
            if self._renewal is not None:
                record_renewal(case, self._renewal, actor=person())
            decision = Decision(
                number=case.decisions.next_number(),
                exhibit=self._reference,
                when=now(),
                statement=statement,
                basis=self._basis(self._record()),
            )
            event = case.ledger.append(
                when=decision.when,
                actor=person(),
                action=RECORDED,
                subject=self._reference,
                payload=decision.facts(),
            )
            case.decisions.add(decision, event)
        self._renewal = None
        row = case.decisions.in_force(self._reference)
        assert row is not None
        return _told(row)

    def _record(self) -> ExhibitRecord:
        record = self._case.exhibits.get(self._reference)
        assert record is not None
        if record.state is ExhibitState.PLANNED:
            raise UsageError(
                f"the examination of exhibit {self._reference} never began, so that there is nothing to decide on; "
                "examine it first"
            )
        return record

    def _recorded(self) -> Recommendation:
        recorded = self._case.queries.recommendation(self._reference)
        assert recorded is not None
        return Recommendation.from_fields(recorded)

    def _basis(self, record: ExhibitRecord) -> Basis:
        return Basis(
            recommendation=self.recommendation,
            coverage=self._case.queries.coverage(self._reference),
            plan_digest=record.plan_digest,
            policy_digest=policy_of(json.loads(record.plan_text)).digest(),
            ledger_head=self._case.ledger.head(),
            examination=record.state.value,
            ended_by=record.ended_by,
        )


def decisions(case: CaseReader, reference: str | None = None) -> Generator[Row]:
    """Stream the decisions on one exhibit or on all, the oldest first, each with what the rules say of it.

    Keys beside those of `Decisions.rows`: `limitations` (codes), `against` (the recommendation), `not_stated`.
    """
    for row in case.decisions.rows(reference):
        yield _told(row)


def _told(row: Row) -> Row:
    recommended, verdict = Recommendation.from_fields(row["recommendation"]), Decided(row["verdict"])
    return {
        **row,
        "limitations": codes_of(limitations(recommended)),
        "against": is_against(verdict, recommended.verdict),
        "not_stated": list(not_stated(verdict, row)),
    }
