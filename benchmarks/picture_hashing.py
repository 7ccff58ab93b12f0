"""Milliseconds to hash a picture in each way, or (--accuracy) how far estimates are from the full decode.

Timing, one thread, the file in memory: the script that a user would write (Pillow and imagehash.phash, one upright
64-bit hash and no PDQ), `hash_picture`, `estimate_picture`, `glimpse`, and what entropy decoding alone takes, the floor
of any JPEG decoder: decoding to 1/8 in grey. The pictures are generated, with structure and grain like a photograph's;
medians of rounds in which every way is taken once.

Accuracy: the pictures in the folders named, encoded as JPEG of many sizes, qualities and samplings, some oversaturated,
some grey, and generated ones: noise, text, discs and tiles of full colours. Each estimate is held against the full
decode. A bit that differs and is not masked is *missed*; there has to be none. "With narrower bands" says how many
there would be if the band of unknown bits were a half, a quarter, an eighth as wide.

Usage: python benchmarks/picture_hashing.py [--rounds N]
       python benchmarks/picture_hashing.py --accuracy [FOLDER...] [--seconds N] [--seed N]
"""

import argparse
import io
import os
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import imagehash
import numpy as np
import pillow_heif
import simplejpeg
from PIL import Image, ImageDraw, ImageEnhance, ImageFile, ImageFont
from synthetic.photographs import photograph, with_thumbnail

from triage.content import estimate, reduced
from triage.content.content import Content
from triage.content.estimate import estimate_picture
from triage.content.glimpse import glimpse
from triage.content.jpeg import jpeg_head, jpeg_pixels
from triage.content.picture import DEFAULT_LIMITS, hash_picture
from triage.content.reduced import Band, reduced_hashes
from triage.model.digest import PictureHashes

pillow_heif.register_heif_opener()
ImageFile.MAXBLOCK = 64 << 20  # Pillow cannot write some progressive files in pieces

LARGE, SMALL = (4000, 3000), (1152, 864)
WIDTHS = (520, 640, 900, 1280, 1600, 2100, 3000, 4000)
QUALITIES = (10, 30, 50, 75, 85, 90, 95, 98)
SAMPLINGS = (0, 1, 2, 2, 2)
NARROWER = (2, 4, 8)
LARGEST = 16_000_000


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return the picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def make_files() -> dict[str, tuple[str, bytes]]:
    """Return media type and bytes of each file that is timed."""
    large, small = photograph(1, LARGE), photograph(2, SMALL)
    return {
        "JPEG 12 MP": ("image/jpeg", with_thumbnail(large, quality=92)),
        "JPEG 1 MP": ("image/jpeg", with_thumbnail(small, quality=88)),
        "JPEG 12 MP, progressive": ("image/jpeg", saved(large, "JPEG", quality=90, progressive=True)),
        "PNG 1 MP": ("image/png", saved(small, "PNG")),
        "WebP 12 MP": ("image/webp", saved(large, "WEBP", quality=80, method=0)),
        "HEIC 12 MP": ("image/heic", saved(large, "HEIF", quality=60, thumbnails=[320])),
    }


def as_users_do(data: bytes) -> None:
    """Hash as a script of five lines does."""
    with Image.open(io.BytesIO(data)) as image:
        imagehash.phash(image)


