import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from triage.content.phash import phashes

TURNS = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)


def scene(width: int, height: int, seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@settings(max_examples=25)
@given(width=st.integers(1, 500), height=st.integers(1, 500), seed=st.integers(0, 1 << 30))
def test_the_upright_hash_is_that_of_imagehash(width: int, height: int, seed: int) -> None:
    picture = scene(width, height, seed)
    assert phashes(picture)[0] == str(imagehash.phash(picture))


@settings(max_examples=25)
@given(width=st.integers(32, 500), height=st.integers(32, 500), seed=st.integers(0, 1 << 30))
def test_the_others_are_those_of_the_picture_turned(width: int, height: int, seed: int) -> None:
    picture = scene(width, height, seed)
    variants = phashes(picture)
    assert len(variants) == 8
    for variant, turn in zip(variants[1:], TURNS, strict=True):
        wanted = str(imagehash.phash(picture.transpose(turn)))
        assert (int(variant, 16) ^ int(wanted, 16)).bit_count() <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (32, 32)])
def test_every_shape_is_hashed(size: tuple[int, int]) -> None:
    assert {len(variant) for variant in phashes(scene(*size, seed=1))} == {16}
