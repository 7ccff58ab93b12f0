"""What a random draw proves: by simulation, by counting, and against a published table."""

import random
from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.order import Order
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.sampling import Stratum
from triage.policy.sampling import CONFIDENCES, DrawClass, bound, bounds, draws_needed, most_in_all, stratum, told

SOME = Stratum(
    tier=1, label="user folders", pictures=12_400, examined=900, drawn=780, drawn_matches=0, matches=0, not_covered=0
)


def missed(population: int, matching: int, drawn: int) -> Fraction:
    return Fraction(comb(population - matching, drawn), comb(population, drawn))


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(CONFIDENCES))
def test_the_bound_is_the_last_number_that_counting_leaves_possible(size: int, some: int, confidence: float) -> None:
    drawn = min(size, some)
    doubt = 1 - Fraction(str(confidence))
    possible = [matching for matching in range(size - drawn + 1) if missed(size, matching, drawn) > doubt]
    assert bound(size, drawn, confidence) == max(possible)


def test_what_draws_show_at_the_edges() -> None:
    assert [bound(100, drawn, 0.99) for drawn in (0, 99, 100)] == [100, 0, 0]
    assert bound(0, 0, 0.99) == 0
    for drawn, confidence in ((101, 0.99), (-1, 0.99), (10, 1.0), (10, 0.0)):
        with pytest.raises(ValueError, match="no bound"):
            bound(100, drawn, confidence)


@pytest.mark.parametrize(
    ("size", "confidence", "draws"),
    [
        (32_000_000_000, 0.99, 7_022),
        (128_000_000_000, 0.99, 28_093),
        (500_000_000_000, 0.99, 109_745),
        (1_000_000_000_000, 0.99, 219_491),
        (4_000_000_000_000, 0.99, 877_970),
        (1_000_000_000_000, 0.999, 329_162),
    ],
)
def test_the_published_draws_for_20_mib_in_blocks_of_4_kib_are_met(size: int, confidence: float, draws: int) -> None:
    assert draws_needed(size // 4096, 5120, confidence) == draws


def test_one_draw_fewer_than_needed_leaves_the_number_possible() -> None:
    draws = draws_needed(12_400, 100, 0.99)
    assert bound(12_400, draws, 0.99) < 100 <= bound(12_400, draws - 1, 0.99)
    with pytest.raises(ValueError, match="what is not there"):
        draws_needed(12_400, 0, 0.99)


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_confidence_holds_in_two_thousand_simulated_draws(confidence: float) -> None:
    """The worst case: exactly one picture more matches than a clean draw leaves possible."""
    population, drawn, rounds = 1_000, 150, 2_000
    matching = bound(population, drawn, confidence) + 1
    lots = random.Random(7)
    clean = sum(min(lots.sample(range(population), drawn)) >= matching for _ in range(rounds))
    doubt = 1 - confidence
    assert clean / rounds <= doubt + 3 * (doubt * confidence / rounds) ** 0.5


def test_the_confidence_holds_for_the_draws_of_an_order() -> None:
    """Other seeds draw others: what is said of a folder in which 30 of 320 pictures match is seldom wrong."""
    volume = Address("volume", "0")
    pictures = [
        Item(
            address=volume.child("file", str(index)).child("path", f"/DCIM/{index}.jpg"),
            kind=ItemKind.FILE,
            path=f"DCIM/{index}.jpg",
            size=1,
            allocated=True,
            reference=str(index),
        )
        for index in range(320)
    ]
    matching, rounds, wrong = 30, 300, 0
    for seed in range(rounds):
        order = Order(seed=seed.to_bytes(4, "big"), removable=False)
        drawn = [index for index, picture in enumerate(pictures) if order.place(picture).draw != 2]
        if all(index >= matching for index in drawn):
            wrong += bound(len(pictures), len(drawn), 0.95) < matching
    assert wrong / rounds <= 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5


def test_only_classes_that_are_complete_count_as_drawn() -> None:
    done = DrawClass(pictures=50, examined=48, not_covered=2)
    begun = DrawClass(pictures=700, examined=600, matches=1)
    rest = DrawClass(pictures=12_000, examined=10, not_covered=1)
    assert stratum(1, "user folders", [done, begun, rest]) == Stratum(
        tier=1, label="user folders", pictures=12_747, examined=658, drawn=48, drawn_matches=0, matches=1, not_covered=3
    )
    assert stratum(1, "user folders", [begun, done, rest]).drawn == 0
    assert stratum(1, "user folders", [done, replace(begun, examined=700), rest]).drawn_matches == 1
    assert stratum(1, "user folders", [done]).drawn == 48


def test_there_is_no_bound_without_a_draw_or_where_the_draw_had_matches() -> None:
    undrawn, matched = replace(SOME, drawn=0), replace(SOME, drawn_matches=1, matches=1)
    given = bounds([SOME, undrawn, matched])
    assert given[undrawn] is None
    assert given[matched] is None
    assert given[SOME] == {level: bound(12_400, 780, level) for level in CONFIDENCES}


def test_what_is_known_outside_the_draw_counts() -> None:
    nearly, found = replace(SOME, examined=12_390), replace(SOME, matches=100)
    given = bounds([nearly, found])
    assert given[nearly] == dict.fromkeys(CONFIDENCES, 10)
    assert given[found] == {level: max(100, bound(12_400, 780, level)) for level in CONFIDENCES}


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 50), st.sampled_from(CONFIDENCES))
def test_a_population_taken_too_large_never_makes_the_bound_smaller(
    some: int, size: int, more: int, confidence: float
) -> None:
    drawn = min(some, size)
    assert bound(size, drawn, confidence) <= bound(size + more, drawn, confidence)


