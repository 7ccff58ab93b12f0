"""Which blocks are read: a grid that meets every run as long as its stride, and draws that are random at any number."""

import tracemalloc
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.items.block_sample import BlockBatch, BlockSample, BlockSpace, Part, stride_for
from triage.model.blocks import BLOCK_BYTES
from triage.model.runs import ByteRun

SEED = b"seed"
SPANS = st.lists(st.tuples(st.integers(0, 3 * BLOCK_BYTES), st.integers(0, 40 * BLOCK_BYTES)), max_size=6)


STEPS = st.sampled_from([512, 1024, 2048, BLOCK_BYTES])


def laid(pairs: list[tuple[int, int]]) -> list[ByteRun]:
    """Return spans, each so many bytes after the one before."""
    spans, at = [], 0
    for gap, length in pairs:
        spans.append(ByteRun(at + gap, length))
        at = spans[-1].end
    return spans


def starts(spans: list[ByteRun], step: int) -> list[int]:
    """Return where the whole blocks of spans begin, by counting; spans that touch in step are joined."""
    found: list[int] = []
    begin, end = 0, 0
    for run in [*spans, ByteRun(1 << 60, 0)]:
        if run.offset == end and (run.offset - begin) % step == 0:
            end = run.end
            continue
        found += range(begin, end - BLOCK_BYTES + 1, step)
        begin, end = run.offset, run.end
    return found


def whole(blocks: int) -> BlockSpace:
    return BlockSpace([ByteRun(0, blocks * BLOCK_BYTES)])


def offsets(batches: list[BlockBatch]) -> list[int]:
    return list(chain.from_iterable(batch.offsets.tolist() for batch in batches))


@given(SPANS, STEPS)
def test_the_blocks_of_spans_are_numbered_in_their_order(pairs: list[tuple[int, int]], step: int) -> None:
    spans = laid(pairs)
    space = BlockSpace(reversed(spans), step=step, cut=7)
    wanted = starts(spans, step)
    assert space.size == len(wanted)
    assert space.offsets(np.arange(space.size)).tolist() == wanted
    inside = {at + part for at in wanted for part in range(0, BLOCK_BYTES, step)}
    assert space.left_bytes == 7 + sum(run.length for run in spans) - step * len(inside)


@given(SPANS, STEPS, st.integers(0, 5), st.sets(st.integers(0, 100), max_size=4))
def test_neighbours_stay_in_their_span(pairs: list[tuple[int, int]], step: int, reach: int, chosen: set[int]) -> None:
    spans = laid(pairs)
    space, wanted = BlockSpace(spans, step=step), starts(spans, step)
    some = [wanted[number] for number in sorted(chosen) if number < len(wanted)]

    def joined(one: int, other: int) -> bool:
        return all(one + step in wanted for step in range(0, other - one + 1, BLOCK_BYTES))

    near = sorted(
        at for at in wanted
        if any(
            abs(at - one) <= reach * BLOCK_BYTES and (at - one) % BLOCK_BYTES == 0 and joined(*sorted((at, one)))
            for one in some
        )
    )  # fmt: skip
    assert space.around(np.array(some, np.int64), reach).tolist() == near


@pytest.mark.parametrize("offset", [0, 600, 512 + 2 * BLOCK_BYTES])
def test_an_offset_of_no_block_is_refused(offset: int) -> None:
    space = BlockSpace([ByteRun(512, 2 * BLOCK_BYTES + 100)])
    assert space.around(np.array([512]), 0).tolist() == [512]
    with pytest.raises(ValueError, match="no block begins"):
        space.around(np.array([offset]), 1)


@given(STEPS, st.integers(BLOCK_BYTES, 400_000), st.integers(0, 700), st.binary(max_size=64))
def test_a_grid_meets_every_unbroken_content_wherever_its_cluster_lies(
    step: int, size: int, cluster: int, seed: bytes
) -> None:
    """Only blocks that lie in the content as they do in its file tell it: one of so many that begin in it."""
    end = (cluster + 8) * step + size
    sample = BlockSample(BlockSpace([ByteRun(0, end)], step=step), "all", seed=seed, stride=stride_for(size))
    grid = np.array(offsets(list(sample.grid_batches())), np.int64) - cluster * step
    assert ((grid >= 0) & (grid % BLOCK_BYTES == 0) & (grid + BLOCK_BYTES <= size)).any()


