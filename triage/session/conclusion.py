"""The conclusion of an examination, from what the case holds alone: coverage account and recommendation."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from triage.items.order import DRAWS, Tier
from triage.model.coverage import Coverage, CoverageClass
from triage.model.event import EndedBy
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import ItemKind, Outcome
from triage.model.recommendation import Recommendation
from triage.model.runs import ByteRun
from triage.model.sampling import Stratum
from triage.policy.account import account, class_of
from triage.policy.evaluate import recommend
from triage.policy.facts import Facts
from triage.policy.policy import DEFAULT, Policy
from triage.policy.sampling import DrawClass, stratum
from triage.policy.spans import Spans, merge
from triage.store.case import CaseReader, OpenCase
from triage.store.exhibits import ExhibitRecord, ExhibitState
from triage.store.journal import AccountedItems

_FILES = frozenset({ItemKind.FILE, ItemKind.STREAM})
_RULES = frozenset({"size", "known"})  # what they skip is known not to match
_UNSEEN = frozenset({"cannot be decoded", "limit"})
_INCOMPARABLE = frozenset({"tiny", "flat", "low quality"})


@dataclass(slots=True)
class _Tally:
    """The items of one exhibit, counted; `claims` are their spans by the class of their outcome."""

    items: Counter[str] = field(default_factory=lambda: Counter({outcome.value: 0 for outcome in Outcome}))
    claims: defaultdict[CoverageClass, list[Spans]] = field(default_factory=lambda: defaultdict(list))
    files: int = 0
    limited: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    undecodable: int = 0
    damaged: int = 0
    incomparable: int = 0

    def add(self, some: AccountedItems) -> None:
        self.items[some.outcome.value] += some.items
        self.claims[class_of(some.outcome, allocated=some.allocated, code=some.code)].append(merge([some.spans]))
        if some.kind in _FILES and some.outcome is Outcome.EXAMINED:
            self.files += some.items
        if some.code == "limit":
            self.limited += some.items
        if some.outcome is Outcome.SKIPPED:
            self.skipped[some.code] += some.items
        # A deleted picture is often another file's bytes by now: that it cannot be decoded tells nothing.
        if some.allocated:
            self._add_pictures(some)

    def _add_pictures(self, some: AccountedItems) -> None:
        if some.code == "cannot be decoded":
            self.undecodable += some.items
        elif some.damaged:
            self.damaged += some.items
        elif some.code in _INCOMPARABLE:
            self.incomparable += some.items


def conclude(case: OpenCase, record: ExhibitRecord, *, ended_by: EndedBy | None) -> tuple[Coverage, Recommendation]:
    """Return the coverage account of one exhibit and what it indicates. Reads only, and needs no transaction.

    `ended_by` is None while nothing has ended it.
    """
    reference = record.reference
    tally = _tally(case, reference)
    volumes = case.layout.volumes(reference)
    unreadable = [bad.run for bad in case.obstacles.unreadable(reference)]
    unlisted = _unlisted(case, record)
    coverage = account(
        record.info.size,
        volumes,
        tally.claims,
        unreadable=unreadable,
        unlisted=unlisted,
        items=tally.items,
    )
    plan = json.loads(record.plan_text)
    facts = Facts(
        finished=ended_by is EndedBy.END,
        profile=plan["profile"],
        pictures_compared=plan.get("depth", plan)["pictures"],  # plans of schema version 2 had it beside the rest
        sets=tuple(SetIdentity(**{**held, "kind": SetKind(held["kind"])}) for held in plan["sets"]),
        sets_hold_pictures=plan["sets_hold_pictures"],
        coverage=coverage,
        files_examined=tally.files,
        matches=case.queries.matches(reference),
        volumes=Counter(report.state for report in volumes),
        troubles=case.queries.troubles(reference),
        limited_items=tally.limited,
        skipped_by_size=tally.skipped["size"],
        skipped_known=tally.skipped["known"],
        strata=() if ended_by is EndedBy.END else _strata(case, reference),
        ended_by=ended_by or EndedBy.REQUEST,
        unlisted_volumes=len(unlisted),
        undecodable_pictures=tally.undecodable,
        damaged_pictures=tally.damaged,
        incomparable_pictures=tally.incomparable,
        source_encrypted=record.info.encrypted,
        source_troubles=record.info.troubles,
    )
    return coverage, recommend(facts, policy_of(plan))


def coverage_now(case: CaseReader, reference: str) -> dict[str, object]:
    """Return the coverage account of an exhibit as it stands, also while it is being examined or after a kill.

    Keys: `exhibit`, `state`, `size`, `bytes` by class, `items` by outcome. Raises UsageError for an unknown exhibit.
    """
    case.exhibits.key(reference)
    with case.snapshot():
        record = case.exhibits.get(reference)
        assert record is not None
        ended_by = EndedBy.END if record.state is ExhibitState.FINISHED else None
        coverage, _ = conclude(case, record, ended_by=ended_by)
    return {
        "exhibit": reference,
        "state": record.state.value,
        "size": coverage.size,
        "bytes": {kind.value: count for kind, count in coverage.bytes.items()},
        "items": dict(coverage.items),
    }


def policy_of(plan: Mapping[str, Any]) -> Policy:
    """Return the policy in a plan, the default one for a plan from before there were policies."""
    return Policy.from_fields(plan["policy"], "of the plan") if "policy" in plan else Policy.load(DEFAULT)


def _tally(case: OpenCase, reference: str) -> _Tally:
    tally = _Tally()
    for some in case.journal.accounted(reference):
        tally.add(some)
    return tally


def _strata(case: OpenCase, reference: str) -> tuple[Stratum, ...]:
    """Return what the random samples of the pictures of each tier showed so far."""
    classes: defaultdict[int, dict[int, DrawClass]] = defaultdict(lambda: {draw: DrawClass() for draw in DRAWS})
    for some in case.journal.drawn(reference):
        before = classes[some.tier][some.draw]
        known = some.outcome is Outcome.EXAMINED and some.code not in _UNSEEN
        known = known or (some.outcome is Outcome.SKIPPED and some.code in _RULES)
        lost = not known and some.outcome is not Outcome.NOT_REACHED
        classes[some.tier][some.draw] = DrawClass(
            pictures=before.pictures + some.items,
            examined=before.examined + some.items * known,
            not_covered=before.not_covered + some.items * lost,
            matches=before.matches + some.matches * known,
        )
    return tuple(stratum(tier, Tier(tier).label, list(drawn.values())) for tier, drawn in sorted(classes.items()))


def _unlisted(case: OpenCase, record: ExhibitRecord) -> list[ByteRun]:
    """Return the volumes whose walk has not come to its end; all of the source where it was not yet divided."""
    regions = case.layout.regions(record.reference)
    listed = {report.region.run for report in case.layout.volumes(record.reference) if report.listed}
    if not regions:
        return [ByteRun(0, record.info.size)]
    return [region.run for region in regions if region.is_volume and region.run not in listed]
