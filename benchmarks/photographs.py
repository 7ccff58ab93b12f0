"""Photographs that never were: noise of many scales, shapes with edges, grain; in JPEG files as cameras write them.

A photograph is two canvases of a few, one dark and one bright, put together through a mask of its own: to draw it costs
as much as two copies, and its appearance is that of no other.
"""

import functools
import io
import random
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Size = tuple[int, int]

TWELVE_MEGAPIXELS = (4032, 3024)
ONE_MEGAPIXEL = (1152, 864)
THUMBNAIL = (160, 120)
CANVASES = 3  # of the dark and of the bright each
CAMERA_QUALITY = 91

_OCTAVES = (3, 6, 12, 24, 48, 96, 192, 384, 768, 1536)
_ROUGHNESS = 0.66
_SHAPES = 120
_GRAIN = 7.0
_MASK = (8, 6)

_APPLICATIONS = range(0xE0, 0xF0)
_SHORT, _LONG, _ASCII = 3, 4, 2
_MAKE, _ORIENTATION, _DATE, _EXIF, _DATE_TAKEN, _WIDTH, _HEIGHT = 0x10F, 0x112, 0x132, 0x8769, 0x9003, 0xA002, 0xA003
_COMPRESSION, _THUMBNAIL_AT, _THUMBNAIL_LENGTH = 0x103, 0x201, 0x202


def photograph(seed: int, size: Size = TWELVE_MEGAPIXELS) -> Image.Image:
    """Return the photograph of a seed, in RGB; another size of the same seed is the same scene."""
    chance = np.random.default_rng((seed, 1))
    dark, bright = chance.integers(0, CANVASES, 2).tolist()
    field = Image.fromarray(chance.integers(0, 256, (_MASK[1], _MASK[0]), np.uint8))
    mask = field.resize(size, Image.Resampling.BICUBIC).point(_steep)
    return Image.composite(_canvas(2 * dark, size), _canvas(2 * bright + 1, size), mask)


def camera_jpeg(picture: Image.Image, number: int) -> bytes:
    """Return a picture as a camera's file: baseline, 4:2:0, EXIF with a thumbnail."""
    exif = b"Exif\0\0" + _tiff(picture.size, number, jpeg(picture.resize(THUMBNAIL, reducing_gap=2.0), 75))
    return jpeg(picture, CAMERA_QUALITY, exif=exif)


def jpeg(picture: Image.Image, quality: int, *, progressive: bool = False, exif: bytes = b"") -> bytes:
    """Return a picture as a JPEG file, 4:2:0."""
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, subsampling="4:2:0", progressive=progressive, exif=exif)
    return target.getvalue()


def remarked(data: bytes, remark: bytes) -> bytes:
    """Return the same JPEG picture in a file of other bytes: a comment is put behind the segments of applications."""
    at = 2
    while data[at + 1] in _APPLICATIONS:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return data[:at] + struct.pack(">BBH", 0xFF, 0xFE, len(remark) + 2) + remark + data[at:]


@functools.cache
def _canvas(number: int, size: Size) -> Image.Image:
    if size != TWELVE_MEGAPIXELS:
        return _canvas(number, TWELVE_MEGAPIXELS).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    chance = np.random.default_rng((number, 0))
    light = _clouds(chance, size, _OCTAVES)
    light += chance.standard_normal(light.shape, np.float32) * np.float32(_GRAIN / 40)
    red, blue = (_clouds(chance, size, _OCTAVES[:4]) for _ in range(2))
    middle = 165 if number % 2 else 80
    bands = (middle + 40 * light + 18 * red, middle + 40 * light - 6 * (red + blue), middle + 40 * light + 18 * blue)
    canvas = Image.fromarray(np.stack(bands, axis=2).clip(0, 255).astype(np.uint8))
    return Image.blend(canvas, _shapes(number, canvas), 0.5)


def _clouds(chance: np.random.Generator, size: Size, octaves: tuple[int, ...]) -> NDArray[np.float32]:
    """Return noise of which each octave has less than the one before it, with a standard deviation of 1."""
    total = np.zeros((size[1], size[0]), np.float32)
    for number, cells in enumerate(octaves):
        noise = Image.fromarray(chance.standard_normal((cells, cells * 4 // 3), np.float32))
        total += np.asarray(noise.resize(size, Image.Resampling.BICUBIC)) * np.float32(_ROUGHNESS**number)
    total /= total.std()
    return total


def _shapes(number: int, canvas: Image.Image) -> Image.Image:
    """Return the canvas with ellipses and triangles over it, each in the colour of some place of it."""
    chance = random.Random(number)
    drawn = canvas.copy()
    pen = ImageDraw.Draw(drawn)
    for shape in range(_SHAPES):
        colour = canvas.getpixel((chance.randrange(canvas.width), chance.randrange(canvas.height)))
        reach = chance.lognormvariate(5.5, 0.8)
        x, y = chance.uniform(0, canvas.width), chance.uniform(0, canvas.height)
        corners = [(x + chance.uniform(-reach, reach), y + chance.uniform(-reach, reach)) for _ in range(3)]
        if shape % 2:
            pen.polygon(corners, fill=colour)
        else:
            pen.ellipse((x - reach, y - reach / 2, x + reach, y + reach / 2), fill=colour)
    return drawn


def _steep(value: float) -> float:
    """Leave between two canvases but a narrow zone in which both are seen."""
    return (value - 128) * 8 + 128


def _tiff(size: Size, number: int, thumbnail: bytes) -> bytes:
    """Return an EXIF block: IFD0 with the Exif IFD, IFD1 with the thumbnail (EXIF 2.3, sections 4.6.2 to 4.6.9)."""
    when = f"2026:{number // 28 % 12 + 1:02}:{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00\0".encode()
    first = 8
    exif = first + _ifd_length(4)
    second = exif + _ifd_length(3)
    texts = second + _ifd_length(3)
    picture = texts + 2 * len(when) + 8
    return b"".join(
        (
            struct.pack("<2sHI", b"II", 42, first),
            _ifd(second, (_MAKE, _ASCII, 8, texts), (_ORIENTATION, _SHORT, 1, 1),
                 (_DATE, _ASCII, len(when), texts + 8), (_EXIF, _LONG, 1, exif)),
            _ifd(0, (_DATE_TAKEN, _ASCII, len(when), texts + 8 + len(when)),
                 (_WIDTH, _LONG, 1, size[0]), (_HEIGHT, _LONG, 1, size[1])),
            _ifd(0, (_COMPRESSION, _SHORT, 1, 6), (_THUMBNAIL_AT, _LONG, 1, picture),
                 (_THUMBNAIL_LENGTH, _LONG, 1, len(thumbnail))),
            b"Synthia\0", when, when, thumbnail,
        )
    )  # fmt: skip


def _ifd_length(entries: int) -> int:
    return 2 + 12 * entries + 4


def _ifd(following: int, *entries: tuple[int, int, int, int]) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)
