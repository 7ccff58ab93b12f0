"""The custody ledger: every event linked to the one before by its digest, from the making of the case on."""

import sqlite3
from collections.abc import Iterator, Mapping

from triage.model.custody import FIRST, CustodyEvent, Payload
from triage.model.errors import StoreError
from triage.model.item import printable
from triage.store.database import Database

_HEAD = "custody_head"


class Ledger:
    """Appends to the chain and checks it. An event belongs to the transaction of what it tells of.

    Its transaction is durable: a van loses power, and what the ledger says was recorded must survive that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, *, when: str, actor: str, action: str, subject: str, payload: Payload) -> CustodyEvent:
        """Add one event; `when` is ISO 8601 UTC. Names may hold any bytes: they are made printable here."""
        with self._database.transaction(durable=True):
            event = CustodyEvent.after(
                self._last(),
                when=when,
                actor=printable(actor),
                action=action,
                subject=printable(subject),
                payload={key: _printable(value) for key, value in payload.items()},
            )
            self._database.execute(
                "INSERT INTO custody VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    event.sequence,
                    event.when,
                    event.actor,
                    event.action,
                    event.subject,
                    event.payload,
                    event.previous,
                    event.digest,
                ),
            )
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_HEAD, event.digest))
        return event

    def head(self) -> str:
        """Return the digest of the last event, that of no event where there is none."""
        last = self._last()
        return FIRST if last is None else last.digest

    def events(self) -> Iterator[CustodyEvent]:
        """Stream every event in order."""
        return (_event(row) for row in self._database.rows("SELECT * FROM custody ORDER BY sequence"))

    def verify(self) -> None:
        """Walk the whole chain. Raises StoreError at the first event that was changed, removed or put in."""
        with self._database.snapshot():
            self._verify()

    def _verify(self) -> None:
        sequence, previous = 0, FIRST
        for event in self.events():
            sequence += 1
            if event.sequence != sequence or event.previous != previous or not event.is_sound():
                raise self._broken(f"event {sequence} is not the one that was recorded")
            previous = event.digest
        head = self._database.one("SELECT value FROM meta WHERE key = ?", (_HEAD,))
        if head is None or head["value"] != previous:
            raise self._broken(f"the last events, after event {sequence}, are missing")

    def _last(self) -> CustodyEvent | None:
        row = self._database.one("SELECT * FROM custody ORDER BY sequence DESC LIMIT 1")
        return None if row is None else _event(row)

    def _broken(self, what: str) -> StoreError:
        return StoreError(
            f"the custody ledger of {self._database.path} does not verify: {what}; "
            "keep the file as it is and examine into a new case"
        )


def _event(row: sqlite3.Row) -> CustodyEvent:
    return CustodyEvent(
        sequence=row["sequence"],
        when=row["when_utc"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        payload=row["payload"],
        previous=row["previous"],
        digest=row["digest"],
    )


def _printable(value: object) -> object:
    """Return a payload's value with every text in it printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(key)): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value
