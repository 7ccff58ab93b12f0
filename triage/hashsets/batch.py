"""Records as columns: what a reader yields, so that tens of millions of them cost no Python object each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.record import HASH_BITS, HASH_BYTES, VARIANT, Label, Record

BATCH_ROWS = 8192
"""What a reader gathers before it yields: enough that work on columns pays, little enough to keep memory flat."""

UNKNOWN_SIZE = -1

Bytes = NDArray[np.uint8]
Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """`n` records, each with at least one hash; no row is the empty file.

    - `place`: (n,) the line or record number of each, as the report counts them
    - `present`: (n,) which hashes a row carries, a sum of `HASH_BITS`; `VARIANT` marks an altered copy of a member
    - `hashes`: by name (n, length in bytes) for each hash that any row carries; zeros where a row has none
    - `size`: (n,) bytes, `UNKNOWN_SIZE` where not told
    - `label`: (n,) which of `labels` belongs to each row
    """

    place: Numbers
    present: Bytes
    hashes: Mapping[str, Bytes]
    size: Numbers
    labels: tuple[Label, ...]
    label: Numbers

    def __len__(self) -> int:
        return len(self.present)

    def kept(self, keep: NDArray[np.bool_]) -> Self:
        """Return the rows that are kept."""
        return self if keep.all() else self.rows(np.flatnonzero(keep))

    def rows(self, numbers: Numbers) -> Self:
        """Return the rows of these numbers, in their order."""
        return replace(
            self,
            place=self.place[numbers],
            present=self.present[numbers],
            hashes={name: raw[numbers] for name, raw in self.hashes.items()},
            size=self.size[numbers],
            label=self.label[numbers],
        )


def in_batches(records: Iterable[tuple[int, Record]]) -> Iterator[Batch]:
    """Gather records, each after its place, into batches."""
    iterator = iter(records)
    while some := tuple(islice(iterator, BATCH_ROWS)):
        yield _batch(some)


def _batch(some: tuple[tuple[int, Record], ...]) -> Batch:
    records = [record for _, record in some]
    numbers: dict[Label, int] = {}
    label = [numbers.setdefault(record.label, len(numbers)) for record in records]
    present = np.array([record.altered and VARIANT for record in records], np.uint8)
    hashes: dict[str, Bytes] = {}
    columns = zip(*(record[: len(HASH_BYTES)] for record in records), strict=True)
    for (name, length), values in zip(HASH_BYTES.items(), columns, strict=True):
        if any(values):
            present |= np.array([value is not None for value in values]) * np.uint8(HASH_BITS[name])
            raw = b"".join(bytes(length) if value is None else value for value in values)
            hashes[name] = np.frombuffer(raw, np.uint8).reshape(-1, length)
    return Batch(
        place=np.array([place for place, _ in some], np.int64),
        present=present,
        hashes=hashes,
        size=np.array([UNKNOWN_SIZE if record.size is None else record.size for record in records], np.int64),
        labels=tuple(numbers),
        label=np.array(label, np.uint32),
    )
