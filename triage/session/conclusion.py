"""The conclusion of an examination, from what the case holds alone: coverage account and recommendation."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from triage.model.coverage import Coverage, CoverageClass, RegionCoverage
from triage.model.event import EndedBy
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import ItemKind, Outcome
from triage.model.recommendation import Recommendation
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.policy.account import account
from triage.policy.evaluate import recommend
from triage.policy.facts import Facts
from triage.policy.policy import DEFAULT, Policy
from triage.session.tally import RULES, ItemTally, strata_of
from triage.store.case import CaseReader, OpenCase
from triage.store.exhibits import ExhibitRecord

Plan = Mapping[str, Any]  # as it stands in the case, that of an earlier version too


def conclude(case: OpenCase, record: ExhibitRecord, *, ended_by: EndedBy | None) -> tuple[Coverage, Recommendation]:
    """Return the coverage account of one exhibit and what it indicates. Reads only, and needs no transaction.

    `ended_by` is None while nothing has ended it.
    """
    tally = ItemTally.of(case.journal.accounted(record.reference))
    coverage = _coverage(case, record, tally)
    facts = _facts(case, record, tally, coverage, ended_by)
    return coverage, recommend(facts, policy_of(json.loads(record.plan_text)))


def coverage_now(case: CaseReader, reference: str) -> dict[str, object]:
    """Return the coverage account of an exhibit as it stands, also while it is being examined or after a kill.

    Keys: `exhibit`, `state`, `size`, `bytes` by class, `items` by outcome, `regions` (each with `name`, `offset`,
    `length`, `state`, `file_system` and its `bytes` by class; they tile the source), `rules` (each with `outcome`,
    `code`, the rule by which it came about or None, and `items`). Raises UsageError for an unknown exhibit.
    """
    case.exhibits.key(reference)
    with case.snapshot():
        record = case.exhibits.get(reference)
        assert record is not None
        tally = ItemTally.of(case.journal.accounted(reference))
        coverage = _coverage(case, record, tally)
    return {
        "exhibit": reference,
        "state": record.state.value,
        "size": coverage.size,
        "bytes": _by_class(coverage.bytes),
        "items": dict(coverage.items),
        "regions": [_region(region) for region in coverage.regions],
        "rules": _rules(tally),
    }


def policy_of(plan: Plan) -> Policy:
    """Return the policy in a plan, the default one for a plan from before there were policies."""
    return Policy.from_fields(plan["policy"], "of the plan") if "policy" in plan else Policy.load(DEFAULT)


def _coverage(case: OpenCase, record: ExhibitRecord, tally: ItemTally) -> Coverage:
    reference = record.reference
    return account(
        record.info.size,
        case.layout.volumes(reference),
        tally.claims,
        unreadable=[bad.run for bad in case.obstacles.unreadable(reference)],
        unlisted=_unlisted(case, record),
        items=tally.items,
        noise=tally.noise,
        searched=case.journal.searched(reference),
        regions=case.layout.regions(reference),
    )


def _facts(
    case: OpenCase, record: ExhibitRecord, tally: ItemTally, coverage: Coverage, ended_by: EndedBy | None
) -> Facts:
    reference = record.reference
    return Facts(
        **_planned(json.loads(record.plan_text)),
        finished=ended_by is EndedBy.END,
        coverage=coverage,
        files_examined=tally.files,
        members_examined=tally.examined[ItemKind.MEMBER],
        carved_examined=tally.examined[ItemKind.CARVED],
        containers_waiting=case.queries.containers_waiting(reference),
        matches=case.queries.matches(reference),
        volumes=Counter(report.state for report in case.layout.volumes(reference)),
        troubles=case.queries.troubles(reference),
        limited_items=tally.limited,
        skipped_by_size=tally.rules[Outcome.SKIPPED, "size"],
        skipped_known=tally.rules[Outcome.SKIPPED, "known"],
        undecoded_items=tally.undecoded,
        undecoded_causes=case.queries.skipped_because(reference, without=(*sorted(RULES), "limit")),
        not_opened=case.queries.troubled_paths(reference, TroubleCode.NOT_OPENED),
        strata=() if ended_by is EndedBy.END else strata_of(case.journal.drawn(reference)),
        ended_by=ended_by or EndedBy.REQUEST,
        unlisted_volumes=len(_unlisted(case, record)),
        undecodable_pictures=tally.undecodable,
        damaged_pictures=tally.damaged,
        incomparable_pictures=tally.incomparable,
        pictures=tally.pictures,
        undecodable_videos=tally.undecodable_videos,
        incomparable_videos=tally.incomparable_videos,
        deleted_undecodable=tally.deleted_undecodable,
        source_encrypted=record.info.encrypted,
        source_troubles=record.info.troubles,
        high_entropy_files=tally.high_entropy,
        high_entropy_bytes=coverage.high_entropy,
        block_strata=case.samples.of(reference),
        examined_on=_day(record.started or record.added),
        self_test_passed=record.self_test,
        self_test_text=record.self_test_text,
    )


def _planned(plan: Plan) -> dict[str, Any]:
    """Return the facts that the plan gives; what a plan of an earlier version does not name was not done."""
    depth = plan.get("depth", plan)  # plans of schema version 2 had it beside the rest
    days = {digest: _day(text) for digest, text in plan.get("set_dates", {}).items()}
    return {
        "profile": plan["profile"],
        "pictures_compared": depth["pictures"],
        "members_opened": depth.get("members", False),
        "videos_compared": depth.get("videos", False),
        "shadows": depth.get("shadows", False),
        "carved": depth.get("carving", False),
        "sets": tuple(SetIdentity(**{**held, "kind": SetKind(held["kind"])}) for held in plan["sets"]),
        "sets_hold_pictures": plan["sets_hold_pictures"],
        "set_dates": {digest: day for digest, day in days.items() if day is not None},
    }


def _day(text: str) -> date | None:
    """Return the day of an ISO 8601 time, in UTC where it says its zone; None for what is no time."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo is None else when.astimezone(UTC)).date()
    except (ValueError, OverflowError):  # no time, or one that no other zone has
        return None


def _by_class(taken: Mapping[CoverageClass, int]) -> dict[str, int]:
    return {kind.value: count for kind, count in taken.items()}


def _region(region: RegionCoverage) -> dict[str, object]:
    return {
        "name": region.name,
        "offset": region.offset,
        "length": region.length,
        "state": region.state,
        "file_system": region.file_system,
        "bytes": _by_class(region.bytes),
    }


def _rules(tally: ItemTally) -> list[dict[str, object]]:
    """Return how many items each rule gave their outcome, in the order of outcomes and codes."""
    order = {outcome: place for place, outcome in enumerate(Outcome)}
    counted = sorted(tally.rules.items(), key=lambda rule: (order[rule[0][0]], rule[0][1] or ""))
    return [{"outcome": outcome.value, "code": code, "items": items} for (outcome, code), items in counted]


def _unlisted(case: OpenCase, record: ExhibitRecord) -> list[ByteRun]:
    """Return the volumes whose walk has not come to its end; all of the source where it was not yet divided."""
    regions = case.layout.regions(record.reference)
    listed = {report.region.run for report in case.layout.volumes(record.reference) if report.listed}
    if not regions:
        return [ByteRun(0, record.info.size)]
    return [region.run for region in regions if region.is_volume and region.run not in listed]
