"""Facts of examined exhibits, made up: one under which return is indicated, what each unknown changes, and any."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from triage.model.blocks import BlockStratum
from triage.model.coverage import Coverage, CoverageClass
from triage.model.event import EndedBy
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import Outcome
from triage.model.matches import SetMatches
from triage.model.sampling import Stratum
from triage.model.trouble import TroubleCode
from triage.policy.facts import Facts
from triage.policy.policy import Demands, Policy, Reach, Seizure, Tolerated

TODAY = date(2026, 11, 23)
NOTABLE = SetIdentity(name="demo", version="3", digest="d" * 64, kind=SetKind.NOTABLE)
KNOWN = SetIdentity(name="software", version="1", digest="e" * 64, kind=SetKind.KNOWN)


def covered(items: Mapping[str, int] | None = None, **classes: int) -> Coverage:
    """Return an account of 4,096 examined bytes and what else is named."""
    account = {CoverageClass.EXAMINED: 4096} | {CoverageClass[name.upper()]: number for name, number in classes.items()}
    outcomes = {Outcome.EXAMINED: 10, **(items or {})}
    return Coverage(size=sum(account.values()), bytes=account, items=outcomes)


SAMPLED = BlockStratum(label="space that no file has", blocks=10_000, grid=100, grid_read=100, drawn=1_000)

CLEAR = Facts(
    finished=True,
    profile="scene",
    pictures_compared=True,
    sets=(NOTABLE, KNOWN),
    sets_hold_pictures=True,
    coverage=covered(outside_partitions=512, unallocated_not_examined=1_234_567, skipped=99),
    files_examined=10,
    volumes={"read": 1, "empty": 1},
    troubles={},
    unlisted_volumes=0,
    examined_on=TODAY,
    set_dates={NOTABLE.digest: TODAY - timedelta(days=10)},
    self_test_passed=True,
    members_opened=True,
)

UNKNOWN: dict[str, list[dict[str, Any]]] = {
    "candidate-unconfirmed": [{"matches": (SetMatches(set=NOTABLE, category="A", unconfirmed=2),)}],
    "block-lead": [{"block_strata": (SAMPLED, replace(SAMPLED, leads=2, alone=2))}],
    "encrypted": [
        {"source_encrypted": "LUKS"},
        {"volumes": {"read": 1, "encrypted": 1}},
        {"coverage": covered({Outcome.ENCRYPTED: 1})},
        {"coverage": covered(encrypted=1)},
        {"troubles": {TroubleCode.ENCRYPTED: 1}},
    ],
    "high-entropy": [
        {"coverage": covered({Outcome.ENCRYPTED: 1}, encrypted=512), "high_entropy_files": 1, "high_entropy_bytes": 512}
    ],
    "unsupported": [
        {"volumes": {"read": 1, "unsupported": 1}},
        {"volumes": {"read": 1, "a-state-of-a-later-version": 1}},
        {"coverage": covered(unsupported=1)},
        {"troubles": {TroubleCode.UNSUPPORTED: 1}},
        {"undecoded_items": 1},
        {"undecoded_items": 2, "undecoded_causes": ("the method PPMd is not read", "sparse members are not read")},
    ],
    "ambiguous": [{"volumes": {"read": 1, "ambiguous": 1}}, {"troubles": {TroubleCode.AMBIGUOUS: 1}}],
    "no-file-system": [{"volumes": {"no-file-system": 1}}, {"troubles": {TroubleCode.NO_FILE_SYSTEM: 1}}],
    "unreadable": [
        {"coverage": covered(unreadable=1)},
        {"coverage": covered({Outcome.UNREADABLE: 1})},
        {"troubles": {TroubleCode.UNREADABLE: 1}},
    ],
    "source-incomplete": [{"source_troubles": ("segment 2 is missing",)}],
    "damaged": [{"troubles": {TroubleCode.DAMAGED: 1}}],
    "crashed": [{"coverage": covered({Outcome.CRASHED: 1})}, {"troubles": {TroubleCode.CRASHED: 1}}],
    "timed-out": [{"coverage": covered({Outcome.TIMED_OUT: 1})}, {"troubles": {TroubleCode.TIMED_OUT: 1}}],
    "limit": [{"limited_items": 1}, {"troubles": {TroubleCode.LIMIT: 1}}],
    "stopped-early": [
        {"finished": False},
        {"coverage": covered({Outcome.NOT_REACHED: 1})},
        *({"ended_by": cause} for cause in EndedBy if cause is not EndedBy.END),
    ],
    "containers-not-reached": [{"containers_waiting": 1}, {"containers_waiting": 3, "members_opened": True}],
    "not-examined": [{"coverage": covered(not_examined=1)}],
    "no-hash-set": [{"sets": ()}, {"sets": (KNOWN,)}],
    "hash-set-undated": [{"set_dates": {}}, {"set_dates": {NOTABLE.digest: TODAY + timedelta(days=2)}}],
    "hash-set-old": [{"set_dates": {NOTABLE.digest: TODAY - timedelta(days=91)}}],
    "self-test-missing": [{"self_test_passed": None}],
    "self-test-failed": [{"self_test_passed": False}],
    "pictures-not-compared": [{"profile": "exact", "pictures_compared": False}],
    "members-not-opened": [{"profile": "exact", "members_opened": False}],
    "pictures-undecodable": [{"undecodable_pictures": 1}, {"damaged_pictures": 1}],
    "videos-undecodable": [{"undecodable_videos": 1}],
    "nothing-examined": [{"files_examined": 0}],
}
CHANGES = [(code, change) for code, changes in UNKNOWN.items() for change in changes]

counts = st.integers(min_value=0, max_value=1 << 50)
samples = st.lists(
    st.builds(
        lambda numbers, label: Stratum(
            tier=1,
            label=label,
            **dict(zip(("drawn_matches", "matches", "drawn", "examined", "pictures"), sorted(numbers), strict=True)),
        ),
        st.lists(st.integers(min_value=0, max_value=3_000), min_size=5, max_size=5),
        st.sampled_from(["user folders", "other folders"]),
    ),
    max_size=3,
).map(tuple)
accounts = st.builds(
    lambda taken, items: Coverage(size=sum(taken.values()), bytes=taken, items=items),
    st.dictionaries(st.sampled_from(CoverageClass), counts),
    st.dictionaries(st.sampled_from(Outcome), counts),
)
states = ["read", "empty", "encrypted", "unsupported", "ambiguous", "no-file-system", "other"]
any_facts = st.builds(
    Facts,
    finished=st.booleans(),
    profile=st.sampled_from(["exact", "scene", "full"]),
    pictures_compared=st.booleans(),
    sets=st.lists(st.sampled_from([NOTABLE, KNOWN]), max_size=2).map(tuple),
    sets_hold_pictures=st.booleans(),
    coverage=accounts,
    files_examined=counts,
    members_examined=counts,
    carved_examined=counts,
    containers_waiting=st.integers(min_value=0, max_value=2),
    block_strata=st.lists(
        st.sampled_from([SAMPLED, replace(SAMPLED, leads=2), replace(SAMPLED, leads=2, alone=1)]), max_size=2
    ).map(tuple),
    members_opened=st.booleans(),
    videos_compared=st.booleans(),
    shadows=st.booleans(),
    carved=st.booleans(),
    matches=st.lists(
        st.builds(
            SetMatches,
            set=st.just(NOTABLE),
            exact=counts,
            exact_deleted=counts,
            unconfirmed=counts,
            confirmed=counts,
        ),
        max_size=2,
    ).map(tuple),
    volumes=st.dictionaries(st.sampled_from(states), counts),
    troubles=st.dictionaries(st.sampled_from(TroubleCode), counts),
    limited_items=counts,
    skipped_by_size=counts,
    skipped_known=counts,
    undecoded_items=st.integers(min_value=0, max_value=2),
    undecoded_causes=st.lists(st.just("a method that is not read"), max_size=3).map(tuple),
    deleted_undecodable=st.integers(min_value=0, max_value=2),
    undecodable_pictures=counts,
    damaged_pictures=counts,
    incomparable_pictures=counts,
    undecodable_videos=st.integers(min_value=0, max_value=2),
    incomparable_videos=counts,
    source_encrypted=st.none() | st.just("LUKS"),
    source_troubles=st.lists(st.just("the last segment is cut"), max_size=1).map(tuple),
    strata=samples,
    ended_by=st.sampled_from(EndedBy),
    unlisted_volumes=st.none() | st.integers(min_value=0, max_value=2),
    high_entropy_files=st.integers(min_value=0, max_value=3),
    high_entropy_bytes=st.integers(min_value=0, max_value=8192),
    pictures=st.none() | counts,
    examined_on=st.none() | st.just(TODAY),
    set_dates=st.dictionaries(st.just(NOTABLE.digest), st.dates(date(2026, 1, 1), date(2026, 12, 1))),
    self_test_passed=st.none() | st.booleans(),
)
# Facts under which return would be indicated, so that the next tests start where it matters.
clear_facts = st.builds(
    lambda size, files: replace(CLEAR, coverage=covered(skipped=size, outside_partitions=size), files_examined=files),
    counts,
    st.integers(min_value=1, max_value=1 << 40),
)


def _nearly(numbers: tuple[int, ...], strata: tuple[Stratum, ...], *, finished: bool) -> Facts:
    unread, unreadable, encrypted, limited, left, undecodable, noise, skipped, unlisted, days = numbers
    outcomes: dict[str, int] = {
        Outcome.UNREADABLE: unread,
        Outcome.ENCRYPTED: noise,
        Outcome.NOT_REACHED: 0 if finished else left,
        Outcome.SKIPPED: limited,
    }
    coverage = covered(
        outcomes, unreadable=unreadable, encrypted=encrypted, not_examined=left, skipped=skipped, skipped_known=1 << 16
    )
    return replace(
        CLEAR,
        coverage=coverage,
        finished=finished,
        ended_by=EndedBy.END if finished else EndedBy.TIME_LIMIT,
        strata=strata,
        unlisted_volumes=unlisted // 3,
        high_entropy_files=noise,
        high_entropy_bytes=encrypted,
        limited_items=limited,
        undecodable_pictures=undecodable,
        pictures=100,
        set_dates={NOTABLE.digest: TODAY - timedelta(days=days * 20)} if days else {},
    )


_DRAWS = [
    Stratum(tier=1, label="X", pictures=1000, examined=max(drawn, 500), drawn=drawn, drawn_matches=0, matches=0)
    for drawn in (0, 12, 400, 1000)
]

# Facts with little that is unknown, which policies judge differently.
nearly_clear_facts = st.builds(
    _nearly,
    st.tuples(*[st.sampled_from((0, 0, 0, 0, 0, 1, 3))] * 9, st.sampled_from((1, 0, 3))),
    st.lists(st.sampled_from(_DRAWS), min_size=1, max_size=2).map(tuple),
    finished=st.booleans(),
)


def _numbers(least: float, most: float) -> st.SearchStrategy[float]:
    return st.sampled_from([least, most])


policies = st.builds(
    Policy,
    name=st.just("any"),
    version=st.just("1"),
    seizure=st.builds(Seizure, categories=st.sampled_from([None, ("a", "b")]), uncategorised=st.booleans()),
    demanded=st.builds(
        Demands, self_test=st.booleans(), any_time_result=st.booleans(), hash_set_days=st.sampled_from([1, 30, 3650])
    ),
    reach=st.builds(
        Reach,
        least_percent=_numbers(90.0, 100.0),
        most_pictures=st.sampled_from([0, 50, 1000]),
        confidence_percent=_numbers(95.0, 99.9),
    ),
    tolerated=st.builds(
        Tolerated,
        unreadable_bytes=st.integers(min_value=0, max_value=4),
        unreadable_items=st.integers(min_value=0, max_value=4),
        undecodable_pictures_percent=_numbers(0.0, 5.0),
        high_entropy_files=st.integers(min_value=0, max_value=4),
        limited_items=st.integers(min_value=0, max_value=4),
        empty_volumes=st.booleans(),
        undated_hash_sets=st.booleans(),
    ),
)
