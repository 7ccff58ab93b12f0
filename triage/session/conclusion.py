"""The conclusion of an examination, from what the case holds alone: coverage account and recommendation."""

import json
from collections import Counter

from triage.model.coverage import Coverage, CoverageClass
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import ItemKind, Outcome
from triage.model.recommendation import Recommendation
from triage.model.runs import ByteRun
from triage.policy.account import account, class_of
from triage.policy.evaluate import recommend
from triage.policy.facts import Facts
from triage.store.case import Case, CaseReader
from triage.store.exhibits import ExhibitRecord, ExhibitState


def conclude(case: Case | CaseReader, record: ExhibitRecord, *, finished: bool) -> tuple[Coverage, Recommendation]:
    """Return the coverage account of one exhibit and what it indicates."""
    reference = record.reference
    claims: dict[CoverageClass, list[ByteRun]] = {}
    items: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
    files, limited, undecodable = 0, 0, 0
    for item in case.journal.accounted(reference):
        items[item.outcome.value] += 1
        claims.setdefault(class_of(item.outcome, allocated=item.allocated), []).extend(item.runs)
        files += item.kind in {ItemKind.FILE, ItemKind.STREAM} and item.outcome is Outcome.EXAMINED
        code = (item.reason or "").partition(":")[0]
        limited += code == "limit"
        # A deleted picture is often another file's bytes by now: that it cannot be decoded tells nothing.
        undecodable += code == "cannot be decoded" and item.allocated
    volumes = case.layout.volumes(reference)
    unreadable = [bad.run for bad in case.obstacles.unreadable(reference)]
    coverage = account(
        record.info.size, volumes, claims, unreadable=unreadable, unlisted=_unlisted(case, record), items=items
    )
    plan = json.loads(record.plan_text)
    facts = Facts(
        finished=finished,
        profile=plan["profile"],
        pictures_compared=plan["pictures"],
        sets=tuple(SetIdentity(**{**held, "kind": SetKind(held["kind"])}) for held in plan["sets"]),
        sets_hold_pictures=plan["sets_hold_pictures"],
        coverage=coverage,
        files_examined=files,
        matches=case.queries.matches(reference),
        volumes=Counter(report.state for report in volumes),
        troubles=case.queries.troubles(reference),
        limited_items=limited,
        undecodable_pictures=undecodable,
        source_encrypted=record.info.encrypted,
        source_troubles=record.info.troubles,
    )
    return coverage, recommend(facts)


def coverage_now(case: CaseReader, reference: str) -> dict[str, object]:
    """Return the coverage account of an exhibit as it stands, also while it is being examined or after a kill.

    Keys: `exhibit`, `state`, `size`, `bytes` by class, `items` by outcome. Raises UsageError for an unknown exhibit.
    """
    case.exhibits.key(reference)
    record = case.exhibits.get(reference)
    assert record is not None
    coverage, _ = conclude(case, record, finished=record.state is ExhibitState.FINISHED)
    return {
        "exhibit": reference,
        "state": record.state.value,
        "size": coverage.size,
        "bytes": {kind.value: count for kind, count in coverage.bytes.items()},
        "items": dict(coverage.items),
    }


def _unlisted(case: Case | CaseReader, record: ExhibitRecord) -> list[ByteRun]:
    """Return the volumes whose walk has not come to its end; all of the source where it was not yet divided."""
    regions = case.layout.regions(record.reference)
    listed = {report.region.run for report in case.layout.volumes(record.reference) if report.listed}
    if not regions:
        return [ByteRun(0, record.info.size)]
    return [region.run for region in regions if region.is_volume and region.run not in listed]
