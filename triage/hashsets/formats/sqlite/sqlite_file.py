"""Hash sets that are SQLite databases: opened so that a hostile file can neither run, nor write, nor go on for ever.

Source of the facts: SQLite's documents "Defense Against The Dark Arts", "URI Filenames" and "Database File Format".
Only real tables are read, never a view, a virtual table or a generated column: none of the file's own SQL is run.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.model.item import printable

MAGIC = b"SQLite format 3\0"
DAMAGED = "get the file again from its publisher"

_SETTINGS = (
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "query_only=ON",
    "mmap_size=0",  # a file that shrinks under a memory map kills the process
    "cache_size=-4096",
    "temp_store=MEMORY",
)
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 16 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_STEPS_A_CALL = 10_000
_CALLS_TO_OPEN = 2_000  # a schema of a few dozen tables takes less than one
_LEAST_ROW_BYTES = 6  # a cell of four bytes and its pointer of two
_ROWS_A_FETCH = 2048  # fits a processor's cache: larger ones were slower
_TABLES_SHOWN = 8
_SHOWN_CHARACTERS = 60

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """A real table. `columns`: the name as the file spells it, by the name in small letters; `last` row number."""

    name: str
    columns: Mapping[str, str]
    last: int


def is_sqlite(published: Published) -> bool:
    """Tell whether the file is an SQLite database, whatever its name."""
    return published.head.startswith(MAGIC)


def has_column(published: Published, table: str, column: str) -> bool:
    """Tell whether there is a real table with such a column; of a file that cannot be read there is not."""
    try:
        with _connected(published.path) as connection:
            found = _table(connection, table)
    except sqlite3.Error:
        return False
    return found is not None and column in found.columns


@dataclass(frozen=True, slots=True)
class Database:
    """A database open for reading; its faults are SourceError, one line with the row that was reached."""

    connection: sqlite3.Connection
    published: Published
    report: ReadReport

    def table(self, *names: str) -> Table:
        """Return the first of these tables that is there, names in any case."""
        for name in names:
            if found := _table(self.connection, name):
                return found
        there = _named(self.connection)
        raise self.report.refuse(
            f"an SQLite database without a table {' or '.join(names)}: it has {there}",
            "name an NSRL RDSv3 database or an Autopsy .kdb",
        )

    def rows(self, table: Table, expressions: Sequence[str]) -> Iterator[Rows]:
        """Yield the rows in the order in which they are stored, texts as bytes, and tell `advance` how far it is.

        `expressions` are over `table.columns`, each `quoted`. `report.place` is the last row that was read.
        """
        told = 0
        # Without NOT INDEXED a key over all columns would be read instead, which is larger.
        query = f"SELECT {', '.join(expressions)} FROM {quoted(table.name)} NOT INDEXED"  # noqa: S608 - quoted above
        cursor = self.connection.execute(query)
        while rows := cursor.fetchmany(_ROWS_A_FETCH):
            self.report.rows += len(rows)
            self.report.place = self.report.rows
            if self.report.rows > self.published.size // _LEAST_ROW_BYTES:
                raise self.report.refuse("more rows than the file has room for: its pages run in a circle", DAMAGED)
            yield rows
            share = min(1.0, self.report.rows / max(table.last, 1))
            now = int(self.published.size * share)
            self.published.advance(now - told)
            told = now
        self.published.advance(self.published.size - told)


@contextmanager
def database(published: Published, report: ReadReport) -> Iterator[Database]:
    """Open the file; every fault of it inside the block becomes SourceError. A log beside it is noted."""
    _note_logs(published.path, report)
    try:
        with _connected(published.path) as connection:
            yield Database(connection, published, report)
    except sqlite3.Error as error:
        raise report.refuse(f"an SQLite database that cannot be read: {_shown(str(error))}", DAMAGED) from error


def quoted(name: str) -> str:
    """Return an identifier that is nothing but a name."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    # Immutable: no lock, no journal and no log is made beside the file, nor is one that lies there played in.
    address = f"file://{quote(os.fsencode(path.absolute()))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.text_factory = bytes  # bytes that are no UTF-8 are not an error
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, value)
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        _load_schema(connection)
        yield connection


def _load_schema(connection: sqlite3.Connection) -> None:
    """Let SQLite parse the schema, in bounded steps: later scans of plain tables are bounded by their rows."""
    calls = _countdown(_CALLS_TO_OPEN)
    connection.set_progress_handler(calls, _STEPS_A_CALL)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        # SQLite turns an exception of the handler, such as that of Ctrl-C, into its own error.
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT and not calls():
            raise KeyboardInterrupt from error
        raise
    connection.set_progress_handler(None, 0)


def _countdown(calls: int) -> Callable[[], bool]:
    left = iter(range(calls))
    return lambda: next(left, None) is None


def _table(connection: sqlite3.Connection, name: str) -> Table | None:
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    if found is None:
        return None
    real = found[0].decode()
    # What is hidden is generated, or belongs to a virtual table.
    columns = connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE NOT hidden", (real,))
    by_name = {column.lower(): column for (raw,) in columns if (column := raw.decode())}
    return Table(real, by_name, _last_row(connection, real))


def _last_row(connection: sqlite3.Connection, name: str) -> int:
    """Return the highest row number, 0 for a table that has none."""
    try:
        (last,) = connection.execute(f"SELECT max(rowid) FROM {quoted(name)} NOT INDEXED").fetchone()  # noqa: S608
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # a table WITHOUT ROWID
            return 0
        raise
    return last if isinstance(last, int) else 0


def _named(connection: sqlite3.Connection) -> str:
    """Return the names of the tables for one line."""
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' LIMIT ?",
        (_TABLES_SHOWN + 1,),
    ).fetchall()
    names = [_shown(name.decode("utf-8", "replace")) for (name,) in found[:_TABLES_SHOWN]]
    more = ", ..." if len(found) > _TABLES_SHOWN else ""
    return ", ".join(names) + more if names else "no table"


def _shown(text: str) -> str:
    """Return text out of the file as it can stand in one line."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in printable(cut))


def _note_logs(path: Path, report: ReadReport) -> None:
    for end in ("-wal", "-journal"):
        beside = path.with_name(path.name + end)
        if beside.is_file() and beside.stat().st_size:
            report.note(
                f"{printable(beside.name)} lies beside the file: what it holds was not read;"
                " close the program that wrote it and import again"
            )
