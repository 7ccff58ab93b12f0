import io
from typing import Any

import numpy as np
import pytest
from images.pictures import scene
from PIL import Image
from synthetic.photographs import with_thumbnail

from triage.content.jpeg import PROGRESSIVE, jpeg_head, jpeg_pixels, jpeg_whole

PICTURE = scene(6, (331, 205))


def saved(picture: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def test_the_head_says_what_the_frame_is() -> None:
    head = jpeg_head(saved(PICTURE))
    assert head is not None
    assert (head.kind, head.precision, head.width, head.height, head.components) == (0xC0, 8, 331, 205, 3)
    assert head.ordinary
    assert head.exif is None
    grey = jpeg_head(saved(PICTURE.convert("L"), progressive=True))
    assert grey is not None
    assert (grey.kind, grey.components) == (PROGRESSIVE, 1)
    cmyk = jpeg_head(saved(PICTURE.convert("CMYK")))
    assert cmyk is not None
    assert not cmyk.ordinary


def test_the_head_says_where_scan_and_exif_are() -> None:
    data = with_thumbnail(PICTURE)
    head = jpeg_head(data)
    assert head is not None
    assert data[head.scan : head.scan + 2] == b"\xff\xda"
    assert head.exif is not None
    assert data[head.exif[0] :][:4] == b"II*\0"
    assert jpeg_head(memoryview(data)) == head
    assert jpeg_head(data[: head.scan + 4]) == head
    assert jpeg_head(data[: head.scan + 3]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\0",
        b"\xff\xd8\xff\xda\0\2",
        b"\xff\xd8\xff\xc0\0\4\0\0\xff\xda\0\2",
        b"\xff\xd8" + b"\xff\xd0" * 999,
        b"\xff\xd8" + b"\xff" * 999,
    ],
)
def test_what_has_no_frame_before_a_scan_has_no_head(data: bytes) -> None:
    assert jpeg_head(data) is None


@pytest.mark.parametrize("options", [{}, {"quality": 5}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_of_pillow(mode: str, options: dict[str, Any]) -> None:
    data = saved(PICTURE.convert(mode), **options)
    head = jpeg_head(data)
    assert head is not None
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(jpeg_pixels(data, head).squeeze(), np.asarray(image))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_whole_picture_has_four_bytes_a_pixel(mode: str, options: dict[str, Any]) -> None:
    data = saved(PICTURE.convert(mode), **options)
    head = jpeg_head(data)
    assert head is not None
    pixels = jpeg_whole(data, head)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(pixels[:, :, :3], np.asarray(image.convert("RGB")))
    assert pixels.shape == (205, 331, 4)
    assert np.shares_memory(pixels, jpeg_whole(data, head))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_reduced_pixels_are_means_of_blocks(scale: int) -> None:
    data = saved(PICTURE.convert("L"), quality=95)
    head = jpeg_head(data)
    assert head is not None
    whole = jpeg_pixels(data, head)[:200, :328, 0].astype(float)
    reduced = jpeg_pixels(data, head, scale)
    assert reduced.shape == (-(-205 // scale), -(-331 // scale), 1)
    means = whole.reshape(200 // scale, scale, 328 // scale, scale).mean(axis=(1, 3))
    assert np.abs(reduced[: 200 // scale, : 328 // scale, 0] - means).max() <= 1.5


def test_the_slightest_fault_is_an_error() -> None:
    data = saved(PICTURE)
    head = jpeg_head(data)
    assert head is not None
    for harmed in (data[:-2], data[:-2000], data[: head.scan + 50] + data[head.scan + 60 :]):
        with pytest.raises(ValueError, match=r"\w"):
            jpeg_pixels(harmed, head)
        with pytest.raises(ValueError, match=r"\w"):
            jpeg_whole(harmed, head)
    cmyk = saved(PICTURE.convert("CMYK"))
    other = jpeg_head(cmyk)
    assert other is not None
    for decode in (jpeg_pixels, jpeg_whole):
        with pytest.raises(ValueError, match="ordinary"):
            decode(cmyk, other)
