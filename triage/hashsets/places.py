"""Where the columns of a sealed set lie, and what of that makes no sense; nothing in it is taken on trust."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from triage.hashsets import multi_index
from triage.hashsets.columns import ALL_TYPES, INDEXED, KEYED
from triage.hashsets.exact import table_length

BODY_AT = 192


@dataclass(frozen=True, slots=True)
class Place:
    """Where one column lies: bytes from the start of the file, and its shape."""

    offset: int
    shape: tuple[int, ...]

    @classmethod
    def of(cls, numbers: list[int]) -> "Place":
        """Return the place that a header tells: offset, then shape. Raises ValueError where there can be no column."""
        offset, *shape = numbers
        if any(type(number) is not int for number in numbers) or offset < BODY_AT or not shape or min(shape) < 0:
            raise ValueError("a column without a place")
        return cls(offset, tuple(shape))

    def end(self, name: str) -> int:
        """Return where the column of that name ends."""
        return self.offset + prod(self.shape) * np.dtype(ALL_TYPES[name]).itemsize


Places = Mapping[str, Place]


def check_places(places: Places, body_end: int) -> None:
    """Raise ValueError, with the cause as its text, for columns that lie wrong or are not of one set."""
    for name, place in places.items():
        if max(place.shape) > body_end or place.end(name) > body_end:
            raise ValueError(f"its column {name} lies outside the file")
        if len(place.shape) != (2 if name in INDEXED else 1):
            raise ValueError(f"its column {name} has another shape")
    _check_apart(places)
    for names in _neighbours():
        if len({places[name].shape[0] for name in names if name in places}) > 1:
            raise ValueError(f"its columns {', '.join(names)} have not one length")
    for name in INDEXED.keys() & places.keys():
        if places[name].shape[1:] != (INDEXED[name],):
            raise ValueError("its perceptual hashes have another length")
        _check_index(name, *(prod(places[part].shape) for part in (f"{name}_record", f"{name}_offsets", f"{name}_ids")))
    for name in KEYED:
        if f"{name}_key" in places:
            _check_table(name, places[f"{name}_key"].shape[0], places[f"{name}_table"].shape)


def _check_apart(places: Places) -> None:
    filled = sorted((place.offset, place.end(name)) for name, place in places.items() if prod(place.shape))
    if any(end > start for (_, end), (start, _) in pairwise(filled)):
        raise ValueError("its columns overlap")


def _check_table(name: str, members: int, shape: tuple[int, ...]) -> None:
    if shape != (table_length(members) if members else 0,):
        raise ValueError(f"its table of {name} has another length")


def _check_index(name: str, members: int, offsets: int, ids: int) -> None:
    """Refuse an index that is not of the scheme for so many members: see `multi_index.py`."""
    scheme = multi_index.plan(members, INDEXED[name])
    chunks, buckets = (scheme.chunks, 1 << scheme.key_bits) if scheme else (0, 0)
    if (offsets, ids) != (chunks * (buckets + 1), max(0, chunks - 1) * members):
        raise ValueError(f"its index of {name} has another length")


def _neighbours() -> Iterable[tuple[str, ...]]:
    """Return the names of columns that must have one length, where they are there."""
    yield "present", "size", "label"
    yield "label_category", "label_grade", "label_series", "label_flags"
    for name in KEYED:
        yield f"{name}_key", f"{name}_rest", f"{name}_record"
    yield "block_key", "block_index"
    for name in INDEXED:
        yield name, f"{name}_record"
    yield "frame", "frame_time"
