"""What a case says to the command line: rows with the keys of the interface, streamed."""

import json
import sqlite3
from collections.abc import Generator, Sequence
from itertools import islice
from typing import Any

from triage.model.finding import SetIdentity, SetKind
from triage.model.item import Outcome
from triage.model.matches import SetMatches
from triage.model.trouble import TroubleCode
from triage.store.database import Database
from triage.store.decisions import Decisions
from triage.store.exhibits import ExhibitRecord, Exhibits

_ITEMS = """
SELECT item.path, region.offset AS volume, region.file_system, item.kind, item.size, item.allocated,
       item.md5, item.sha1, item.sha256, item.media_type, item.pdq, item.pdq_quality, item.phash,
       item.outcome, item.reason, item.modified, item.created, item.accessed, item.changed,
       item.recovered, item.picture_scale, item.address, exhibit.reference AS exhibit,
       item.space AS space_bytes, item.reused AS reused_bytes
FROM exhibit CROSS JOIN region ON region.exhibit_id = exhibit.id CROSS JOIN item ON item.region_id = region.id
WHERE exhibit.id = coalesce(?, exhibit.id)
ORDER BY exhibit.id, region.offset, region.name, item.sequence, item.id
"""
_FINDINGS = """
SELECT item.path, region.offset AS volume, finding.set_name AS "set", finding.set_version, finding.set_digest,
       finding.category, finding.grade, finding.match, finding.distance, finding.confirmed, finding.found_at,
       finding.seconds, finding.series, finding.flags, item.allocated, item.recovered, item.address,
       exhibit.reference AS exhibit, finding.id, item.space AS space_bytes, item.reused AS reused_bytes
FROM finding JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id
JOIN exhibit ON exhibit.id = region.exhibit_id
WHERE exhibit.id = coalesce(?, exhibit.id)
ORDER BY exhibit.id, region.offset, item.sequence, item.id, finding.id
"""
_IN_EXHIBIT = "FROM region JOIN item ON item.region_id = region.id WHERE region.exhibit_id = ?"
_MATCHES = """
SELECT set_name, set_version, set_digest, set_kind, category,
       count(DISTINCT CASE WHEN match IN ('md5', 'sha1', 'sha256') THEN item_id END) AS exact,
       count(DISTINCT CASE WHEN match IN ('md5', 'sha1', 'sha256') AND item.recovered THEN item_id END)
         AS exact_deleted,
       count(DISTINCT CASE WHEN match NOT IN ('md5', 'sha1', 'sha256') AND confirmed IS NULL THEN item_id END)
         AS unconfirmed,
       count(DISTINCT CASE WHEN match NOT IN ('md5', 'sha1', 'sha256') AND confirmed THEN item_id END) AS confirmed
FROM finding JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id
WHERE region.exhibit_id = ?
GROUP BY set_name, set_version, set_digest, set_kind, category
ORDER BY set_name, set_version, set_digest, category
"""

_MOST_TOLD = 3
_LONGEST_REASON = 120

Row = dict[str, Any]  # SQLite gives no types


