"""Items as rows and back: nothing of an item is lost on the way."""

import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from triage.model.address import Address
from triage.model.item import Item, ItemKind, Outcome, Times, printable
from triage.model.runs import ByteRun, Runs
from triage.store.times import utc_nanoseconds, utc_text

LARGEST = (1 << 63) - 1

INSERT_ITEM = """
INSERT INTO item (region_id, sequence, address, path, path_bytes, kind, size, allocated, recovered, encrypted,
                  unlocated, reference, modified, created, accessed, changed, runs, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (region_id, address) DO NOTHING
"""


def item_row(region: int, sequence: int, item: Item) -> tuple[object, ...]:
    """Return the parameters of `INSERT_ITEM`."""
    times = item.times
    raw = raw_bytes(item.path)
    return (
        region,
        sequence,
        str(item.address),
        item.path if raw is None else printable(item.path),
        raw,
        item.kind.value,
        storable(item.size),
        item.allocated,
        item.recovered,
        item.encrypted,
        item.unlocated,
        raw_bytes(item.reference) or item.reference,
        utc_text(times.modified),
        utc_text(times.created),
        utc_text(times.accessed),
        utc_text(times.changed),
        runs_text(item.runs),
        (Outcome.NOT_REACHED if item.has_content else Outcome.EXAMINED).value,
    )


def item_of(row: sqlite3.Row) -> Item:
    """Return the item of a row of the table `item`."""
    raw, reference = row["path_bytes"], row["reference"]
    return Item(
        address=Address.parse(row["address"]),
        kind=ItemKind(row["kind"]),
        path=row["path"] if raw is None else _escaped(raw),
        size=row["size"],
        allocated=bool(row["allocated"]),
        reference=_escaped(reference) if isinstance(reference, bytes) else reference,
        times=Times(
            modified=utc_nanoseconds(row["modified"]),
            created=utc_nanoseconds(row["created"]),
            accessed=utc_nanoseconds(row["accessed"]),
            changed=utc_nanoseconds(row["changed"]),
        ),
        runs=runs_of(row["runs"]),
        recovered=bool(row["recovered"]),
        encrypted=row["encrypted"],
        unlocated=row["unlocated"],
    )


def runs_text(runs: Iterable[ByteRun]) -> str:
    """Return `offset+length offset+length`, empty for no runs."""
    return " ".join(f"{run.offset}+{run.length}" for run in runs)


def runs_of(text: str) -> Runs:
    """Return what `runs_text` was given."""
    pairs = (pair.split("+") for pair in text.split())
    return tuple(ByteRun(int(offset), int(length)) for offset, length in pairs)


def spans_of(texts: Iterable[str], size: int) -> NDArray[np.int64]:
    """Return what `runs_text` wrote as an array of [start, end), cut at the size of the source.

    One pass in C: a source may hold runs by the million. A number past 64 bits, which only hostile metadata claims,
    is read as the largest one.
    """
    numbers = np.fromstring(" ".join(filter(None, texts)).replace("+", " "), dtype=np.uint64, sep=" ").reshape(-1, 2)
    start = np.minimum(numbers[:, 0], np.uint64(size))
    end = start + np.minimum(numbers[:, 1], np.uint64(size) - start)
    return np.stack((start, end), axis=1).astype(np.int64)


def storable(number: int) -> int:
    """Return a number that an SQLite integer holds: hostile metadata may claim more bytes than any disk has."""
    return min(number, LARGEST)


def raw_bytes(name: str) -> bytes | None:
    """Return the bytes of a name that is not valid UTF-8 (surrogate-escaped), None for every other name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return None


def _escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
