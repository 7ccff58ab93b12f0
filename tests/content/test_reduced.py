import numpy as np
import pytest
from images.pictures import scene
from PIL import Image

from triage.content.pdq import LUMA, pdq
from triage.content.phash import phashes
from triage.content.reduced import Band, reduced_hashes
from triage.content.tent import Float

SIZE = 803, 1024


def luma_of(picture: Image.Image) -> Float:
    luma: Float = np.asarray(picture).astype(np.float32) @ LUMA
    return luma


def means(luma: Float, scale: int) -> Float:
    """Return the means of blocks, the last ones over what there is repeated."""
    rows, columns = (-length % scale for length in luma.shape)
    padded = np.pad(luma, ((0, rows), (0, columns)), mode="edge")
    blocks: Float = padded.reshape(padded.shape[0] // scale, scale, -1, scale).mean(axis=(1, 3))
    return blocks


def differ(seen: bytes, full: bytes, unknown: bytes) -> int:
    seen_bits, full_bits, masked = (int.from_bytes(value, "big") for value in (seen, full, unknown))
    return ((seen_bits ^ full_bits) & ~masked).bit_count()


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_means_of_blocks_give_the_bits_of_the_pixels(scale: int) -> None:
    picture = scene(3, SIZE)
    found = reduced_hashes(means(luma_of(picture), scale), SIZE[1], SIZE[0], scale)
    full = pdq(np.asarray(picture))
    triples = list(zip(found.pdq, full.variants, found.pdq_unknown, strict=True))
    assert max(differ(*triple) for triple in triples) == 0
    assert max(differ(seen, wanted, b"") for seen, wanted, _ in triples) <= 2 * (scale > 1)
    small = [bytes.fromhex(value) for value in phashes(picture)]
    assert max(differ(*triple) for triple in zip(found.phash, small, found.phash_unknown, strict=True)) == 0
    assert abs(found.quality - full.quality) <= 1
    assert found.span == pytest.approx(full.span, abs=1)


def test_a_thumbnail_is_hashed_with_the_filter_of_the_picture() -> None:
    picture = scene(9, (2000, 1500))
    small = picture.resize((160, 120), Image.Resampling.BOX)
    full = pdq(np.asarray(picture)).variants[0]
    by_original = reduced_hashes(luma_of(small), 1500, 2000).pdq[0]
    assert differ(by_original, full, b"") <= 8
    assert differ(by_original, full, b"") < differ(pdq(np.asarray(small)).hash, full, b"")


def test_rough_pictures_have_more_unknown_bits() -> None:
    smooth = luma_of(scene(3, SIZE))
    rough = smooth + np.random.default_rng(1).normal(0, 60, smooth.shape).astype(np.float32)
    seen = [reduced_hashes(means(luma, 2), SIZE[1], SIZE[0], 2) for luma in (smooth, rough)]
    assert seen[0].roughness * 2 < seen[1].roughness
    unknown = [int.from_bytes(found.pdq_unknown[0], "big").bit_count() for found in seen]
    assert unknown[0] < unknown[1]


def test_the_band_is_the_root_of_the_sum_of_squares() -> None:
    assert Band(3, 0, 0, 0).width(2, 0.5, 7) == 6
    assert Band(0, 4, 6, 0).width(9, 0.5, 7) == 5
    assert Band(0, 0, 0, 0.5).width(9, 0.5, 7) == 3.5
