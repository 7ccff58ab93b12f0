import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from synthetic import copies

from triage.content.borders import Box, inner_box, may_have_borders

WIDTH, HEIGHT = 640, 420


def grain(width: int, height: int, seed: int = 3) -> Image.Image:
    """Noise to the last pixel: no line of it is plain."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Broad shapes under fine grain, which JPEG leaves in part."""
    coarse = np.random.default_rng(5).integers(0, 256, (11, 13, 3), dtype=np.uint8)
    broad = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return Image.blend(broad, grain(width, height), 0.2)


def framed(picture: Image.Image, frame: Box, colour: str | tuple[int, int, int] = "white") -> Image.Image:
    """Return the picture with so many pixels at the left, top, right and bottom."""
    return ImageOps.expand(picture, frame, colour)


def inside(picture: Image.Image, frame: Box) -> Box:
    return frame[0], frame[1], frame[0] + picture.width, frame[1] + picture.height


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    return copies.coded(picture, "JPEG", quality)


FRAMES = [
    (20, 20, 20, 20),
    (64, 64, 64, 64),
    (0, 140, 0, 143),
    (211, 0, 208, 0),
    (0, 37, 0, 0),
    (0, 0, 0, 53),
    (29, 0, 0, 0),
    (0, 0, 31, 0),
    (7, 19, 101, 3),
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("colour", ["white", "black", (90, 100, 110)])
def test_borders_are_found_to_the_pixel(frame: Box, colour: str | tuple[int, int, int]) -> None:
    picture = scene()
    assert inner_box(framed(picture, frame, colour)) == inside(picture, frame)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("quality", [30, 75])
def test_borders_are_found_through_jpeg(frame: Box, quality: int) -> None:
    picture = scene()
    found = inner_box(as_jpeg(framed(picture, frame, "black"), quality))
    assert found is not None
    assert max(abs(got - wanted) for got, wanted in zip(found, inside(picture, frame), strict=True)) <= 2


@given(
    width=st.integers(40, 900),
    height=st.integers(40, 900),
    shares=st.tuples(*[st.floats(0, 0.35)] * 4),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_any_border_of_any_picture_is_found(
    width: int, height: int, shares: tuple[float, ...], colour: tuple[int, int, int]
) -> None:
    picture = grain(width, height)
    sides = (width, height, width, height)
    frame = tuple(round(share * side) for share, side in zip(shares, sides, strict=True))
    wide = [pixels if pixels > side * 0.02 else 0 for pixels, side in zip(frame, sides, strict=True)]
    box = (wide[0], wide[1], wide[2], wide[3])
    assert inner_box(framed(picture, box, colour)) == (inside(picture, box) if any(wide) else None)


@given(width=st.integers(1, 300), height=st.integers(1, 300), seed=st.integers(0, 1 << 30), noisy=st.booleans())
def test_a_box_lies_in_the_picture_and_keeps_most_of_it(width: int, height: int, seed: int, noisy: bool) -> None:
    picture = grain(width, height, seed) if noisy else Image.new("RGB", (width, height), "teal")
    box = inner_box(picture)
    if box is not None:
        left, top, right, bottom = box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert min((right - left) / width, (bottom - top) / height) >= 0.15


@pytest.mark.parametrize("size", [(640, 420), (420, 640), (256, 256), (257, 3000), (50, 50)])
def test_a_picture_without_border_has_none(size: tuple[int, int]) -> None:
    assert inner_box(grain(*size)) is None
    assert inner_box(as_jpeg(scene(*size), 30)) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 2), (300, 300)])
@pytest.mark.parametrize("colour", ["black", "white"])
def test_a_picture_that_is_all_border_is_left_whole(size: tuple[int, int], colour: str) -> None:
    assert inner_box(Image.new("RGB", size, colour)) is None


def test_a_small_thing_on_a_plain_ground_is_left_whole() -> None:
    assert inner_box(framed(scene(80, 80), (300, 300, 300, 300))) is None


def test_a_film_on_an_upright_telephone_keeps_its_fifth_of_the_height() -> None:
    film = scene(1080, 463)
    frame = (0, 938, 0, 939)
    assert inner_box(framed(film, frame, "black")) == inside(film, frame)


def test_a_hairline_is_no_border() -> None:
    assert inner_box(framed(scene(), (1, 1, 1, 1), "black")) is None


