import io
from collections.abc import Callable
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from triage.content.content import Content
from triage.content.mediatype import media_type
from triage.content.picture import PICTURE_TYPES, PictureLimits, hash_known_picture, hash_picture
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

ORIENTATION = 0x0112
# What was done to the upright picture to store it, by the EXIF orientation that undoes it.
STORED_AS: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def scene(width: int = 320, height: int = 240, seed: int = 5) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def hashed(data: bytes, limits: PictureLimits | None = None) -> PictureHashes:
    content = Content(lambda offset, length: data[offset : offset + length], len(data))
    return hash_picture(content, media_type(data[:4096]), limits or PictureLimits())


def distance(left: str | None, right: str | None) -> int:
    assert left is not None
    assert right is not None
    return (int(left, 16) ^ int(right, 16)).bit_count()


UPRIGHT = hashed(saved(scene(), "PNG"))


@pytest.mark.parametrize(
    ("kind", "options", "most_bits"),
    [
        ("JPEG", {"quality": 90}, 10),
        ("JPEG", {"quality": 90, "progressive": True}, 10),
        ("PNG", {}, 0),
        ("GIF", {}, 20),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 80}, 10),
        ("HEIF", {"quality": 80}, 10),
        ("AVIF", {"quality": 80}, 10),
    ],
)
def test_every_decoder_gives_the_picture(kind: str, options: dict[str, Any], most_bits: int) -> None:
    hashes = hashed(saved(scene(), kind, **options))
    assert hashes.declined is None
    assert not hashes.damaged
    assert hashes.quality == 100
    assert distance(hashes.pdq, UPRIGHT.pdq) <= most_bits
    assert distance(hashes.phash, UPRIGHT.phash) <= 4
    assert len(hashes.pdq_variants) == 9
    assert len(hashes.phash_variants) == 8
    assert (hashes.pdq_variants[0], hashes.phash_variants[0]) == (hashes.pdq, hashes.phash)


@pytest.mark.parametrize(
    ("kind", "options", "most_bits"),
    [
        ("PNG", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 10),
        ("HEIF", {"quality": 90}, 10),
        ("AVIF", {"quality": 90}, 10),
    ],
)
@pytest.mark.parametrize("orientation", STORED_AS)
def test_orientation_is_applied_once(kind: str, options: dict[str, Any], most_bits: int, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    hashes = hashed(saved(STORED_AS[orientation](scene()), kind, exif=exif.tobytes(), **options))
    assert distance(hashes.pdq, UPRIGHT.pdq) <= most_bits
    assert distance(hashes.phash, UPRIGHT.phash) <= 4


def test_heic_is_turned_by_its_own_property_alone() -> None:
    """ISO/IEC 23008-12: the orientation in EXIF is information only; `irot` and `imir` turn the picture."""
    upright = hashed(saved(scene(), "HEIF"))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = saved(scene(), "HEIF", exif=exif)  # this way the encoder stores EXIF and no property
    assert b"Exif" in data
    assert b"irot" not in data
    assert hashed(data) == upright


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_without_meaning_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    assert hashed(saved(scene(), "PNG", exif=exif)) == UPRIGHT


def test_phash_is_that_of_imagehash() -> None:
    assert UPRIGHT.phash == str(imagehash.phash(scene()))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_counts(kind: str) -> None:
    more = [scene(seed=8), scene(seed=9)]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    alone = hashed(saved(scene(), kind, **options))
    together = hashed(saved(scene(), kind, save_all=True, append_images=more, **options))
    assert distance(together.pdq, alone.pdq) <= 4
    assert together.declined is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr", "PA", "F", "I"])
def test_every_mode_is_hashed(mode: str) -> None:
    kind = {"CMYK": "JPEG", "YCbCr": "JPEG", "PA": "PNG", "F": "TIFF", "I": "TIFF"}.get(mode, "PNG")
    hashes = hashed(saved(in_mode(mode), kind))
    assert hashes.declined is None
    assert distance(hashes.pdq, UPRIGHT.pdq) <= (60 if mode == "1" else 20)


def in_mode(mode: str) -> Image.Image:
    grey = np.asarray(scene().convert("L"))
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(grey.astype(np.int32) * 1000 - 90_000)
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) / 255)
    return scene().convert("P").convert("PA").convert("RGBA") if mode == "PA" else scene().convert(mode)


def test_a_palette_with_transparency_keeps_its_colours() -> None:
    image = scene().convert("P")
    opaque, transparent = hashed(saved(image, "PNG")), hashed(saved(image, "PNG", transparency=bytes(range(256))))
    assert transparent == opaque