class Queries:
    """Reads a case. An unknown reference raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits, decisions: Decisions) -> None:
        self._database = database
        self._exhibits = exhibits
        self._decisions = decisions

    def exhibits(self) -> tuple[str, ...]:
        """Return the references of all exhibits, in the order in which they were begun."""
        return self._exhibits.references()

    def items(self, reference: str | None = None) -> Generator[Row]:
        """Stream every item of one exhibit or of all, in the order of the walk."""
        for row in self._database.rows(_ITEMS, (self._key(reference),)):
            yield {**dict(row), "allocated": bool(row["allocated"]), "recovered": bool(row["recovered"])}

    def findings(self, reference: str | None = None) -> Generator[Row]:
        """Stream every finding of one exhibit or of all, in the order of the items."""
        for row in self._database.rows(_FINDINGS, (self._key(reference),)):
            confirmed = row["confirmed"]
            yield {
                **dict(row),
                "confirmed": None if confirmed is None else bool(confirmed),
                "allocated": bool(row["allocated"]),
                "recovered": bool(row["recovered"]),
            }

    def summary(self, reference: str) -> Row:
        """Return the result of an examination with the keys of `examine --json`."""
        with self._database.snapshot():
            return self._summary(reference)

    def volumes(self, reference: str) -> list[Row]:
        """Return one row for each region that was looked at, sorted by offset."""
        rows = self._database.rows(
            "SELECT offset, length, name, scheme, state, file_system, text FROM region "
            "WHERE exhibit_id = ? AND state IS NOT NULL ORDER BY offset, id",
            (self._exhibits.key(reference),),
        )
        return [dict(row) for row in rows]

    def recommendation(self, reference: str) -> Row | None:
        """Return the recorded `verdict` and `reasons`, None when the examination has not come that far."""
        row = self._database.one(
            "SELECT verdict, reasons FROM recommendation WHERE exhibit_id = ?", (self._exhibits.key(reference),)
        )
        return None if row is None else {"verdict": row["verdict"], "reasons": json.loads(row["reasons"])}

    def coverage(self, reference: str) -> dict[str, int]:
        """Return the recorded coverage account, class to bytes; empty when the examination has not come that far."""
        rows = self._database.rows(
            "SELECT class, bytes FROM coverage WHERE exhibit_id = ? ORDER BY position",
            (self._exhibits.key(reference),),
        )
        return {row["class"]: row["bytes"] for row in rows}

    def outcomes(self, reference: str) -> dict[Outcome, int]:
        """Return the number of items by outcome, every outcome named."""
        rows = self._database.rows(
            f"SELECT item.outcome AS name, count(*) AS items {_IN_EXHIBIT} GROUP BY item.outcome",
            (self._exhibits.key(reference),),
        )
        counted = {row["name"]: row["items"] for row in rows}
        return {outcome: counted.get(outcome.value, 0) for outcome in Outcome}

    def digest_ways(self, reference: str) -> dict[str, int]:
        """Return the number of items by the way in which they were read and digested (see `ItemResult`)."""
        rows = self._database.rows(
            f"SELECT item.digest_way AS way, count(*) AS items {_IN_EXHIBIT} AND way IS NOT NULL GROUP BY way",
            (self._exhibits.key(reference),),
        )
        return {row["way"]: row["items"] for row in rows}

    def troubles(self, reference: str) -> dict[TroubleCode, int]:
        """Return the number of troubles by code, those that occurred."""
        rows = self._database.rows(
            "SELECT code, count(*) AS troubles FROM trouble WHERE exhibit_id = ? GROUP BY code ORDER BY code",
            (self._exhibits.key(reference),),
        )
        return {TroubleCode(row["code"]): row["troubles"] for row in rows}

    def matches(self, reference: str) -> tuple[SetMatches, ...]:
        """Return the findings counted by set and category."""
        rows = self._database.rows(_MATCHES, (self._exhibits.key(reference),))
        return tuple(_set_matches(row) for row in rows)

    def containers_waiting(self, reference: str) -> int:
        """Return the number of items that hold others and are still to be gone through."""
        return self._count(f"SELECT count(*) {_IN_EXHIBIT} AND item.opens = 1", reference)

    def skipped_because(self, reference: str, *, without: Sequence[str]) -> tuple[str, ...]:
        """Return the most frequent reasons of skipped items, but for those with these codes before their colon."""
        rows = self._database.rows(
            f"SELECT item.reason, count(*) AS items {_IN_EXHIBIT} AND item.outcome = 'skipped' "
            "AND item.reason IS NOT NULL GROUP BY item.reason ORDER BY items DESC, item.reason",
            (self._exhibits.key(reference),),
        )
        reasons = (row["reason"].partition(":") for row in rows)
        told = ((text or code).strip()[:_LONGEST_REASON] for code, _, text in reasons if code not in without)
        return tuple(islice(told, _MOST_TOLD))

    def troubled_paths(self, reference: str, code: TroubleCode) -> tuple[str, ...]:
        """Return the paths of the first files with trouble of a code, in the order in which it was met."""
        rows = self._database.rows(
            "SELECT address FROM trouble WHERE exhibit_id = ? AND code = ? ORDER BY id LIMIT ?",
            (self._exhibits.key(reference), code.value, _MOST_TOLD),
        )
        addresses = [row["address"] for row in rows]
        if not addresses:
            return ()
        places = ", ".join("?" * len(addresses))
        found = self._database.rows(
            f"SELECT item.path {_IN_EXHIBIT} AND item.address IN ({places}) ORDER BY item.id LIMIT ?",
            (self._exhibits.key(reference), *addresses, _MOST_TOLD),
        )
        return tuple(row["path"] for row in found)

    def _count(self, query: str, reference: str) -> int:
        row = self._database.one(query, (self._exhibits.key(reference),))
        assert row is not None
        return int(row[0])

    def _summary(self, reference: str) -> Row:
        record = self._record(reference)
        outcomes = self.outcomes(reference)
        findings, first_finding = self._found(reference)
        return {
            "case": str(self._database.path.parent),
            "exhibit": reference,
            "source": record.info.files[0] if record.info.files else None,
            "size": record.info.size,
            "source_kind": record.info.kind,
            "volumes": self.volumes(reference),
            "items": sum(outcomes.values()),
            "examined": outcomes[Outcome.EXAMINED],
            "findings": findings,
            "coverage": self.coverage(reference),
            "recommendation": self.recommendation(reference),
            "seconds": record.seconds,
            "first_finding_seconds": first_finding,
            "bytes_read": record.bytes_read,
            "plan_digest": record.plan_digest,
            "state": record.state.value,
            "ended_by": record.ended_by,
            "digest_ways": self.digest_ways(reference),
            "decision": self._decisions.in_force(reference),
        }

    def _key(self, reference: str | None) -> int | None:
        return None if reference is None else self._exhibits.key(reference)

    def _record(self, reference: str) -> ExhibitRecord:
        self._exhibits.key(reference)  # refuses an unknown reference with the list of known ones
        record = self._exhibits.get(reference)
        assert record is not None
        return record

    def _found(self, reference: str) -> tuple[int, float | None]:
        """Return the number of findings and the seconds to the first one."""
        row = self._database.one(
            "SELECT count(*) AS findings, min(finding.seconds) AS first FROM finding "
            "JOIN item ON item.id = finding.item_id JOIN region ON region.id = item.region_id "
            "WHERE region.exhibit_id = ?",
            (self._exhibits.key(reference),),
        )
        assert row is not None
        return row["findings"], row["first"]


def _set_matches(row: sqlite3.Row) -> SetMatches:
    return SetMatches(
        set=SetIdentity(
            name=row["set_name"],
            version=row["set_version"],
            digest=row["set_digest"],
            kind=SetKind(row["set_kind"]),
        ),
        category=row["category"],
        exact=row["exact"],
        exact_deleted=row["exact_deleted"],
        unconfirmed=row["unconfirmed"],
        confirmed=row["confirmed"],
    )
