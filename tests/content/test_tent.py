import numpy as np
import pytest

from triage.content.tent import SIDE, bands_along, mirrored_bands, paired_bands

LENGTHS = [1, 5, 63, 64, 65, 127, 128, 129, 255, 512, 777, 1000, 4000, 70_001]


def box(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], window: int) -> list[float]:
    """Return the means of the windows around each value, as the paper has them: leaning ahead, cut at the ends."""
    ahead = (window + 2) // 2
    return [values[max(0, place + ahead - window) : place + ahead].mean() for place in range(len(values))]


@pytest.mark.parametrize("length", [5, 64, 100, 129, 300, 777])
def test_bands_are_two_passes_of_a_box_and_decimation(length: int) -> None:
    values = np.random.default_rng(length).random(length)
    window = -(-length // 128)
    filtered = box(np.array(box(values, window)), window)
    cells = [float(values[first : first + len(weights)] @ weights) for first, weights in bands_along(length)]
    assert cells == pytest.approx([filtered[int((cell + 0.5) * length / SIDE)] for cell in range(SIDE)], rel=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
def test_bands_lie_in_the_side_and_weigh_one(length: int) -> None:
    for bands in (bands_along(length), mirrored_bands(bands_along(length), length)):
        assert len(bands) == SIDE
        assert min(first for first, _ in bands) >= 0
        assert max(first + len(weights) for first, weights in bands) <= length
        assert [float(weights.sum()) for _, weights in bands] == pytest.approx([1] * SIDE, abs=1e-5)


def test_mirrored_bands_see_the_mirrored_side() -> None:
    values = np.random.default_rng(2).random(300).astype(np.float32)
    there = [values[::-1][first : first + len(weights)] @ weights for first, weights in bands_along(300)]
    here = [values[first : first + len(weights)] @ weights for first, weights in mirrored_bands(bands_along(300), 300)]
    assert here == pytest.approx(there, rel=1e-6)


@pytest.mark.parametrize("length", LENGTHS)
def test_pairs_are_the_bands_of_the_side_and_of_the_mirrored_one(length: int) -> None:
    side = np.random.default_rng(length).random(length).astype(np.float32)
    cells = np.array([weights @ side[first : first + weights.shape[1]] for first, weights in paired_bands(length)])
    for row, bands in zip(
        (cells[:, 0], cells[::-1, 1]), (bands_along(length), mirrored_bands(bands_along(length), length)), strict=True
    ):
        wanted = [float(side[first : first + len(weights)] @ weights) for first, weights in bands]
        assert row.tolist() == pytest.approx(wanted, rel=1e-5)
