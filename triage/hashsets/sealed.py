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

Version 2 is a set without hashes of blocks, version 3 one that may have some (`columns.BLOCK_COLUMN_TYPES`, and in the
header `blocks`, the numbers of `BlockCounts`); nothing else parts them. So a set without is the same file as ever, and
software that knows nothing of blocks refuses one that has them. Version 4 is a set with frames of videos likewise
(`columns.FRAME_COLUMN_TYPES`, and `frames`, the numbers of `FrameCounts`); its `blocks` are null where it has none.

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
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from triage.hashsets.blocks import BlockCounts
from triage.hashsets.columns import ALL_TYPES, INDEXED, KEYED, Column, Columns, column_types
from triage.hashsets.frames import FrameCounts
from triage.hashsets.places import BODY_AT, Place, check_places
from triage.hashsets.record import HASH_BYTES
from triage.hashsets.regular_file import open_regular
from triage.model.errors import StoreError
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import printable

FORMAT_VERSION = 2
BLOCKS_VERSION = 3
FRAMES_VERSION = 4
PHASH_RADII = range(17)
"""Within how many of 64 bits a set may count a pHash as near: more would join what has nothing in common."""

MAGIC = b"TRIAGSET"
PREFIX = struct.Struct("<8sIIQQ")
_DIGEST_AT = 32
SEAL_AT = 64
SEAL_BYTES = 96
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

    `digest` names the set, with everything said of it; `content` is that of its columns alone. `blocks` is None for a
    set that was made without hashes of blocks, `frames` for one without videos to compare.
    """

    meta: SetMeta
    counts: Mapping[str, int]
    digest: str
    content: str
    blocks: BlockCounts | None = None
    frames: FrameCounts | None = None

    @property
    def identity(self) -> SetIdentity:
        """The set as a finding cites it."""
        return SetIdentity(name=self.meta.name, version=self.meta.version, digest=self.digest, kind=self.meta.kind)


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
        nowhere = Place(BODY_AT, (0,))
        self.columns: Columns = {name: self._column(name, opened.places.get(name, nowhere)) for name in ALL_TYPES}

    def _column(self, name: str, place: Place) -> Column:
        kind, count = np.dtype(ALL_TYPES[name]), prod(place.shape)
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
    if version not in (FORMAT_VERSION, BLOCKS_VERSION, FRAMES_VERSION):
        known = f"versions {FORMAT_VERSION} to {FRAMES_VERSION}"
        raise _broken(path, f"its format is version {version}, this software reads {known}")
    size = os.fstat(file.fileno()).st_size
    if size != offset + length or length > _MAX_HEADER:
        raise _broken(path, f"it has {size} bytes, {offset + length} were sealed")
    file.seek(offset)
    text = file.read(length)
    digest = hashlib.sha256(start[: PREFIX.size] + text)
    if digest.digest() != start[_DIGEST_AT:SEAL_AT] or any(start[SEAL_AT + SEAL_BYTES :]):
        raise _broken(path, "its header is not what was sealed")
    header, places = _parse_header(path, text, digest.hexdigest(), version)
    try:
        check_places(places, offset)
    except ValueError as error:
        raise _broken(path, str(error)) from error
    return _Opened(header=header, places=places, body_end=offset, seal=start[SEAL_AT : SEAL_AT + SEAL_BYTES])


def _parse_header(path: Path, text: bytes, digest: str, version: int) -> tuple[SetHeader, Mapping[str, Place]]:
    """Return what the header says; it is as it was sealed, but not by whom, so nothing in it is taken on trust."""
    try:
        fields = json.loads(text)
        has_frames = version == FRAMES_VERSION
        has_blocks = version == BLOCKS_VERSION or (has_frames and fields["blocks"] is not None)
        header = SetHeader(
            meta=_meta(fields["meta"]),
            counts={name: int(fields["counts"][name]) for name in ("records", "variants", *HASH_BYTES)},
            digest=digest,
            content=str(fields["body_digest"]),
            blocks=BlockCounts.parsed(fields["blocks"]) if has_blocks else None,
            frames=FrameCounts.parsed(fields["frames"]) if has_frames else None,
        )
        names = column_types(blocks=has_blocks, frames=has_frames)
        places = {name: Place.of(fields["columns"][name]) for name in names}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise _broken(path, "its header makes no sense") from error
    return header, places


def _numbering(columns: Columns) -> Iterable[tuple[str, int]]:
    """Return the columns that number rows of others, with how many there are."""
    yield "label", len(columns["label_flags"])
    for name in ("label_category", "label_grade", "label_series"):
        yield name, len(columns["text_end"]) + 1
    for name in (*KEYED, *INDEXED):
        yield f"{name}_record", len(columns["present"])
    yield "text_end", len(columns["text"]) + 1


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
