import csv
import io
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import copies

from triage.content.content import Content
from triage.content.picture import hash_known_picture, hash_picture
from triage.model.digest import PictureHashes

PDQ_RADIUS, PHASH_RADIUS = 31, 8

# What PDQ does not survive for certain, whatever is stored beside it: benchmarks/robustness.py has the shares.
OUT_OF_REACH = {
    "logo on 2 %",
    "logo on 5 %",
    "rotate by 1 degrees",
    "rotate by 2 degrees",
    "2 x 2 collage",
    *(name for name in copies.ALTERATIONS if name.startswith(("crop 8 %", "crop 13 %", "crop 18 %"))),
    *(name for name in copies.ALTERATIONS if name.startswith("crop") and name.endswith("corner")),
}


@cache
def scene() -> Image.Image:
    """A picture with structure at many scales, of enough contrast to lose some."""
    random = np.random.default_rng(7)
    layers = np.zeros((720, 960, 3))
    for scale in (3, 5, 9, 17, 33):
        noise = Image.fromarray(random.integers(0, 256, (scale, scale + 1, 3), dtype=np.uint8))
        layers += np.asarray(noise.resize((960, 720), Image.Resampling.BICUBIC)) / scale**0.3
    layers -= layers.min()
    return Image.fromarray((layers * (255 / layers.max())).astype(np.uint8))


def content(image: Image.Image) -> Content:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    data = file.getvalue()
    return Content(lambda offset, length: data[offset : offset + length], len(data))


def distance(left: str, right: str) -> int:
    return (int(left, 16) ^ int(right, 16)).bit_count()


@pytest.fixture(scope="module")
def known() -> tuple[PictureHashes, tuple[bytes, ...]]:
    return hash_known_picture(content(scene()), "image/jpeg")


@pytest.mark.parametrize("name", [name for name in copies.ALTERATIONS if name not in OUT_OF_REACH])
def test_an_altered_copy_is_found(name: str, known: tuple[PictureHashes, tuple[bytes, ...]]) -> None:
    hashes, crops = known
    copy = hash_picture(content(copies.ALTERATIONS[name](scene())), "image/jpeg")
    assert copy.declined is None
    stored = [hashes.pdq or "", *(crop.hex() for crop in crops)]
    assert min(distance(variant, other) for variant in copy.pdq_variants for other in stored) <= PDQ_RADIUS


@pytest.mark.parametrize(
    "name", ["mirror", "turn by 90", "border 10 %", "letterbox", "banner with text", "crop 2 % left"]
)
def test_an_altered_copy_is_found_by_its_64_bit_hash(name: str, known: tuple[PictureHashes, tuple[bytes, ...]]) -> None:
    copy = hash_picture(content(copies.ALTERATIONS[name](scene())), "image/jpeg")
    assert min(distance(variant, known[0].phash or "") for variant in copy.phash_variants) <= PHASH_RADIUS


@pytest.mark.parametrize("name", copies.ALTERATIONS)
def test_an_alteration_gives_another_picture_and_the_same_every_time(name: str) -> None:
    picture = scene().resize((320, 240))
    kept = picture.copy()
    copy, again = (copies.ALTERATIONS[name](picture) for _ in range(2))
    assert copy.mode == "RGB"
    assert copy == again
    assert copy != picture
    assert picture == kept


def test_the_copies_are_written_with_their_list(tmp_path: Path) -> None:
    source, out = tmp_path / "tea.png", tmp_path / "out"
    scene().resize((160, 120)).save(source)
    subprocess.run([sys.executable, copies.__file__, str(source), "--out", str(out)], check=True)
    with (out / "copies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["alteration"] for row in rows] == list(copies.ALTERATIONS)
    assert {row["picture"] for row in rows} == {"tea.png"}
    assert {row["file"] for row in rows} == {path.name for path in out.iterdir()} - {"copies.csv"}
