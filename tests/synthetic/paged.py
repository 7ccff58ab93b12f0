"""A case whose findings can be paged, whichever version of the schema it is made with."""

import sqlite3
from importlib.resources import files
from pathlib import Path


def paged(folder: Path) -> Path:
    """Bring the case in a folder to what pages need, where it is not there yet."""
    database = sqlite3.connect(folder / "case.sqlite")
    if "exhibit_id" not in {row[1] for row in database.execute("PRAGMA table_info(finding)")}:
        database.executescript((files("triage.store") / "pages.sql").read_text())
    database.close()
    return folder
