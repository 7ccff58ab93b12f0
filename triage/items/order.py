"""What to look at first: a pure function of an item's name, size and address.

A rank is a tier (where people keep things, before what a system brought with it) and a step inside it: pictures drawn
at random, the other pictures, small videos, what else is small, what is large. Inside one rank the disk's own order is
the best. The folders of each tier are in `tiers.toml`.
"""

import tomllib
import unicodedata
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import resources

from triage.model.item import Item, ItemKind
from triage.model.placing import Placed

STEPS = 6
"""Ranks in a tier: `rank // STEPS` is the tier of a rank that is not negative."""

LARGE = 16 << 20
"""Bytes; a larger file waits for the end of its tier."""

LOOK = 64 << 10
"""Bytes; a smaller picture is decoded about as fast as the one embedded in it is found."""

DRAWS = (0, 1, 2)
"""The classes of the random sample of pictures."""

_OF_ALL, _UP_TO = 1, 16  # draw 0 is 1 of 256 pictures; with draw 1 it is 16 of 256
_REMEMBERED = 4096  # folders
_LONGEST = 512  # characters of a folder's path, and names in it, by which it is judged
_DEEPEST = 24


class Tier(IntEnum):
    """Where an item lies, in the order of looking; deleted or not makes no difference."""

    REMOVABLE = 0
    USER_PICTURES = 1
    FILE_SHARING = 2
    MESSAGING = 3
    RECYCLE_BIN = 4
    THUMBNAILS = 5
    USER_FILES = 6
    ARCHIVES = 7
    OTHER = 8
    UNALLOCATED = 9
    SYSTEM = 10

    @property
    def label(self) -> str:
        """The name for a person; it can follow the word `in`."""
        return _LABELS[self]


_LABELS = {
    Tier.REMOVABLE: "removable media",
    Tier.USER_PICTURES: "folders of pictures, videos, downloads and desktops",
    Tier.FILE_SHARING: "folders of file-sharing programs",
    Tier.MESSAGING: "folders of messengers and phone backups",
    Tier.RECYCLE_BIN: "recycle bins",
    Tier.THUMBNAILS: "thumbnail caches",
    Tier.USER_FILES: "other folders of users",
    Tier.ARCHIVES: "archives",
    Tier.OTHER: "other folders",
    Tier.UNALLOCATED: "space that belongs to no file",
    Tier.SYSTEM: "folders of the operating system and of programs",
}

_PICTURES = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "dib", "tif", "tiff", "webp", "heic", "heif", "hif", "avif",
    "jxl", "jp2", "j2k", "jpf", "psd", "mpo", "jps", "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2",
    "orf", "rw2", "rwl", "raf", "pef", "srw", "x3f", "3fr", "fff", "iiq", "kdc", "dcr", "mrw", "erf", "mef", "mos",
    "raw",
})  # fmt: skip
_VIDEOS = frozenset({
    "mp4", "m4v", "mov", "qt", "avi", "divx", "mkv", "webm", "wmv", "asf", "flv", "f4v", "mpg", "mpeg", "mpe", "m1v",
    "m2v", "vob", "3gp", "3g2", "mts", "m2ts", "tod", "mod", "ogv", "rm", "rmvb", "mxf", "insv",
})  # fmt: skip
# Formats in which cameras and telephones embed a small picture.
_EMBEDDING = frozenset({"jpg", "jpeg", "jpe", "jfif", "mpo", "heic", "heif", "hif"})
_ARCHIVES = frozenset({
    "zip", "zipx", "rar", "7z", "tar", "tgz", "gz", "bz2", "tbz2", "xz", "txz", "zst", "lz4", "cab", "ace", "arj",
    "lzh", "lha",
})  # fmt: skip