def test_what_is_under_transparency_is_hashed() -> None:
    image = scene()
    image.putalpha(Image.new("L", image.size, 0))
    assert hashed(saved(image, "PNG")) == UPRIGHT


@pytest.mark.parametrize("colour", ["black", "white", (12, 200, 90)])
def test_a_flat_picture_has_no_hash(colour: str | tuple[int, int, int]) -> None:
    hashes = hashed(saved(Image.new("RGB", (200, 200), colour), "PNG"))
    assert hashes == PictureHashes(declined="flat: one colour throughout")


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (4, 60)])
def test_a_line_has_no_hash(size: tuple[int, int]) -> None:
    hashes = hashed(saved(scene(*size), "PNG"))
    assert hashes == PictureHashes(declined=f"tiny: {size[0]} x {size[1]} pixels")


@pytest.mark.parametrize("size", [(49, 400), (400, 49), (5, 5), (32, 32)])
def test_a_tiny_picture_is_not_to_be_compared(size: tuple[int, int]) -> None:
    hashes = hashed(saved(scene(*size), "PNG"))
    assert hashes.declined == f"tiny: {size[0]} x {size[1]} pixels"
    assert hashes.pdq is not None


def test_fifty_pixels_are_not_tiny() -> None:
    assert hashed(saved(scene(50, 50), "PNG")).declined is None


def test_a_picture_of_low_quality_is_not_to_be_compared() -> None:
    ramp = np.repeat(np.linspace(100, 110, 300, dtype=np.uint8)[None, :], 300, axis=0)
    hashes = hashed(saved(Image.fromarray(ramp), "PNG"))
    assert hashes.declined == "low quality: 0"
    assert hashes.quality == 0
    assert hashes.pdq is not None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.75, 0.98])
def test_a_cut_picture_is_decoded_in_part_and_marked(kind: str, share: float) -> None:
    whole = saved(scene(), kind)
    hashes = hashed(whole[: int(len(whole) * share)])
    assert hashes.damaged or (hashes.pdq is None and hashes.declined)


def test_a_cut_jpeg_and_png_keep_a_hash() -> None:
    for kind in ("JPEG", "PNG"):
        whole = saved(scene(), kind)
        hashes = hashed(whole[: int(len(whole) * 0.9)])
        assert hashes.damaged
        assert hashes.pdq is not None
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_a_head_without_a_picture_says_why(kind: str) -> None:
    whole = saved(scene(), kind)
    for cut in (16, 40, 100):
        hashes = hashed(whole[:cut])
        assert hashes.declined is not None
        assert "\n" not in hashes.declined
        assert hashes == hashed(whole[:cut])


FRAMED = ImageOps.expand(scene(), (60, 45, 60, 45), "white")


def test_a_picture_in_a_border_is_hashed_whole_and_inside() -> None:
    hashes = hashed(saved(FRAMED, "PNG"))
    whole, inside, negatives = hashes.pdq_variants[:8], hashes.pdq_variants[8:16], hashes.pdq_variants[16:]
    assert hashes.pdq == whole[0] != UPRIGHT.pdq
    assert inside == UPRIGHT.pdq_variants[:8]
    assert [
        distance(negative, upright) for negative, upright in zip(negatives, (whole[0], inside[0]), strict=True)
    ] == [
        256,
        256,
    ]
    assert hashes.phash_variants[0] == hashes.phash == str(imagehash.phash(FRAMED))
    assert hashes.phash_variants[8:] == UPRIGHT.phash_variants
    assert hashes.declined is None


def test_a_large_picture_in_a_border_is_found_by_what_is_inside() -> None:
    large = scene(1500, 1100)
    inside = hashed(saved(ImageOps.expand(large, 100), "JPEG", quality=60)).pdq_variants[8]
    assert distance(inside, hashed(saved(large, "PNG")).pdq) <= 16


@pytest.mark.parametrize("turn", Image.Transpose)
def test_turned_and_mirrored_copies_are_among_the_variants(turn: Image.Transpose) -> None:
    hashes = hashed(saved(ImageOps.expand(scene(), 40, "black").transpose(turn), "PNG"))
    assert min(distance(variant, UPRIGHT.pdq) for variant in hashes.pdq_variants) <= 4
    assert min(distance(variant, UPRIGHT.phash) for variant in hashes.phash_variants) <= 2


