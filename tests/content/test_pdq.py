import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from suite import Corpus

from triage.content.pdq import Pixels, pdq, pdq_of_rows

# (picture, its size, distance in bits to the published hash, quality): the table of docs/pdq.md
PUBLISHED = [
    ("aaa-orig.jpg", (1600, 1004), 6, 100),
    ("blur-a-little.jpg", (1600, 1004), 6, 100),
    ("blur-a-lot.jpg", (1600, 1004), 4, 100),
    ("c.png", (1432, 812), 10, 100),
    ("high-contrast.jpg", (1600, 1004), 4, 100),
    ("high-saturation.jpg", (1600, 1004), 6, 100),
    ("sharpen-a-little.jpg", (1600, 1004), 4, 100),
    ("sharpen-a-lot.jpg", (1600, 1004), 8, 100),
    ("shrink-a-little.jpg", (1152, 723), 2, 100),
    ("shrink-a-lot.jpg", (160, 100), 0, 100),
    ("small.jpg", (224, 399), 0, 0),
    ("square-128x128.jpg", (128, 128), 0, 100),
    ("square-256x256.jpg", (256, 256), 0, 100),
    ("square-512x512.jpg", (512, 512), 0, 100),
    ("wee.jpg", (34, 42), 0, 100),
]
# What the reference implementation (the authors' C++ code) gives for the same decoded pixels.
REFERENCE = {
    "aaa-orig.jpg": "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
    "sharpen-a-lot.jpg": "d8f8f0cec0f4a84f8e370a22038f67f0b36a2ed597231e1d72e6b39c4a9c9b22",
    "c.png": "e64cc9d91c623882f8d1f1d9a398e78c9f199b3bd83924f2b7e11e0bf861b064",
    "wee.jpg": "6227401f601ff4ccafcc9fad4b0d95d371a2eb7265a3285234d228ca94deeb2d",
    "small.jpg": "0007001f003f003f007f00ff00ff00ff01ff01ff01ff03ff03ff03ff03ff03ff",
}
TURNED = [
    "1-original",
    "2-rotate-90",
    "3-rotate-180",
    "4-rotate-270",
    "5-flipx",
    "6-flipy",
    "7-flip-plus-1",
    "8-flip-minus-1",
]


def distance(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).bit_count()


