"""Samples of the blocks of exhibits: what was drawn, and what it showed."""

from collections.abc import Sequence
from dataclasses import astuple, fields

from triage.model.blocks import BlockStratum
from triage.store.database import Database
from triage.store.exhibits import Exhibits

_COLUMNS = ", ".join(field.name for field in fields(BlockStratum))
_INSERT = f"""
INSERT INTO block_sample (exhibit_id, position, {_COLUMNS})
VALUES (?, ?, {", ".join("?" * len(fields(BlockStratum)))})
"""  # noqa: S608 - names of columns, none from outside
_SAMPLE = f"SELECT {_COLUMNS} FROM block_sample WHERE exhibit_id = ? ORDER BY position"  # noqa: S608 - as above


class Samples:
    """Reads and writes samples. An unknown exhibit raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def record(self, reference: str, strata: Sequence[BlockStratum]) -> None:
        """Record the sample of an exhibit, part by part, in place of an earlier one."""
        key = self._exhibits.key(reference)
        with self._database.transaction():
            self._database.execute("DELETE FROM block_sample WHERE exhibit_id = ?", (key,))
            self._database.execute_many(
                _INSERT, ((key, position, *astuple(stratum)) for position, stratum in enumerate(strata))
            )

    def of(self, reference: str) -> tuple[BlockStratum, ...]:
        """Return the sample of an exhibit as it was recorded, empty where none was drawn."""
        rows = self._database.rows(_SAMPLE, (self._exhibits.key(reference),))
        return tuple(BlockStratum(**dict(row)) for row in rows)
