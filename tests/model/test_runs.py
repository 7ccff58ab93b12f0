"""Byte-run arithmetic against plain sets of bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.runs import ByteRun, Runs, intersect, merge, subtract, total

RUNS = st.lists(st.builds(ByteRun, st.integers(0, 60), st.integers(0, 12)), max_size=8)


def members(runs: Runs | list[ByteRun]) -> set[int]:
    return {byte for run in runs for byte in range(run.offset, run.end)}


@given(RUNS)
def test_merging_keeps_every_byte_once(runs: list[ByteRun]) -> None:
    merged = merge(runs)
    assert members(merged) == members(runs)
    assert total(merged) == len(members(runs))
    assert all(left.end < right.offset for left, right in pairwise(merged))


@given(RUNS, RUNS)
def test_intersection_and_difference_are_those_of_sets(left: list[ByteRun], right: list[ByteRun]) -> None:
    a, b = merge(left), merge(right)
    assert members(intersect(a, b)) == members(a) & members(b)
    assert members(subtract(a, b)) == members(a) - members(b)


def test_a_negative_range_is_refused() -> None:
    with pytest.raises(ValueError, match="not a byte run"):
        ByteRun(-1, 4)
