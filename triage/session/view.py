"""What screens show of a case: pages and counts, never more than is asked for."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triage.model.evidence import SourceInfo, VolumeReport
from triage.session.conclusion import coverage_now
from triage.session.deciding import decisions
from triage.session.intake import RECEIVED
from triage.session.remains import told
from triage.store.case import CaseReader
from triage.store.pages import FindingState, Sort, Wanted

__all__ = ["CaseView", "FindingState", "Sort", "Wanted"]

Row = dict[str, Any]

_ALL = Wanted()


class CaseView:
    """Reads one case; every call opens it for itself, so that calls may come from any thread, beside writers.

    Each call raises StoreError where there is no case, and UsageError for a reference that it does not hold. All but
    `coverage_now` take some milliseconds, however large the case is. The ledger is not verified here.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is opened."""
        self.folder = folder

    def findings_page(
        self, wanted: Wanted = _ALL, *, sort: Sort = Sort.NUMBER, descending: bool = False, offset: int, limit: int
    ) -> list[Row]:
        """Return a page of findings with the keys of `triage findings`, and `state`, `kind`, `size`, `media_type`.

        And `gone`, a clause for a person: that it is deleted, and how much of its space others have by now; empty where
        it is not deleted.
        """
        with self._case() as case:
            page = case.pages.findings(wanted, sort, descending=descending, offset=offset, limit=limit)
            return [_with_remains(row) for row in page]

    def findings_count(self, wanted: Wanted = _ALL) -> int:
        """Return how many findings there are."""
        with self._case() as case:
            return case.pages.count(wanted)

    def findings_by(self, reference: str | None = None) -> list[Row]:
        """Return `grade`, `category`, `state` and `findings` (how many) of each combination, the most first."""
        with self._case() as case:
            return case.pages.findings_by(reference)

    def finding(self, number: int) -> Row:
        """Return one finding with the keys of a page. Raises UsageError for a number that the case does not hold."""
        with self._case() as case:
            return _with_remains(case.pages.finding(number))

    def siblings(self, number: int, *, offset: int, limit: int) -> list[Row]:
        """Return a page of the findings in the folder of a finding, itself among them, in the order of paths."""
        with self._case() as case:
            return [_with_remains(row) for row in case.pages.siblings(number, offset=offset, limit=limit)]

    def not_looked_at(self, reference: str, *, outcome: str | None = None, offset: int, limit: int) -> list[Row]:
        """Return a page of the items that were not examined, of one outcome or of all, those not reached last.

        Keys: `number`, `path`, `size`, `kind`, `outcome`, `reason`, `address`, `allocated`.
        """
        with self._case() as case:
            return case.pages.not_looked_at(reference, outcome, offset=offset, limit=limit)

    def not_looked_at_by(self, reference: str) -> list[Row]:
        """Return `outcome`, `code` (of the reason, None without one) and `items` (how many), the most first."""
        with self._case() as case:
            return case.pages.not_looked_at_by(reference)

    def troubles(self, reference: str, *, offset: int = 0, limit: int = 200) -> list[Row]:
        """Return a page of the trouble, by address: `code`, `address`, `text`, `offset`, `length`."""
        with self._case() as case:
            return case.pages.troubles(reference, offset=offset, limit=limit)

    def troubles_by(self, reference: str) -> dict[str, int]:
        """Return the number of troubles by code."""
        with self._case() as case:
            return {code.value: count for code, count in case.queries.troubles(reference).items()}

    def volumes(self, reference: str) -> list[Row]:
        """Return one row for each region that was looked at, as `examine --json` does."""
        with self._case() as case:
            return case.queries.volumes(reference)

    def volume_reports(self, reference: str) -> tuple[VolumeReport, ...]:
        """Return the same as values."""
        with self._case() as case:
            return case.layout.volumes(reference)

    def source(self, reference: str) -> SourceInfo:
        """Return what the source of an exhibit is."""
        with self._case() as case:
            case.exhibits.key(reference)  # refuses an unknown reference
            record = case.exhibits.get(reference)
        assert record is not None
        return record.info

    def coverage(self, reference: str) -> dict[str, int]:
        """Return the coverage account that was recorded last, class to bytes; empty where there is none yet."""
        with self._case() as case:
            return case.queries.coverage(reference)

    def coverage_now(self, reference: str) -> Mapping[str, object]:
        """Return the account as `triage coverage` does, made anew: seconds on a large case."""
        with self._case() as case:
            return coverage_now(case, reference)

    def indications(self, reference: str) -> list[Row]:
        """Return what is hinted at: `group`, `label` and `items` (how many)."""
        with self._case() as case:
            counted = case.indications.counted(reference)
        return [{"group": group, "label": label, "items": items} for (group, label), items in counted.items()]

    def strata(self, reference: str) -> list[Row]:
        """Return what the random sample of blocks showed so far: the fields of `BlockStratum`, and `read`."""
        with self._case() as case:
            return [{**asdict(stratum), "read": stratum.read} for stratum in case.samples.of(reference)]

    def recommendation(self, reference: str) -> Row | None:
        """Return `verdict` and `reasons` as they were recorded last, None where there are none yet."""
        with self._case() as case:
            return case.queries.recommendation(reference)

    def decisions(self, reference: str | None = None) -> list[Row]:
        """Return decisions as `triage decisions` does, the oldest first."""
        with self._case() as case, closing(decisions(case, reference)) as rows:
            return list(rows)

    def timeline(self, reference: str | None = None, *, offset: int = 0, limit: int = 200) -> list[Row]:
        """Return a page of custody events, the newest first.

        Keys: `sequence`, `when`, `actor`, `action`, `subject`, `facts`.
        """
        with self._case() as case:
            return [_event(row) for row in case.pages.events(reference, offset=offset, limit=limit)]

    def timeline_count(self, reference: str | None = None) -> int:
        """Return how many custody events an exhibit has, or the case."""
        with self._case() as case:
            return case.pages.events_count(reference)

    def exhibits(self, reference: str | None = None) -> list[Row]:
        """Return every exhibit in the order in which it was begun, then those received and not begun; or one of them.

        Keys: `reference`, `state` (None: not begun), `source`, `kind`, `size`, `started`, `ended`, `ended_by`,
        `seconds`, `findings` (how many), `profile` (the one it was begun with), `received` (the facts of its arrival as
        they stand, None where none were recorded).
        """
        with self._case() as case:
            arrivals = case.pages.events_of(RECEIVED, reference)
            received = {row["subject"]: json.loads(row["payload"]) for row in arrivals}
            wanted = [name for name in case.exhibits.references() if reference in {None, name}]
            begun = {name: _exhibit(case, name) for name in wanted}
        first = [name for name in received if name not in begun]
        return [
            {**begun.get(name, {**_NOT_BEGUN, "reference": name}), "received": received.get(name)}
            for name in (*begun, *first)
        ]

    def _case(self) -> CaseReader:
        return CaseReader.open(self.folder)


_NOT_BEGUN = dict.fromkeys(
    ("reference", "state", "source", "kind", "size", "started", "ended", "ended_by", "seconds", "findings", "profile")
)


def _with_remains(row: Row) -> Row:
    return {**row, "gone": told(row)}


def _event(row: Row) -> Row:
    plain = {key: row[key] for key in ("sequence", "actor", "action", "subject")}
    return {**plain, "when": row["when_utc"], "facts": json.loads(row["payload"])}


def _exhibit(case: CaseReader, reference: str) -> Row:
    record = case.exhibits.get(reference)
    assert record is not None
    return {
        "reference": reference,
        "state": record.state.value,
        "source": record.info.files[0] if record.info.files else None,
        "kind": record.info.kind,
        "size": record.info.size,
        "started": record.started,
        "ended": record.ended,
        "ended_by": record.ended_by,
        "seconds": record.seconds,
        "findings": case.pages.count(Wanted(reference=reference)),
        "profile": json.loads(record.plan_text).get("profile"),
    }
