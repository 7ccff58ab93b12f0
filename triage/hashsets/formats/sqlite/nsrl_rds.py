"""NSRL RDSv3 databases of NIST, minimal and full: every row of the list of files, duplicates and all.

Source of the facts: the schema scripts that NIST ships with each release. Minimal: a table FILE(sha256, sha1, md5,
crc32, file_name, file_size, package_id), its key over all columns, so a digest has a row for every name and package.
Full: a table METADATA(..., bytes, crc32, md5, sha1, sha256), and FILE is a view of it that writes capitals and leaves
out what no package holds. The view is never read; its table is.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from triage.hashsets.batch import Batch
from triage.hashsets.formats.nsrl_rows import KNOWN_IS_NOT_GOOD, SIZE_COLUMNS, batch_of_rows
from triage.hashsets.formats.reader import Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sqlite.sqlite_file import Database, Table, database, is_sqlite, quoted
from triage.hashsets.record import DIGEST_BYTES

_MAX_SIZE_TEXT = 32


def _read(published: Published, report: ReadReport) -> Iterator[Batch]:
    report.note(KNOWN_IS_NOT_GOOD)
    with database(published, report) as source:
        table = source.table("FILE", "METADATA")
        names = _digests(table, source)
        for rows in source.rows(table, _expressions(table, names)):
            end = report.place + 1
            batch = batch_of_rows(names, rows, np.arange(end - len(rows), end), report)
            if len(batch):
                yield batch


def _digests(table: Table, source: Database) -> Sequence[str]:
    names = [name for name in DIGEST_BYTES if name in table.columns]
    if not names:
        raise source.report.refuse(f"its table {table.name} has no column sha256, sha1 or md5", "check the file")
    return names


def _expressions(table: Table, names: Sequence[str]) -> list[str]:
    """Return what to select, cut by SQLite so that no value of a hostile file fills the memory."""
    digests = [f"substr({quoted(table.columns[name])}, 1, {2 * DIGEST_BYTES[name] + 1})" for name in names]
    sizes = [quoted(table.columns[name]) for name in SIZE_COLUMNS if name in table.columns]
    size = sizes[0] if sizes else "NULL"
    return [*digests, f"CASE typeof({size}) WHEN 'integer' THEN {size} ELSE substr({size}, 1, {_MAX_SIZE_TEXT}) END"]


# Every SQLite database comes here that no other reader took, so that the refusal can name its tables.
NSRL_RDS = Reader(name="nsrl", unit="row", recognise=is_sqlite, read=_read, binary=True)
