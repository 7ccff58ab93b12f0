"""Judgements of perceptual candidates: added with their custody event, superseded by later ones, never changed."""

import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from triage.model.custody import CustodyEvent, canonical
from triage.model.errors import StoreError, UsageError
from triage.model.finding import MatchBy
from triage.model.judgement import Judgement
from triage.store.database import Database
from triage.store.exhibits import Exhibits

Row = dict[str, Any]  # SQLite gives no types

CONFIRMED, REJECTED = "candidate.confirmed", "candidate.rejected"  # the actions of the custody events

_GONE = """
SELECT min(sequence) AS event FROM custody
WHERE action IN (?, ?) AND sequence NOT IN (SELECT event FROM judgement)
"""
_CHANGED = """
SELECT min(finding.id) AS finding FROM finding WHERE finding.confirmed IS NOT
  (SELECT judgement.confirmed FROM judgement WHERE judgement.finding_id = finding.id ORDER BY judgement.id DESC LIMIT 1)
"""
_FINDING = """
SELECT finding.id, finding.match, finding.distance, finding.set_name, finding.set_digest, finding.confirmed,
       item.address, exhibit.reference
FROM finding JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id
JOIN exhibit ON exhibit.id = region.exhibit_id
WHERE finding.id = ?
"""
_JUDGEMENTS = """
SELECT judgement.*, custody.when_utc, custody.payload, finding.match, finding.distance, finding.set_name,
       finding.set_digest, item.address, item.path, exhibit.reference,
       (SELECT min(later.id) FROM judgement AS later
        WHERE later.finding_id = judgement.finding_id AND later.id > judgement.id) AS superseded_by
FROM judgement JOIN custody ON custody.sequence = judgement.event JOIN finding ON finding.id = judgement.finding_id
JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id
JOIN exhibit ON exhibit.id = region.exhibit_id
WHERE exhibit.id = coalesce(?, exhibit.id)
ORDER BY judgement.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A finding to be judged: which exhibit it belongs to, and what it is."""

    number: int
    exhibit: str
    address: str
    set_name: str
    set_digest: str
    match: MatchBy
    distance: int


class Judgements:
    """Reads and writes judgements. An unknown exhibit or finding raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def verify(self) -> None:
        """Raise StoreError where the custody ledger holds a judgement that is not here, or a finding says otherwise."""
        gone = self._database.one(_GONE, (CONFIRMED, REJECTED))
        if gone is not None and gone["event"] is not None:
            raise self._refused(f"the judgement of custody event {gone['event']} is missing in {self._database.path}")
        changed = self._database.one(_CHANGED)
        if changed is not None and changed["finding"] is not None:
            raise self._refused(f"finding {changed['finding']} of {self._database.path} is not as it was judged")

    def finding(self, number: int) -> Candidate:
        """Return a finding by its number."""
        row = self._database.one(_FINDING, (number,))
        if row is None:
            raise UsageError(f"the case holds no finding {number}; triage findings shows the number of each one")
        return Candidate(
            number=number,
            exhibit=row["reference"],
            address=row["address"],
            set_name=row["set_name"],
            set_digest=row["set_digest"],
            match=MatchBy(row["match"]),
            distance=row["distance"],
        )

    def next_number(self) -> int:
        """Return the number of the judgement that is added next; inside a transaction nobody else takes it."""
        row = self._database.one("SELECT coalesce(max(id), 0) + 1 AS number FROM judgement")
        assert row is not None
        return int(row["number"])

    def add(self, judgement: Judgement, event: CustodyEvent) -> None:
        """Add a judgement and mark its finding, inside the transaction of its custody event."""
        self._database.execute(
            "INSERT INTO judgement (id, finding_id, confirmed, examiner, note, event) VALUES (?, ?, ?, ?, ?, ?)",
            (
                judgement.number,
                judgement.finding,
                judgement.confirmed,
                judgement.examiner,
                judgement.note,
                event.sequence,
            ),
        )
        self._database.execute(
            "UPDATE finding SET confirmed = ? WHERE id = ?", (judgement.confirmed, judgement.finding)
        )

    def rows(self, reference: str | None = None) -> Generator[Row]:
        """Stream the judgements in one exhibit or in all, the oldest first.

        `superseded_by` is the number of the next judgement of that finding, None for the one that counts. Raises
        StoreError where rows are not what the custody ledger says.
        """
        self.verify()
        key = None if reference is None else self._exhibits.key(reference)
        for row in self._database.rows(_JUDGEMENTS, (key,)):
            facts = _judgement(row).facts()
            if canonical(facts) != row["payload"]:
                raise self._refused(
                    f"judgement {row['id']} of {self._database.path} is not the one that the custody ledger holds"
                )
            yield {
                "exhibit": row["reference"],
                "when": row["when_utc"],
                **facts,
                "set": row["set_name"],
                "path": row["path"],
                "superseded_by": row["superseded_by"],
            }

    def _refused(self, what: str) -> StoreError:
        return StoreError(f"{what}; keep the file as it is and judge again in a new case")


def _judgement(row: sqlite3.Row) -> Judgement:
    return Judgement(
        number=row["id"],
        finding=row["finding_id"],
        confirmed=bool(row["confirmed"]),
        examiner=row["examiner"],
        when=row["when_utc"],
        note=row["note"],
        address=row["address"],
        set_digest=row["set_digest"],
        match=row["match"],
        distance=row["distance"],
    )