def pixels(path: Any) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def scene(seed: int, width: int, height: int) -> Pixels:
    """A picture with structure at many scales, different for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def published(corpus: Corpus) -> dict[str, bytes]:
    with corpus.path("pdq/PDQMD5TestData.csv").open() as file:
        rows = [(row["FilePath"].rsplit("/", 1)[-1], row["Hash"]) for row in csv.DictReader(file)]
    return {name: bytes.fromhex(text) for name, text in rows if len(text) == 64}


@pytest.mark.parametrize(("name", "size", "bits", "quality"), PUBLISHED)
def test_reference_pictures_agree_with_their_published_hash(
    corpus: Corpus, name: str, size: tuple[int, int], bits: int, quality: int
) -> None:
    picture = pixels(corpus.path(f"pdq/{name}"))
    result = pdq(picture)
    assert picture.shape == (size[1], size[0], 3)
    assert distance(result.hash, published(corpus)[name]) == bits <= 10
    assert result.quality == quality


def test_every_published_picture_at_hand_is_in_the_table(corpus: Corpus) -> None:
    at_hand = {name for name in published(corpus) if corpus.path(f"pdq/{name}").exists()}
    assert at_hand == {name for name, *_ in PUBLISHED}


def test_the_documented_table_is_the_tested_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "pdq.md").read_text()
    for name, (width, height), bits, quality in PUBLISHED:
        assert f"| {name} | {width} x {height} | {bits} | {quality} |" in text


@pytest.mark.parametrize(("name", "text"), REFERENCE.items())
def test_the_reference_implementation_gives_the_same_bits(corpus: Corpus, name: str, text: str) -> None:
    assert pdq(pixels(corpus.path(f"pdq/{name}"))).hash.hex() == text


def test_the_variants_of_a_picture_are_its_published_turns(corpus: Corpus) -> None:
    original = pdq(pixels(corpus.path("pdq/dih_bridge-1-original.jpg")))
    for variant, name in zip(original.variants, TURNED, strict=True):
        turned = pdq(pixels(corpus.path(f"pdq/dih_bridge-{name}.jpg")))
        assert distance(variant, turned.hash) <= 4, name


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), width=st.integers(64, 700), height=st.integers(64, 700))
def test_variants_are_the_hashes_of_the_turned_picture(seed: int, width: int, height: int) -> None:
    picture = scene(seed, width, height)
    variants = pdq(picture).variants
    turned = [np.rot90(picture, quarter) for quarter in range(4)]
    turned += [picture[::-1], picture[:, ::-1], picture.transpose(1, 0, 2), picture[::-1, ::-1].transpose(1, 0, 2)]
    distances = [
        distance(variant, pdq(np.ascontiguousarray(other)).hash)
        for variant, other in zip(variants, turned, strict=True)
    ]
    assert distances[0] == 0
    assert max(distances) <= 4  # coefficients that equal the median but for rounding


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1 << 30), width=st.integers(5, 200), height=st.integers(5, 200))
def test_reading_by_rows_is_the_same(seed: int, width: int, height: int) -> None:
    picture = scene(seed, width, height)
    asked: list[tuple[int, int]] = []

    def read(first: int, last: int) -> Pixels:
        asked.append((first, last))
        return picture[first:last]

    assert pdq_of_rows(read, height, width) == pdq(picture)
    assert all(0 <= first < last <= height for first, last in asked)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1 << 30), width=st.integers(5, 160), height=st.integers(5, 160))
def test_the_filter_is_two_box_passes_and_a_decimation(seed: int, width: int, height: int) -> None:
    """Against the description carried out step by step: slow, and in double precision."""
    picture = scene(seed, width, height)
    luma = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    for _ in range(2):
        luma = boxed(boxed(luma).T).T
    rows = [int((cell + 0.5) * height / 64) for cell in range(64)]
    columns = [int((cell + 0.5) * width / 64) for cell in range(64)]
    small = luma[np.ix_(rows, columns)]
    assert pdq(picture).span == pytest.approx(np.ptp(small), abs=1e-2)


def boxed(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A running mean along the last axis, the window 1/128 of it, rounded up."""
    length = values.shape[1]
    window = -(-length // 128)
    ahead = (window + 2) // 2
    means = [values[:, max(0, at - (window - ahead)) : at + ahead].mean(axis=1) for at in range(length)]
    return np.stack(means, axis=1)


def test_a_hash_of_a_structured_picture_is_half_ones() -> None:
    result = pdq(scene(1, 300, 200))
    assert result.quality == 100
    assert all(int.from_bytes(variant, "big").bit_count() == 128 for variant in result.variants)


def test_a_negative_has_the_opposite_bits_but_one() -> None:
    picture = scene(2, 256, 256)
    assert distance(pdq(picture).hash, pdq(255 - picture).hash) >= 254


def test_one_colour_has_no_quality_and_no_span() -> None:
    result = pdq(np.full((200, 300, 3), 90, dtype=np.uint8))
    assert result.quality == 0
    assert result.span < 0.01


def test_a_hostile_side_is_hashed_without_being_kept() -> None:
    result = pdq(np.zeros((5, 300_000, 3), dtype=np.uint8))
    assert result.quality == 0


def test_a_fourth_byte_of_a_pixel_is_ignored() -> None:
    picture = scene(8, 300, 200)
    filler = np.random.default_rng(8).integers(0, 256, (200, 300, 1), dtype=np.uint8)
    filled, plain = pdq(np.concatenate((picture, filler), axis=2)), pdq(picture)
    assert (filled.hash, filled.quality, filled.variants) == (plain.hash, plain.quality, plain.variants)
    assert filled.span == pytest.approx(plain.span, rel=1e-6)


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 2), (0, 10, 3), (10, 0, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a picture"):
        pdq(np.zeros(shape, dtype=np.uint8))
