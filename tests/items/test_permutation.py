"""An order that takes no memory holds every number once, and any part of it looks drawn at random."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.items.permutation import MOST, Permutation


@given(st.integers(0, 300), st.binary(max_size=64), st.integers(20, 90))
def test_every_number_is_met_once_whatever_the_pieces(size: int, seed: bytes, piece: int) -> None:
    order = Permutation(size, seed)
    whole = order.numbers(0, size)
    assert sorted(whole.tolist()) == list(range(size))
    pieces = [order.numbers(start, start + piece) for start in range(0, size, piece)]
    assert np.concatenate([np.empty(0, np.int64), *pieces]).tolist() == whole.tolist()
    assert order.numbers(size, size + 5).tolist() == []


def test_seeds_and_sizes_give_orders_of_their_own() -> None:
    orders = [Permutation(1000, b"a"), Permutation(1000, b"b"), Permutation(1001, b"a")]
    assert len({tuple(one.numbers(0, 20).tolist()) for one in orders}) == 3
    assert Permutation(1000, b"a").numbers(0, 20).tolist() == orders[0].numbers(0, 20).tolist()


@pytest.mark.parametrize("size", [MOST, (1 << 30) + 1, (1 << 31) - 1])
def test_the_first_numbers_of_a_large_order_are_different_and_spread(size: int) -> None:
    numbers = Permutation(size, b"seed").numbers(0, 100_000)
    assert len(np.unique(numbers)) == 100_000
    counts = np.bincount(numbers // -(-size // 64), minlength=64)
    chi_square = float(((counts - 100_000 / 64) ** 2).sum() / (100_000 / 64))
    assert chi_square < 63 + 5 * (2 * 63) ** 0.5


def test_each_number_comes_first_about_as_often_over_many_seeds() -> None:
    first = [int(Permutation(5, seed.to_bytes(4)).numbers(0, 1)[0]) for seed in range(2000)]
    assert all(abs(first.count(number) - 400) < 4 * (2000 * 0.2 * 0.8) ** 0.5 for number in range(5))


@pytest.mark.parametrize("size", [-1, MOST + 1])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="no order of"):
        Permutation(size, b"")
