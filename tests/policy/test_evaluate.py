import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic.facts import (
    CHANGES,
    CLEAR,
    NOTABLE,
    SAMPLED,
    TODAY,
    UNKNOWN,
    any_facts,
    clear_facts,
    covered,
    samples,
)

from triage.model.coverage import Coverage, CoverageClass
from triage.model.event import EndedBy
from triage.model.item import Outcome
from triage.model.matches import SetMatches
from triage.model.recommendation import Recommendation, Verdict
from triage.model.sampling import Stratum
from triage.model.trouble import TroubleCode
from triage.policy import evaluate
from triage.policy.facts import Facts
from triage.policy.policy import DEFAULT, Policy

# Words that would state more than a hash set can show.
NEVER_SAID = re.compile(
    r"\b(guilt\w*|innocen\w*|offen[cd]\w*|suspect\w*|crim\w*|illegal\w*|unlawful\w*|victim\w*|clean|safe|cleared)\b",
    re.IGNORECASE,
)


STATED = {TroubleCode.NOT_SEARCHED, TroubleCode.NOT_OPENED}


def recommend(facts: Facts) -> Recommendation:
    return evaluate.recommend(facts, Policy.load(DEFAULT))


def codes(recommendation: Recommendation) -> list[str]:
    return [reason.code for reason in recommendation.reasons]


def text(recommendation: Recommendation, code: str) -> str:
    return next(reason.text for reason in recommendation.reasons if reason.code == code)


def test_return_is_indicated_only_with_what_was_and_was_not_looked_at() -> None:
    given_back = recommend(CLEAR)
    assert given_back.verdict is Verdict.RETURN_INDICATED
    assert codes(given_back) == [
        "looked-at", "volume-empty", "skipped-by-rule", "unallocated-not-examined", "outside-partitions",
        "whole-files-only", "known-material-only",
    ]  # fmt: skip
    assert "1.2 megabytes (1,234,567 bytes)" in text(given_back, "unallocated-not-examined")
    assert "512 bytes" in text(given_back, "outside-partitions")
    assert "demo 3: 10 files, 4.1 kilobytes (4,096 bytes) of 1.2 megabytes" in text(given_back, "looked-at")


@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_anything_unknown_leaves_the_result_not_determined(code: str, change: dict[str, Any]) -> None:
    undecided = recommend(replace(CLEAR, **change))
    assert undecided.verdict is Verdict.NOT_DETERMINED
    assert codes(undecided)[0] == code
    assert codes(undecided)[-1] == "known-material-only"


def test_every_kind_of_trouble_has_a_rule() -> None:
    assert {code.value for code in TroubleCode} - STATED <= set(UNKNOWN)


@pytest.mark.parametrize("code", sorted(STATED))
def test_what_is_told_of_deleted_files_and_of_the_system_s_containers_is_stated(code: TroubleCode) -> None:
    stated = recommend(replace(CLEAR, troubles={code: 1_204}))
    assert stated.verdict is Verdict.RETURN_INDICATED
    assert text(stated, code).endswith(": 1,204 recorded troubles.")
    assert code not in codes(recommend(CLEAR))


@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_a_digest_match_indicates_seizure_whatever_is_unknown(code: str, change: dict[str, Any]) -> None:
    match = SetMatches(set=NOTABLE, category="A", exact=1_204)
    facts = replace(CLEAR, **change)
    seized = recommend(replace(facts, matches=(match, *facts.matches)))
    assert seized.verdict is Verdict.SEIZE_INDICATED
    assert codes(seized)[:2] == ["notable-match", code]
    assert text(seized, "notable-match") == (
        "1,204 items with a digest that is in the hash set demo, version 3, category A."
    )


def test_each_category_of_each_set_is_named() -> None:
    matches = tuple(SetMatches(set=NOTABLE, category=name, exact=1) for name in (None, "A", "B"))
    texts = [reason.text for reason in recommend(replace(CLEAR, matches=matches)).reasons[:3]]
    assert texts == [
        "1 item with a digest that is in the hash set demo, version 3.",
        "1 item with a digest that is in the hash set demo, version 3, category A.",
        "1 item with a digest that is in the hash set demo, version 3, category B.",
    ]


