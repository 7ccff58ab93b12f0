"""An estimate never says of a picture what the full decode would not."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from suite import Corpus
from synthetic import copies
from synthetic.photographs import photograph

from triage.content.content import Content
from triage.content.estimate import estimate_picture
from triage.content.picture import PictureLimits, hash_picture
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

ORIENTATION = 0x0112
SHARED = photograph(4, (900, 620))


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def estimated(data: bytes, limits: PictureLimits | None = None) -> PictureHashes | None:
    return estimate_picture(Content.of(data), "image/jpeg", limits or PictureLimits())


def unmasked(seen: tuple[str, ...], full: tuple[str, ...], unknown: tuple[str, ...]) -> int:
    """Return the most bits of any variant that differ without being unknown."""
    triples = [
        (int(left, 16), int(right, 16), int(mask, 16)) for left, right, mask in zip(seen, full, unknown, strict=True)
    ]
    return max(((left ^ right) & ~mask).bit_count() for left, right, mask in triples)


def kept_promise(data: bytes) -> PictureHashes | None:
    """Return the estimate, if there is one, having held it against the full decode."""
    seen = estimated(data)
    if seen is not None:
        full = hash_picture(Content.of(data), "image/jpeg")
        assert (full.declined, full.damaged) == (seen.declined, seen.damaged) == (None, False)
        assert unmasked(seen.pdq_variants, full.pdq_variants, seen.pdq_unknown) == 0
        assert unmasked(seen.phash_variants, full.phash_variants, seen.phash_unknown) == 0
        assert (seen.pdq, seen.phash) == (seen.pdq_variants[0], seen.phash_variants[0])
        assert max(int(mask, 16).bit_count() for mask in seen.pdq_unknown) <= 24
    return seen


SIZES = {(2400, 2060): 8, (1400, 1050): 4, (1024, 3000): 4, (1023, 760): 2, (515, 512): 2}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "options", [{"quality": 92}, {"quality": 60, "progressive": True}, {"quality": 85, "subsampling": 0}]
)
def test_the_full_decode_decides_no_bit_otherwise_that_is_known(size: tuple[int, int], options: dict[str, Any]) -> None:
    seen = kept_promise(saved(photograph(1, size), **options))
    assert seen is not None
    assert seen.scale == SIZES[size]


def altered(picture: Image.Image) -> Iterator[Image.Image]:
    yield ImageEnhance.Color(picture).enhance(5)
    yield ImageEnhance.Contrast(picture).enhance(3)
    yield picture.convert("L")
    yield ImageOps.invert(picture)
    yield copies.noisy(picture, 25)
    yield copies.watermarked(picture)
    yield copies.with_logo(picture, 0.05)
    yield copies.collage(picture)


@pytest.mark.parametrize("quality", [10, 50, 98])
def test_nor_of_altered_pictures(quality: int) -> None:
    seen = [kept_promise(saved(picture, quality=quality)) for picture in altered(SHARED)]
    assert sum(found is not None for found in seen) >= 4


def tiles(side: int) -> Image.Image:
    colours = np.random.default_rng(side).integers(0, 2, (1100 // side + 1, 1300 // side + 1, 3), dtype=np.uint8) * 255
    return Image.fromarray(colours.repeat(side, 0).repeat(side, 1)[:1100, :1300])


@pytest.mark.parametrize("side", [7, 30, 130])
@pytest.mark.parametrize("sampling", [0, 2])
def test_nor_of_full_colours(side: int, sampling: int) -> None:
    kept_promise(saved(tiles(side), quality=90, subsampling=sampling))


def test_nor_of_the_public_pictures(corpus: Corpus) -> None:
    files = [path for path in sorted(corpus.path("pdq").iterdir()) if path.suffix == ".jpg"]
    seen = [kept_promise(path.read_bytes()) for path in files]
    assert sum(found is not None for found in seen) >= 8


def test_hostile_files_are_estimated_as_they_decode_or_not_at_all(corpus: Corpus) -> None:
    files: list[Path] = [path for folder in ("bad_images", "bombs") for path in sorted(corpus.path(folder).iterdir())]
    for path in files:
        kept_promise(path.read_bytes())
    assert len(files) >= 168


UNDONE_BY: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("orientation", UNDONE_BY)
def test_a_picture_is_estimated_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert kept_promise(saved(UNDONE_BY[orientation](SHARED), quality=92, exif=exif.tobytes())) is not None


FRAMES = [(9, 9, 9, 9), (0, 140, 0, 143), (211, 0, 208, 0), (0, 37, 0, 0), (0, 0, 0, 53), (14, 0, 0, 0)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("colour", ["black", "white", (90, 100, 110)])
@pytest.mark.parametrize("quality", [30, 90])
def test_where_there_may_be_borders_the_full_decode_tells(
    frame: tuple[int, int, int, int], colour: str | tuple[int, int, int], quality: int
) -> None:
    data = saved(ImageOps.expand(SHARED, frame, colour), quality=quality)
    assert len(hash_picture(Content.of(data), "image/jpeg").pdq_variants) == 18
    assert estimated(data) is None


@pytest.mark.parametrize("words", ["", "WHEN THE TEA IS READY AT LAST"])
def test_a_banner_is_a_border(words: str) -> None:
    sheet = copies.bannered(SHARED, words)
    for turn in (sheet, sheet.transpose(Image.Transpose.ROTATE_90)):
        assert estimated(saved(turn, quality=40)) is None


def test_a_plain_sky_is_left_to_the_full_decode() -> None:
    picture = SHARED.copy()
    ImageDraw.Draw(picture).rectangle((0, 0, 900, 150), fill=(120, 160, 220))
    assert estimated(saved(picture)) is None


def gradient(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.repeat(np.linspace(60, 200, width, dtype=np.uint8)[None, :], height, axis=0))


@pytest.mark.parametrize(
    "data",
    [
        saved(SHARED.resize((700, 511)), quality=90),
        saved(SHARED.resize((40, 700)), quality=90),
        saved(Image.new("RGB", (900, 700), "teal")),
        saved(gradient(900, 700)),
        saved(SHARED.convert("CMYK"), quality=90),
        saved(SHARED, "PNG"),
        saved(SHARED, "WEBP"),
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" * 100,
        b"hello, world\n",
    ],
)
def test_what_is_no_ordinary_picture_is_not_estimated(data: bytes) -> None:
    assert estimated(data) is None


def test_other_types_are_not_estimated() -> None:
    data = saved(SHARED, quality=90)
    assert estimate_picture(Content.of(data), "image/png") is None
    assert estimate_picture(Content.of(data), "text/plain") is None


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_picture_is_not_estimated(progressive: bool) -> None:
    whole = saved(SHARED.resize((700, 520)), quality=40, progressive=progressive)
    assert kept_promise(whole) is not None
    for cut in (*range(1, 40), *range(40, len(whole), len(whole) // 40)):
        kept_promise(whole[:-cut])
    assert all(estimated(whole[:-cut]) is None for cut in range(3, len(whole), len(whole) // 20))


def test_a_picture_with_a_wrong_byte_is_estimated_as_it_decodes_or_not_at_all() -> None:
    whole = bytearray(saved(SHARED.resize((700, 520)), quality=40))
    numbers = np.random.default_rng(11)
    for place in numbers.integers(2, len(whole), 60):
        harmed = bytearray(whole)
        harmed[place] ^= 1 << int(numbers.integers(8))
        kept_promise(bytes(harmed))


def test_limits_come_first() -> None:
    data = saved(SHARED, quality=90)
    assert estimated(data, PictureLimits(pixels=900 * 620)) is not None
    assert estimated(data, PictureLimits(pixels=900 * 620 - 2)) is None
    assert estimated(data, PictureLimits(bytes=len(data) - 1)) is None


def test_a_content_that_cannot_be_read_is_not_the_pictures_fault() -> None:
    def read(offset: int, length: int) -> bytes:
        raise EvidenceError(f"no byte runs for {length} bytes at {offset}")

    with pytest.raises(EvidenceError):
        estimate_picture(Content(read, 5000), "image/jpeg")


def test_a_content_read_in_pieces_is_estimated_alike() -> None:
    data = saved(SHARED, quality=90)
    pieces = Content(lambda offset, length: data[offset : offset + length], len(data), keep=1000)
    assert (
        estimate_picture(pieces, "image/jpeg")
        == estimated(data)
        == estimate_picture(Content.of(memoryview(data)), "image/jpeg")
    )
