"""The writing of a sealed set: the layout is told in `sealed.py`."""

import hashlib
import json
import mmap
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from triage.hashsets.blocks import BlockCounts
from triage.hashsets.columns import ALL_TYPES, INDEXED, Column, column_types
from triage.hashsets.external_sort import write_all
from triage.hashsets.frames import FrameCounts
from triage.hashsets.places import BODY_AT, Place
from triage.hashsets.sealed import (
    BLOCKS_VERSION,
    FORMAT_VERSION,
    FRAMES_VERSION,
    MAGIC,
    PREFIX,
    SEAL_AT,
    SEAL_BYTES,
    SetHeader,
    SetMeta,
    body_digest,
)

_ALIGN = 64


class SealedWriter:
    """Writes a sealed set to an empty file: its columns one after the other in any order, then the header."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: dict[str, Place] = {}
        file.write(bytes(BODY_AT))
        self._at = BODY_AT

    def column(self, name: str, parts: Iterable[Column]) -> Column:
        """Write a column part by part (their first dimensions add up) and return a view of it as it was written."""
        kind, start, rows, rest = np.dtype(ALL_TYPES[name]), self._at, 0, ()
        for part in parts:
            rows, rest = rows + len(part), part.shape[1:]
            write_all(self._file, part.astype(kind, copy=False))
            self._at += part.size * kind.itemsize
        padding = -self._at % _ALIGN
        self._file.write(bytes(padding))
        self._at += padding
        self._places[name] = Place(start, (rows, *rest))
        return self._written(name, kind)

    def _written(self, name: str, kind: np.dtype[Any]) -> Column:
        place = self._places[name]
        if not prod(place.shape):
            return np.empty(place.shape, kind)
        self._file.flush()
        memory = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(memory, kind, prod(place.shape), place.offset).reshape(place.shape)

    def finish(
        self,
        meta: SetMeta,
        counts: Mapping[str, int],
        blocks: BlockCounts | None = None,
        frames: FrameCounts | None = None,
    ) -> SetHeader:
        """Write the header and flush everything to the disc. Columns that were not written are empty."""
        names = column_types(blocks=blocks is not None, frames=frames is not None)
        for name in names.keys() - self._places.keys():
            self._places[name] = Place(BODY_AT, (0, INDEXED[name]) if name in INDEXED else (0,))
        self._file.flush()
        content = _digest_of_file(self._file, self._at)
        fields = {
            "meta": asdict(meta),
            "counts": dict(counts),
            "columns": {name: [place.offset, *place.shape] for name, place in self._places.items()},
            "body_digest": content,
            **({} if blocks is None else {"blocks": asdict(blocks)}),
            **({} if frames is None else {"blocks": blocks and asdict(blocks), "frames": asdict(frames)}),
        }
        version = FORMAT_VERSION if blocks is None else BLOCKS_VERSION
        version = version if frames is None else FRAMES_VERSION
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
        prefix = PREFIX.pack(MAGIC, version, len(text), self._at, 0)
        digest = hashlib.sha256(prefix + text)
        self._file.write(text)
        self._file.seek(0)
        self._file.write(prefix + digest.digest())
        self._file.flush()
        os.fsync(self._file.fileno())
        named = digest.hexdigest()
        return SetHeader(meta=meta, counts=counts, digest=named, content=content, blocks=blocks, frames=frames)


def put_seal(path: Path, seal: bytes) -> None:
    """Write the 96 bytes of a seal into a sealed set, in place of the one before. Raises OSError."""
    assert len(seal) == SEAL_BYTES
    with path.open("r+b") as file:
        file.seek(SEAL_AT)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())


def _digest_of_file(file: BinaryIO, end: int) -> str:
    with mmap.mmap(file.fileno(), end, access=mmap.ACCESS_READ) as memory:
        return body_digest(memory, end)
