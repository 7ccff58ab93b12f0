"""The rule for videos, over hits as the search gives them: it needs several frames, and enough of them."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.videos import FrameHits, VideoCandidate, judged

NEAR = 20


def hits(*near: Mapping[int, int]) -> list[FrameHits]:
    """Return the hits of each frame: the row of the set and its distance; a hundred rows belong to one record."""
    return [
        FrameHits(
            np.array(list(some), np.uint32),
            np.array([row // 100 for row in some], np.uint32),
            np.array(list(some.values()), np.uint32),
        )
        for some in near
    ]


def found(near: list[FrameHits], frames: int = 10) -> tuple[VideoCandidate, ...]:
    return judged(near, lambda _record: frames)


@pytest.mark.parametrize(
    ("near", "compared", "is_match"),
    [(3, 3, True), (3, 10, True), (3, 11, False), (2, 3, False), (2, 4, False), (30, 100, True), (29, 100, False)],
)
def test_thirty_per_cent_and_three_frames_at_least_must_be_near(near: int, compared: int, *, is_match: bool) -> None:
    some = hits(*[{100 + number: NEAR} for number in range(near)], *[{}] * (compared - near))
    expected = (VideoCandidate(record=1, near=near, compared=compared, distance=NEAR),) if is_match else ()
    assert found(some) == expected


def test_frames_near_to_different_videos_do_not_add_up() -> None:
    assert found(hits({100: 0}, {200: 0}, {300: 0}, {100: 0}, {200: 0})) == ()


def test_many_known_frames_near_to_one_frame_are_one() -> None:
    assert found(hits(dict.fromkeys(range(100, 140), 2), {}, {}, {})) == ()


def test_the_distance_is_the_median_of_the_best_of_each_frame() -> None:
    (one,) = found(hits({100: 30, 101: 4}, {105: 6}, {102: 31, 103: 28}, {}))
    assert (one.near, one.compared, one.distance) == (3, 4, 6)


def test_the_video_with_most_frames_near_comes_first_then_the_nearest() -> None:
    some = hits({100: 9, 200: 5, 300: 6}, {100: 9, 200: 5, 300: 6}, {100: 9, 200: 5, 300: 6}, {100: 9})
    assert [one.record for one in found(some)] == [1, 2, 3]


def test_a_video_of_one_picture_matches_only_one_that_is_all_of_that_picture() -> None:
    near = hits({100: 4, 101: 8, 102: 10})
    assert found(near, frames=3) == (VideoCandidate(record=1, near=1, compared=1, distance=4),)
    assert found(near, frames=4) == ()


def test_of_two_frames_both_must_be_near_and_all_known_ones_to_either() -> None:
    assert len(found(hits({100: 4, 101: 8}, {101: 8, 102: 10}), frames=3)) == 1
    assert found(hits({100: 4, 101: 8, 102: 10}, {}), frames=3) == ()
    assert found(hits({100: 4, 101: 8}, {101: 8}), frames=3) == ()


def test_a_row_near_to_several_variants_is_one_row() -> None:
    twice = FrameHits(np.array([100, 100], np.uint32), np.array([1, 1], np.uint32), np.array([4, 30], np.uint32))
    assert found([twice], frames=2) == ()
    assert found([twice], frames=1) == (VideoCandidate(record=1, near=1, compared=1, distance=4),)


def test_without_frames_there_is_nothing() -> None:
    assert found([]) == ()


@given(st.lists(st.dictionaries(st.integers(0, 599), st.integers(0, 31), max_size=9), max_size=9))
def test_no_match_rests_on_fewer_frames_than_the_rule_says(near: list[dict[int, int]]) -> None:
    records = [{row // 100 for row in some} for some in near]
    for one in found(hits(*near), frames=1):
        count = sum(one.record in some for some in records)
        assert one.near == count
        assert count >= min(3, len(near))
        assert 10 * count >= 3 * len(near)
