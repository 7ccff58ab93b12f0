"""Autopsy hash sets (`.kdb`): the SQLite database of The Sleuth Kit's `hfind -c`.

Source of the facts: The Sleuth Kit's `sqlite_hdb` and what `hfind` 4.11 writes: hashes(id, md5 BINARY(16) UNIQUE, sha1
BINARY(20), sha2_256 BINARY(32)) as raw bytes, most of them only the MD5; comments and file names have tables of their
own, which are not read. Other programs write hexadecimal text into the same columns, so both are.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from types import MappingProxyType

from triage.hashsets.batch import Batch, in_batches
from triage.hashsets.formats.reader import Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sqlite.sqlite_file import Database, database, has_column, is_sqlite, quoted
from triage.hashsets.formats.values import check_hash, parse_hash, settle
from triage.hashsets.record import DIGEST_BYTES, Record

_TABLE = "hashes"
_COLUMNS: Mapping[str, str] = MappingProxyType({"md5": "md5", "sha1": "sha1", "sha256": "sha2_256"})


def _recognise(published: Published) -> bool:
    return is_sqlite(published) and has_column(published, _TABLE, _COLUMNS["md5"])


def _read(published: Published, report: ReadReport) -> Iterator[Batch]:
    with database(published, report) as source:
        yield from in_batches(_records(source, report))


def _records(source: Database, report: ReadReport) -> Iterator[tuple[int, Record]]:
    table = source.table(_TABLE)
    expressions = [
        f"substr({quoted(table.columns[column])}, 1, {2 * DIGEST_BYTES[name] + 1})"
        if column in table.columns
        else "NULL"
        for name, column in _COLUMNS.items()
    ]
    for rows in source.rows(table, expressions):
        last = report.place
        for place, values in zip(count(last - len(rows) + 1), rows, strict=False):
            report.place = place
            md5, sha1, sha256 = (_digest(name, value, report) for name, value in zip(_COLUMNS, values, strict=True))
            record = settle(Record(md5, sha1, sha256), report, had_hash=any(values))
            if record is not None:
                yield place, record
        report.place = last


def _digest(name: str, value: object, report: ReadReport) -> bytes | None:
    """Return the digest from its raw bytes, or from its digits."""
    if isinstance(value, bytes):
        if len(value) == DIGEST_BYTES[name]:
            return check_hash(name, value, report)
        return parse_hash(name, value.decode("ascii", "replace"), report)
    return parse_hash(name, value, report)


KDB = Reader(name="kdb", unit="row", recognise=_recognise, read=_read, binary=True)
