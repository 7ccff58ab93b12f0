"""The sealed file of one set: columns, then a header, memory-mapped and opened without reading them.

Layout, every integer little-endian::

    0   8   magic "TRIAGSET"
    8   4   format version
    12  4   length of the header text
    16  8   offset of the header text
    24  8   zero
    32  32  SHA-256 of the 32 bytes before and of the header text: the digest that names the set
    64  96  the seal: public key and signature of that digest (`signing.py`), zeros where there is none
    160 32  zero
    192 -   body: columns as `columns.py` describes, each at a multiple of 64
    -   -   header text: JSON

The header holds the digest of the body, so the one digest stands for every byte of the file but the seal. The digest
of the body is the SHA-256 of the SHA-256 digests of its blocks of 16 MiB, so that it can be taken on all cores.
"""

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from triage.hashsets import multi_index
from triage.hashsets.columns import COLUMN_TYPES, WORDS, Column, Columns
from triage.hashsets.exact import table_length
from triage.hashsets.record import DIGEST_BYTES, HASH_BYTES
from triage.hashsets.regular_file import open_regular
from triage.model.errors import StoreError
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import printable

FORMAT_VERSION = 2
PHASH_RADII = range(17)
"""Within how many of 64 bits a set may count a pHash as near: more would join what has nothing in common."""

