"""Findings as rows: each with the number of its item, and when it was made."""

from collections.abc import Iterable

from triage.model.finding import Finding
from triage.store.database import Database

_INSERT = """
INSERT INTO finding (item_id, set_name, set_version, set_digest, set_kind, category, grade, match, distance,
                     confirmed, found_at, seconds, analyzer, analyzer_version, series, flags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def store_findings(database: Database, found: Iterable[tuple[int, Finding]], *, found_at: str, seconds: float) -> None:
    """Store findings with the numbers of their items, inside the open transaction."""
    database.execute_many(_INSERT, (_row(number, finding, found_at, seconds) for number, finding in found))


def _row(item: int, finding: Finding, found_at: str, seconds: float) -> tuple[object, ...]:
    match = finding.match
    return (
        item,
        match.set.name,
        match.set.version,
        match.set.digest,
        match.set.kind.value,
        match.category,
        match.grade,
        match.by.value,
        match.distance,
        finding.confirmed,
        found_at,
        seconds,
        finding.analyzer,
        finding.analyzer_version,
        match.series,
        " ".join(match.flags) or None,
    )
