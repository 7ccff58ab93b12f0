"""How an exhibit is divided: its regions, and what became of each volume."""

import sqlite3
from collections.abc import Iterator, Sequence

from triage.model.errors import UsageError
from triage.model.evidence import Region, VolumeReport
from triage.model.item import printable
from triage.model.runs import ByteRun
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.listing import forget_addresses
from triage.store.reuse import measure_reuse
from triage.store.rows import storable

_LISTED, _ENDED_EARLY = 1, 2


class Layout:
    """Reads and writes the regions of exhibits."""

    def __init__(self, database: Database, exhibits: Exhibits) -> None:
        self._database = database
        self._exhibits = exhibits

    def record_regions(self, reference: str, regions: Sequence[Region]) -> None:
        """Record how the source is divided; recording the same regions again changes nothing."""
        key = self._exhibits.key(reference)
        with self._database.transaction():
            self._database.execute_many(
                "INSERT INTO region (exhibit_id, offset, length, name, scheme, description, is_volume) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (
                        key,
                        region.run.offset,
                        region.run.length,
                        printable(region.name),
                        region.scheme,
                        printable(region.description),
                        region.is_volume,
                    )
                    for region in regions
                ),
            )

    def record_volume(self, reference: str, report: VolumeReport) -> None:
        """Record what became of one region that `record_regions` knows."""
        with self._database.transaction():
            changed = self._database.execute(
                "UPDATE region SET state = ?, file_system = ?, text = ?, block_size = ? "
                "WHERE exhibit_id = ? AND offset = ? AND name = ?",
                (
                    report.state,
                    report.file_system,
                    printable(report.text),
                    storable(report.block_size),
                    self._exhibits.key(reference),
                    report.region.run.offset,
                    printable(report.region.name),
                ),
            )
        if changed != 1:
            raise UsageError(f"exhibit {reference} has no region {report.region.name}; record its regions first")

    def regions(self, reference: str) -> tuple[Region, ...]:
        """Return the regions of a source, sorted by offset."""
        return tuple(_region(row) for row in self._regions(reference))

    def volumes(self, reference: str) -> tuple[VolumeReport, ...]:
        """Return what became of the regions that were looked at, sorted by offset."""
        return tuple(
            VolumeReport(
                region=_region(row),
                state=row["state"],
                file_system=row["file_system"],
                text=row["text"],
                listed=row["walked"] == _LISTED,
                block_size=row["block_size"] or 1,
            )
            for row in self._regions(reference)
            if row["state"] is not None
        )

    def mark_walked(self, reference: str, volume_offset: int, *, listed: bool) -> None:
        """Record that the walk of a volume is over; `listed`: it came to its end.

        How much of the space of its deleted items belongs to allocated ones is known then, and recorded with it.
        """
        region = self.key(reference, volume_offset)
        record = self._exhibits.get(reference)
        assert record is not None
        with self._database.transaction():
            forget_addresses(self._database, region)
            if listed:
                measure_reuse(self._database, region, record.info.size)
            walked = _LISTED if listed else _ENDED_EARLY
            self._database.execute("UPDATE region SET walked = ? WHERE id = ?", (walked, region))

    def walked(self, reference: str) -> frozenset[int]:
        """Return the offsets of the volumes whose walk is over."""
        return frozenset(row["offset"] for row in self._regions(reference) if row["walked"])

    def key(self, reference: str, volume_offset: int) -> int:
        """Return the row number of the volume at an offset. Raises UsageError when there is none."""
        row = self._database.one(
            "SELECT id FROM region WHERE exhibit_id = ? AND offset = ? ORDER BY is_volume DESC, length DESC LIMIT 1",
            (self._exhibits.key(reference), volume_offset),
        )
        if row is None:
            raise UsageError(f"exhibit {reference} has no region at byte {volume_offset}; record its regions first")
        return int(row["id"])

    def keyed(self, reference: str) -> tuple[tuple[int, ByteRun], ...]:
        """Return the row number and the bytes of every region, sorted by offset."""
        return tuple((row["id"], ByteRun(row["offset"], row["length"])) for row in self._regions(reference))

    def _regions(self, reference: str) -> Iterator[sqlite3.Row]:
        return self._database.rows(
            "SELECT * FROM region WHERE exhibit_id = ? ORDER BY offset, id", (self._exhibits.key(reference),)
        )


def _region(row: sqlite3.Row) -> Region:
    return Region(
        run=ByteRun(row["offset"], row["length"]),
        name=row["name"],
        scheme=row["scheme"],
        is_volume=bool(row["is_volume"]),
        description=row["description"],
    )
