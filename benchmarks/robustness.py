"""What the perceptual hashes survive: the share of altered copies found, and the false matches, as Markdown tables.

Each photograph is taken as a known picture and altered in every way of `tests/synthetic/copies.py`; each copy goes
through the product as a JPEG file of quality 85. A copy is found when a hash of it comes within the radius of a hash of
its photograph: of the whole upright picture alone ("whole"); with all variants of the copy, turned, mirrored, inside
its borders and negative ("variants"); and with the hashes of the crop ladder stored beside the known one ("crops").

False matches are counted among unrelated pairs: every copy of a photograph against every other photograph and every
quarter of it.

Usage: python benchmarks/robustness.py PATH... [--longest PIXELS]. A PATH is a folder or a disk image; the pictures in
it are taken that are photographs: of 200 pixels and more, comparable, without a large area of one colour, one of a
scene.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic.copies import ALTERATIONS

from triage.content.content import Content
from triage.content.mediatype import HEAD, media_type
from triage.content.picture import PICTURE_TYPES, hash_known_picture, hash_picture
from triage.items.evidence import Evidence
from triage.model.digest import PictureHashes
from triage.model.item import Item, ItemKind
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

SMALLEST = 200
ONE_COLOUR = 0.2
SAME_SCENE = 80  # bits: turned and altered copies of one photograph are nearer, unrelated ones are at 128 on average
PDQ_RADII = (15, 23, 31)
PHASH_RADII = (4, 6, 8, 10)
QUALITY = 85

Hashes = NDArray[np.uint64]
Distances = dict[str, NDArray[np.int64]]

_FARTHEST = 256


@dataclass(frozen=True)
class Known:
    """Known pictures as a set would hold them: the first are the photographs, then come their quarters.

    `scene`: the photograph that each is or is a part of; `starts`: where each has its own hash, and behind it those of
    its crops, in `crops`.
    """

    scene: NDArray[np.int64]
    pdq: Hashes
    crops: Hashes
    starts: NDArray[np.int64]
    phash: Hashes


@dataclass(frozen=True)
class Query:
    """A picture as it is met on an exhibit."""

    scene: int
    alteration: str
    hashes: PictureHashes


def photographs(paths: Sequence[Path], longest: int) -> list[Image.Image]:
    """Return the photographs below the paths, one of a scene, made as small as asked."""
    chosen: list[Image.Image] = []
    seen: list[Hashes] = []
    for picture in _pictures(paths):
        picture.thumbnail((longest, longest))
        hashes = hash_picture(*_as_file(picture))
        if hashes.declined or min(picture.size) < SMALLEST or _largest_colour(picture) > ONE_COLOUR:
            continue
        variants = _array(hashes.pdq_variants)
        if all(_nearest(variants, other).min() > SAME_SCENE for other in seen):
            chosen.append(picture)
            seen.append(variants)
    return chosen


def _pictures(paths: Sequence[Path]) -> Iterator[Image.Image]:
    for path in paths:
        evidence = Evidence(WatchedSource(open_source(path)))
        for region in evidence.survey().regions:
            for entry in evidence.walk(region):
                if isinstance(entry, Item) and entry.kind is ItemKind.FILE and entry.size:
                    content = evidence.content(entry, region.run)
                    if media_type(content.head(HEAD)) in PICTURE_TYPES:
                        yield from _decoded(content)


def _decoded(content: Content) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(b"".join(content.blocks()))) as image:
            yield ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return  # a damaged picture is not one to measure with


def _largest_colour(picture: Image.Image) -> float:
    small = np.asarray(picture.resize((64, 64), Image.Resampling.NEAREST)).reshape(-1, 3)
    return float(np.unique(small, axis=0, return_counts=True)[1].max()) / len(small)


def _as_file(picture: Image.Image) -> tuple[Content, str]:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    data = file.getvalue()
    return Content(lambda offset, length: data[offset : offset + length], len(data)), "image/jpeg"


def _array(hashes: Sequence[str]) -> Hashes:
    """Return the hashes as rows of 64-bit words."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(len(hashes), -1)


def _nearest(variants: Hashes, stored: Hashes) -> NDArray[np.int64]:
    """Return the least distance in bits of any variant to each stored hash."""
    bits = np.bitwise_count(variants[:, None] ^ stored[None, :])
    least: NDArray[np.int64] = bits.sum(axis=2, dtype=np.int64).min(axis=0)
    return least


