"""Exhibits in a case: what each one is, what was planned for it and what became of it."""

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from triage.model.coverage import Coverage, CoverageClass
from triage.model.custody import canonical
from triage.model.errors import UsageError
from triage.model.evidence import SourceInfo
from triage.model.item import printable
from triage.model.recommendation import Recommendation
from triage.store.database import Database


class ExhibitState(StrEnum):
    """How far the examination of an exhibit got."""

    PLANNED = "planned"
    WALKING = "walking"
    EXAMINING = "examining"
    FINISHED = "finished"
    STOPPED = "stopped"


_ENDED = frozenset({ExhibitState.FINISHED, ExhibitState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitRecord:
    """What the case knows of one exhibit; times are ISO 8601 UTC, `seconds` and `bytes_read` are over all runs.

    `self_test` tells whether every known-answer self-test passed, None where none was run; `self_test_text` is of the
    first that failed, else of the last.
    """

    reference: str
    info: SourceInfo
    identity: str
    plan_text: str
    plan_digest: str
    state: ExhibitState
    added: str
    started: str | None
    ended: str | None
    seconds: float
    bytes_read: int
    ended_by: str | None = None
    self_test: bool | None = None
    self_test_text: str | None = None


class Exhibits:
    """Reads and writes what concerns an exhibit as a whole. An unknown reference raises UsageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, reference: str, info: SourceInfo, identity: str, *, plan_text: str, plan_digest: str, when: str
    ) -> None:
        """Add an exhibit and its plan, before anything is read from it."""
        if self.get(reference) is not None:
            raise UsageError(f"the case already holds exhibit {reference}; choose another reference")
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO exhibit (reference, source_kind, source_files, size, sector_size, stored_digests, "
                "source_troubles, source_encrypted, identity, state, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    reference,
                    info.kind,
                    canonical([printable(name) for name in info.files]),
                    info.size,
                    info.sector_size,
                    canonical(info.stored_digests),
                    canonical([printable(trouble) for trouble in info.troubles]),
                    info.encrypted,
                    identity,
                    ExhibitState.PLANNED.value,
                    when,
                ),
            )
            self._database.execute("INSERT INTO plan VALUES (?, ?, ?)", (self.key(reference), plan_text, plan_digest))

    def get(self, reference: str) -> ExhibitRecord | None:
        """Return one exhibit, None when the case does not hold it."""
        row = self._database.one(
            "SELECT exhibit.*, plan.text AS plan_text, plan.digest AS plan_digest FROM exhibit "
            "JOIN plan ON plan.exhibit_id = exhibit.id WHERE reference = ?",
            (reference,),
        )
        return None if row is None else _record(row)

    def references(self) -> tuple[str, ...]:
        """Return the references of all exhibits in the order in which they were added."""
        return tuple(row["reference"] for row in self._database.rows("SELECT reference FROM exhibit ORDER BY id"))

    def key(self, reference: str) -> int:
        """Return the row number of an exhibit. Raises UsageError when the case does not hold it."""
        row = self._database.one("SELECT id FROM exhibit WHERE reference = ?", (reference,))
        if row is None:
            held = ", ".join(self.references()) or "none yet"
            raise UsageError(f"the case {self._database.path.parent} holds no exhibit {reference}; it holds: {held}")
        return int(row["id"])

    def set_state(self, reference: str, state: ExhibitState, when: str, *, ended_by: str | None = None) -> None:
        """Record how far the examination is, and what ended it; the first state after `planned` is its start."""
        ended = when if state in _ENDED else None
        with self._database.transaction():
            self._database.execute(
                "UPDATE exhibit SET state = ?, started = coalesce(started, ?), ended = ?, ended_by = ? WHERE id = ?",
                (state.value, when, ended, ended_by, self.key(reference)),
            )

    def add_bytes_read(self, reference: str, bytes_read: int) -> None:
        """Add the bytes read since the last call."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE exhibit SET bytes_read = bytes_read + ? WHERE id = ?", (bytes_read, self.key(reference))
            )

    def set_seconds(self, reference: str, seconds: float) -> None:
        """Record the time spent over all runs; it never decreases. Cheap enough to go with every batch."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE exhibit SET seconds = max(seconds, ?) WHERE id = ?", (seconds, self.key(reference))
            )

    def record_self_test(self, reference: str, passed: bool, text: str) -> None:
        """Record what the known-answer self-test gave, and one line about it. One that failed is never made good."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE exhibit SET self_test = ?, self_test_text = ? WHERE id = ? AND self_test IS NOT 0",
                (passed, printable(text), self.key(reference)),
            )

    def record_coverage(self, reference: str, coverage: Coverage) -> None:
        """Record the account of the source's bytes in place of an earlier one."""
        key = self.key(reference)
        with self._database.transaction():
            self._database.execute("DELETE FROM coverage WHERE exhibit_id = ?", (key,))
            self._database.execute_many(
                "INSERT INTO coverage VALUES (?, ?, ?, ?)",
                (
                    (key, position, name.value, coverage.bytes.get(name, 0))
                    for position, name in enumerate(CoverageClass)
                ),
            )

    def record_recommendation(self, reference: str, recommendation: Recommendation) -> None:
        """Record what the software recommends in place of an earlier recommendation."""
        reasons = [{"code": reason.code, "text": reason.text} for reason in recommendation.reasons]
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO recommendation VALUES (?, ?, ?)",
                (self.key(reference), recommendation.verdict.value, canonical(reasons)),
            )


def _record(row: sqlite3.Row) -> ExhibitRecord:
    return ExhibitRecord(
        reference=row["reference"],
        info=SourceInfo(
            kind=row["source_kind"],
            files=tuple(json.loads(row["source_files"])),
            size=row["size"],
            sector_size=row["sector_size"],
            stored_digests=tuple((algorithm, digest) for algorithm, digest in json.loads(row["stored_digests"])),
            troubles=tuple(json.loads(row["source_troubles"])),
            encrypted=row["source_encrypted"],
        ),
        identity=row["identity"],
        plan_text=row["plan_text"],
        plan_digest=row["plan_digest"],
        state=ExhibitState(row["state"]),
        added=row["added"],
        started=row["started"],
        ended=row["ended"],
        seconds=row["seconds"],
        bytes_read=row["bytes_read"],
        ended_by=row["ended_by"],
        self_test=None if row["self_test"] is None else bool(row["self_test"]),
        self_test_text=row["self_test_text"],
    )
