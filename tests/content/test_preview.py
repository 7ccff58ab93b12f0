"""What is shown of a picture is small, grey and blurred as asked for, and nothing is shown of what is none."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from triage.content.content import Content
from triage.content.preview import LARGEST, Preview, preview
from triage.model.errors import EvidenceError


def content(data: bytes) -> Content:
    return Content(lambda offset, length: data[offset : offset + length], len(data))


def picture(width: int, height: int, **options: object) -> bytes:
    """Return a PNG, black on its left half and red on its right one."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :, 0] = 255
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG", **options)
    return out.getvalue()


def shown(seen: Preview) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.frombuffer(seen.pixels, np.uint8).reshape(seen.height, seen.width, seen.channels)


def test_a_picture_is_shown_small_and_grey() -> None:
    seen = preview(content(picture(400, 200)), "image/png", 64)
    assert (seen.width, seen.height, seen.channels) == (64, 32, 1)
    grey = shown(seen)[:, :, 0]
    assert set(grey[:, :32].ravel()) == {0}
    assert set(grey[:, 32:].ravel()) == {76}  # the luma of red


def test_a_blurred_one_has_no_edge() -> None:
    row = shown(preview(content(picture(400, 200)), "image/png", 64, blur=4.0))[16, :, 0].astype(int)
    assert np.abs(np.diff(row)).max() < 10
    assert (row[0], row[-1]) == (0, 76)


def test_colour_and_size_come_only_when_they_are_asked_for() -> None:
    seen = preview(content(picture(400, 200)), "image/png", 256, colour=True)
    assert (seen.width, seen.height, seen.channels) == (256, 128, 3)
    assert shown(seen)[0, -1].tolist() == [255, 0, 0]
    small = preview(content(picture(10, 4)), "image/png", 256, colour=True)
    assert (small.width, small.height) == (10, 4)


def test_a_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = preview(content(picture(64, 32, exif=exif)), "image/png", 64)
    assert (seen.width, seen.height) == (32, 64)
    assert shown(seen)[0, 0, 0] == 0
    assert shown(seen)[-1, 0, 0] == 76


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(EvidenceError, match="no decoder for text/plain"):
        preview(content(b"words"), "text/plain", 64)
    with pytest.raises(EvidenceError, match="cannot be decoded"):
        preview(content(b"\x89PNG\r\n\x1a\n" + b"x" * 100), "image/png", 64)
    with pytest.raises(ValueError, match="1 to 1024 pixels"):
        preview(content(picture(400, 200)), "image/png", LARGEST + 1)


@pytest.mark.parametrize(
    "wrong", [(0, 1, 1, b""), (1, 1, 2, b"xx"), (2, 2, 1, b"xxx"), (LARGEST + 1, 1, 1, b"x" * 1025)]
)
def test_a_picture_whose_bytes_do_not_fit_is_refused(wrong: tuple[int, int, int, bytes]) -> None:
    width, height, channels, pixels = wrong
    with pytest.raises(ValueError, match="no picture"):
        Preview(width=width, height=height, channels=channels, pixels=pixels)
