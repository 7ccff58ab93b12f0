"""A device as people have them, of any number of items: a system, programs, two users; and two sets of known pictures.

Most files are small (0 to 4 KiB), some are not (up to 1 MiB); some of a hundred are pictures of programs and caches. In
the pictures of one user lie the known ones: one alone, and 200 in three folders, among others that are not known.
"""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.evidence import made, make_ext4, make_ntfs
from benchmarks.examining import build_set
from benchmarks.photographs import ONE_MEGAPIXEL, camera_jpeg, jpeg, photograph, remarked

FILE_SYSTEMS = {"ntfs": make_ntfs, "ext4": make_ext4}
MANY = 200
PLACES = ("Users/anna/Pictures/2024 Lake", "Users/anna/Downloads", "Users/anna/Documents/Old phone/DCIM")
ONE = "Users/anna/Pictures/2023 Winter/IMG_0412.jpg"

_HERS = "Users/anna/Documents"  # her pictures lie behind these
_SHARES = {  # folders, each with its share of the items, how its files end, and how many lie in one
    "Windows/WinSxS": (30, ("dll", "manifest", "mui"), 12),
    "Windows/System32": (12, ("dll", "exe", "sys", "inf"), 400),
    "Windows/assembly": (6, ("dll", "ni"), 3),
    "Program Files/Office": (8, ("dll", "xml", "ttf", "jpg"), 60),
    "Program Files/Editor": (9, ("js", "json", "py", "map", "jpg"), 15),
    "ProgramData/Updates": (3, ("cab", "log"), 30),
    "Users/anna/AppData/Local/Browser/Cache": (14, ("bin", "js", "jpg"), 2000),
    "Users/anna/AppData/Roaming/Chat": (6, ("db", "json", "jpg"), 200),
    _HERS: (4, ("txt", "csv", "html"), 40),
    "Users/ben/AppData/Local/Games": (7, ("pak", "cfg", "jpg"), 100),
    "Users/ben/Documents": (1, ("txt", "csv"), 40),
}
_SIZES = {(0, 4 << 10): 920, (4 << 10, 64 << 10): 75, (64 << 10, 1 << 20): 5}  # of a thousand files
_PICTURES_OF_ANNA = 200  # items for each of her own pictures, the known ones not counted
_NOISE = 16 << 20
_ICON = (96, 96)
_SCENES = 64
_HEADS = {
    "dll": b"MZ\x90\0",
    "exe": b"MZ\x90\0",
    "sys": b"MZ\x90\0",
    "ni": b"MZ\x90\0",
    "cab": b"MSCF",
    "ttf": b"\0\1\0\0",
}
_INODE = 256
_BYTES_OF_AN_ITEM = 12_000  # room of the image: more than the mean of the sizes above, rounded up to clusters
_ROOM = 300 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The image of a device of so many items, and where the known pictures lie that each set has."""

    items: int
    image: Path
    libraries: dict[str, Path]
    expected: dict[str, frozenset[str]]


def make_device(folder: Path, items: int, file_system: str) -> Device:
    """Return a device, its image and the sets made where they are not there."""
    make = FILE_SYSTEMS[file_system]
    size = _ROOM + items * (_BYTES_OF_AN_ITEM + _INODE)
    image = made(folder / f"device-{items}.{file_system}", lambda path: make(path, size, files_of(items)))
    expected = {"one": frozenset({ONE}), "many": frozenset(path for path, _ in known_paths()) - {ONE}}
    libraries = {name: library_of(folder, name, paths) for name, paths in expected.items()}
    return Device(items=items, image=image, libraries=libraries, expected=expected)


def library_of(folder: Path, name: str, paths: frozenset[str]) -> Path:
    """Return a library with the set of the known pictures at some paths, made where it is not there."""
    known = made(folder / f"device-known-{name}", partial(write_known, paths=paths))
    return build_set(known, folder / f"device-library-{name}", name)


def write_known(folder: Path, paths: frozenset[str]) -> None:
    """Write exact copies of the known pictures at some paths into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, number in known_paths():
        if path in paths:
            (folder / f"{number:04}.jpg").write_bytes(_known(number))


def known_paths() -> Iterator[tuple[str, int]]:
    """Yield path and number of each known picture: of the many most lie in one folder, and last comes the one."""
    for number in range(MANY):
        place = PLACES[0] if number < MANY // 2 else PLACES[1 + number % 2]
        yield f"{place}/IMG_{1000 + number:04}.jpg", number
    yield ONE, MANY


def files_of(items: int) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a device of about so many items (folders are items too), the oldest first."""
    chance = random.Random(items)
    noise = random.Random(5).randbytes(_NOISE)
    own = items // _PICTURES_OF_ANNA
    rest = items - own - MANY - 1
    total = sum(share for share, _, _ in _SHARES.values())
    for root, (share, endings, together) in _SHARES.items():
        count = rest * share * together // (total * (together + 1))  # every folder takes the place of a file
        for number in range(count):
            ending = chance.choice(endings)
            data = _content(chance, noise, ending, number)
            yield f"{root}/{number // together:05x}/{number:06}.{ending}", data
        if root == _HERS:
            yield from _pictures_of_anna(chance, own)


def _pictures_of_anna(chance: random.Random, own: int) -> Iterator[tuple[str, bytes]]:
    known = dict(known_paths())
    places = (ONE.rpartition("/")[0], *PLACES)
    paths = [*known, *(f"{places[number % len(places)]}/IMG_{number + 5000}.jpg" for number in range(own))]
    for number, path in enumerate(chance.sample(paths, len(paths))):
        yield path, _known(known[path]) if path in known else remarked(_scene(number % _SCENES), number.to_bytes(4))


def _content(chance: random.Random, noise: bytes, ending: str, number: int) -> bytes:
    """Return the content of a file, other than that of any other."""
    if ending == "jpg":
        return remarked(_icon(chance.randrange(_SCENES)), chance.randbytes(8))
    (bounds,) = chance.choices(tuple(_SIZES), tuple(_SIZES.values()))
    size = chance.randrange(*bounds)
    start = chance.randrange(_NOISE - size)
    head = _HEADS.get(ending, f"{ending} {number}\n".encode())
    return (head + noise[start : start + size])[:size]


@functools.cache
def _scene(number: int) -> bytes:
    return camera_jpeg(photograph(20_000 + number, ONE_MEGAPIXEL), number)


@functools.cache
def _icon(number: int) -> bytes:
    return jpeg(photograph(30_000 + number, _ICON), 85)


@functools.cache
def _known(number: int) -> bytes:
    return camera_jpeg(photograph(10_000 + number, ONE_MEGAPIXEL), number)