def test_blocks_cannot_begin_at_steps_that_fall_out_of_line() -> None:
    for step in (0, 1000, 8192):
        with pytest.raises(ValueError, match=f"every {step} bytes"):
            BlockSpace([], step=step)


def test_spans_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        BlockSpace([ByteRun(0, 5000), ByteRun(4096, 5000)])


@settings(max_examples=60)
@given(st.integers(0, 700), st.none() | st.integers(1, 300), st.binary(max_size=64), st.integers(1, 90))
def test_grid_and_draws_together_are_every_block_once(size: int, stride: int | None, seed: bytes, batch: int) -> None:
    sample = BlockSample(whole(size), "all", seed=seed, stride=stride)
    batches = list(sample.batches(size, batch))
    assert sorted(offsets(batches)) == [number * BLOCK_BYTES for number in range(size)]
    assert all(0 < len(one.offsets) <= batch and (np.diff(one.offsets) > 0).all() for one in batches)
    grid = [one for one in batches if one.part is Part.GRID]
    assert len(offsets(grid)) == sample.grid == size - sample.others
    for part in Part:
        counts = np.cumsum([len(one.offsets) for one in batches if one.part is part])
        assert [one.done for one in batches if one.part is part] == counts.tolist()
    if stride is not None:
        numbers = sorted(at // BLOCK_BYTES for at in offsets(grid))
        assert all(after - before == stride for before, after in pairwise(numbers))
        assert all(run < stride for run in np.diff([-1, *numbers, size]) - 1)


def test_a_grid_stopped_early_meets_every_longer_run() -> None:
    sample = BlockSample(whole(100_000), "all", seed=SEED, stride=10)
    first, second = list(sample.grid_batches(1000))[:2]
    assert np.diff(first.offsets).max() == 256 * 10 * BLOCK_BYTES
    both = np.sort(np.concatenate([first.offsets, second.offsets]))
    assert np.diff(both).max() == 128 * 10 * BLOCK_BYTES


def test_draws_do_not_depend_on_how_they_are_parted() -> None:
    sample = BlockSample(whole(5000), "all", seed=SEED, stride=7)
    at_once = set(offsets(list(sample.draw_batches(0, 900))))
    parts = [offsets(list(sample.draw_batches(start, start + 100, 30))) for start in range(0, 900, 100)]
    assert set(chain.from_iterable(parts)) == at_once
    assert len(at_once) == 900


def test_strata_and_seeds_have_samples_of_their_own() -> None:
    drawn = {
        tuple(offsets(list(BlockSample(whole(5000), name, seed=seed, stride=None).draw_batches(0, 9))))
        for name in ("allocated", "unallocated")
        for seed in (b"1", b"2")
    }
    assert len(drawn) == 4


def test_the_sample_of_a_large_device_takes_little_memory() -> None:
    space = BlockSpace(ByteRun(number * (8 << 20), 4 << 20) for number in range(100_000))
    sample = BlockSample(space, "unallocated", seed=SEED, stride=stride_for(20 << 20))
    tracemalloc.start()
    try:
        read = sum(len(batch.offsets) for batch in sample.batches(20_000))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert read == sample.grid + 20_000
    assert sample.grid == pytest.approx(space.size / 5119, abs=1)


def test_a_content_meets_a_grid_of_its_whole_blocks() -> None:
    assert [stride_for(size) for size in (4096, 8191, 8192, 20 << 20)] == [1, 1, 1, 5119]
    with pytest.raises(ValueError, match="no block"):
        stride_for(4095)
    with pytest.raises(ValueError, match="no grid"):
        BlockSample(whole(5), "all", seed=SEED, stride=0)
