"""Synthetic pictures with structure like that of photographs: broad shapes, fine detail, and altered copies."""

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

QUALITY = 90


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Return one picture of (width, height): clouds of several scales in three tints, the same for the same seed."""
    random = np.random.default_rng(seed)
    width, height = size
    layers = np.zeros((height, width, 3))
    for scale in (3, 5, 9, 17, 33):
        noise = random.random((scale, scale + 1, 3)) * 255
        blown_up = [
            np.asarray(Image.fromarray(noise[:, :, band].astype(np.uint8)).resize(size, Image.Resampling.BICUBIC))
            for band in range(3)
        ]
        layers += np.stack(blown_up, axis=2) / scale**0.6
    layers -= layers.min()
    return Image.fromarray((layers * (255 / layers.max())).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Return the picture as a JPEG file."""
    return _saved(image, "JPEG", quality=quality)


def png(image: Image.Image) -> bytes:
    """Return the picture as a PNG file."""
    return _saved(image, "PNG")


def resized(image: Image.Image, share: float) -> Image.Image:
    """Return the picture at a share of its size."""
    return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)


def brighter(image: Image.Image, factor: float) -> Image.Image:
    """Return the picture with its brightness multiplied."""
    return ImageEnhance.Brightness(image).enhance(factor)


def mirrored(image: Image.Image) -> Image.Image:
    """Return the picture as in a mirror."""
    return ImageOps.mirror(image)


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
