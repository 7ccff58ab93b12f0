"""The sealed file of one set: a header, then columns, memory-mapped and opened without reading them.

Layout, every integer little-endian::

    0   8   magic "TRIAGSET"
    8   4   format version
    12  4   length of the header text
    16  32  SHA-256 of the 16 bytes before and of the header text: the digest that names the set
    48  -   header text: JSON, padded with blanks so that the body starts at a multiple of 64
    -   -   body: columns as `columns.py` describes, each at a multiple of 64 from the start of the body

The header holds the SHA-256 of the body, so the one digest stands for every byte of the file.
"""

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from triage.hashsets.columns import COLUMN_TYPES, Column, Columns
from triage.model.errors import StoreError
from triage.model.finding import SetIdentity, SetKind
from triage.model.item import printable

FORMAT_VERSION = 1

_MAGIC = b"TRIAGSET"
_PREFIX = struct.Struct("<8sII32s")
_SEALED_PREFIX = struct.Struct("<8sII")
_ALIGN = 64
_MAX_HEADER = 1 << 24
_BLOCK = 1 << 22
_PDQ_ROWS = 4
_BY_RECORD = frozenset({"category", "grade", "series", "md5_at", "sha1_at", "sha256_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMeta:
    """What the person who makes a set says of it; `date` is ISO 8601, `origin` one line of where it comes from.

    `category_map` names the meaning of the category codes, `none` where no table gives one, `absent` where the set
    has no categories.
    """

    name: str
    version: str
    kind: SetKind
    date: str
    origin: str = ""
    region: str | None = None
    category_map: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHeader:
    """The header of a sealed set; `counts` are records and, by hash, members that carry it.

    `digest` names the set, with everything said of it; `content` is the digest of its members alone.
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
class _Place:
    """Where one column lies: bytes from the start of the body, and how many values."""

    offset: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    header: SetHeader
    places: Mapping[str, _Place]
    body_at: int
    body_size: int


class SealedFile:
    """An opened sealed set; the columns are read-only views of the memory map, shared between processes."""

    def __init__(self, path: Path, opened: _Opened, memory: mmap.mmap) -> None:
        self.path = path
        self.header = opened.header
        self._opened = opened
        self._memory = memory
        self.columns: Columns = {name: self._column(name, place) for name, place in opened.places.items()}

    def _column(self, name: str, place: _Place) -> Column:
        kind = np.dtype(COLUMN_TYPES[name])
        if place.count == 0:
            column = np.empty(0, kind)
        else:
            column = np.frombuffer(self._memory, kind, place.count, self._opened.body_at + place.offset)
        return column.reshape(_PDQ_ROWS, -1) if name == "pdq" else column

    def verify(self) -> None:
        """Read the whole file and raise StoreError unless every byte is what was sealed."""
        hasher = hashlib.sha256()
        with memoryview(self._memory) as view:
            for start in range(self._opened.body_at, len(view), _BLOCK):
                hasher.update(view[start : start + _BLOCK])
        if hasher.hexdigest() != self._opened.header.content:
            raise _broken(self.path, "its content is not what was sealed")


def write_sealed(file: BinaryIO, meta: SetMeta, columns: Columns) -> SetHeader:
    """Write a whole sealed set to an empty file and flush it to the disc; returns its header."""
    places, body_size = _layout(columns)
    content = content_digest(columns)
    counts = {"records": len(columns["size"])}
    counts |= {name: len(columns[f"{name}_record"]) for name in ("md5", "sha1", "sha256", "pdq", "phash")}
    fields = {
        "meta": asdict(meta),
        "counts": counts,
        "columns": {name: [place.offset, place.count] for name, place in places.items()},
        "body_size": body_size,
        "body_digest": content,
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
    text += b" " * (-(_PREFIX.size + len(text)) % _ALIGN)
    start = _SEALED_PREFIX.pack(_MAGIC, FORMAT_VERSION, len(text))
    digest = hashlib.sha256(start + text)
    file.write(start + digest.digest() + text)
    file.writelines(_body(columns, places, body_size))
    file.flush()
    os.fsync(file.fileno())
    return SetHeader(meta=meta, counts=counts, digest=digest.hexdigest(), content=content)


def content_digest(columns: Columns) -> str:
    """Return the SHA-256 of the body that the columns make: the same members give the same digest."""
    hasher = hashlib.sha256()
    for block in _body(columns, *_layout(columns)):
        hasher.update(block)
    return hasher.hexdigest()


def open_sealed(path: Path, *, verify: bool = True) -> SealedFile:
    """Map a sealed set; `verify` reads all of it once, without it only the header is checked. Raises StoreError."""
    try:
        with path.open("rb") as file:
            opened = _read_header(path, file)
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise StoreError(f"{printable(str(path))}: cannot open the hash set: {error}: check the library") from error
    sealed = SealedFile(path, opened, memory)
    if verify:
        sealed.verify()
    return sealed


def read_header(path: Path) -> SetHeader:
    """Return the header of a sealed set, checked by itself; the columns are not looked at. Raises StoreError."""
    return open_sealed(path, verify=False).header


def _layout(columns: Columns) -> tuple[dict[str, _Place], int]:
    places: dict[str, _Place] = {}
    offset = 0
    for name in COLUMN_TYPES:
        places[name] = _Place(offset, columns[name].size)
        offset += columns[name].nbytes
        offset += -offset % _ALIGN
    return places, offset


def _body(columns: Columns, places: Mapping[str, _Place], size: int) -> Iterator[bytes | memoryview]:
    position = 0
    for name, kind in COLUMN_TYPES.items():
        yield bytes(places[name].offset - position)
        column = np.ascontiguousarray(columns[name], kind)
        yield column.reshape(-1).view("u1").data if column.size else b""
        position = places[name].offset + column.nbytes
    yield bytes(size - position)


def _read_header(path: Path, file: BinaryIO) -> _Opened:
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size or not prefix.startswith(_MAGIC):
        raise _broken(path, "it is not a sealed hash set")
    _, version, length, digest = _PREFIX.unpack(prefix)
    if version != FORMAT_VERSION:
        raise _broken(path, f"its format is version {version}, this software reads version {FORMAT_VERSION}")
    text = file.read(min(length, _MAX_HEADER))
    hasher = hashlib.sha256(prefix[: _SEALED_PREFIX.size] + text)
    if len(text) != length or hasher.digest() != digest:
        raise _broken(path, "its header is not what was sealed")
    opened = _parse_header(path, text, hasher.hexdigest())
    size = os.fstat(file.fileno()).st_size
    if size != opened.body_at + opened.body_size:
        raise _broken(path, f"it has {size} bytes, {opened.body_at + opened.body_size} were sealed")
    return opened


def _parse_header(path: Path, text: bytes, digest: str) -> _Opened:
    """Return what the header says; it is as it was sealed, but not by whom, so nothing in it is taken on trust."""
    try:
        fields = json.loads(text)
        opened = _Opened(
            header=SetHeader(
                meta=_meta(fields["meta"]),
                counts=_counts(fields["counts"]),
                digest=digest,
                content=str(fields["body_digest"]),
            ),
            places={name: _Place(*map(int, fields["columns"][name])) for name in COLUMN_TYPES},
            body_at=_PREFIX.size + len(text),
            body_size=int(fields["body_size"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _broken(path, "its header makes no sense") from error
    _check_places(path, opened)
    return opened


def _check_places(path: Path, opened: _Opened) -> None:
    records = opened.places["size"].count
    for name, place in opened.places.items():
        end = place.offset + place.count * np.dtype(COLUMN_TYPES[name]).itemsize
        if place.offset < 0 or place.count < 0 or end > opened.body_size:
            raise _broken(path, f"its column {name} lies outside the file")
        members = opened.places[f"{name}_record"].count if f"{name}_record" in opened.places else None
        rows = _PDQ_ROWS if name == "pdq" else 1
        if members not in {None, place.count / rows} or (name in _BY_RECORD and place.count != records):
            raise _broken(path, f"its column {name} has another length than its neighbours")


def _meta(fields: Mapping[str, Any]) -> SetMeta:
    return SetMeta(**{**fields, "kind": SetKind(fields["kind"])})


def _counts(fields: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in fields.items()}


def _broken(path: Path, cause: str) -> StoreError:
    return StoreError(f"{printable(str(path))}: the hash set is refused: {cause}: import it again")
