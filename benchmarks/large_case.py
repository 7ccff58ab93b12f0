"""A case of the largest kind, made in seconds: 1,000,000 items and 100,000 findings in four exhibits, all generated.

Usage: python benchmarks/large_case.py FOLDER [--items N] [--findings N]
Makes the case in FOLDER unless it is there already; then prints how long each
call of the view that screens are made from takes, in milliseconds: the best, the median and the worst of nine.
"""

import argparse
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from triage.model.address import Address
from triage.model.coverage import Coverage, CoverageClass
from triage.model.evidence import Region, SourceInfo, VolumeReport
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.session.view import CaseView, FindingState, Sort, Wanted
from triage.store.case import Case
from triage.store.exhibits import ExhibitState

WHEN = "2026-11-23T10:00:00.000000Z"
EXHIBITS = ("ABC/1", "ABC/2", "ABC/3", "ABC/4")
SIZE = 1 << 40

_ITEMS = """
WITH RECURSIVE counter(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < :items)
INSERT INTO item (region_id, sequence, address, path, kind, size, allocated, recovered, reference, runs, direct,
                  outcome, reason, tier, rank, position, md5, sha1, media_type)
SELECT :region, n, 'volume:0/file:' || n,
       printf('Users/user%d/Pictures/folder %05d/IMG_%07d.JPG', n % 3, n / 200, n), 'file', 40000 + n % 100000,
       n % 9 <> 0, n % 9 = 0, n, printf('%d+%d', n * 1048576, 40000 + n % 100000), 1,
       CASE WHEN n % 10 < 6 THEN 'examined' WHEN n % 10 < 8 THEN 'skipped' WHEN n % 10 < 9 THEN 'not-reached'
            WHEN n % 30 = 9 THEN 'encrypted' WHEN n % 30 = 19 THEN 'unreadable' ELSE 'timed-out' END,
       CASE WHEN n % 10 < 6 OR n % 10 = 8 THEN NULL WHEN n % 10 = 6 THEN 'size: no set holds content of this size'
            WHEN n % 10 = 7 THEN 'known: holiday software 3' ELSE 'limit: in a generated case' END,
       n % 7, n % 7 * 1000, n * 1048576,
       CASE WHEN n % 10 < 6 THEN lower(hex(randomblob(16))) END,
       CASE WHEN n % 10 < 6 THEN lower(hex(randomblob(20))) END,
       CASE WHEN n % 10 < 6 THEN 'image/jpeg' END
FROM counter
"""
_FINDINGS = """
WITH RECURSIVE counter(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < :findings)
INSERT INTO finding (item_id, set_name, set_version, set_digest, set_kind, category, grade, match, distance, confirmed,
                     found_at, seconds, analyzer, analyzer_version)
SELECT :first + n * :step, 'set ' || n % 5, '1', printf('%064d', n % 5), 'notable', substr('ABC', n % 3 + 1, 1),
       CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'trusted' ELSE 'indicative' END,
       CASE n % 5 WHEN 0 THEN 'pdq' WHEN 1 THEN 'sha1' ELSE 'md5' END, CASE n % 5 WHEN 0 THEN n % 31 ELSE 0 END,
       CASE n % 15 WHEN 0 THEN 1 WHEN 5 THEN 0 END, '2026-11-23T10:00:00.000000Z', n * 0.1, 'exact', '1'
FROM counter
"""


