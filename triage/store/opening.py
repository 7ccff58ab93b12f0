"""Opening a case file, for writers and readers beside each other; one at a time makes it or brings it up to date."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from triage.model.errors import StoreError
from triage.model.item import printable
from triage.store.database import Database
from triage.store.ledger import Ledger
from triage.store.lock import ProcessLock
from triage.store.migrations import MIGRATIONS, is_blank, migrate, version

FILE = "case.sqlite"
LOCK = "case.lock"

_PATIENCE = 30.0  # seconds in which another process has opened the case

_WRITER_SETTINGS = (
    "cache_size = -65536",
    "wal_autocheckpoint = 8000",
)


def make_or_continue(folder: Path, when: str, actor: str) -> Database:
    """Open the case in a folder for writing, or make it there; one whose making was cut short is made again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the case folder {folder} cannot be made: {error.strerror}; choose a folder that can be written"
        ) from error
    with _alone(folder), ExitStack() as undo:
        found = _sound_version(folder / FILE) if _is_case_file(folder) else 0
        database = Database(folder / FILE, "rwc")
        undo.callback(database.close)
        _settle(database)
        if found:
            migrate(database, found)
        else:
            _begin(database, when, actor)
        _keep_references(database)
        undo.pop_all()
    return database


def continue_case(folder: Path) -> Database:
    """Open an existing case for writing."""
    require(folder)
    with _alone(folder), ExitStack() as undo:
        found = _sound_version(folder / FILE)
        database = Database(folder / FILE, "rw")
        undo.callback(database.close)
        _settle(database)
        migrate(database, found)
        _keep_references(database)
        undo.pop_all()
    return database


def claimed(folder: Path, reference: str) -> ProcessLock:
    """Take the lock of an exhibit, whether the case holds it already or not. Raises InUseError where another has it."""
    name = hashlib.sha256(reference.encode("utf-8", "surrogateescape")).hexdigest()[:16]  # a reference is no file name
    what = f"exhibit {reference} of the case {folder}"
    return ProcessLock(folder / f"exhibit-{name}.lock", printable(what))


def open_for_reading(folder: Path) -> Database:
    """Open an existing case of this program's version for reading only."""
    require(folder)
    database = _readable(folder / FILE)
    with ExitStack() as undo:
        undo.callback(database.close)
        require_current(database)
        undo.pop_all()
    return database


def require(folder: Path) -> None:
    """Raise StoreError unless the folder holds a case file."""
    if not _is_case_file(folder):
        raise StoreError(f"{folder} holds no case; name the folder of a case, or make one with triage examine")


def require_current(database: Database) -> None:
    """Raise StoreError when the case is of an older version, which only a writer brings up to date."""
    if version(database) < len(MIGRATIONS):
        raise StoreError(f"{database.path} was written by an older program; run triage examine on it once to update it")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else open the case for writing meanwhile: only one makes it, or brings it up to date."""
    lock = ProcessLock(folder / LOCK, f"the case {folder}", patience=_PATIENCE)
    try:
        yield
    finally:
        lock.release()


def _is_case_file(folder: Path) -> bool:
    try:
        return stat.S_ISREG((folder / FILE).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"the case {folder} cannot be reached: {error.strerror}; check the path") from error


def _begin(database: Database, when: str, actor: str) -> None:
    """Write the first version of everything and the first event, in one transaction."""
    with database.transaction(durable=True):
        migrate(database, 0)
        database.execute("INSERT INTO meta VALUES ('created', ?)", (when,))
        name = database.path.absolute().parent.name
        Ledger(database).append(
            when=when,
            actor=actor,
            action="case.created",
            subject=name,
            payload={"file": FILE, "schema": len(MIGRATIONS)},
        )


def _sound_version(path: Path) -> int:
    """Return the version of a case file, 0 for a blank one. Raises StoreError unless it is a case that verifies.

    The connection is one that cannot write: another would bring what a killed writer left into the file when it is
    closed, also after a refusal.
    """
    with closing(Database(path, "ro")) as database:
        if is_blank(database):
            return 0
        found = version(database)
        Ledger(database).verify()
    return found


def _settle(database: Database) -> None:
    """Set the connection up for writers and readers beside each other."""
    mode = database.one("PRAGMA journal_mode = WAL")
    if mode is None or mode[0] != "wal":
        raise StoreError(
            f"the case file {database.path} could not be read while it is written on this file system; "
            "choose a folder on a local disk"
        )
    for setting in _WRITER_SETTINGS:
        database.execute(f"PRAGMA {setting}")


def _keep_references(database: Database) -> None:
    """Refuse from now on what refers to nothing; a migration may replace a table that others refer to."""
    database.execute("PRAGMA foreign_keys = ON")


def _readable(path: Path) -> Database:
    """Open a case file for reading, also one on a medium that cannot be written.

    SQLite needs two files beside a WAL database even to read it. Where they can neither be found nor made, nobody
    writes there either, so the file may be read as it is.
    """
    database = Database(path, "ro")
    try:
        is_blank(database)
    except StoreError:
        database.close()
        if path.with_name(f"{FILE}-wal").exists():
            raise
        database = Database(path, "ro&immutable=1")
    return database
