"""What is hinted at: recorded for each exhibit, listed and counted; never part of a recommendation."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from triage.model.indication import Indication
from triage.model.item import printable
from triage.store.database import Database
from triage.store.exhibits import Exhibits

_INSERT = """
INSERT INTO indication (exhibit_id, category, label, address, path, text) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_INDICATIONS = "SELECT * FROM indication WHERE exhibit_id = ? ORDER BY category, label, address"
_ROWS = """
SELECT indication.category AS "group", label, path, address, text, exhibit.reference AS exhibit
FROM indication JOIN exhibit ON exhibit.id = indication.exhibit_id
WHERE exhibit.id = coalesce(?, exhibit.id)
ORDER BY exhibit.id, category, label, address
"""
_COUNTS = """
SELECT category, label, count(*) AS names FROM indication WHERE exhibit_id = ?
GROUP BY category, label ORDER BY category, label
"""


class Indications:
    """Reads and writes indications. An unknown exhibit raises UsageError."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def record(self, reference: str, found: Sequence[tuple[str, str, Indication]]) -> None:
        """Record indications, each with address and path of its item; the same met again is one row."""
        if not found:
            return
        key = self._exhibits.key(reference)
        with self._database.transaction():
            self._database.execute_many(
                _INSERT,
                (
                    (key, printable(told.group), printable(told.label), address, printable(path), printable(told.text))
                    for address, path, told in found
                ),
            )

    def of(self, reference: str) -> Iterator[tuple[str, str, Indication]]:
        """Stream the indications of an exhibit, each with address and path, sorted by group, label and address."""
        for row in self._database.rows(_INDICATIONS, (self._exhibits.key(reference),)):
            yield (
                row["address"],
                row["path"],
                Indication(group=row["category"], label=row["label"], text=row["text"]),
            )

    def rows(self, reference: str | None = None) -> Generator[dict[str, Any]]:
        """Stream the indications of one exhibit or of all, as the command line shows them."""
        key = None if reference is None else self._exhibits.key(reference)
        for row in self._database.rows(_ROWS, (key,)):
            yield dict(row)

    def counted(self, reference: str) -> dict[tuple[str, str], int]:
        """Return how many items of an exhibit each group and label was told of, sorted by them."""
        rows = self._database.rows(_COUNTS, (self._exhibits.key(reference),))
        return {(row["category"], row["label"]): row["names"] for row in rows}