def make(folder: Path, items: int = 1_000_000, findings: int = 100_000) -> Path:
    """Make the case in a folder that has none; the numbers are those of all exhibits together."""
    with Case.open_or_create(folder, when=WHEN, actor="examiner") as case:
        for reference in EXHIBITS:
            _examined(case, reference)
    database = sqlite3.connect(folder / "case.sqlite")
    for statement in ("journal_mode = WAL", "synchronous = OFF", "cache_size = -400000"):
        database.execute(f"PRAGMA {statement}")
    share, found = items // len(EXHIBITS), findings // len(EXHIBITS)
    for region, _ in enumerate(EXHIBITS, 1):
        database.execute(_ITEMS, {"items": share, "region": region})
        first = (region - 1) * share + 1
        database.execute(_FINDINGS, {"findings": found, "first": first, "step": share // found})
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder


def _examined(case: Case, reference: str) -> None:
    """Add an exhibit with one volume, as a stopped examination leaves it."""
    region = Region(run=ByteRun(0, SIZE), name="whole source", scheme="none", is_volume=True)
    info = SourceInfo(kind="raw", files=(f"{reference.replace('/', '-')}.raw",), size=SIZE)
    identity = f"{EXHIBITS.index(reference):064x}"
    case.exhibits.add(reference, info, identity, plan_text="{}", plan_digest="e" * 64, when=WHEN)
    case.layout.record_regions(reference, [region])
    case.layout.record_volume(reference, VolumeReport(region=region, state="read", file_system="ntfs"))
    case.layout.mark_walked(reference, 0, listed=True)
    troubles = (Trouble(address=Address("file", str(n)), code=TroubleCode.DAMAGED, text="cut") for n in range(1000))
    case.obstacles.record_troubles(reference, troubles)
    case.exhibits.set_state(reference, ExhibitState.WALKING, WHEN)
    case.exhibits.set_state(reference, ExhibitState.STOPPED, WHEN, ended_by="request")
    counted = {CoverageClass.EXAMINED: SIZE // 2, CoverageClass.NOT_EXAMINED: SIZE - SIZE // 2}
    case.exhibits.record_coverage(reference, Coverage(size=SIZE, bytes=counted, items={}))
    reason = Reason(code="not-finished", text="The examination was stopped before its end.")
    recommendation = Recommendation(verdict=Verdict.NOT_DETERMINED, reasons=(reason,))
    case.exhibits.record_recommendation(reference, recommendation)
    for action in ("examination.planned", "examination.stopped"):
        case.ledger.append(when=WHEN, actor="examiner", action=action, subject=reference, payload={"generated": True})


def _calls(view: CaseView, findings: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name every call that a screen makes."""
    one = Wanted(reference="ABC/2")
    page = view.findings_page
    for sort in Sort:
        for name, wanted, all_of_it in (("", Wanted(), findings), (" of one exhibit", one, findings // 4)):
            yield f"page 1{name} by {sort}", partial(page, wanted, sort=sort, offset=0, limit=60)
            yield (
                f"page 1{name} by {sort}, backwards",
                partial(page, wanted, sort=sort, descending=True, offset=0, limit=60),
            )
            yield (
                f"page in the middle{name} by {sort}",
                partial(page, wanted, sort=sort, offset=all_of_it // 2 - 60, limit=60),
            )
            yield f"last page{name} by {sort}", partial(page, wanted, sort=sort, offset=all_of_it - 60, limit=60)
    narrow = Wanted(reference="ABC/3", state=FindingState.CONFIRMED, category="C", grade="")
    for name, wanted in (
        ("narrowed down", narrow),
        ("with text", Wanted(text="folder 00123")),
        ("with text that is everywhere", Wanted(text="img")),
        ("with text that is nowhere", Wanted(text="NOWHERE")),
    ):
        for sort in (Sort.PATH, Sort.NUMBER, Sort.CATEGORY):
            yield f"page {name} by {sort}", partial(page, wanted, sort=sort, offset=0, limit=60)
        yield f"count {name}", partial(view.findings_count, wanted)
    yield "count of all", view.findings_count
    yield "count of one exhibit", lambda: view.findings_count(one)
    yield "findings by grade and category", view.findings_by
    yield "findings of one exhibit by grade and category", lambda: view.findings_by("ABC/2")
    yield "one finding", lambda: view.finding(findings // 2)
    yield "siblings", lambda: view.siblings(findings // 2, offset=0, limit=60)
    yield "not looked at", lambda: view.not_looked_at("ABC/2", offset=0, limit=60)
    yield "not looked at, far down", lambda: view.not_looked_at("ABC/2", offset=70_000, limit=60)
    yield "not looked at, not reached", lambda: view.not_looked_at("ABC/2", outcome="not-reached", offset=0, limit=60)
    yield "not looked at by reason", lambda: view.not_looked_at_by("ABC/2")
    yield "troubles", lambda: view.troubles("ABC/2")
    yield "timeline", lambda: view.timeline("ABC/2")
    yield "exhibits", view.exhibits
    yield "volumes", lambda: view.volumes("ABC/2")
    yield "coverage", lambda: view.coverage("ABC/2")
    yield "recommendation", lambda: view.recommendation("ABC/2")
    yield "indications", lambda: view.indications("ABC/2")
    yield "strata", lambda: view.strata("ABC/2")


def main() -> None:
    """Make the case where it is not there yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--findings", type=int, default=100_000)
    given = parser.parse_args()
    folder, items, findings = given.folder, given.items, given.findings
    if not (folder / "case.sqlite").exists():
        began = time.perf_counter()
        make(folder, items, findings)
        print(f"made in {time.perf_counter() - began:.1f} s")
    for name, call in _calls(CaseView(folder), findings):
        taken = []
        for _ in range(9):
            began = time.perf_counter()
            call()
            taken.append((time.perf_counter() - began) * 1000)
        print(f"{min(taken):8.2f} {statistics.median(taken):8.2f} {max(taken):8.2f}  {name}")


if __name__ == "__main__":
    main()
