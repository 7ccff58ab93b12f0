"""Perceptual hashes of a picture: decoded once within limits, turned upright, hashed whole and inside its borders.

Decoding is the one place where bytes of unknown make meet large C libraries. Everything they raise ends here as a
reason in `PictureHashes.declined`; a picture that is decoded only in part is hashed and marked as damaged. Transparency
is dropped, as the reference implementations do: the colours under it are hashed.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from triage.content.bitmap import Bitmap
from triage.content.borders import inner_box
from triage.content.content import KEEP, Content
from triage.content.crops import crop_hashes, reduced
from triage.content.jpeg import jpeg_head, jpeg_whole
from triage.content.pdq import MIN_QUALITY, Pdq, complement, pdq_of_rows
from triage.content.phash import phashes
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

pillow_heif.register_heif_opener()

# Only these decoders are ever given evidence: Pillow has others, one of which starts a program (Ghostscript).
_DECODERS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG",),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/bmp": ("BMP",),
    "image/x-ms-bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/webp": ("WEBP",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF", "AVIF"),
    "image/avif": ("AVIF",),
}
PICTURE_TYPES = frozenset(_DECODERS)
"""The media types that `hash_picture` can decode."""

MODES = {1: "L", 3: "RGB"}
"""What Pillow calls the pixels of a JPEG file of so many components."""

TINY = 50
"""Pictures with a shorter side under this many pixels are icons and ornaments: hashed, not to be compared."""

_HASHABLE = 5  # the reference gives no hash to a side shorter than this
_FLAT = 1.0  # a filtered picture that spans less than one grey level has no content to hash


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What a picture may cost: both are checked before anything is decoded. A picture at the limit is decoded."""

    pixels: int = 100_000_000
    bytes: int = 256 << 20


class _DeclinedError(Exception):
    """The picture gets no hash; the message is the reason."""


DEFAULT_LIMITS = PictureLimits()


def hash_picture(content: Content, media_type: str, limits: PictureLimits = DEFAULT_LIMITS) -> PictureHashes:
    """Return the perceptual hashes of a picture, of its first frame or page where it has several.

    Whatever is wrong with the picture is said in the result. Raises EvidenceError when the content cannot be read, and
    MemoryError.
    """
    try:
        picture, damaged = _decoded(content, media_type, limits)
    except _DeclinedError as reason:
        return PictureHashes(declined=str(reason))
    return _hashes(picture, damaged=damaged)


def hash_known_picture(
    content: Content, media_type: str, limits: PictureLimits = DEFAULT_LIMITS
) -> tuple[PictureHashes, tuple[bytes, ...]]:
    """Return what `hash_picture` returns, and the PDQ hashes by which cropped copies of the picture are found.

    The latter are few enough (see `crops`) to be stored with a known picture; none for one that is not to be compared.
    Raises as `hash_picture` does.
    """
    try:
        picture, damaged = _decoded(content, media_type, limits)
    except _DeclinedError as reason:
        return PictureHashes(declined=str(reason)), ()
    hashes = _hashes(picture, damaged=damaged)
    return hashes, () if hashes.declined else crop_hashes(picture.image)


def upright_picture(content: Content, media_type: str, limits: PictureLimits = DEFAULT_LIMITS) -> Image.Image:
    """Return a picture as a person sees it, as far as it can be decoded; good until the next is decoded in this thread.

    Raises EvidenceError with the reason where there is nothing to see, or the content cannot be read, and MemoryError.
    """
    try:
        return _decoded(content, media_type, limits)[0].image
    except _DeclinedError as reason:
        raise EvidenceError(str(reason)) from reason


@dataclass(frozen=True, slots=True)
class _View:
    """A picture, whole or inside its borders, with its hash and why that is not to be compared, if so."""

    picture: Bitmap
    pdq: Pdq
    declined: str | None


def _hashes(picture: Bitmap, *, damaged: bool) -> PictureHashes:
    """Hash an upright picture; what is not to be compared keeps its hash for the record, with the reason."""
    if min(picture.image.size) < _HASHABLE:
        return PictureHashes(declined=f"tiny: {_size(picture.image)}", damaged=damaged)
    whole = _view(picture)
    if whole.pdq.span < _FLAT:
        return PictureHashes(declined="flat: one colour throughout", damaged=damaged)
    phash, *turned = phashes(picture.image)
    views = [view for view in (whole, _inside(picture.image)) if view is not None and view.declined is None]
    pdq_variants = [variant for view in views for variant in view.pdq.variants]
    pdq_variants += [complement(view.pdq.hash) for view in views]
    phash_variants = [(phash, *turned) if view is whole else phashes(view.picture.image) for view in views]
    return PictureHashes(
        pdq=whole.pdq.hash.hex(),
        quality=whole.pdq.quality,
        phash=phash,
        pdq_variants=tuple(variant.hex() for variant in pdq_variants),
        phash_variants=tuple(chain.from_iterable(phash_variants)),
        declined=None if views else whole.declined,
        damaged=damaged,
    )