def known_pictures(photos: Sequence[Image.Image]) -> Known:
    """Return the photographs and their comparable quarters as known pictures."""
    parts = [*enumerate(photos), *((scene, part) for scene, photo in enumerate(photos) for part in _quarters(photo))]
    made = [(scene, *hash_known_picture(*_as_file(picture))) for scene, picture in parts]
    kept = [(scene, hashes, crops) for scene, hashes, crops in made if not hashes.declined]
    crops = [[hashes.pdq or "", *(crop.hex() for crop in crops)] for _, hashes, crops in kept]
    return Known(
        scene=np.array([scene for scene, _, _ in kept]),
        pdq=_array([hashes.pdq or "" for _, hashes, _ in kept]),
        crops=_array([value for values in crops for value in values]),
        starts=np.cumsum([0, *(len(values) for values in crops[:-1])]),
        phash=_array([hashes.phash or "" for _, hashes, _ in kept]),
    )


def _quarters(photo: Image.Image) -> Iterator[Image.Image]:
    width, height = photo.width // 2, photo.height // 2
    if min(width, height) >= SMALLEST:
        for left, top in ((0, 0), (width, 0), (0, height), (width, height)):
            yield photo.crop((left, top, left + width, top + height))


def queries(photos: Sequence[Image.Image]) -> Iterator[Query]:
    """Yield every copy of every photograph, hashed."""
    for name, alter in ALTERATIONS.items():
        for scene, photo in enumerate(photos):
            yield Query(scene, name, hash_picture(*_as_file(alter(photo))))


def distances(query: Query, known: Known) -> Distances:
    """Return the distance of a picture to each known one by each way of comparing; what was declined is far."""
    hashes = query.hashes
    if hashes.declined or hashes.pdq is None or hashes.phash is None:
        return {way: np.full(len(known.scene), _FARTHEST) for way in COLUMNS}
    variants = _array(hashes.pdq_variants)
    return {
        "PDQ whole": _nearest(_array([hashes.pdq]), known.pdq),
        "PDQ variants": _nearest(variants, known.pdq),
        "PDQ crops": np.minimum.reduceat(_nearest(variants, known.crops), known.starts),
        "pHash whole": _nearest(_array([hashes.phash]), known.phash),
        "pHash variants": _nearest(_array(hashes.phash_variants), known.phash),
    }


COLUMNS = {
    "PDQ whole": PDQ_RADII,
    "PDQ variants": PDQ_RADII,
    "PDQ crops": PDQ_RADII,
    "pHash whole": PHASH_RADII,
    "pHash variants": PHASH_RADII,
}


def found_table(measured: Sequence[tuple[Query, Distances]]) -> None:
    """Print the share of copies found."""
    print("| altered by | " + " | ".join(f"{way} {_text(radii)}" for way, radii in COLUMNS.items()) + " |")
    print("| --- |" + " --- |" * len(COLUMNS))
    for name in ALTERATIONS:
        rows = [(copy.scene, near) for copy, near in measured if copy.alteration == name]
        cells = [
            [f"{np.mean([near[way][scene] <= radius for scene, near in rows]):.0%}"[:-1] for radius in radii]
            for way, radii in COLUMNS.items()
        ]
        print(f"| {name} | " + " | ".join(map(_text, cells)) + " |")


def false_table(measured: Sequence[tuple[Query, Distances]], known: Known) -> None:
    """Print how near unrelated pairs come, how many within each radius, and between how many pairs of photographs."""
    unrelated = [(copy, near, known.scene != copy.scene) for copy, near in measured]
    print("| compared | nearest pair | radius | false matches | between so many pairs of photographs |")
    print("| --- | --- | --- | --- | --- |")
    for way, radii in COLUMNS.items():
        nearest = min(int(near[way][others].min()) for _, near, others in unrelated)
        for radius in radii:
            false = [
                frozenset((copy.scene, scene))
                for copy, near, others in unrelated
                for scene in known.scene[others & (near[way] <= radius)].tolist()
            ]
            print(f"| {way} | {nearest} | {radius} | {len(false)} | {len(set(false))} |")


def _text(values: Sequence[object]) -> str:
    return " / ".join(map(str, values))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--longest", type=int, default=1024, help="pixels of the longer side that are kept (1024)")
    arguments = parser.parse_args()
    photos = photographs(arguments.paths, arguments.longest)
    known = known_pictures(photos)
    measured = [(copy, distances(copy, known)) for copy in queries(photos)]
    print(f"{len(photos)} photographs. Share of copies found, in per cent, by radius in bits.\n")
    found_table(measured)
    pairs = sum(int(np.count_nonzero(known.scene != copy.scene)) for copy, _ in measured)
    print(f"\n{pairs} unrelated pairs: {len(measured)} copies, {len(known.scene)} photographs and quarters.\n")
    false_table(measured, known)


if __name__ == "__main__":
    main()