def decode_entropy(data: bytes) -> None:
    """Decode a JPEG to the least that the decoder gives."""
    head = jpeg_head(data)
    assert head is not None
    simplejpeg.decode_jpeg(data, "GRAY", min_height=-(-head.height // 8), min_width=-(-head.width // 8))


def ways(media_type: str, data: bytes) -> dict[str, Callable[[], object]]:
    """Return what is timed, by its name; nothing is remembered between calls but filters of this size."""
    found: dict[str, Callable[[], object]] = {
        "Pillow + imagehash": lambda: as_users_do(data),
        "hash_picture": lambda: hash_picture(Content.of(data), media_type),
    }
    if media_type == "image/jpeg":
        found["estimate_picture"] = lambda: estimate_picture(Content.of(data), media_type)
        found["entropy decoding"] = lambda: decode_entropy(data)
    if glimpse(Content.of(data)) is not None:
        found["glimpse"] = lambda: glimpse(Content.of(data))
    return found


def report_times(rounds: int) -> None:
    """Print milliseconds by picture and way, and how many times faster than the script."""
    for name, (media_type, data) in make_files().items():
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds + 1):
            for way, call in ways(media_type, data).items():
                begun = time.perf_counter()
                call()
                if number:  # the first builds filters and loads libraries
                    times[way].append(time.perf_counter() - begun)
        medians = {way: 1e3 * statistics.median(measured) for way, measured in times.items()}
        script = medians["Pillow + imagehash"]
        text = ", ".join(f"{way} {taken:.2f} ms ({script / taken:.1f} x)" for way, taken in medians.items())
        print(f"{name}, {len(data) / 1e6:.2f} MB: {text}")


@dataclass
class Tally:
    """What was measured of the estimates at one scale."""

    distances: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    missed: int = 0
    phash_distances: list[int] = field(default_factory=list)
    phash_unknown: list[int] = field(default_factory=list)
    phash_missed: int = 0
    missed_narrower: Counter[int] = field(default_factory=Counter)
    quality: int = 0

    def add(self, estimated: PictureHashes, full: PictureHashes) -> None:
        """Count one picture, by its worst variant."""
        pdq = compared(estimated.pdq_variants, full.pdq_variants, estimated.pdq_unknown)
        phash = compared(estimated.phash_variants, full.phash_variants, estimated.phash_unknown)
        self.distances.append(pdq[0])
        self.unknown.append(pdq[1])
        self.missed += pdq[2]
        self.phash_distances.append(phash[0])
        self.phash_unknown.append(phash[1])
        self.phash_missed += phash[2]
        self.quality = max(self.quality, abs((estimated.quality or 0) - (full.quality or 0)))

    def text(self) -> str:
        """Return a row of the table of docs/pdq.md."""
        rows = (self.distances, self.unknown, self.phash_distances, self.phash_unknown)
        cells = [f"{np.mean(row):.1f} / {np.percentile(row, 95):.0f} / {max(row)}" for row in rows]
        narrow = ", ".join(str(self.missed_narrower[factor]) for factor in NARROWER)
        return (
            f"{len(self.distances)} | {cells[0]} | {cells[1]} | {self.missed} | {narrow} | {cells[2]} | {cells[3]} | "
            f"{self.phash_missed} | {self.quality}"
        )


def compared(seen: Sequence[str], full: Sequence[str], unknown: Sequence[str]) -> tuple[int, int, int]:
    """Return the most bits that differ, that are unknown, and that differ unmasked, of any variant."""
    if not len(seen) == len(full) == len(unknown):
        sys.exit("an estimate has other variants than the full decode")
    differ = [int(left, 16) ^ int(right, 16) for left, right in zip(seen, full, strict=True)]
    masks = [int(mask, 16) for mask in unknown]
    missed = [bits & ~mask for bits, mask in zip(differ, masks, strict=True)]
    most = [max(value.bit_count() for value in values) for values in (differ, masks, missed)]
    return most[0], most[1], most[2]


def missed_with_narrower_bands(data: bytes, estimated: PictureHashes, full: PictureHashes) -> Counter[int]:
    """Return how many bits would be missed of the upright PDQ hash and pHash, by how much narrower the bands are."""
    head = jpeg_head(data)
    assert head is not None
    pixels = jpeg_pixels(data, head, estimated.scale)
    bands = reduced.PDQ_BAND, reduced.PHASH_BAND
    missed: Counter[int] = Counter()
    for factor in NARROWER:
        reduced.PDQ_BAND, reduced.PHASH_BAND = (Band(*(part / factor for part in band)) for band in bands)
        found = reduced_hashes(
            estimate.as_luma(pixels), head.height, head.width, estimated.scale, cut=estimate.near_end(pixels)
        )
        reduced.PDQ_BAND, reduced.PHASH_BAND = bands
        missed[factor] += compared(
            [value.hex() for value in found.pdq], full.pdq_variants[:8], [mask.hex() for mask in found.pdq_unknown]
        )[2]
    return missed


def encodings(folders: Sequence[Path], chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of JPEG files without end: two thirds of them of the pictures in the folders."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    unlike = list({path.stat().st_size: path for path in files}.values())
    chance.shuffle(unlike)
    while True:
        for path in unlike:
            with Image.open(path) as image:
                picture = image.convert("RGB")
            if picture.width * picture.height > LARGEST:
                picture.thumbnail(LARGE)
            if path.suffix.lower() in {".jpg", ".jpeg"}:
                yield "photograph as it is", path.read_bytes()
            yield "photograph", encoded(altered(resized(picture, chance), chance), chance)
            yield generated(chance)
        if not unlike:
            yield generated(chance)


_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def resized(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return the picture with another width."""
    width = chance.choice(WIDTHS)
    return picture.resize((width, max(512, round(picture.height * width / picture.width))))


def altered(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return every third picture with other colours."""
    way = chance.randrange(9)
    if way == 0:
        return ImageEnhance.Color(picture).enhance(4)
    if way == 1:
        return ImageEnhance.Contrast(picture).enhance(3)
    return picture.convert("L") if way == 2 else picture  # noqa: PLR2004


def encoded(picture: Image.Image, chance: random.Random) -> bytes:
    """Return a JPEG file of some quality and sampling."""
    options = {} if picture.mode == "L" else {"subsampling": chance.choice(SAMPLINGS)}
    return saved(picture, "JPEG", quality=chance.choice(QUALITIES), progressive=chance.random() < 0.3, **options)  # noqa: PLR2004


def generated(chance: random.Random) -> tuple[str, bytes]:
    """Return kind and bytes of a picture unlike photographs, or of a synthetic one."""
    size = chance.choice(WIDTHS[:6]), chance.choice(WIDTHS[:6])
    numbers = np.random.default_rng(chance.randrange(1 << 30))
    kinds = {"noise": noise, "tiles": tiles, "text": text, "discs": discs, "synthetic photograph": synthetic}
    kind = chance.choice(list(kinds))
    return kind, encoded(kinds[kind](numbers, size), chance)


def noise(numbers: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return noise on soft colours."""
    soft = np.asarray(Image.fromarray(numbers.integers(0, 256, (13, 17, 3), dtype=np.uint8)).resize(size))
    grain = numbers.normal(0, numbers.choice([5, 20, 60]), (size[1], size[0], 3))
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))


def tiles(numbers: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return tiles of full colours."""
    side = int(numbers.integers(5, 40))
    colours = numbers.integers(0, 2, (size[1] // side + 1, size[0] // side + 1, 3)) * 255
    return Image.fromarray(colours.astype(np.uint8).repeat(side, 0).repeat(side, 1)[: size[1], : size[0]])


def text(numbers: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return a wild page of letters."""
    page = Image.new("RGB", size, tuple(map(int, numbers.integers(0, 256, 3))))
    draw = ImageDraw.Draw(page)
    for _ in range(150):
        place = int(numbers.integers(-50, size[0])), int(numbers.integers(0, size[1]))
        colour = tuple(int(level) * 255 for level in numbers.integers(0, 2, 3))
        draw.text(place, "The kettle sings at noon", colour, ImageFont.load_default(int(numbers.integers(9, 60))))
    return page


def discs(numbers: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return overlapping discs of full colours."""
    page = Image.new("RGB", size)
    draw = ImageDraw.Draw(page)
    for _ in range(200):
        across, down, radius = (
            int(numbers.integers(size[0])),
            int(numbers.integers(size[1])),
            int(numbers.integers(3, 200)),
        )
        box = across - radius, down - radius, across + radius, down + radius
        draw.ellipse(box, tuple(int(level) * 255 for level in numbers.integers(0, 2, 3)))
    return page


def synthetic(numbers: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Return a synthetic photograph."""
    return photograph(int(numbers.integers(1 << 30)), size)


def report_accuracy(folders: Sequence[Path], seconds: float, seed: int) -> None:
    """Print the table of docs/pdq.md, what was left to the full decode, and what was missed."""
    tallies: dict[tuple[str, int], Tally] = defaultdict(Tally)
    left: dict[str, Counter[str]] = defaultdict(Counter)
    end = time.monotonic() + seconds
    for kind, data in encodings(folders, random.Random(seed)):
        if time.monotonic() > end:
            break
        family = "photograph" if kind.startswith("photograph") else "generated"
        estimated = estimate_picture(Content.of(data), "image/jpeg")
        left[kind]["estimated" if estimated else "left to the full decode"] += too_small(data) ^ 1
        if estimated is None:
            continue
        full = hash_picture(Content.of(data), "image/jpeg")
        if (full.declined, full.damaged) != (None, False):
            sys.exit("a picture was estimated that is not to be compared")
        tally = tallies[family, estimated.scale]
        tally.add(estimated, full)
        tally.missed_narrower.update(missed_with_narrower_bands(data, estimated, full))
    print("family, scale | pictures | bits off | unknown | missed | with narrower bands |", end=" ")
    print("pHash bits off | unknown | missed | quality off")
    for (family, scale), tally in sorted(tallies.items()):
        print(f"{family}, 1/{scale} | {tally.text()}")
    for kind, counts in sorted(left.items()):
        print(f"{kind}: {dict(counts)}")


def too_small(data: bytes) -> int:
    """Return 1 for a picture that nothing is gained on."""
    head = jpeg_head(data)
    return int(head is None or min(head.width, head.height) < 512 or head.width * head.height > DEFAULT_LIMITS.pixels)  # noqa: PLR2004


def main() -> None:
    """Time, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accuracy", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.accuracy is None:
        report_times(arguments.rounds)
    else:
        report_accuracy(arguments.accuracy, arguments.seconds, arguments.seed)


if __name__ == "__main__":
    main()