@pytest.mark.parametrize(
    ("exact", "uncertain", "words"),
    [
        (4, 1, "4 items (1 of them deleted) with a digest"),
        (2_000, 1_204, "2,000 items (1,204 of them deleted) with a digest"),
        (1, 1, "1 item (deleted) with a digest"),
    ],
)
def test_matches_on_deleted_items_of_uncertain_content_are_told(exact: int, uncertain: int, words: str) -> None:
    matches = (SetMatches(set=NOTABLE, exact=exact, exact_deleted=uncertain),)
    told = text(recommend(replace(CLEAR, matches=matches)), "notable-match")
    assert told == f"{words} that is in the hash set demo, version 3."


def test_pictures_that_cannot_be_compared_are_stated_with_their_number() -> None:
    facts = replace(CLEAR, incomparable_pictures=1_204)
    stated = recommend(facts)
    assert stated.verdict is Verdict.RETURN_INDICATED
    assert text(stated, "pictures-not-comparable").endswith("to be compared by appearance: 1,204 pictures.")
    assert "pictures-not-comparable" not in codes(recommend(replace(facts, sets_hold_pictures=False)))


def test_videos_without_a_frame_to_compare_are_stated() -> None:
    stated = recommend(replace(CLEAR, incomparable_videos=3))
    assert stated.verdict is Verdict.RETURN_INDICATED
    assert text(stated, "videos-not-comparable").endswith("compared by appearance: 3 videos.")


def test_files_inside_others_and_where_no_file_is_are_among_those_examined() -> None:
    facts = replace(CLEAR, files_examined=1_204, members_examined=350, carved_examined=12)
    assert "demo 3: 1,204 files, 350 of them inside others, 12 of them found where no file is, 4.1 kilobytes" in text(
        recommend(facts), "looked-at"
    )


@pytest.mark.parametrize(
    ("looked_into", "words"),
    [
        ({}, "Databases and videos were digested as whole files; "),
        ({"videos_compared": True, "shadows": True}, "Databases were digested as whole files"),
    ],
)
def test_what_the_plan_did_not_look_inside_of_is_told_and_nothing_else(looked_into: dict[str, Any], words: str) -> None:
    stated = recommend(replace(CLEAR, **looked_into))
    assert stated.verdict is Verdict.RETURN_INDICATED
    told = text(stated, "whole-files-only")
    assert told.startswith(words)
    assert ("shadow copies" in told) is not looked_into.get("shadows", False)
    assert "disk images hold was looked at" in told
    assert ("some frames were compared" in told) is looked_into.get("videos_compared", False)


def test_a_search_of_free_space_says_what_it_cannot_find() -> None:
    stated = recommend(replace(CLEAR, carved=True))
    assert stated.verdict is Verdict.RETURN_INDICATED
    assert "what lies in pieces" in text(stated, "searched-by-signature")
    assert "searched-by-signature" not in codes(recommend(CLEAR))


def test_a_sample_of_blocks_is_stated_part_by_part_with_what_it_leaves_possible() -> None:
    stated = recommend(replace(CLEAR, block_strata=(SAMPLED, replace(SAMPLED, label="space of files"))))
    assert stated.verdict is Verdict.RETURN_INDICATED
    told = [reason.text for reason in stated.reasons if reason.code == "block-sample"]
    assert [line.partition("4 KiB in ")[2].partition(" 1,000 drawn")[0] for line in told] == [
        "space that no file has", "space of files", "",
    ]  # fmt: skip
    assert "fewer than 44 (180.2 kilobytes) are blocks of known files." in told[0]
    assert "neither encrypted nor compressed" in told[2]


def test_only_blocks_of_known_files_that_are_in_no_finding_are_told_besides_the_findings() -> None:
    explained = replace(CLEAR, block_strata=(replace(SAMPLED, leads=3),))
    assert recommend(explained).verdict is Verdict.RETURN_INDICATED
    candidate = SetMatches(set=NOTABLE, unconfirmed=1)
    assert codes(recommend(replace(explained, matches=(candidate,))))[0] == "candidate-unconfirmed"
    alone = replace(explained, block_strata=(replace(SAMPLED, leads=3, alone=2), replace(SAMPLED, leads=1)))
    assert recommend(alone).verdict is Verdict.NOT_DETERMINED
    assert text(recommend(alone), "block-lead").endswith("confirm or reject: 2; a person must look into it.")


