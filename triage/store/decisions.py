"""Decisions in a case: added with their custody event, superseded by later ones, never changed."""

import json
import sqlite3
from collections.abc import Generator
from typing import Any

from triage.model.custody import CustodyEvent, canonical
from triage.model.decision import Basis, Decided, Decision, Statement
from triage.model.errors import StoreError
from triage.model.recommendation import Recommendation
from triage.store.database import Database
from triage.store.exhibits import Exhibits

Row = dict[str, Any]  # SQLite gives no types

RECORDED = "decision.recorded"  # the action of the custody event that goes with a decision

_INSERT = """
INSERT INTO decision (id, exhibit_id, verdict, reason, examiner, power, necessity, practicability, acknowledged, second,
                      second_reason, recommendation, coverage, plan_digest, policy_digest, ledger_head, examination,
                      ended_by, event)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_DECISIONS = """
SELECT decision.*, exhibit.reference, custody.when_utc, custody.payload, custody.subject,
       (SELECT min(later.id) FROM decision AS later
        WHERE later.exhibit_id = decision.exhibit_id AND later.id > decision.id) AS superseded_by,
       (SELECT json_group_array(done.action) FROM (
          SELECT action FROM custody AS after WHERE after.sequence > decision.event AND after.subject = custody.subject
          AND after.action NOT LIKE 'decision.%' AND after.action NOT LIKE 'document.%'
          AND after.action <> 'picture.revealed' ORDER BY after.sequence) AS done) AS since
FROM decision JOIN exhibit ON exhibit.id = decision.exhibit_id JOIN custody ON custody.sequence = decision.event
WHERE exhibit.id = coalesce(?, exhibit.id)
ORDER BY decision.id
"""


class Decisions:
    """Reads and writes decisions. An unknown exhibit raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def verify(self) -> None:
        """Raise StoreError where the custody ledger holds a decision that is not here."""
        gone = self._database.one(
            "SELECT min(sequence) AS event FROM custody "
            "WHERE action = ? AND sequence NOT IN (SELECT event FROM decision)",
            (RECORDED,),
        )
        if gone is not None and gone["event"] is not None:
            raise StoreError(
                f"the decision of custody event {gone['event']} is missing in {self._database.path}; "
                "keep the file as it is and decide again in a new case"
            )

    def next_number(self) -> int:
        """Return the number of the decision that is added next; inside a transaction nobody else takes it."""
        row = self._database.one("SELECT coalesce(max(id), 0) + 1 AS number FROM decision")
        assert row is not None
        return int(row["number"])

    def add(self, decision: Decision, event: CustodyEvent) -> None:
        """Add a decision, inside the transaction of its custody event."""
        said, basis = decision.statement, decision.basis
        self._database.execute(
            _INSERT,
            (
                decision.number,
                self._exhibits.key(decision.exhibit),
                said.verdict.value,
                said.reason,
                said.examiner,
                said.power,
                said.necessity,
                said.practicability,
                canonical(said.acknowledged),
                said.second,
                said.second_reason,
                basis.recommendation_text(),
                basis.coverage_text(),
                basis.plan_digest,
                basis.policy_digest,
                basis.ledger_head,
                basis.examination,
                basis.ended_by,
                event.sequence,
            ),
        )

    def rows(self, reference: str | None = None) -> Generator[Row]:
        """Stream the decisions on one exhibit or on all, the oldest first.

        `superseded_by` is the number of the next decision on that exhibit, None for the one in force; `since` are the
        actions of the ledger that came after it, decisions apart. Raises StoreError where rows are not what the custody
        ledger says.
        """
        self.verify()
        key = None if reference is None else self._exhibits.key(reference)
        for row in self._database.rows(_DECISIONS, (key,)):
            decision = _decision(row)
            facts = decision.facts()
            if canonical(facts) != row["payload"]:
                raise StoreError(
                    f"decision {row['id']} of {self._database.path} is not the one that the custody ledger holds; "
                    "keep the file as it is and decide again in a new case"
                )
            yield {
                "exhibit": row["reference"],
                "when": row["when_utc"],
                **facts,
                "recommendation": decision.basis.recommendation.as_fields(),
                "superseded_by": row["superseded_by"],
                "since": json.loads(row["since"]),
            }

    def in_force(self, reference: str) -> Row | None:
        """Return the last decision on an exhibit as a row, None where there is none."""
        last = None
        for row in self.rows(reference):
            last = row
        return last


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(
        number=row["id"],
        exhibit=row["reference"],
        when=row["when_utc"],
        statement=Statement(
            verdict=Decided(row["verdict"]),
            reason=row["reason"],
            examiner=row["examiner"],
            power=row["power"],
            necessity=row["necessity"],
            practicability=row["practicability"],
            acknowledged=tuple(json.loads(row["acknowledged"])),
            second=row["second"],
            second_reason=row["second_reason"],
        ),
        basis=Basis(
            recommendation=Recommendation.from_fields(json.loads(row["recommendation"])),
            coverage=json.loads(row["coverage"]),
            plan_digest=row["plan_digest"],
            policy_digest=row["policy_digest"],
            ledger_head=row["ledger_head"],
            examination=row["examination"],
            ended_by=row["ended_by"],
        ),
    )