@pytest.mark.parametrize("text", ["", "WHEN THE TEA IS READY"])
@pytest.mark.parametrize("where", range(4))
def test_a_banner_is_found_on_every_side_with_and_without_text(text: str, where: int) -> None:
    sheet = copies.bannered(scene(), text).rotate(90 * where, expand=True)
    strip = round(0.12 * HEIGHT)
    turned = [
        (0, strip, WIDTH, HEIGHT + strip),
        (strip, 0, HEIGHT + strip, WIDTH),
        (0, 0, WIDTH, HEIGHT),
        (0, 0, HEIGHT, WIDTH),
    ]
    assert inner_box(sheet) == turned[where]


def test_two_lines_of_text_and_a_logo_do_not_end_a_banner() -> None:
    picture = scene()
    sheet = framed(picture, (0, 120, 0, 0), "black")
    draw = ImageDraw.Draw(sheet)
    for line in (20, 60):
        draw.rectangle((180, line, 400, line + 24), fill="white")
    draw.ellipse((10, 70, 50, 110), fill="orange")
    assert inner_box(sheet) == (0, 120, WIDTH, HEIGHT + 120)


def test_a_slight_gradient_is_still_a_border() -> None:
    picture = scene()
    bar = Image.linear_gradient("L").resize((WIDTH, 90)).point(lambda level: 40 + level // 16).convert("RGB")
    sheet = framed(picture, (0, 90, 0, 0))
    sheet.paste(bar, (0, 0))
    assert inner_box(sheet) == (0, 90, WIDTH, HEIGHT + 90)


def test_bars_above_and_below_do_not_lay_a_plain_wall_bare() -> None:
    picture = scene()
    ImageDraw.Draw(picture).rectangle((0, 0, 150, HEIGHT), fill=(200, 200, 190))
    frame = (0, 100, 0, 100)
    assert inner_box(framed(picture, frame, "black")) == inside(picture, frame)


def test_a_plain_sky_is_a_border_like_any_other() -> None:
    picture = scene()
    ImageDraw.Draw(picture).rectangle((0, 0, WIDTH, 99), fill=(120, 160, 220))
    assert inner_box(picture) == (0, 100, WIDTH, HEIGHT)


def test_what_is_looked_at_does_not_grow_with_the_picture() -> None:
    huge = Image.new("RGB", (9000, 7000), "black")
    huge.paste(grain(3000, 2000).resize((9000, 5000), Image.Resampling.NEAREST), (0, 1000))
    assert inner_box(huge) == (0, 1000, 9000, 6000)


def means(picture: Image.Image, scale: int) -> NDArray[np.float32]:
    return np.asarray(picture.convert("L").reduce(scale)).astype(np.float32)


@settings(max_examples=60)
@given(
    size=st.tuples(*[st.integers(260, 900)] * 2),
    shares=st.tuples(*[st.floats(0, 0.4)] * 4),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    quality=st.sampled_from([20, 60, 95]),
    scale=st.sampled_from([2, 4]),
)
def test_a_border_is_never_missed_in_the_means_of_blocks(
    size: tuple[int, ...], shares: tuple[float, ...], colour: tuple[int, int, int], quality: int, scale: int
) -> None:
    width, height = size
    sides = (width, height, width, height)
    left, top, right, bottom = (round(share * side) for share, side in zip(shares, sides, strict=True))
    sheet = as_jpeg(framed(scene(width, height), (left, top, right, bottom), colour), quality)
    assert may_have_borders(means(sheet, scale)) or inner_box(sheet) is None


@pytest.mark.parametrize("where", range(4))
def test_a_banner_with_text_is_not_missed_either(where: int) -> None:
    sheet = copies.bannered(scene(), "WHEN THE TEA IS READY").rotate(90 * where, expand=True)
    assert may_have_borders(means(sheet, 2))


@pytest.mark.parametrize("size", [(640, 420), (420, 640), (1200, 800)])
def test_grain_to_the_edge_is_no_border_in_the_means_of_blocks(size: tuple[int, int]) -> None:
    assert not may_have_borders(means(scene(*size), 2))


def test_a_picture_read_back_from_a_file_gives_the_same_box() -> None:
    sheet = framed(scene(), (33, 44, 55, 66), "black")
    file = io.BytesIO()
    sheet.save(file, "PNG")
    with Image.open(file) as image:
        assert inner_box(image.convert("RGB")) == inner_box(sheet) == (33, 44, 33 + WIDTH, 44 + HEIGHT)
