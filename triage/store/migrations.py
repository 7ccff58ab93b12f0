"""The versions of the schema: each step brings a case file one version further."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from triage.model.errors import StoreError
from triage.store.database import Database

APPLICATION_ID = 0x44475643  # "DGVC" at offset 68 of the file: a DigiVan case


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step: what it brings, and the SQL file beside this module that does it."""

    brings: str
    script: str


MIGRATIONS = (
    Migration(brings="exhibits, items, findings, coverage, custody ledger", script="schema.sql"),
    Migration(brings="series and flags of findings", script="series.sql"),
    Migration(brings="order of looking, ways of reading, why a run ended", script="queue.sql"),
    Migration(brings="items without an index of addresses", script="item.sql"),
    Migration(brings="decisions, judgements of candidates", script="decision.sql"),
    Migration(brings="members, carved items, hints in names, samples of blocks, self-tests", script="members.sql"),
    Migration(brings="findings by page, in every order", script="pages.sql"),
    Migration(brings="how much of the space of deleted items others have", script="reused.sql"),
)


def is_blank(database: Database) -> bool:
    """Tell whether the file holds nothing at all: made, but its first transaction never ended."""
    objects = database.one("SELECT count(*) AS objects FROM sqlite_master")
    return _pragma(database, "application_id") == 0 and objects is not None and objects["objects"] == 0


def version(database: Database, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the version of a case file. Raises StoreError when it is no case or of a newer version."""
    if _pragma(database, "application_id") != APPLICATION_ID:
        raise StoreError(f"{database.path} is not a case file; name the folder of a case, or examine into a new one")
    found = _pragma(database, "user_version")
    if found > len(steps):
        raise StoreError(
            f"{database.path} has schema version {found}, this program knows {len(steps)}; "
            "open it with the newer program that wrote it"
        )
    return found


def migrate(database: Database, start: int, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a file from version `start` (0: blank) to the last one, all or nothing; a current one is not touched."""
    if start == len(steps):
        return
    with database.transaction(durable=True):
        for number, step in enumerate(steps[start:], start + 1):
            database.execute_script((files("triage.store") / step.script).read_text(encoding="utf-8"))
            database.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(number),))
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {len(steps)}")


def _pragma(database: Database, name: str) -> int:
    row = database.one(f"PRAGMA {name}")
    assert row is not None
    return int(row[0])