class Order:
    """The order of one walk; `seed` (up to 64 bytes) decides which pictures are drawn, `removable` is of the device.

    The same seed and address give the same draw. Each picture is drawn by itself, so that a draw is a random sample of
    any set of pictures that is chosen without looking at it: those of one tier, or those listed so far. Draw 0 is 1/256
    of all pictures, draw 1 what makes them 1/16, draw 2 the rest; what has no picture's name or no content has none.
    """

    def __init__(self, *, seed: bytes, removable: bool) -> None:
        self._keyed = blake2b(key=seed, digest_size=1)
        self._removable = removable

    def place(self, item: Item) -> Placed:
        """Return where an item stands."""
        extension = _extension(item.path)
        if item.kind is ItemKind.CARVED:
            tier = Tier.UNALLOCATED
        else:
            tier = _tier(item.path, extension, removable=self._removable)
        draw = self._draw(item) if extension in _PICTURES and item.has_content and item.size else None
        look = draw is not None and extension in _EMBEDDING and item.size >= LOOK and not item.unlocated
        return Placed(tier=tier, rank=tier * STEPS + _step(extension, item.size, draw), draw=draw, look=look)

    def _draw(self, item: Item) -> int:
        keyed = self._keyed.copy()
        keyed.update(str(item.address).encode())
        lot = keyed.digest()[0]
        return 0 if lot < _OF_ALL else 1 if lot < _UP_TO else 2


def promoted(hits: int) -> int:
    """Return the rank of what is left in a folder that has so many hits, at least one: before all others.

    It changes only when the hits double, so that a folder is seldom sorted again. Raises ValueError without a hit.
    """
    if hits < 1:
        raise ValueError(f"a folder with {hits} hits is not promoted")
    return -hits.bit_length()


def _extension(path: str) -> str:
    _, dot, extension = path.rpartition(".")
    return extension.lower() if dot else ""


def _tier(path: str, extension: str, *, removable: bool) -> Tier:
    if removable:
        return Tier.REMOVABLE
    tier = _tier_of_folder(path[: max(path.rfind("/"), 0)][:_LONGEST])
    return Tier.ARCHIVES if extension in _ARCHIVES and tier is not Tier.SYSTEM else tier


def _step(extension: str, size: int, draw: int | None) -> int:
    if draw is not None and draw < 2:  # noqa: PLR2004 - the last class is what was not drawn
        return draw
    if size > LARGE:
        return 5
    if draw is not None:
        return 2
    return 3 if extension in _VIDEOS else 4


@dataclass(slots=True)
class _Pattern:
    """A point in a tree of patterns: what may follow, by its name or by any, and the tier of what ends here."""

    after: dict[str, "_Pattern"] = field(default_factory=dict)
    any_name: "_Pattern | None" = None
    tier: Tier | None = None

    def follow(self, name: str) -> "_Pattern":
        """Return the point after `name`, made where it is new."""
        if name != "*":
            return self.after.setdefault(name, _Pattern())
        self.any_name = self.any_name or _Pattern()
        return self.any_name


@lru_cache(maxsize=_REMEMBERED)
def _tier_of_folder(folder: str) -> Tier:
    """Follow every pattern that has begun, name by name; one may begin at each."""
    anywhere, from_root = _patterns()
    begun = [from_root]
    best = Tier.OTHER
    for name in _folded(folder).split("/", _DEEPEST)[:_DEEPEST]:
        if not begun and name not in anywhere.after:
            continue  # the most frequent case by far
        begun.append(anywhere)
        reached = [one.after[name] for one in begun if name in one.after]
        begun = reached + [one.any_name for one in begun if one.any_name]
        for one in begun:
            if one.tier is Tier.SYSTEM:
                return Tier.SYSTEM
            if one.tier is not None and one.tier < best:
                best = one.tier
    return best


@cache
def _patterns() -> tuple[_Pattern, _Pattern]:
    """Return the trees of the patterns that hold at any depth, and of those that begin at the root of a volume."""
    fields = tomllib.loads((resources.files("triage.items") / "tiers.toml").read_text(encoding="utf-8"))
    anywhere, from_root = _Pattern(), _Pattern()
    for name, patterns in fields["tiers"].items():
        for pattern in patterns:
            for text in [home + pattern[1:] for home in fields["homes"]] if pattern[0] == "~" else [pattern]:
                _plant(from_root if text[0] == "/" else anywhere, text, Tier[name.upper().replace("-", "_")])
    return anywhere, from_root


def _plant(tree: _Pattern, pattern: str, tier: Tier) -> None:
    for name in _folded(pattern.strip("/")).split("/"):
        tree = tree.follow(name)
    tree.tier = tier if tree.tier is None else min(tier, tree.tier)


def _folded(path: str) -> str:
    """Return a path in the one form that names are compared in: macOS stores letters and their marks apart."""
    return (path if path.isascii() else unicodedata.normalize("NFC", path)).casefold()
