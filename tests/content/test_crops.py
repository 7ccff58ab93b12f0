import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from synthetic import copies

from triage.content.crops import crop_hashes
from triage.content.pdq import pdq

RADIUS = 31


def scene(width: int = 800, height: int = 600, seed: int = 5) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def hashed(picture: Image.Image) -> bytes:
    return pdq(np.asarray(picture)).hash


def distance(picture: Image.Image, stored: tuple[bytes, ...]) -> int:
    value = int.from_bytes(hashed(picture), "big")
    return min((value ^ int.from_bytes(other, "big")).bit_count() for other in stored)


SIDES = ("centre", "left", "top", "right", "bottom")
CROPS = [*(f"crop {percent} % {where}" for percent in (5, 10, 20, 30) for where in SIDES), "crop to a square"]
BETWEEN = [f"crop {percent} % {where}" for percent in (8, 13, 18) for where in SIDES]


@pytest.mark.parametrize("name", CROPS)
@pytest.mark.parametrize("size", [(800, 600), (600, 800), (2600, 1300)])
def test_cropped_copies_are_found(name: str, size: tuple[int, int]) -> None:
    known = scene(*size)
    copy = copies.ALTERATIONS[name](known)
    stored = (hashed(known), *crop_hashes(known))
    assert distance(copy, stored) <= RADIUS


def test_most_crops_between_the_steps_are_found() -> None:
    known = scene()
    stored = crop_hashes(known)
    found = [name for name in BETWEEN if distance(copies.ALTERATIONS[name](known), stored) <= RADIUS]
    assert len(found) > len(BETWEEN) // 2


def test_they_are_not_found_without_the_ladder() -> None:
    known = scene()
    lost = [name for name in CROPS if distance(copies.ALTERATIONS[name](known), (hashed(known),)) > RADIUS]
    assert len(lost) > len(CROPS) * 3 // 4


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 1), (800, 600)), ((1, 1), (600, 800)), ((16, 9), (800, 600)), ((9, 16), (600, 800))]
)
def test_the_shapes_that_programs_crop_to_are_on_the_ladder(shape: tuple[int, int], size: tuple[int, int]) -> None:
    known = scene(*size)
    share = min(size[0] / shape[0], size[1] / shape[1])
    copy = ImageOps.fit(known, (round(share * shape[0]), round(share * shape[1])))
    assert distance(copy, crop_hashes(known)) <= RADIUS


def test_unrelated_pictures_are_far_from_the_whole_ladder() -> None:
    stored = crop_hashes(scene())
    assert min(distance(scene(seed=seed), stored) for seed in range(100, 140)) > 2 * RADIUS


def test_a_known_picture_is_found_inside_its_borders() -> None:
    picture = scene()
    framed = ImageOps.expand(picture, 60, "white")
    assert distance(picture, (hashed(framed),)) > RADIUS
    assert distance(picture, crop_hashes(framed)) <= RADIUS


@settings(max_examples=10)
@given(width=st.integers(64, 900), height=st.integers(64, 900), seed=st.integers(0, 1 << 30))
def test_the_ladder_is_short_and_says_nothing_twice(width: int, height: int, seed: int) -> None:
    stored = crop_hashes(scene(width, height, seed))
    assert len(set(stored)) == len(stored) <= 41
    assert {len(value) for value in stored} <= {32}


def test_the_ladder_is_the_same_every_time() -> None:
    assert crop_hashes(scene()) == crop_hashes(scene())
    assert len(crop_hashes(scene())) == 40


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (60, 60), (63, 5000)])
def test_crops_of_a_small_picture_are_left_out(size: tuple[int, int]) -> None:
    assert crop_hashes(scene(*size)) == ()


def test_crops_without_content_are_left_out() -> None:
    assert crop_hashes(Image.new("RGB", (800, 600), "teal")) == ()
    half_plain = scene()
    half_plain.paste((90, 90, 90), (0, 60, 800, 600))
    assert len(crop_hashes(half_plain)) < 40
