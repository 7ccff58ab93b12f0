import struct
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.content.lanes_schedule import BLOCK, LANES, padding, pieces, tails

NOISE = np.random.default_rng(5).integers(0, 256, 1_000, dtype=np.uint8)
PADDED = 10**9  # where padding is, beyond all contents
SIZES = st.lists(st.integers(0, 700) | st.sampled_from([0, 55, 56, 64, 10_000, 100_000]), min_size=1, max_size=60)


@pytest.mark.parametrize("size", [0, 55, 56, 63, (1 << 29) + 1, (5 << 30) + 63, 1 << 60])
def test_the_padding_holds_the_size_in_bits_whatever_it_is(size: int) -> None:
    made = padding(NOISE[None, :BLOCK], np.array([size])).tobytes()
    tail = NOISE[: size % BLOCK].tobytes()
    whole = tail + b"\x80" + bytes(-(len(tail) + 9) % BLOCK) + struct.pack("<Q", 8 * size)
    assert made == whole.ljust(2 * BLOCK, b"\0")


@given(st.integers(0, 200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=9))
def test_the_tail_is_what_whole_blocks_leave_and_ends_with_the_arena(length: int, spans: list[tuple[int, int]]) -> None:
    arena = NOISE[:length]
    starts = np.array([min(*span, length) for span in spans], np.int64)
    sizes = np.array([min(max(span), length) for span in spans], np.int64) - starts
    for row, start, size in zip(tails(arena, starts, sizes), starts.tolist(), sizes.tolist(), strict=True):
        place = start + size - size % BLOCK
        assert row.tobytes() == arena[place : place + BLOCK].tobytes().ljust(BLOCK, b"\0")


def followed(sizes: list[int], *, ends: list[bool] | None = None) -> tuple[dict[int, list[tuple[int, int, int]]], int]:
    """Return (time, address, step) of every block of each content in the order of time, and when the last one ends."""
    starts = np.cumsum([0, *sizes])[:-1]
    seen = defaultdict(list)
    held: dict[int, tuple[int, int, int]] = {}
    now = 0
    for wait, lane, address, step, content in pieces(
        starts, np.array(sizes), PADDED + 2 * BLOCK * np.arange(len(sizes)), np.array(ends or [True] * len(sizes))
    ).tolist():
        for _ in range(wait):
            assert len(held) == LANES
            for place, (at, goes_on, number) in held.items():
                seen[number].append((now, at, goes_on))
                held[place] = at + goes_on, goes_on, number
            now += 1
        held[lane] = address, step, content
    assert [number for _, _, number in held.values()] == [0] * LANES
    return seen, now


@given(SIZES)
def test_every_content_meets_its_blocks_in_order_one_at_a_time(sizes: list[int]) -> None:
    seen, _ = followed(sizes)
    for number, size in enumerate(sizes):
        whole, last = divmod(size, BLOCK)
        start = sum(sizes[:number])
        addresses = [start + BLOCK * block for block in range(whole)]
        addresses += [PADDED + 2 * BLOCK * number + BLOCK * block for block in range(1 + (last >= 56))]
        times = [time for time, _, _ in seen[number + 1]]
        assert [address for _, address, _ in seen[number + 1]] == addresses
        assert times == sorted(set(times))
        assert [step for _, _, step in seen[number + 1]] == [BLOCK] * (len(addresses) - 1) + [0]


@given(SIZES)
def test_no_plan_could_end_sooner(sizes: list[int]) -> None:
    blocks = [(size + 9 + BLOCK - 1) // BLOCK for size in sizes]
    _, ended = followed(sizes)
    assert ended == max(*blocks, -(-sum(blocks) // LANES))


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=30))
def test_what_goes_on_another_time_has_no_padding_and_no_last_block(contents: list[tuple[int, bool]]) -> None:
    sizes, ends = [BLOCK * blocks for blocks, _ in contents], [end for _, end in contents]
    seen, ended = followed(sizes, ends=ends)
    for number, (blocks, end) in enumerate(contents):
        start = sum(sizes[:number])
        addresses = [start + BLOCK * block for block in range(blocks)]
        padded = [PADDED + 2 * BLOCK * number]
        assert [address for _, address, _ in seen[number + 1]] == addresses + padded * end
        assert [step for _, _, step in seen[number + 1]] == [BLOCK] * blocks + [0] * end
        times = [time for time, _, _ in seen[number + 1]]
        assert times == sorted(set(times))
    taken = [blocks + end for blocks, end in contents]
    assert ended == max(*taken, 0, -(-sum(taken) // LANES))