MAGIC = b"TRIAGSET"
PREFIX = struct.Struct("<8sIIQQ")
_DIGEST_AT = 32
SEAL_AT = 64
SEAL_BYTES = 96
BODY_AT = 192
_MAX_HEADER = 1 << 24
_BLOCK = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMeta:
    """What is said of a set by the person who makes it, and by its publisher.

    `date` is when it was made and `published` when its publisher issued it (None where nobody said), ISO 8601;
    `origin` is one line of where it comes from. `category_map` names the meaning of the category codes, `none` where
    no table gives one, `absent` where the set has no categories. `phash_radius` is within how many of 64 bits a
    pHash counts as near.
    """

    name: str
    version: str
    kind: SetKind
    date: str
    origin: str = ""
    published: str | None = None
    region: str | None = None
    category_map: str = "none"
    phash_radius: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHeader:
    """The header of a sealed set; `counts` are records, altered copies, and, by hash, members that carry it.

    `digest` names the set, with everything said of it; `content` is that of its columns alone.
    """

    meta: SetMeta
    counts: Mapping[str, int]
    digest: str
    content: str

    @property
    def identity(self) -> SetIdentity:
        """The set as a finding cites it."""
        return SetIdentity(name=self.meta.name, version=self.meta.version, digest=self.digest, kind=self.meta.kind)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one column lies: bytes from the start of the file, and its shape."""

    offset: int
    shape: tuple[int, ...]

    def end(self, name: str) -> int:
        """Return where the column of that name ends."""
        return self.offset + prod(self.shape) * np.dtype(COLUMN_TYPES[name]).itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    header: SetHeader
    places: Mapping[str, Place]
    body_end: int
    seal: bytes


class SealedFile:
    """An opened sealed set; the columns are read-only views of the memory map, shared between processes.

    `seal` is 96 bytes, not yet judged.
    """

    def __init__(self, path: Path, opened: _Opened, memory: mmap.mmap) -> None:
        self.path = path
        self.header = opened.header
        self.seal = opened.seal
        self._body_end = opened.body_end
        self._memory = memory
        self.columns: Columns = {name: self._column(name, place) for name, place in opened.places.items()}

    def _column(self, name: str, place: Place) -> Column:
        kind, count = np.dtype(COLUMN_TYPES[name]), prod(place.shape)
        column = np.frombuffer(self._memory, kind, count, place.offset) if count else np.empty(0, kind)
        return column.reshape(place.shape)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._memory)

    def verify(self) -> None:
        """Read the whole file and raise StoreError unless every byte is what was sealed, and makes sense."""
        if body_digest(self._memory, self._body_end) != self.header.content:
            raise _broken(self.path, "its content is not what was sealed")
        for name, below in _numbering(self.columns):
            if (column := self.columns[name]).size and int(column.max()) >= below:
                raise _broken(self.path, f"its column {name} points outside the set")


def open_sealed(path: Path, *, verify: bool = True) -> SealedFile:
    """Map a sealed set; `verify` reads all of it once, without it only the header is checked. Raises StoreError."""
    try:
        with open_regular(path) as file:
            opened = _read_header(path, file)
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{printable(str(path))}: cannot open the hash set: {_cause(error)}: check the library"
        ) from error
    sealed = SealedFile(path, opened, memory)
    if verify:
        sealed.verify()
    return sealed


def body_digest(memory: mmap.mmap, end: int) -> str:
    """Return the digest of the body, which ends at `end`."""

    def digest(start: int) -> bytes:
        length = min(_BLOCK, end - start)
        with memoryview(memory) as view, view[start : start + length] as block:
            raw = hashlib.sha256(block).digest()
        # Pages that were read once count as memory of this process until they are let go.
        first = start - start % mmap.PAGESIZE
        memory.madvise(mmap.MADV_DONTNEED, first, start + length - first)
        return raw

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return hashlib.sha256(b"".join(pool.map(digest, range(BODY_AT, end, _BLOCK)))).hexdigest()


def _cause(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _read_header(path: Path, file: BinaryIO) -> _Opened:
    start = file.read(BODY_AT)
    if len(start) < BODY_AT or not start.startswith(MAGIC):
        raise _broken(path, "it is not a sealed hash set")
    _, version, length, offset, _ = PREFIX.unpack_from(start)
    if version != FORMAT_VERSION:
        raise _broken(path, f"its format is version {version}, this software reads version {FORMAT_VERSION}")
    size = os.fstat(file.fileno()).st_size
    if size != offset + length or length > _MAX_HEADER:
        raise _broken(path, f"it has {size} bytes, {offset + length} were sealed")
    file.seek(offset)
    text = file.read(length)
    digest = hashlib.sha256(start[: PREFIX.size] + text)
    if digest.digest() != start[_DIGEST_AT:SEAL_AT] or any(start[SEAL_AT + SEAL_BYTES :]):
        raise _broken(path, "its header is not what was sealed")
    return _parse_header(path, text, digest.hexdigest(), start[SEAL_AT : SEAL_AT + SEAL_BYTES], offset)


def _parse_header(path: Path, text: bytes, digest: str, seal: bytes, body_end: int) -> _Opened:
    """Return what the header says; it is as it was sealed, but not by whom, so nothing in it is taken on trust."""
    try:
        fields = json.loads(text)
        header = SetHeader(
            meta=_meta(fields["meta"]),
            counts={name: int(fields["counts"][name]) for name in ("records", "variants", *HASH_BYTES)},
            digest=digest,
            content=str(fields["body_digest"]),
        )
        places = {name: _place(fields["columns"][name]) for name in COLUMN_TYPES}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise _broken(path, "its header makes no sense") from error
    _check_places(path, places, body_end)
    return _Opened(header=header, places=places, body_end=body_end, seal=seal)


def _place(numbers: list[int]) -> Place:
    offset, *shape = numbers
    if any(type(number) is not int for number in numbers) or offset < BODY_AT or not shape or min(shape) < 0:
        raise ValueError("a column without a place")
    return Place(offset, tuple(shape))


def _check_places(path: Path, places: Mapping[str, Place], body_end: int) -> None:
    for name, place in places.items():
        if max(place.shape) > body_end or place.end(name) > body_end:
            raise _broken(path, f"its column {name} lies outside the file")
        if len(place.shape) != (2 if name in WORDS else 1):
            raise _broken(path, f"its column {name} has another shape")
    _check_apart(path, places)
    for names in _neighbours():
        if len({places[name].shape[0] for name in names}) != 1:
            raise _broken(path, f"its columns {', '.join(names)} have not one length")
    if any(places[name].shape[1:] != (words,) for name, words in WORDS.items()):
        raise _broken(path, "its perceptual hashes have another length")
    for name in WORDS:
        _check_index(
            path, name, *(prod(places[part].shape) for part in (f"{name}_record", f"{name}_offsets", f"{name}_ids"))
        )
    for name in DIGEST_BYTES:
        members = places[f"{name}_key"].shape[0]
        if places[f"{name}_table"].shape != (table_length(members) if members else 0,):
            raise _broken(path, f"its table of {name} has another length")


def _check_apart(path: Path, places: Mapping[str, Place]) -> None:
    filled = sorted((place.offset, place.end(name)) for name, place in places.items() if prod(place.shape))
    if any(end > start for (_, end), (start, _) in pairwise(filled)):
        raise _broken(path, "its columns overlap")


def _check_index(path: Path, name: str, members: int, offsets: int, ids: int) -> None:
    """Refuse an index that is not of the scheme for so many members: see `multi_index.py`."""
    scheme = multi_index.plan(members, WORDS[name])
    chunks, buckets = (scheme.chunks, 1 << scheme.key_bits) if scheme else (0, 0)
    if (offsets, ids) != (chunks * (buckets + 1), max(0, chunks - 1) * members):
        raise _broken(path, f"its index of {name} has another length")


def _numbering(columns: Columns) -> Iterable[tuple[str, int]]:
    """Return the columns that number rows of others, with how many there are."""
    yield "label", len(columns["label_flags"])
    for name in ("label_category", "label_grade", "label_series"):
        yield name, len(columns["text_end"]) + 1
    for name in (*DIGEST_BYTES, *WORDS):
        yield f"{name}_record", len(columns["present"])
    yield "text_end", len(columns["text"]) + 1


def _neighbours() -> Iterable[tuple[str, ...]]:
    """Return the names of columns that must have one length."""
    yield "present", "size", "label"
    yield "label_category", "label_grade", "label_series", "label_flags"
    for name in DIGEST_BYTES:
        yield f"{name}_key", f"{name}_rest", f"{name}_record"
    for name in WORDS:
        yield name, f"{name}_record"


def _meta(fields: Mapping[str, Any]) -> SetMeta:
    meta = SetMeta(**{**fields, "kind": SetKind(fields["kind"])})
    texts = (meta.name, meta.version, meta.date, meta.origin, meta.category_map)
    optional = (meta.published, meta.region)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(text, str | None) for text in optional):
        raise TypeError("a text of the header is none")
    if not isinstance(meta.phash_radius, int) or meta.phash_radius not in PHASH_RADII:
        raise ValueError("a radius out of range")
    return meta


def _broken(path: Path, cause: str) -> StoreError:
    return StoreError(f"{printable(str(path))}: the hash set is refused: {cause}: import it again")
