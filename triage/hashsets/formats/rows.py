"""The rows of one block in the making: filled in bulk where nothing is to be told of them, one by one elsewhere."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import UNKNOWN_SIZE, Batch, Bytes
from triage.hashsets.record import HASH_BITS, HASH_BYTES, Label, Record

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Rows:
    """A batch of records, one a row of `place`, and further ones; a row that gets no hash is left out."""

    def __init__(self, place: Ints) -> None:
        self._place = place
        self._present = np.zeros(len(place), np.uint8)
        self._hashes: dict[str, Bytes] = {}
        self._size = np.full(len(place), UNKNOWN_SIZE, np.int64)
        self._labels: dict[Label, int] = {Label(): 0}
        self._label = np.zeros(len(place), np.int64)
        self._further: list[tuple[int, Record]] = []

    def put_hashes(self, name: str, rows: Ints | Flags, raw: Bytes) -> None:
        """Give these rows, in their order, a hash each."""
        if len(raw) == len(self._place):  # nearly always, and worth no copy
            self._hashes[name] = raw
            self._present |= HASH_BITS[name]
        elif len(raw):
            self._column(name)[rows] = raw
            self._present[rows] |= HASH_BITS[name]

    def put_sizes(self, rows: Ints | Flags, sizes: Ints) -> None:
        """Give these rows their sizes, `UNKNOWN_SIZE` where not told."""
        self._size[rows] = sizes

    def put_labels(self, rows: Ints | Flags, labels: Sequence[Label], which: Ints) -> None:
        """Give these rows a label each: `which` of the labels."""
        if len(which):
            self._label[rows] = np.array([self._number(label) for label in labels])[which]

    def put(self, row: int, record: Record, *further: Record) -> None:
        """Fill one row; further records get its place."""
        for name, value in zip(HASH_BYTES, record, strict=False):
            if isinstance(value, bytes):
                self._column(name)[row] = np.frombuffer(value, np.uint8)
                self._present[row] |= HASH_BITS[name]
        self._size[row] = UNKNOWN_SIZE if record.size is None else record.size
        self._label[row] = self._number(record.label)
        self._further += [(row, other) for other in further]

    def batch(self) -> Batch:
        """Return the rows that have a hash, and behind them the further records."""
        self._take_further()
        some = self._present != 0
        kept = slice(None) if some.all() else some
        label = self._label[kept]
        used = np.flatnonzero(np.bincount(label, minlength=len(self._labels)))
        labels = tuple(self._labels)
        number = np.zeros(len(labels), np.uint32)
        number[used] = np.arange(len(used))
        return Batch(
            place=self._place[kept],
            present=self._present[kept],
            hashes={name: raw[kept] for name, raw in self._hashes.items()},
            size=self._size[kept],
            labels=tuple(labels[number] for number in used),
            label=number[label],
        )

    def _take_further(self) -> None:
        further, self._further = self._further, []
        if not further:
            return
        begin, count = len(self._place), len(further)
        self._place = np.append(self._place, self._place[[row for row, _ in further]])
        self._present = np.append(self._present, np.zeros(count, np.uint8))
        self._size = np.append(self._size, np.full(count, UNKNOWN_SIZE))
        self._label = np.append(self._label, np.zeros(count, np.int64))
        for name, raw in self._hashes.items():
            self._hashes[name] = np.vstack((raw, np.zeros((count, raw.shape[1]), np.uint8)))
        for row, (_, record) in enumerate(further, begin):
            self.put(row, record)

    def _number(self, label: Label) -> int:
        return self._labels.setdefault(label, len(self._labels))

    def _column(self, name: str) -> Bytes:
        column = self._hashes.get(name)
        if column is None:
            column = self._hashes[name] = np.zeros((len(self._place), HASH_BYTES[name]), np.uint8)
        return column
