import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from triage.content.phash_lanczos import SMALL, lanczos_band, small_picture


def noise(width: int, height: int, seed: int, *, stark: bool) -> Image.Image:
    """Return noise; a stark one is black and white, and leaves the range of a level on both sides once filtered."""
    levels = np.random.default_rng(seed).integers(0, 2 if stark else 256, (height, width), dtype=np.uint8)
    return Image.fromarray(levels * np.uint8(255 if stark else 1))


def by_pillow(grey: Image.Image) -> list[list[int]]:
    pixels: list[list[int]] = np.asarray(grey.resize((SMALL, SMALL), Image.Resampling.LANCZOS)).tolist()
    return pixels


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 2500), height=st.integers(1, 1200), seed=st.integers(0, 1 << 30), stark=st.booleans())
def test_levels_are_those_of_pillow(width: int, height: int, seed: int, *, stark: bool) -> None:
    grey = noise(width, height, seed, stark=stark)
    assert small_picture(grey).tolist() == by_pillow(grey)


@pytest.mark.parametrize(
    "size",
    [(256, 1024), (255, 1200), (512, 960), (512, 961), (700, 1337), (700, 1400), (5000, 60), (16384, 20), (16385, 20)],
)
def test_also_at_the_bounds_of_what_is_left_to_pillow(size: tuple[int, int]) -> None:
    grey = noise(*size, seed=3, stark=True)
    assert small_picture(grey).tolist() == by_pillow(grey)


def test_a_coarse_pattern_that_overshoots_is_cut_off() -> None:
    bars = np.zeros((700, 900), np.uint8)
    bars[:, 300:600] = 255
    grey = Image.fromarray(bars)
    assert small_picture(grey).tolist() == by_pillow(grey)


def test_a_band_lies_in_the_side_and_weighs_one() -> None:
    for centre in (0.5, 40.0, 99.5):
        first, weights = lanczos_band(centre, 3.125, 100)
        assert first >= 0
        assert first + len(weights) <= 100
        assert weights.sum() == pytest.approx(1)
