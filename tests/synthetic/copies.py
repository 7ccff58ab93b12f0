"""Altered copies of a picture, each by a name: what people and programs do to pictures that they pass on.

Usage: python tests/synthetic/copies.py PICTURE... --out FOLDER

Writes every copy of every picture into FOLDER, and `copies.csv` beside them: the file, the picture, the alteration. The
same bytes for the same picture every time.
"""

import argparse
import csv
import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Alteration = Callable[[Image.Image], Image.Image]

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
QUALITY = 90


def coded(picture: Image.Image, kind: str, quality: int) -> Image.Image:
    """Return the picture as it comes back from a lossy file."""
    file = io.BytesIO()
    picture.save(file, kind, quality=quality)
    with Image.open(file) as image:
        return image.convert("RGB")


def resized(picture: Image.Image, share: float) -> Image.Image:
    """Return the picture at a share of its size."""
    width, height = (max(1, round(length * share)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def noisy(picture: Image.Image, deviation: float) -> Image.Image:
    """Return the picture with grain of a deviation in grey levels."""
    pixels = np.asarray(picture, dtype=np.float64)
    grain = np.random.default_rng(20260314).normal(0, deviation, pixels.shape)
    return Image.fromarray(np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8))


def brighter(picture: Image.Image, factor: float) -> Image.Image:
    """Return the picture with every value multiplied."""
    return ImageEnhance.Brightness(picture).enhance(factor)


def contrasted(picture: Image.Image, factor: float) -> Image.Image:
    """Return the picture with the distance of every value from the mean multiplied."""
    return ImageEnhance.Contrast(picture).enhance(factor)


def watermarked(picture: Image.Image) -> Image.Image:
    """Return the picture with half-transparent text across the middle."""
    mark = Image.new("L", picture.size)
    middle = picture.width // 2, picture.height // 2
    ImageDraw.Draw(mark).text(middle, "SYNTHETIC SAMPLE", fill=128, font=_font(picture.width // 12), anchor="mm")
    return Image.composite(Image.new("RGB", picture.size, WHITE), picture, mark)


def with_logo(picture: Image.Image, share: float) -> Image.Image:
    """Return the picture with an opaque disc on a plate, on a share of the area, in the lower right corner."""
    side = round((share * picture.width * picture.height) ** 0.5)
    logo = Image.new("RGB", (side, side), (200, 30, 40))
    ImageDraw.Draw(logo).ellipse((side // 8, side // 8, side - side // 8, side - side // 8), fill=WHITE)
    copy = picture.copy()
    copy.paste(logo, (picture.width - side - side // 8, picture.height - side - side // 8))
    return copy


def cropped(picture: Image.Image, shares: tuple[float, float, float, float]) -> Image.Image:
    """Return the picture without a share of its width or height at the left, top, right and bottom."""
    width, height = picture.size
    left, top, right, bottom = shares
    box = round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height)
    return picture.crop(box)


def bordered(picture: Image.Image, share: float, colour: tuple[int, int, int]) -> Image.Image:
    """Return the picture in a frame: a share of the longer side at each edge."""
    return ImageOps.expand(picture, round(share * max(picture.size)), colour)


def barred(picture: Image.Image, across: float, down: float) -> Image.Image:
    """Return the picture between black bars, at the sides and above and below: shares of its width and height."""
    return ImageOps.expand(picture, (round(across * picture.width), round(down * picture.height)), BLACK)


def bannered(picture: Image.Image, text: str) -> Image.Image:
    """Return the picture below a white strip of 12 % of its height with a line of text."""
    strip = max(1, round(0.12 * picture.height))
    copy = Image.new("RGB", (picture.width, picture.height + strip), WHITE)
    copy.paste(picture, (0, strip))
    font = _font(min(strip // 2, picture.width // 16))
    ImageDraw.Draw(copy).text((picture.width // 2, strip // 2), text, fill=BLACK, font=font, anchor="mm")
    return copy


def rotated(picture: Image.Image, degrees: float) -> Image.Image:
    """Return the picture turned a little, with black corners."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC)


def turned(picture: Image.Image, degrees: int) -> Image.Image:
    """Return the picture turned by quarters, counter-clockwise."""
    return picture.rotate(degrees, expand=True)


def collage(picture: Image.Image) -> Image.Image:
    """Return four pictures in one, this one at the upper left, others made of it."""
    half = resized(picture, 0.5)
    sheet = Image.new("RGB", (2 * half.width, 2 * half.height))
    others = (ImageOps.flip(half), ImageOps.mirror(half), ImageOps.invert(ImageOps.posterize(half, 2)))
    for number, tile in enumerate((half, *others)):
        sheet.paste(tile, (number % 2 * half.width, number // 2 * half.height))
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6, size))


def _crops() -> dict[str, Alteration]:
    crops: dict[str, Alteration] = {}
    for percent in (2, 5, 8, 10, 13, 18, 20, 30):
        share = percent / 100
        shares = {
            "centre": (share / 2, share / 2, share / 2, share / 2),
            "left": (share, 0, 0, 0),
            "top": (0, share, 0, 0),
            "right": (0, 0, share, 0),
            "bottom": (0, 0, 0, share),
            "corner": (share, share, 0, 0),
        }
        crops |= {f"crop {percent} % {where}": partial(cropped, shares=taken) for where, taken in shares.items()}
    crops["crop to a square"] = _square
    return crops


def _square(picture: Image.Image) -> Image.Image:
    return ImageOps.fit(picture, (min(picture.size), min(picture.size)), Image.Resampling.LANCZOS)


ALTERATIONS: Mapping[str, Alteration] = {
    **{f"resize to {percent} %": partial(resized, share=percent / 100) for percent in (50, 25, 10)},
    **{f"JPEG q{quality}": partial(coded, kind="JPEG", quality=quality) for quality in (10, 30, 50, 75)},
    "WebP q50": partial(coded, kind="WEBP", quality=50),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "blur": lambda picture: picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 300)),
    "noise": partial(noisy, deviation=12),
    "contrast +50 %": partial(contrasted, factor=1.5),
    "contrast -40 %": partial(contrasted, factor=0.6),
    "brightness +30 %": partial(brighter, factor=1.3),
    "brightness -30 %": partial(brighter, factor=0.7),
    "sharpen": lambda picture: picture.filter(ImageFilter.UnsharpMask(4, 200, 0)),
    "watermark": watermarked,
    "logo on 2 %": partial(with_logo, share=0.02),
    "logo on 5 %": partial(with_logo, share=0.05),
    **_crops(),
    "border 3 %": partial(bordered, share=0.03, colour=WHITE),
    "border 10 %": partial(bordered, share=0.10, colour=(40, 40, 48)),
    "letterbox": partial(barred, across=0, down=0.25),
    "pillarbox": partial(barred, across=0.25, down=0),
    "banner": partial(bannered, text=""),
    "banner with text": partial(bannered, text="WHEN THE TEA IS READY AT LAST"),
    "mirror": ImageOps.mirror,
    "flip": ImageOps.flip,
    **{f"turn by {degrees}": partial(turned, degrees=degrees) for degrees in (90, 180, 270)},
    **{f"rotate by {degrees} degrees": partial(rotated, degrees=degrees) for degrees in (1, 2)},
    "negative": ImageOps.invert,
    "2 x 2 collage": collage,
}
"""Every alteration, by its name."""


def main() -> None:
    """Write the copies of the pictures named, and their list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the copies go")
    parser.add_argument("--quality", type=int, default=QUALITY, help=f"of the JPEG files written ({QUALITY})")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "copies.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "picture", "alteration"))
        for number, path in enumerate(arguments.pictures, start=1):
            with Image.open(path) as image:
                picture = ImageOps.exif_transpose(image).convert("RGB")
            for name, alter in ALTERATIONS.items():
                written = f"{number:03d} {path.stem} {name.replace('%', 'percent')}.jpg"
                alter(picture).save(arguments.out / written, "JPEG", quality=arguments.quality)
                table.writerow((written, path.name, name))


if __name__ == "__main__":
    main()