@pytest.mark.parametrize(
    "change",
    [
        {"drawn": 901},
        {"examined": 12_401},
        {"drawn_matches": 1},
        {"matches": 901},
        {"not_covered": -1},
    ],
)
def test_numbers_that_cannot_be_true_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not a sample"):
        replace(SOME, **change)  # type: ignore[arg-type] # the label is text, the numbers are what changes


OF_ALL = "of 12,400 pictures in user folders"
CLEAN = f"{OF_ALL} 780 drawn at random and examined showed no match"
BOUND = "with 99 % confidence fewer than 71 of the 12,400 match"
UNCOVERED = Stratum(tier=1, label="X", pictures=0, examined=0, drawn=0, drawn_matches=0, matches=0, not_covered=1)


@pytest.mark.parametrize(
    ("one", "clause"),
    [
        (SOME, f"{CLEAN}; {BOUND}"),
        (replace(SOME, matches=2), f"{CLEAN}; outside that draw 2 matched; {BOUND}"),
        (replace(SOME, not_covered=3), f"{CLEAN}; {BOUND}; not covered: 3 more that could not be examined"),
        (replace(SOME, matches=2, drawn_matches=1), f"{OF_ALL} 780 were drawn at random and examined, 1 matched"),
        (
            replace(SOME, drawn=0),
            f"{OF_ALL} 900 were examined, none matched; no random draw was completed, so that the others are unknown",
        ),
        (replace(SOME, examined=12_400, matches=1), f"{OF_ALL} all were examined, 1 matched"),
        (UNCOVERED, "1 picture in X could not be examined: not covered"),
    ],
)
def test_what_can_be_said_is_worded(one: Stratum, clause: str) -> None:
    assert list(told([one])) == [clause]


def test_nothing_is_said_where_there_are_no_pictures() -> None:
    assert not list(told([stratum(1, "user folders", [DrawClass()])]))


HALF = Stratum(tier=1, label="X", pictures=1000, examined=500, drawn=400, drawn_matches=0, matches=0)
WHOLE = replace(HALF, examined=1000, drawn=1000)


def test_what_all_strata_leave_possible_holds_for_all_at_once() -> None:
    assert most_in_all([HALF], 0.99) == bound(1000, 400, 0.99)
    assert most_in_all([HALF, HALF], 0.99) == 2 * bound(1000, 400, 0.995)
    assert most_in_all([HALF, WHOLE], 0.99) == bound(1000, 400, 0.99)


def test_pictures_that_were_not_covered_may_all_match() -> None:
    assert most_in_all([replace(WHOLE, not_covered=3)], 0.99) == 3
    assert most_in_all([replace(WHOLE, matches=2, drawn_matches=1)], 0.99) == 2


def test_nothing_can_be_said_of_all_where_nothing_can_be_said_of_one() -> None:
    assert most_in_all([], 0.99) is None
    assert most_in_all([WHOLE, replace(HALF, drawn=0)], 0.99) is None
    assert most_in_all([replace(HALF, drawn_matches=1, matches=1)], 0.99) is None