def test_a_set_may_be_of_tomorrow_where_its_publisher_is() -> None:
    assert recommend(replace(CLEAR, set_dates={NOTABLE.digest: TODAY + timedelta(days=1)})).verdict is (
        Verdict.RETURN_INDICATED
    )


def test_pictures_not_decoded_and_decoded_in_part_are_told_apart() -> None:
    told = text(recommend(replace(CLEAR, undecodable_pictures=2, damaged_pictures=1)), "pictures-undecodable")
    assert told.endswith("2 pictures not at all and 1 picture only in part, because of damage.")


def test_a_confirmed_candidate_indicates_seizure() -> None:
    seized = recommend(replace(CLEAR, matches=(SetMatches(set=NOTABLE, confirmed=1),)))
    assert (seized.verdict, codes(seized)[0]) == (Verdict.SEIZE_INDICATED, "candidate-confirmed")


def test_rejected_candidates_alone_hold_nothing_back() -> None:
    assert recommend(replace(CLEAR, matches=(SetMatches(set=NOTABLE),))).verdict is Verdict.RETURN_INDICATED


def test_a_digest_profile_is_enough_for_sets_without_pictures() -> None:
    facts = replace(CLEAR, pictures_compared=False, sets_hold_pictures=False)
    assert recommend(facts).verdict is Verdict.RETURN_INDICATED


@pytest.mark.parametrize(
    ("ended_by", "words"),
    [
        (EndedBy.END, "did not run to its end; 5 listed items not reached."),
        (EndedBy.REQUEST, "did not run to its end (stopped on request); 5 listed items not reached."),
        (EndedBy.TIME_LIMIT, "did not run to its end (the time limit was reached); 5 listed items not reached."),
        (EndedBy.ENOUGH_FOUND, "did not run to its end (enough was found); 5 listed items not reached."),
    ],
)
def test_what_stopped_a_run_is_told(ended_by: EndedBy, words: str) -> None:
    facts = replace(CLEAR, finished=False, ended_by=ended_by, coverage=covered({Outcome.NOT_REACHED: 5}))
    assert text(recommend(facts), "stopped-early") == f"The examination {words}"


def test_a_run_that_was_stopped_says_how_much_its_draws_leave_possible() -> None:
    drawn = Stratum(tier=1, label="user folders", pictures=12_400, examined=900, drawn=780, drawn_matches=0, matches=0)
    facts = replace(CLEAR, strata=(drawn, replace(drawn, label="other folders", drawn=0)))
    assert "bound" not in codes(recommend(facts))
    stopped = recommend(replace(facts, ended_by=EndedBy.TIME_LIMIT))
    assert stopped.verdict is Verdict.NOT_DETERMINED
    assert codes(stopped)[:5] == ["stopped-early", "looked-at", "bound", "bound", "bound"]
    assert [reason.text for reason in stopped.reasons[2:5]] == [
        (
            "Stopped early: of 12,400 pictures in user folders 780 drawn at random and examined showed no match; with "
            "99 % confidence fewer than 71 of the 12,400 match."
        ),
        (
            "Stopped early: of 12,400 pictures in other folders 900 were examined, none matched; no random draw was "
            "completed, so that the others are unknown."
        ),
        (
            "Those numbers are of listed files with the name of a picture and of matches with the loaded sets, "
            "unjudged candidates included; each bound holds by itself."
        ),
    ]
    assert "bound" not in codes(recommend(replace(CLEAR, ended_by=EndedBy.REQUEST)))


