"""What stood in the way of knowing an exhibit: trouble with the evidence, and unreadable bytes."""

from collections.abc import Iterable, Sequence

from triage.model.address import Address
from triage.model.evidence import UnreadableRun
from triage.model.item import printable
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.rows import storable


class Obstacles:
    """Reads and writes trouble and unreadable runs of exhibits."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def record_troubles(self, reference: str, troubles: Iterable[Trouble]) -> None:
        """Record trouble; the same trouble met again by a resumed run is one row."""
        key = self._exhibits.key(reference)
        rows = (
            (
                key,
                str(trouble.address),
                trouble.code.value,
                printable(trouble.text),
                None if trouble.run is None else storable(trouble.run.offset),
                None if trouble.run is None else storable(trouble.run.length),
            )
            for trouble in troubles
        )
        with self._database.transaction():
            self._database.execute_many(
                "INSERT INTO trouble (exhibit_id, address, code, text, offset, length) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                rows,
            )

    def troubles(self, reference: str) -> tuple[Trouble, ...]:
        """Return the trouble of one exhibit, sorted by address."""
        rows = self._database.rows(
            "SELECT * FROM trouble WHERE exhibit_id = ? ORDER BY address, code, text", (self._exhibits.key(reference),)
        )
        return tuple(
            Trouble(
                address=Address.parse(row["address"]),
                code=TroubleCode(row["code"]),
                text=row["text"],
                run=None if row["offset"] is None else ByteRun(row["offset"], row["length"]),
            )
            for row in rows
        )

    def record_unreadable(self, reference: str, runs: Sequence[UnreadableRun]) -> None:
        """Record bytes of the source that could not be read; the same run met again is one row.

        Give what is new since the last call. Without any nothing is written.
        """
        if not runs:
            return
        key = self._exhibits.key(reference)
        with self._database.transaction():
            self._database.execute_many(
                "INSERT INTO unreadable VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                ((key, bad.run.offset, bad.run.length, printable(bad.reason)) for bad in runs),
            )

    def unreadable(self, reference: str) -> tuple[UnreadableRun, ...]:
        """Return what could not be read, sorted by offset; runs of different attempts may overlap."""
        rows = self._database.rows(
            "SELECT * FROM unreadable WHERE exhibit_id = ? ORDER BY offset, length, reason",
            (self._exhibits.key(reference),),
        )
        return tuple(UnreadableRun(run=ByteRun(row["offset"], row["length"]), reason=row["reason"]) for row in rows)