def _view(picture: Bitmap) -> _View:
    image = picture.image
    result = pdq_of_rows(picture.rows, image.height, image.width)
    declined = None
    if min(image.size) < TINY:
        declined = f"tiny: {_size(image)}"
    elif result.quality < MIN_QUALITY:
        declined = f"low quality: {result.quality}"
    return _View(picture, result, declined)


def _inside(picture: Image.Image) -> _View | None:
    box = inner_box(picture)
    if box is None or min(box[2] - box[0], box[3] - box[1]) < TINY:
        return None
    return _view(Bitmap(reduced(picture, box)))


def _size(picture: Image.Image) -> str:
    return f"{picture.width} x {picture.height} pixels"


def _decoded(content: Content, media_type: str, limits: PictureLimits) -> tuple[Bitmap, bool]:
    """Return the upright picture, and whether it is damaged: decoded only where errors are passed over."""
    decoders = _DECODERS.get(media_type)
    if decoders is None:
        raise _DeclinedError(f"no decoder for {media_type}")
    if content.size > limits.bytes:
        raise _DeclinedError(f"limit: more than {limits.bytes} bytes")
    file = cast("BinaryIO", content.open())
    try:
        return _decode(file, decoders, limits, content), False
    except (MemoryError, EvidenceError, _DeclinedError):
        raise
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything at all; what can be saved is tried next
        file.seek(0)
    try:
        return _decode(file, decoders, limits, None), True
    except (MemoryError, EvidenceError, _DeclinedError):
        raise
    except Exception as error:
        raise _DeclinedError(f"cannot be decoded: {_reason(error)}") from error


def _decode(file: BinaryIO, decoders: tuple[str, ...], limits: PictureLimits, unharmed: Content | None) -> Bitmap:
    """Return the upright picture; where the content is not given as unharmed, errors in it are passed over."""
    with _pillow_set(limits, tolerant=unharmed is None):
        try:
            image: Image.Image = Image.open(file, formats=decoders)
            picture = _jpeg(image, unharmed) if unharmed and decoders == _DECODERS["image/jpeg"] else None
            if picture is None:
                image.load()
        except Image.DecompressionBombError as error:
            raise _DeclinedError(f"limit: more than {limits.pixels} pixels") from error
        orientation = _orientation(image)
        return (picture or Bitmap(_rgb(image))).upright(orientation)


def _jpeg(image: Image.Image, content: Content) -> Bitmap | None:
    """Return what Pillow would decode, pixel by pixel, in half the time; None where it is not sure to be the same."""
    if content.size > KEEP:
        return None
    data = content.whole()
    head = jpeg_head(data)
    if head is None or (head.width, head.height) != image.size or image.mode != MODES.get(head.components):
        return None
    try:
        return Bitmap.of(jpeg_whole(data, head))
    except (ValueError, RuntimeError):  # the slightest fault: Pillow knows which of them matter
        return None


def stored(file: BinaryIO, media_type: str, limits: PictureLimits) -> tuple[tuple[int, int], str, int]:
    """Return width and height as stored, Pillow's mode and the EXIF orientation of a picture; nothing is decoded.

    Raises whatever Pillow does for a file that it cannot open.
    """
    with _pillow_set(limits, tolerant=False), Image.open(file, formats=_DECODERS[media_type]) as image:
        return image.size, image.mode, _orientation(image)


@contextmanager
def _pillow_set(limits: PictureLimits, *, tolerant: bool) -> Iterator[None]:
    """Set what Pillow keeps for the whole process, and put it back: nothing else in the product touches it.

    Pillow raises for a picture, or a frame inside it, of more than twice its maximum, and warns below that. Its
    warnings are about the evidence, not about our code, and what they announce shows in the result.
    """
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = limits.pixels // 2, tolerant
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation still to be applied: 1 for an upright picture.

    A decoder that turns the picture itself (HEIC, TIFF) has taken the tag away by the time the picture is loaded.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the parser of hostile EXIF raises anything; the picture itself is decoded
        return 1
    return value if isinstance(value, int) else 1


def _rgb(image: Image.Image) -> Image.Image:
    """Return 8-bit RGB. Deep grey, which Pillow would cut off at 255, is brought into the range first."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in {"I", "F"}:
        return _stretched(np.asarray(image, dtype=np.float64)).convert("RGB")
    return image.convert("RGB")


def _stretched(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Image.Image:
    """Return grey from 32-bit integers or floats, whose range nothing in the file tells: darkest 0, lightest 255."""
    values = np.nan_to_num(values)
    low = values.min()
    width = (values.max() - low) or 1.0
    return Image.fromarray(((values - low) / width * 255).astype(np.uint8))


def _reason(error: Exception) -> str:
    """Return one line that is the same in every run (some messages hold the address of an object)."""
    if isinstance(error, UnidentifiedImageError):
        return "damaged header"
    text = " ".join(str(error).split())
    return ascii(text)[1:-1][:200] if text and "0x" not in text else type(error).__name__