def test_each_rule_that_skips_is_named_with_what_it_left_out() -> None:
    coverage = covered({Outcome.SKIPPED: 18}, skipped=99, skipped_by_size=3_000_000, skipped_known=1)
    facts = replace(CLEAR, coverage=coverage, skipped_by_size=12, skipped_known=5)
    stated = recommend(facts)
    assert stated.verdict is Verdict.RETURN_INDICATED
    assert text(stated, "skipped-by-rule") == (
        "Skipped by a rule of the profile: a limit: 1 item and 99 bytes; a size that is in no loaded set: 12 items and "
        "3.0 megabytes (3,000,000 bytes); a known file, not decoded: 5 items and 1 byte."
    )
    assert recommend(replace(facts, limited_items=1)).verdict is Verdict.NOT_DETERMINED


def test_the_parts_of_a_reason_are_listed() -> None:
    facts = replace(
        CLEAR,
        source_encrypted="BitLocker",
        volumes={"encrypted": 2},
        coverage=covered({Outcome.ENCRYPTED: 1}, encrypted=3_000_000_000),
        troubles={TroubleCode.ENCRYPTED: 1},
    )
    assert text(recommend(facts), "encrypted") == (
        "Encrypted and therefore not read: the source itself (BitLocker), 2 volumes, 1 item, "
        "3.0 gigabytes (3,000,000,000 bytes) and 1 recorded trouble."
    )


SKIPS = [CoverageClass.SKIPPED, CoverageClass.SKIPPED_BY_SIZE, CoverageClass.SKIPPED_KNOWN]


@settings(deadline=None)  # a shared machine may stall
@given(
    st.one_of(any_facts, clear_facts),
    st.sampled_from([CoverageClass.UNREADABLE, CoverageClass.ENCRYPTED, CoverageClass.UNSUPPORTED]),
    st.integers(min_value=1, max_value=1 << 50),
)
def test_more_unknown_bytes_never_indicate_return(facts: Facts, name: CoverageClass, more: int) -> None:
    taken = dict(facts.coverage.bytes)
    taken[name] = taken.get(name, 0) + more
    coverage = Coverage(size=facts.coverage.size + more, bytes=taken, items=facts.coverage.items)
    assert recommend(replace(facts, coverage=coverage)).verdict is not Verdict.RETURN_INDICATED


@settings(deadline=None)  # a shared machine may stall
@given(st.one_of(any_facts, clear_facts), st.sampled_from(CHANGES))
def test_no_unknown_ever_indicates_return(facts: Facts, change: tuple[str, dict[str, Any]]) -> None:
    assert recommend(replace(facts, **{"sets_hold_pictures": True} | change[1])).verdict is not Verdict.RETURN_INDICATED


@settings(deadline=None)  # a shared machine may stall
@given(st.one_of(any_facts, clear_facts), st.sampled_from(SKIPS), st.integers(min_value=1, max_value=1 << 50), samples)
def test_work_left_out_and_samples_never_turn_a_verdict_towards_return(
    facts: Facts, name: CoverageClass, more: int, strata: tuple[Stratum, ...]
) -> None:
    taken = {**facts.coverage.bytes, name: facts.coverage.bytes.get(name, 0) + more}
    items = {**facts.coverage.items, Outcome.SKIPPED: facts.coverage.items.get(Outcome.SKIPPED, 0) + more}
    left_out = replace(
        facts,
        coverage=Coverage(size=facts.coverage.size + more, bytes=taken, items=items),
        skipped_by_size=facts.skipped_by_size + more * (name is CoverageClass.SKIPPED_BY_SIZE),
        skipped_known=facts.skipped_known + more * (name is CoverageClass.SKIPPED_KNOWN),
        strata=strata,
    )
    before = recommend(facts).verdict
    assert recommend(left_out).verdict is before
    limited = recommend(replace(left_out, limited_items=facts.limited_items + more)).verdict
    stopped = recommend(replace(left_out, finished=False)).verdict
    assert limited is stopped is (before if before is Verdict.SEIZE_INDICATED else Verdict.NOT_DETERMINED)


@settings(deadline=None)  # a shared machine may stall
@given(any_facts)
def test_every_recommendation_is_worded_with_restraint(facts: Facts) -> None:
    recommendation = recommend(facts)
    assert recommendation == recommend(facts)
    assert codes(recommendation)[-1] == "known-material-only"
    for reason in recommendation.reasons:
        assert not NEVER_SAID.search(reason.text)
        assert "\n" not in reason.text
