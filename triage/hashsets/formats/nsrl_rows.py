"""Rows of NSRL's list of files, out of a database or a script, to batches: in bulk, and the odd ones one by one."""

from binascii import unhexlify
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triage.hashsets.batch import Batch, Bytes
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Ints, Rows
from triage.hashsets.formats.values import MAX_SIZE, are_plain, parse_hash, parse_size, settle
from triage.hashsets.record import DIGEST_BYTES, Record

KNOWN_IS_NOT_GOOD = "NSRL lists what is known, not what is good: hacking and hiding tools are among it"

SIZE_COLUMNS = ("file_size", "bytes")
"""What the column of sizes is called in the minimal and in the full release."""

Values = Sequence[Any]
"""The digests of a row in hexadecimal, as text or its bytes, then its size."""


def batch_of_rows(names: Sequence[str], rows: Sequence[Values], places: Ints, report: ReadReport) -> Batch:
    """Return what can be used of rows with these digests; all that cannot is counted at their places."""
    made = Rows(places)
    told = _put_regular(names, rows, made)
    last = report.place
    for row in np.flatnonzero(~told).tolist():
        report.place = int(places[row])
        record = _record(names, rows[row], report)
        if record is not None:
            made.put(row, record)
    report.place = last
    return made.batch()


def _put_regular(names: Sequence[str], rows: Sequence[Values], made: Rows) -> Flags:
    """Put the rows of which there is nothing to tell, and return which they are."""
    regular = np.ones(len(rows), np.bool_)
    try:
        hashes, sizes = _columns(names, rows)
    except (ValueError, TypeError):
        regular = np.array([_is_regular(names, row) for row in rows], np.bool_)
        if not regular.any():
            return regular
        some = [row for row, is_regular in zip(rows, regular.tolist(), strict=True) if is_regular]
        hashes, sizes = _columns(names, some)
    plain = np.logical_and.reduce([are_plain(name, raw) for name, raw in hashes.items()])
    regular[regular] = plain
    for name, raw in hashes.items():
        made.put_hashes(name, regular, raw if plain.all() else raw[plain])
    made.put_sizes(regular, sizes[plain])
    return regular


def _columns(names: Sequence[str], rows: Sequence[Values]) -> tuple[Mapping[str, Bytes], Ints]:
    """Return digests and sizes where every one is what it should be; ValueError or TypeError where one is not."""
    *digests, sizes = zip(*rows, strict=True)
    hashes = {name: _digest_column(name, values) for name, values in zip(names, digests, strict=True)}
    if not {int}.issuperset(map(type, sizes)) or min(sizes) < 0 or max(sizes) >= MAX_SIZE:
        raise ValueError
    return hashes, np.array(sizes, np.int64)


def _digest_column(name: str, values: Sequence[Any]) -> Bytes:
    length = DIGEST_BYTES[name]
    if set(map(len, values)) != {2 * length}:
        raise ValueError
    digits = "".join(values) if isinstance(values[0], str) else b"".join(values)
    return np.frombuffer(unhexlify(digits), np.uint8).reshape(-1, length)


def _is_regular(names: Sequence[str], row: Values) -> bool:
    try:
        _columns(names, [row])
    except (ValueError, TypeError):
        return False
    return True


def _record(names: Sequence[str], row: Values, report: ReadReport) -> Record | None:
    *digests, size = (value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in row)
    values = {name: parse_hash(name, value, report) for name, value in zip(names, digests, strict=True)}
    record = Record(values.get("md5"), values.get("sha1"), values.get("sha256"), size=parse_size(size, report))
    return settle(record, report, had_hash=any(value not in (None, "") for value in digests))
