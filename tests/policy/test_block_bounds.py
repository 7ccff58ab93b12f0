"""What a clean sample of blocks proves: never less than the exact arithmetic, and as often as is said."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.block_sample import BlockSample, BlockSpace
from triage.model.blocks import BLOCK_BYTES, BlockStratum
from triage.model.runs import ByteRun
from triage.policy import block_bounds as module
from triage.policy.block_bounds import block_bound, block_bounds, blocks_needed, blocks_told, quick_bound
from triage.policy.sampling import CONFIDENCES, bound

TARGET = 20 << 20
SOME = BlockStratum(label="unallocated space", blocks=7_812_500, grid=0, grid_read=0, drawn=7_022)


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
def test_the_published_draws_are_what_is_needed_and_what_the_quick_bound_turns_on(
    size: int, confidence: float, draws: int
) -> None:
    blocks = size // BLOCK_BYTES
    assert blocks_needed(blocks, TARGET, confidence) == draws
    assert [quick_bound(blocks, some, confidence) for some in (draws - 1, draws)] == [5120, 5119]


@given(st.integers(1, 3000), st.integers(0, 3000), st.sampled_from([*CONFIDENCES, Fraction(1, 2)]))
def test_the_quick_bound_is_never_less_than_the_exact_one(size: int, some: int, confidence: float | Fraction) -> None:
    drawn = min(size, some)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EXACT", 1)
        quick = quick_bound(size, drawn, confidence)
    assert 0 <= quick - bound(size, drawn, confidence) <= 1


def test_the_quick_bound_refuses_what_the_exact_one_refuses() -> None:
    for drawn, confidence in ((5001, 0.99), (-1, 0.99), (2000, 1.0), (2000, 0.0)):
        with pytest.raises(ValueError, match="no bound"):
            quick_bound(5000, drawn, confidence)


def test_what_is_needed_is_never_more_than_there_is() -> None:
    assert blocks_needed(10, 4096, 0.99) == 10
    assert blocks_needed(10, TARGET, 0.99) == 1
    assert blocks_needed(0, TARGET, 0.99) == 0
    with pytest.raises(ValueError, match="what is not there"):
        blocks_needed(10, 4095, 0.99)


@pytest.mark.parametrize(
    ("population", "known", "confidence"),
    [(2_000, 50, 0.95), (4_000, 100, 0.99), (8_000, 160, 0.99), (4_000, 100, 0.999)],
)
def test_a_thousand_seeded_samples_miss_as_seldom_as_is_said(population: int, known: int, confidence: float) -> None:
    """Of content in one run, and of content scattered evenly."""
    space = BlockSpace([ByteRun(0, population * BLOCK_BYTES)])
    draws = blocks_needed(population, known * BLOCK_BYTES, confidence)
    rounds, missed = 1000, np.zeros(2, np.int64)
    for seed in range(rounds):
        sample = BlockSample(space, "all", seed=seed.to_bytes(4), stride=None)
        (batch,) = sample.draw_batches(0, draws)
        numbers = batch.offsets // BLOCK_BYTES
        start = seed * 7919 % (population - known)
        one_run = (numbers >= start) & (numbers < start + known)
        scattered = numbers % (population // known) == 1
        missed += (not one_run.any(), not scattered.any())
    doubt = 1 - confidence
    deviation = (doubt * confidence / rounds) ** 0.5
    assert (abs(missed / rounds - doubt) <= 3 * deviation).all()


def test_the_bound_of_a_stratum_adds_what_is_left_of_the_grid() -> None:
    one = replace(SOME, grid=1526, grid_read=1000)
    others = 7_812_500 - 1526
    assert block_bound(one, 0.99) == 526 + bound(others, 7022, 0.99)
    assert block_bound(replace(one, grid_read=1526), 0.99) == bound(others, 7022, 0.99)
    assert block_bound(replace(one, grid_read=1526, drawn=others), 0.99) == 0
    assert block_bound(replace(one, drawn=0, grid_read=0), 0.99) == SOME.blocks


def test_blocks_that_could_not_be_read_are_neither_drawn_nor_covered() -> None:
    one = replace(SOME, drawn_unreadable=22)
    assert block_bound(one, 0.99) == bound(7_812_500 - 22, 7_000, 0.99)


def test_there_is_no_bound_where_known_blocks_were_found() -> None:
    given = block_bounds([SOME, replace(SOME, leads=1)])
    assert given[SOME] == {level: bound(SOME.blocks, SOME.drawn, level) for level in CONFIDENCES}
    assert given[replace(SOME, leads=1)] is None


OF_ALL = "of 7,812,500 blocks of 4 KiB in unallocated space"
NOT_COVERED = "3 could not be read: not covered; 9 bytes make no whole block: not covered"
CLEAN = "showed no block of a known file; with 99 % confidence fewer than"


@pytest.mark.parametrize(
    ("one", "clause"),
    [
        (SOME, f"{OF_ALL} 7,022 drawn at random {CLEAN} 5,120 (21.0 megabytes) are blocks of known files"),
        (replace(SOME, leads=2), f"{OF_ALL} 7,022 were read: 2 of them are blocks of known files"),
        (
            replace(SOME, leads=2, alone=1),
            f"{OF_ALL} 7,022 were read: 2 of them are blocks of known files, 1 of these in no finding",
        ),
        (
            replace(SOME, drawn=0, grid=8, grid_read=5),
            f"{OF_ALL} none drawn at random and 5 on a grid were read: what the others hold is unknown",
        ),
        (
            replace(SOME, drawn=7_812_500, drawn_unreadable=3, left_bytes=9),
            f"{OF_ALL} all were read: none is a block of a known file; {NOT_COVERED}",
        ),
    ],
)
def test_what_can_be_said_is_worded(one: BlockStratum, clause: str) -> None:
    assert list(blocks_told([one])) == [clause]
