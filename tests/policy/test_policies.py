"""What a policy decides: each of its values turns a verdict, and none makes what is worse look better."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic.facts import CHANGES, CLEAR, NOTABLE, SAMPLED, TODAY, any_facts, covered, nearly_clear_facts, policies

from triage.model.coverage import CoverageClass
from triage.model.event import EndedBy
from triage.model.item import Outcome
from triage.model.matches import SetMatches
from triage.model.recommendation import Verdict
from triage.model.sampling import Stratum
from triage.model.trouble import TroubleCode
from triage.policy.evaluate import recommend
from triage.policy.facts import Facts
from triage.policy.policy import SHIPPED, Demands, Policy, Reach, Seizure, Tolerated

PLAIN = Policy(name="plain", version="1", demanded=Demands(self_test=False), tolerated=Tolerated(empty_volumes=True))
DRAWN = Stratum(tier=1, label="X", pictures=1000, examined=500, drawn=400, drawn_matches=0, matches=0)
UNREAD = covered({Outcome.UNREADABLE: 1}, unreadable=40)
STOPPED = replace(
    CLEAR,
    finished=False,
    ended_by=EndedBy.TIME_LIMIT,
    coverage=covered({Outcome.NOT_REACHED: 500}, not_examined=9999),
    strata=(DRAWN,),
)
ANY_TIME = replace(PLAIN, demanded=replace(PLAIN.demanded, any_time_result=True), reach=Reach(most_pictures=8))


def tolerating(**numbers: Any) -> Policy:
    return replace(PLAIN, tolerated=replace(PLAIN.tolerated, **numbers), reach=Reach(least_percent=98.0))


def changed(**coverage: Any) -> Facts:
    return replace(CLEAR, coverage=covered(**coverage))


NOISE = replace(
    CLEAR, coverage=covered({Outcome.ENCRYPTED: 1}, encrypted=40), high_entropy_files=1, high_entropy_bytes=40
)
LIMITED = replace(CLEAR, coverage=covered({Outcome.SKIPPED: 1}, skipped=40), limited_items=1)
UNDECODABLE = replace(CLEAR, undecodable_pictures=1, damaged_pictures=1, pictures=100)
MEMBERS = replace(
    CLEAR, coverage=covered({Outcome.UNREADABLE: 2}), members_opened=True, files_examined=9, members_examined=7
)
OLD = replace(CLEAR, set_dates={NOTABLE.digest: TODAY - timedelta(days=31)})

# The facts, the code, and two policies: one that leaves the result open, and one that does not for this very reason.
TURNED: list[tuple[Facts, str, Policy, Policy]] = [
    (replace(CLEAR, coverage=UNREAD), "unreadable", tolerating(unreadable_items=1, unreadable_bytes=39),
     tolerating(unreadable_items=1, unreadable_bytes=40)),
    (replace(CLEAR, coverage=UNREAD), "unreadable", tolerating(unreadable_bytes=40),
     tolerating(unreadable_items=1, unreadable_bytes=40)),
    (NOISE, "high-entropy", tolerating(), tolerating(high_entropy_files=1)),
    (LIMITED, "limit", tolerating(), tolerating(limited_items=1)),
    (UNDECODABLE, "pictures-undecodable", tolerating(undecodable_pictures_percent=1.9),
     tolerating(undecodable_pictures_percent=2.0)),
    (CLEAR, "volume-empty", tolerating(empty_volumes=False), PLAIN),
    (replace(CLEAR, set_dates={}), "hash-set-undated", PLAIN, tolerating(undated_hash_sets=True)),
    (replace(CLEAR, examined_on=None), "hash-set-undated", PLAIN, tolerating(undated_hash_sets=True)),
    (replace(CLEAR, self_test_passed=None), "self-test-missing", replace(PLAIN, demanded=Demands()), PLAIN),
    (changed(not_examined=40), "not-examined", PLAIN, tolerating()),
    (MEMBERS, "unreadable", tolerating(unreadable_items=1), tolerating(unreadable_items=2)),
    (replace(NOISE, coverage=covered({Outcome.ENCRYPTED: 2}, encrypted=40), high_entropy_files=2), "high-entropy",
     tolerating(high_entropy_files=1), tolerating(high_entropy_files=2)),
    (STOPPED, "stopped-early", PLAIN, ANY_TIME),
    (STOPPED, "stopped-early", replace(ANY_TIME, reach=Reach(most_pictures=7)), ANY_TIME),
    (STOPPED, "stopped-early", replace(ANY_TIME, reach=Reach(most_pictures=8, confidence_percent=99.9)), ANY_TIME),
]  # fmt: skip


def codes(facts: Facts, policy: Policy) -> list[str]:
    return [reason.code for reason in recommend(facts, policy).reasons]


@pytest.mark.parametrize(("facts", "code", "open_policy", "tolerant"), TURNED)
def test_each_value_of_a_policy_turns_the_verdict_and_what_is_tolerated_is_stated(
    facts: Facts, code: str, open_policy: Policy, tolerant: Policy
) -> None:
    undecided = recommend(facts, open_policy)
    assert (undecided.verdict, undecided.reasons[0].code) == (Verdict.NOT_DETERMINED, code)
    returned = recommend(facts, tolerant)
    assert returned.verdict is Verdict.RETURN_INDICATED
    assert code in [reason.code for reason in returned.reasons]


def test_old_hash_sets_are_told_with_their_age() -> None:
    undecided = recommend(OLD, PLAIN)
    assert undecided.verdict is Verdict.NOT_DETERMINED
    assert undecided.reasons[0].text == "Older than the 30 days that the policy allows: demo 3 (31 days)."
    allowed = recommend(OLD, replace(PLAIN, demanded=Demands(self_test=False, hash_set_days=31)))
    assert allowed.verdict is Verdict.RETURN_INDICATED
    assert "hash-set-old" not in [reason.code for reason in allowed.reasons]


def test_what_is_tolerated_piece_by_piece_may_be_too_much_in_all() -> None:
    facts = replace(CLEAR, coverage=covered({Outcome.UNREADABLE: 1}, unreadable=84))
    undecided = recommend(facts, tolerating(unreadable_items=1, unreadable_bytes=84))
    assert undecided.verdict is Verdict.NOT_DETERMINED
    assert undecided.reasons[0].code == "coverage-low"
    assert undecided.reasons[0].text == (
        "Of the bytes of files 97.990 % were examined or left out by a rule that knows what it leaves out; the policy "
        "asks for 98 %."
    )


@pytest.mark.parametrize(
    "change",
    [
        {"coverage": covered({Outcome.ENCRYPTED: 2}, encrypted=40)},
        {"coverage": covered({Outcome.ENCRYPTED: 1}, encrypted=80)},
    ],
)
def test_what_is_encrypted_beside_files_of_noise_is_never_tolerated(change: dict[str, Any]) -> None:
    undecided = recommend(replace(NOISE, **change), tolerating(high_entropy_files=1))
    assert (undecided.verdict, undecided.reasons[0].code) == (Verdict.NOT_DETERMINED, "encrypted")


def test_bytes_of_noise_without_a_number_of_files_are_not_tolerated() -> None:
    facts = replace(NOISE, coverage=covered(encrypted=40), high_entropy_files=0)
    undecided = recommend(facts, tolerating(high_entropy_files=1))
    assert (undecided.verdict, undecided.reasons[0].code) == (Verdict.NOT_DETERMINED, "high-entropy")


def test_what_a_limit_left_out_is_missing_and_what_a_rule_left_out_is_not() -> None:
    much = replace(LIMITED, coverage=covered({Outcome.SKIPPED: 1}, skipped=100))
    assert recommend(much, tolerating(limited_items=1)).reasons[0].code == "coverage-low"
    assert recommend(changed(not_examined=100), tolerating()).verdict is Verdict.NOT_DETERMINED
    for known in ("skipped_by_size", "skipped_known", "unallocated_examined"):
        facts = changed(not_examined=100, **{known: 1000})
        assert recommend(facts, tolerating()).verdict is Verdict.RETURN_INDICATED


@pytest.mark.parametrize(
    "change",
    [
        {"ended_by": EndedBy.ERROR},
        {"unlisted_volumes": 1},
        {"unlisted_volumes": None},
        {"strata": ()},
        {"strata": (DRAWN, replace(DRAWN, drawn=0))},
        {"strata": (replace(DRAWN, drawn_matches=1, matches=1),)},
        {"strata": (replace(DRAWN, not_covered=1),)},
        {"strata": (DRAWN, DRAWN)},
        {"containers_waiting": 1},
    ],
)
def test_draws_serve_only_where_they_say_something_of_everything_listed(change: dict[str, Any]) -> None:
    assert recommend(STOPPED, ANY_TIME).verdict is Verdict.RETURN_INDICATED
    assert recommend(replace(STOPPED, **change), ANY_TIME).verdict is Verdict.NOT_DETERMINED


def test_a_match_in_a_category_that_the_policy_does_not_name_is_for_a_person() -> None:
    policy = replace(PLAIN, seizure=Seizure(categories=("a", "b"), uncategorised=False))
    for category, match in [("C", {"exact": 2, "exact_deleted": 1}), (None, {"confirmed": 1})]:
        facts = replace(CLEAR, matches=(SetMatches(set=NOTABLE, category=category, **match),))
        undecided = recommend(facts, policy)
        assert (undecided.verdict, undecided.reasons[0].code) == (Verdict.NOT_DETERMINED, "match-not-indicating")
        assert recommend(facts, PLAIN).verdict is Verdict.SEIZE_INDICATED
    named = replace(CLEAR, matches=(SetMatches(set=NOTABLE, category=" A", exact=1),))
    assert recommend(named, policy).verdict is Verdict.SEIZE_INDICATED


def test_what_recorded_trouble_keeps_back_is_never_tolerated() -> None:
    for code, policy in [
        (TroubleCode.UNREADABLE, tolerating(unreadable_items=9, unreadable_bytes=9)),
        (TroubleCode.LIMIT, tolerating(limited_items=9)),
    ]:
        assert recommend(CLEAR, policy).verdict is Verdict.RETURN_INDICATED
        assert recommend(replace(CLEAR, troubles={code: 1}), policy).verdict is Verdict.NOT_DETERMINED


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_every_unknown_is_open_under_every_shipped_policy(name: str, code: str, change: dict[str, Any]) -> None:
    facts = replace(CLEAR, volumes={"read": 1})
    assert recommend(facts, Policy.load(name)).verdict is Verdict.RETURN_INDICATED
    undecided = recommend(replace(facts, **change), Policy.load(name))
    assert (undecided.verdict, undecided.reasons[0].code) == (Verdict.NOT_DETERMINED, code)


def outcome(of: Outcome) -> Callable[[Facts], Facts]:
    def worse(facts: Facts) -> Facts:
        items = {**facts.coverage.items, of: facts.coverage.items.get(of, 0) + 1}
        return replace(facts, coverage=replace(facts.coverage, items=items))

    return worse


def byte(of: CoverageClass) -> Callable[[Facts], Facts]:
    def worse(facts: Facts) -> Facts:
        taken = {**facts.coverage.bytes, of: facts.coverage.bytes.get(of, 0) + 1}
        return replace(facts, coverage=replace(facts.coverage, size=facts.coverage.size + 1, bytes=taken))

    return worse


def volume(state: str) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, volumes={**facts.volumes, state: facts.volumes.get(state, 0) + 1})


def recorded(code: TroubleCode) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, troubles={**facts.troubles, code: facts.troubles.get(code, 0) + 1})


def one_more_file_of_noise(facts: Facts) -> Facts:
    more = byte(CoverageClass.ENCRYPTED)(outcome(Outcome.ENCRYPTED)(facts))
    return replace(more, high_entropy_files=more.high_entropy_files + 1, high_entropy_bytes=more.high_entropy_bytes + 1)


def candidate(facts: Facts) -> Facts:
    return replace(facts, matches=(*facts.matches, SetMatches(set=NOTABLE, unconfirmed=1)))


def stopped_earlier(facts: Facts) -> Facts:
    """Half of what was examined and half of each draw were not come to; an error stays an error."""
    taken = dict(facts.coverage.bytes)
    left = taken.get(CoverageClass.EXAMINED, 0) // 2
    taken[CoverageClass.EXAMINED] = taken.get(CoverageClass.EXAMINED, 0) - left
    taken[CoverageClass.NOT_EXAMINED] = taken.get(CoverageClass.NOT_EXAMINED, 0) + left
    strata = tuple(
        replace(one, examined=max(one.matches, one.drawn // 2), drawn=max(one.drawn_matches, one.drawn // 2))
        for one in facts.strata
    )
    return replace(
        outcome(Outcome.NOT_REACHED)(facts),
        coverage=replace(outcome(Outcome.NOT_REACHED)(facts).coverage, bytes=taken),
        finished=False,
        ended_by=EndedBy.TIME_LIMIT if facts.ended_by is EndedBy.END else facts.ended_by,
        strata=strata,
        files_examined=facts.files_examined // 2,
    )


def older_set(facts: Facts) -> Facts:
    return replace(facts, set_dates={name: day - timedelta(days=40) for name, day in facts.set_dates.items()})


def encrypted_member(facts: Facts) -> Facts:
    """One more member that noise tells: it has no bytes of its own on the disk."""
    return replace(outcome(Outcome.ENCRYPTED)(facts), high_entropy_files=facts.high_entropy_files + 1)


def unreadable_member(facts: Facts) -> Facts:
    """Examined as far as it goes, the container being whole."""
    return replace(outcome(Outcome.UNREADABLE)(facts), members_examined=facts.members_examined + 1, members_opened=True)


WORSE: list[Callable[[Facts], Facts]] = [
    *(outcome(of) for of in Outcome if of not in {Outcome.EXAMINED, Outcome.SKIPPED}),
    *(byte(of) for of in (CoverageClass.UNREADABLE, CoverageClass.ENCRYPTED, CoverageClass.UNSUPPORTED)),
    byte(CoverageClass.NOT_EXAMINED),
    *(volume(state) for state in ("encrypted", "unsupported", "ambiguous", "no-file-system", "empty", "other")),
    *(recorded(code) for code in TroubleCode),
    one_more_file_of_noise,
    candidate,
    stopped_earlier,
    older_set,
    encrypted_member,
    unreadable_member,
    lambda facts: replace(facts, undecodable_videos=facts.undecodable_videos + 1),
    lambda facts: replace(facts, containers_waiting=facts.containers_waiting + 1),
    lambda facts: replace(facts, block_strata=(*facts.block_strata, replace(SAMPLED, leads=1, alone=1))),
    lambda facts: replace(facts, limited_items=facts.limited_items + 1),
    lambda facts: replace(facts, undecodable_pictures=facts.undecodable_pictures + 1),
    lambda facts: replace(facts, unlisted_volumes=(facts.unlisted_volumes or 0) + 1),
    lambda facts: replace(facts, self_test_passed=False),
    lambda facts: replace(facts, source_encrypted="LUKS"),
    lambda facts: replace(facts, source_troubles=(*facts.source_troubles, "the last segment is cut")),
]


@settings(deadline=None)  # a shared machine may stall
@given(st.one_of(any_facts, nearly_clear_facts), policies)
def test_what_makes_facts_worse_never_turns_a_verdict_into_return(facts: Facts, policy: Policy) -> None:
    if recommend(facts, policy).verdict is Verdict.RETURN_INDICATED:
        return
    for worse in WORSE:
        assert recommend(worse(facts), policy).verdict is not Verdict.RETURN_INDICATED


@settings(deadline=None)  # a shared machine may stall
@given(st.one_of(any_facts, nearly_clear_facts), policies)
def test_no_policy_lets_these_be_followed_by_return(facts: Facts, policy: Policy) -> None:
    for worse in (
        outcome(Outcome.ENCRYPTED), outcome(Outcome.CRASHED), outcome(Outcome.TIMED_OUT), candidate,
        volume("encrypted"), volume("unsupported"), lambda one: replace(one, containers_waiting=1),
    ):  # fmt: skip
        changed_facts = worse(replace(facts, high_entropy_files=facts.coverage.items.get(Outcome.ENCRYPTED, 0)))
        assert recommend(changed_facts, policy).verdict is not Verdict.RETURN_INDICATED


@settings(deadline=None)  # a shared machine may stall
@given(any_facts, st.sampled_from(SHIPPED), st.sampled_from([None, "A", "5"]))
def test_a_digest_match_indicates_seizure_under_every_shipped_policy(
    facts: Facts, name: str, category: str | None
) -> None:
    matched = replace(facts, matches=(*facts.matches, SetMatches(set=NOTABLE, category=category, exact=1)))
    assert recommend(matched, Policy.load(name)).verdict is Verdict.SEIZE_INDICATED


@settings(deadline=None)  # a shared machine may stall
@given(st.one_of(any_facts, nearly_clear_facts), policies)
def test_a_stricter_policy_never_turns_a_verdict_into_return(facts: Facts, policy: Policy) -> None:
    strictest = replace(
        policy,
        demanded=Demands(hash_set_days=1),
        reach=Reach(confidence_percent=99.99),
        tolerated=Tolerated(),
    )
    if recommend(facts, strictest).verdict is Verdict.RETURN_INDICATED:
        assert recommend(facts, policy).verdict is Verdict.RETURN_INDICATED
