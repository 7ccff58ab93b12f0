"""The one door to SQLite: every error of the database becomes one StoreError line here."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from triage.model.errors import StoreError

Parameters = Sequence[object] | Mapping[str, object]

_NEXT_STEP = {
    "SQLITE_FULL": "free some space on that disk, then run again to resume",
    "SQLITE_BUSY": "another program holds the file; close it, then run again",
    "SQLITE_READONLY": "choose a folder that can be written",
    "SQLITE_CANTOPEN": "check that the folder exists and can be read and written",
    "SQLITE_IOERR": "check the disk that holds the case, then run again to resume",
    "SQLITE_CORRUPT": "keep the file as it is and examine into a new case",
    "SQLITE_NOTADB": "name the folder of a case, or examine into a new one",
}
_REPORT = "report this as a defect"
_WAIT = 30.0  # seconds for what another process does to the file
_ATTEMPTS = 10


class Database:
    """A connection to one file. Rows are read by column name; transactions nest into the outermost one."""

    def __init__(self, path: Path, mode: str) -> None:
        """Open `path` with an SQLite URI mode: `ro`, `rw`, `rwc`, or `ro&immutable=1`."""
        self.path = path
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_WAIT
            )
        except sqlite3.Error as error:
            self._refuse(error)
        self._connection.row_factory = sqlite3.Row

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run one statement; return the number of rows it changed."""
        try:
            return self._connection.execute(statement, parameters).rowcount
        except sqlite3.Error as error:
            self._refuse(error)

    def execute_many(self, statement: str, rows: Iterable[Parameters]) -> int:
        """Run one statement for each row of parameters; return the number of rows changed in all."""
        try:
            return self._connection.executemany(statement, rows).rowcount
        except sqlite3.Error as error:
            self._refuse(error)

    def execute_script(self, script: str) -> None:
        """Run the statements of a script one by one, inside the open transaction if there is one."""
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self.execute(statement)
                statement = ""

    def one(self, query: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        return next(self.rows(query, parameters), None)

    def rows(self, query: str, parameters: Parameters = ()) -> Iterator[sqlite3.Row]:
        """Stream the rows of a query."""
        try:
            yield from self._connection.execute(query, parameters)
        except sqlite3.Error as error:
            self._refuse(error)

    def tuples(self, query: str, parameters: Parameters = ()) -> Iterator[tuple[Any, ...]]:
        """Stream the rows of a query as plain tuples, which is quicker where there are many."""
        try:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            yield from cursor.execute(query, parameters)
        except sqlite3.Error as error:
            self._refuse(error)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Commit all that is written inside together, or nothing of it; an inner one is part of the outer one.

        Nobody else writes meanwhile: what is read inside stands until the end. One that has to wait its turn does so.
        A durable one is on the disk when it ends, with every one before it. Another is so a little later: a power
        cut may take it, a killed program does not, and the file stays consistent.
        """
        if self._connection.in_transaction:
            yield
            return
        self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._begin_to_write()
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self.roll_back()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything inside from one state of the file, whatever a writer commits meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.roll_back()

    def roll_back(self) -> None:
        """Undo the open transaction, if SQLite has not done so itself."""
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; calling it twice is harmless."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            self._refuse(error)

    def _begin_to_write(self) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if attempt == _ATTEMPTS or _family(error) != "SQLITE_BUSY":
                    self._refuse(error)
            else:
                return

    def _refuse(self, error: sqlite3.Error) -> NoReturn:
        step = _NEXT_STEP.get(_family(error), _REPORT)
        raise StoreError(f"the case file {self.path}: {_one_line(error)}; {step}") from error


def _family(error: sqlite3.Error) -> str:
    name: str = getattr(error, "sqlite_errorname", "")  # absent where the module itself raises
    return "_".join(name.split("_")[:2])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
