"""Tables sorted that are larger than memory: sorted runs in a temporary file, merged block by block.

A table is columns of equal length: numbers (n,) or raw bytes (n, width). Rows are ordered by a 64-bit key and, where
keys are equal, by all their bytes, so that the order of what comes in makes no difference to what goes out.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

RUN_ROWS = 1 << 19
"""Rows that are sorted at once. A block of the merge holds about as many, but all rows of one key."""

_SAMPLE_STEP = 4096
_KEY = "key"

Column = NDArray[Any]
Table = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: numbers of a type, or `width` raw bytes a row where the type is `u1` and the width is given."""

    kind: str
    width: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width or np.dtype(self.kind).itemsize

    def array(self, raw: bytes) -> Column:
        """Return the column that the bytes hold."""
        column = np.frombuffer(raw, self.kind)
        return column.reshape(-1, self.width) if self.width else column

    def zeros(self, rows: int) -> Column:
        """Return a column of nothing."""
        return np.zeros((rows, self.width) if self.width else rows, self.kind)


class Spill:
    """Bytes put aside in a temporary file without a name: appended, and read back by position."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, column: Column) -> int:
        """Write a column at the end and return where it lies."""
        start = self.size
        write_all(self._file, column)
        self.size += column.nbytes
        return start

    def read(self, start: int, length: int) -> bytes:
        """Return bytes that were written. Raises OSError where the file lost them."""
        parts = []
        while length > 0:
            part = os.pread(self._file.fileno(), min(length, 1 << 30), start)
            if not part:
                raise OSError("a temporary file was cut short")
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)

    def blocks(self, kind: str, rows: int = RUN_ROWS) -> Iterator[Column]:
        """Yield all that was written as numbers of a type."""
        step = rows * np.dtype(kind).itemsize
        for start in range(0, self.size, step):
            yield np.frombuffer(self.read(start, min(step, self.size - start)), kind)


def write_all(file: BinaryIO, column: Column) -> None:
    """Write the bytes of a column to a file that may take fewer at a time."""
    left = np.ascontiguousarray(column).reshape(-1).view(np.uint8).data if column.size else memoryview(b"")
    while left:
        left = left[file.write(left) :]


@dataclass(frozen=True, slots=True)
class _Run:
    """One sorted run: its rows, where each column lies that it has, and every so-manieth of its keys."""

    rows: int
    starts: Mapping[str, int]
    sample: NDArray[np.uint64]


class ExternalSort:
    """Takes tables, gives them back sorted. Use as a context manager: it holds a temporary file in `folder`.

    `key` gives the 64-bit key of the rows of a table; `distinct` drops rows that are equal in every column, and
    `dropped` counts them. A table may lack columns, which are zeros then.
    """

    def __init__(
        self,
        folder: Path,
        fields: Mapping[str, Field],
        key: Callable[[Table], NDArray[np.uint64]],
        *,
        distinct: bool = False,
        run_rows: int = RUN_ROWS,
    ) -> None:
        self.added = self.dropped = 0
        self._fields = fields
        self._key = key
        self._distinct = distinct
        self._run_rows = run_rows
        self._spill = Spill(folder)
        self._runs: list[_Run] = []
        self._waiting: list[Table] = []
        self._waiting_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spill.__exit__()

    def add(self, table: Table, rows: int) -> None:
        """Take the rows of one table. Raises OSError where the temporary file cannot be written."""
        if rows:
            self._waiting.append(table)
            self._waiting_rows += rows
            self.added += rows
        if self._waiting_rows >= self._run_rows:
            self._write_run()

    def blocks(self, renew: Callable[[Table], Table] = lambda table: table) -> Iterator[Table]:
        """Yield all rows in order, with every field; rows of one key are in one block.

        `renew` is given the rows before they are put in order: what was only known at the end is filled in there.
        """
        self._write_run()
        bounds = self._bounds()
        for low, high in zip([None, *bounds], [*bounds, None], strict=True):
            parts = [part for run in self._runs if (part := self._slice(run, low, high)) is not None]
            if parts:
                yield self._in_order(renew(self._joined(parts)))

    def _write_run(self) -> None:
        if not self._waiting:
            return
        table = self._in_order(self._joined(self._waiting))
        key = self._key(table)
        starts = {name: self._spill.append(column) for name, column in table.items() if column.any()}
        starts[_KEY] = self._spill.append(key)
        self._runs.append(_Run(len(key), starts, key[::_SAMPLE_STEP].copy()))
        self._waiting, self._waiting_rows = [], 0

    def _joined(self, tables: list[Table]) -> dict[str, Column]:
        rows = [len(next(iter(table.values()))) for table in tables]
        return {
            name: np.concatenate(
                [table[name] if name in table else field.zeros(n) for table, n in zip(tables, rows, strict=True)]
            )
            for name, field in self._fields.items()
        }

    def _in_order(self, table: Table) -> Table:
        key = self._key(table)
        order = np.argsort(key, kind="stable")
        key = key[order]
        same = np.concatenate([[False], key[1:] == key[:-1]])
        tied = np.flatnonzero(same | np.concatenate([same[1:], [False]]))
        if len(tied):
            rows = _row_bytes(table, order[tied], key[tied])
            inside = np.argsort(rows, kind="stable")
            order[tied] = order[tied][inside]
            if self._distinct:
                rows = rows[inside]
                again = tied[1:][rows[1:] == rows[:-1]]
                order = np.delete(order, again)
                self.dropped += len(again)
        return {name: column[order] for name, column in table.items()}

    def _bounds(self) -> list[np.uint64]:
        """Return keys that part all rows into blocks of about the size of a run."""
        sample = np.sort(np.concatenate([run.sample for run in self._runs])) if self._runs else np.empty(0, np.uint64)
        step = max(1, self._run_rows // _SAMPLE_STEP)
        return list(np.unique(sample[step::step]))

    def _slice(self, run: _Run, low: np.uint64 | None, high: np.uint64 | None) -> Table | None:
        start = 0 if low is None else self._position(run, low)
        end = run.rows if high is None else self._position(run, high)
        if start >= end:
            return None
        table = {}
        for name, field in self._fields.items():
            if name in run.starts:
                raw = self._spill.read(run.starts[name] + start * field.row_bytes, (end - start) * field.row_bytes)
                table[name] = field.array(raw)
            else:
                table[name] = field.zeros(end - start)
        return table

    def _position(self, run: _Run, key: np.uint64) -> int:
        """Return how many rows of a run have a smaller key."""
        first = max(0, int(np.searchsorted(run.sample, key)) - 1) * _SAMPLE_STEP
        last = min(run.rows, first + _SAMPLE_STEP)
        keys = np.frombuffer(self._spill.read(run.starts[_KEY] + 8 * first, 8 * (last - first)), np.uint64)
        return first + int(np.searchsorted(keys, key))


def _row_bytes(table: Table, rows: Column, key: Column) -> Column:
    """Return rows as strings of bytes that sort by the key and then by all columns."""
    parts = [key.astype(">u8").view(np.uint8).reshape(-1, 8)]
    for column in table.values():
        some = column[rows]
        big = some if some.ndim > 1 else some.astype(some.dtype.newbyteorder(">")).view(np.uint8)
        parts.append(big.reshape(len(rows), -1))
    joined = np.ascontiguousarray(np.concatenate(parts, axis=1))
    return joined.view(f"S{joined.shape[1]}").ravel()
