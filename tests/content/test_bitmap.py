import numpy as np
import pytest
from PIL import Image

from triage.content.bitmap import TURNS, Bitmap, Pixels, room_for

PIXELS = np.random.default_rng(4).integers(0, 256, (37, 53, 4), dtype=np.uint8)


def rows_of(bitmap: Bitmap) -> Pixels:
    return bitmap.rows(0, bitmap.image.height)[:, :, :3]


def test_pixels_are_shared_with_pillow_and_not_copied() -> None:
    pixels = PIXELS.copy()
    bitmap = Bitmap.of(pixels)
    pixels[3, 5] = 1, 2, 3, 255
    assert bitmap.image.getpixel((5, 3)) == (1, 2, 3, 255)
    assert np.shares_memory(bitmap.rows(3, 4), pixels)


def test_rows_are_the_same_with_and_without_an_array() -> None:
    shared = Bitmap.of(PIXELS)
    alone = Bitmap(Image.fromarray(PIXELS[:, :, :3].copy()))
    assert np.array_equal(shared.rows(10, 20)[:, :, :3], alone.rows(10, 20))
    assert alone.rows(36, 37).shape == (1, 53, 3)


@pytest.mark.parametrize("orientation", range(10))
def test_an_array_is_turned_as_pillow_turns(orientation: int) -> None:
    image = Image.fromarray(PIXELS[:, :, :3].copy())
    wanted = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    for bitmap in (Bitmap.of(PIXELS), Bitmap(image)):
        upright = bitmap.upright(orientation)
        assert upright.image.size == wanted.size
        assert np.array_equal(rows_of(upright), np.asarray(wanted))
        assert np.array_equal(np.asarray(upright.image)[:, :, :3], np.asarray(wanted))


def test_a_turned_picture_outlives_the_one_that_was_turned() -> None:
    first, second = room_for((20, 30, 4), "decoded"), room_for((20, 30, 4), "turned")
    assert not np.shares_memory(first, second)


def test_room_is_used_again_unless_it_is_very_large() -> None:
    room = room_for((200, 300, 4), "decoded")
    assert np.shares_memory(room, room_for((10, 20, 4), "decoded"))
    assert np.shares_memory(room_for((300, 300, 4), "decoded"), room_for((200, 300, 4), "decoded"))
    large = (1, (64 << 20) + 1, 1)
    assert not np.shares_memory(room_for(large, "decoded"), room_for(large, "decoded"))