def test_a_negative_is_among_the_variants() -> None:
    negative = hashed(saved(ImageOps.invert(scene()), "PNG"))
    assert distance(negative.pdq, UPRIGHT.pdq) >= 250
    assert distance(negative.pdq_variants[8], UPRIGHT.pdq) <= 6
    framed = hashed(saved(ImageOps.invert(FRAMED), "PNG"))
    assert distance(framed.pdq_variants[-1], UPRIGHT.pdq) <= 6


def test_a_picture_of_low_quality_between_wide_bars_is_compared_by_what_is_inside() -> None:
    pale = scene(640, 200).point(lambda level: 90 + level // 5)
    sheet = ImageOps.expand(pale, (0, 380), (92, 92, 92))
    hashes = hashed(saved(sheet, "PNG"))
    inside = hashed(saved(pale, "PNG"))
    assert hashes.quality is not None
    assert hashes.quality < 50
    assert (hashes.declined, inside.declined) == (None, None)
    assert hashes.pdq != inside.pdq
    assert hashes.pdq_variants == inside.pdq_variants
    assert hashes.phash_variants == inside.phash_variants


def test_what_is_not_to_be_compared_has_no_variants() -> None:
    ramp = np.repeat(np.linspace(100, 110, 300, dtype=np.uint8)[None, :], 300, axis=0)
    for image in (scene(49, 400), Image.fromarray(ramp), ImageOps.expand(Image.fromarray(ramp), 60, 105)):
        hashes = hashed(saved(image, "PNG"))
        assert hashes.declined is not None
        assert hashes.pdq is not None
        assert (hashes.pdq_variants, hashes.phash_variants) == ((), ())


def test_a_tiny_picture_inside_a_border_is_left_out() -> None:
    hashes = hashed(saved(ImageOps.expand(scene(120, 49), (0, 30), "black"), "PNG"))
    assert hashes.declined is None
    assert len(hashes.pdq_variants) == 9


def test_a_border_that_is_transparent_is_one_of_the_colour_under_it() -> None:
    image = FRAMED.convert("RGBA")
    image.putalpha(ImageOps.expand(Image.new("L", scene().size, 255), (60, 45, 60, 45), 0))
    assert hashed(saved(image, "PNG")) == hashed(saved(FRAMED, "PNG"))


def known(data: bytes) -> tuple[PictureHashes, tuple[bytes, ...]]:
    content = Content(lambda offset, length: data[offset : offset + length], len(data))
    return hash_known_picture(content, media_type(data[:4096]))


def test_a_known_picture_has_its_crops_beside_its_hashes() -> None:
    hashes, crops = known(saved(scene(), "PNG"))
    assert hashes == UPRIGHT
    assert len(crops) == 40
    cut = hashed(saved(scene().crop((32, 0, 320, 240)), "PNG"))
    assert distance(cut.pdq, UPRIGHT.pdq) > 31
    assert min(distance(cut.pdq, crop.hex()) for crop in crops) <= 4


@pytest.mark.parametrize(
    "data", [b"hello, world\n", saved(Image.new("RGB", (300, 300)), "PNG"), saved(scene(40, 40), "PNG")]
)
def test_a_known_picture_that_is_not_to_be_compared_has_no_crops(data: bytes) -> None:
    hashes, crops = known(data)
    assert hashes == hashed(data)
    assert hashes.declined is not None
    assert crops == ()


def test_limits_come_before_decoding() -> None:
    data = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(data) < 100_000
    assert hashed(data) == PictureHashes(declined="limit: more than 100000000 pixels")
    assert hashed(saved(scene(), "PNG"), PictureLimits(pixels=320 * 240)).declined is None
    assert (
        hashed(saved(scene(), "PNG"), PictureLimits(pixels=320 * 240 - 2)).declined == "limit: more than 76798 pixels"
    )
    assert hashed(saved(scene(), "PNG"), PictureLimits(bytes=1000)).declined == "limit: more than 1000 bytes"


def test_what_is_no_picture_is_not_decoded() -> None:
    assert hashed(b"hello, world\n").declined == "no decoder for text/plain"
    assert "application/postscript" not in PICTURE_TYPES


def test_pillow_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    hashed(saved(scene(), "PNG")[:5000])
    assert before == Image.MAX_IMAGE_PIXELS
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_content_that_cannot_be_read_is_not_the_pictures_fault() -> None:
    def read(offset: int, length: int) -> bytes:
        raise EvidenceError(f"no byte runs for {length} bytes at {offset}")

    for size in (1000, 100 << 20):
        with pytest.raises(EvidenceError):
            hash_picture(Content(read, size), "image/png")
