import io
from typing import Any

import numpy as np
import pytest
from images.pictures import scene
from PIL import Image
from suite import Corpus
from synthetic.photographs import photograph, with_thumbnail

from triage.content.content import Content
from triage.content.glimpse import glimpse
from triage.content.mediatype import media_type
from triage.content.picture import hash_picture
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

WIDE = photograph(7, (1200, 800))
FEW, ENOUGH = 20, 31


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def distance(left: str | None, right: str | None) -> int:
    assert left is not None
    assert right is not None
    return (int(left, 16) ^ int(right, 16)).bit_count()


def seen(data: bytes) -> PictureHashes:
    found = glimpse(Content.of(data))
    assert found is not None
    return found


def far(data: bytes) -> int:
    """Return how many bits the first look is off."""
    return distance(seen(data).pdq, hash_picture(Content.of(data), media_type(data[:4096])).pdq)


def test_a_thumbnail_looks_like_its_picture() -> None:
    found = seen(with_thumbnail(WIDE))
    full = hash_picture(Content.of(with_thumbnail(WIDE)), "image/jpeg")
    assert distance(found.pdq, full.pdq) <= FEW
    assert distance(found.phash, full.phash) <= 8
    assert (found.scale, len(found.pdq_variants), len(found.phash_variants)) == (8, 9, 8)
    assert found.declined is None


def test_black_bars_of_a_thumbnail_are_left_out() -> None:
    assert far(with_thumbnail(WIDE, bars=True)) <= FEW
    assert far(with_thumbnail(photograph(7, (800, 1200)), bars=True)) <= FEW
    assert far(with_thumbnail(photograph(7, (1000, 400)), bars=True)) <= ENOUGH


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_is_turned_with_its_picture(orientation: int) -> None:
    assert far(with_thumbnail(WIDE, orientation=orientation)) <= FEW


def test_a_thumbnail_that_stands_upright_already_is_among_the_variants() -> None:
    upright = WIDE.transpose(Image.Transpose.ROTATE_270)
    small = saved(upright.resize((80, 120)))
    data = with_thumbnail(WIDE, orientation=6, thumbnail=small)
    full = hash_picture(Content.of(data), "image/jpeg")
    assert min(distance(variant, full.pdq) for variant in seen(data).pdq_variants) <= FEW


def test_a_progressive_picture_is_seen_by_its_first_scan() -> None:
    data = saved(WIDE, quality=85, progressive=True)
    assert far(data) <= FEW
    cut = data[: len(data) // 2]
    assert distance(seen(cut).pdq, hash_picture(Content.of(data), "image/jpeg").pdq) <= FEW


def test_a_heic_file_is_seen_by_its_thumbnail() -> None:
    data = saved(WIDE.resize((480, 320)), "HEIF", quality=60, thumbnails=[160])
    assert far(data) <= FEW
    assert seen(data).scale == 3


def test_a_thumbnail_of_low_quality_is_not_to_be_compared() -> None:
    ramp = Image.fromarray(np.repeat(np.linspace(100, 110, 600, dtype=np.uint8)[None, :], 400, axis=0)).convert("RGB")
    found = seen(with_thumbnail(ramp))
    assert found.declined == "low quality: 0"
    assert (found.pdq_variants, found.phash_variants) == ((), ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, world\n",
        saved(WIDE),
        saved(WIDE, "PNG"),
        saved(WIDE.resize((300, 200)), "HEIF", quality=60),
        with_thumbnail(WIDE, thumbnail=b"\xff\xd8\xff\xd9"),
        with_thumbnail(WIDE, thumbnail=saved(scene(1, (8, 8)))),
        with_thumbnail(WIDE, thumbnail=b"no picture at all"),
        with_thumbnail(WIDE)[:3000],
    ],
)
def test_where_nothing_is_embedded_there_is_nothing_to_see(data: bytes) -> None:
    assert glimpse(Content.of(data)) is None


def test_little_is_read_of_a_jpeg_file() -> None:
    data = with_thumbnail(photograph(3, (1600, 1200)), quality=97)
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return data[offset : offset + length]

    size = 5 << 20
    assert glimpse(Content(read, size)) is not None
    assert max(offset + length for offset, length in asked) <= 64 << 10
    asked.clear()
    assert glimpse(Content(lambda offset, length: read(offset, length).replace(b"Exif", b"None"), size)) is None
    assert max(offset + length for offset, length in asked) <= 128 << 10


def test_hostile_files_are_seen_or_not(corpus: Corpus) -> None:
    files = [path for folder in ("bad_images", "bombs") for path in sorted(corpus.path(folder).iterdir())]
    looks = [glimpse(Content.of(path.read_bytes())) for path in files]
    assert len(looks) >= 168
    assert all(found is None or len(found.pdq_variants) in {0, 9} for found in looks)


def test_a_wrong_byte_does_no_harm() -> None:
    data = with_thumbnail(WIDE.resize((300, 200)))
    numbers = np.random.default_rng(5)
    looks = []
    for place in numbers.integers(0, 6000, 150):
        harmed = bytearray(data)
        harmed[place] = numbers.integers(256)
        looks.append(glimpse(Content.of(bytes(harmed))))
    assert any(looks)


def test_a_content_that_cannot_be_read_is_not_the_pictures_fault() -> None:
    def read(offset: int, length: int) -> bytes:
        raise EvidenceError(f"no byte runs for {length} bytes at {offset}")

    with pytest.raises(EvidenceError):
        glimpse(Content(read, 5000))
