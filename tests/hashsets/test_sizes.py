from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.hashset import HashSet
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS, VARIANT, Record
from triage.hashsets.sizes import Sizes

Member = Callable[[int], Record]
MakeSet = Callable[[list[Record]], HashSet]

LARGE = 1 << 40


def sizes_of(sizes: list[int], present: int = HASH_BITS["sha1"]) -> Sizes:
    made = Sizes.of(np.full(len(sizes), present, np.uint8), np.array(sizes, np.int64))
    assert made is not None
    return made


# Few records have a small map: so sizes on both sides of its bound, and at it, come often.
some_sizes = st.lists(st.integers(1, 700) | st.integers(1, LARGE), max_size=20)


@given(some_sizes, some_sizes)
def test_a_size_is_held_if_and_only_if_a_record_has_it(held: list[int], others: list[int]) -> None:
    made = sizes_of(held)
    asked = [*held, *others, *(64 * len(held) + step for step in (-1, 0, 1)), 0, -1, -64, (1 << 63) - 1]
    assert [size in made for size in asked] == [size in held for size in asked]
    assert made.holds(np.array(asked, np.int64)).tolist() == [size in held for size in asked]


def test_sizes_of_many_blocks_are_all_held() -> None:
    edges = [(1 << 26) - 1, 1 << 26, LARGE]
    held = np.concatenate([np.arange(5, 1 << 27, 500), edges])
    made = Sizes.of(np.full(len(held), HASH_BITS["md5"], np.uint8), held)
    assert made is not None
    assert made.holds(held).all()
    assert not made.holds(np.setdiff1d(held + 1, held, assume_unique=True)).any()
    assert all(size in made for size in edges)
    assert not any(size + 1 in made for size in edges[1:])
    assert len(made.holds(held[:0])) == 0


@pytest.mark.parametrize("name", DIGEST_BYTES)
@pytest.mark.parametrize("untold", [-1, 0])
@pytest.mark.parametrize("mark", [0, VARIANT])
def test_one_record_with_a_digest_and_no_size_is_enough_to_have_none(name: str, untold: int, mark: int) -> None:
    present = np.array([HASH_BITS["sha1"], HASH_BITS[name] | HASH_BITS["pdq"] | mark], np.uint8)
    assert Sizes.of(present, np.array([10, untold])) is None
    assert Sizes.of(present, np.array([10, 20])) is not None


def test_a_record_without_a_digest_needs_no_size_and_adds_none() -> None:
    present = np.array([HASH_BITS["md5"], HASH_BITS["pdq"] | VARIANT, HASH_BITS["phash"]], np.uint8)
    made = Sizes.of(present, np.array([10, -1, 30]))
    assert made is not None
    assert (10 in made, 30 in made) == (True, False)


def test_a_set_tells_its_sizes(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(1), member(200), Record(pdq=member(3).pdq, altered=True)])
    assert made.sized
    assert made.sizes is made.sizes
    assert made.sizes is not None
    assert [size in made.sizes for size in (17, 18, 19)] == [False, True, False]
    assert 20 in made.sizes


def test_a_set_of_which_one_size_is_not_told_has_none(make_set: MakeSet, member: Member) -> None:
    made = make_set([member(1), member(2)._replace(size=None)])
    assert not made.sized
    assert made.sizes is None


def test_a_content_of_which_two_sizes_are_told_leaves_the_set_without(make_set: MakeSet, member: Member) -> None:
    assert make_set([member(1), member(2), member(2)._replace(size=99)]).sizes is None


def test_where_sizes_differ_by_category_both_are_held(make_set: MakeSet, member: Member) -> None:
    sizes = make_set([member(2), member(2)._replace(size=99, category="other")]).sizes
    assert sizes is not None
    assert len(b"invented content 2") in sizes
    assert 99 in sizes


def test_a_set_without_digests_holds_no_size(make_set: MakeSet, member: Member) -> None:
    made = make_set([Record(pdq=member(1).pdq, size=7)])
    assert made.sizes is not None
    assert 7 not in made.sizes
    assert not made.sizes.holds(np.array([7])).any()
