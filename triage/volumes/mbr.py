"""Master boot records and the chains of extended partition tables behind them.

Facts: four 16-byte entries at 446 (flag, CHS, type, CHS, first sector, sectors), `55 AA` at 510. In an extended table
a partition counts from that table, a further table from the outermost extended partition.
"""

import struct
from collections import deque
from dataclasses import dataclass, field

from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.bsd import slice_partitions
from triage.volumes.signatures import boot_sector, file_system_at
from triage.volumes.table import Partition, Table, dynamic_disk, sector_sizes, trouble

PROTECTIVE = 0xEE
_SECTOR = 512
_MARK = b"\x55\xaa"
_ENTRIES = 446
_FLAGS = (0x00, 0x80)
_EXTENDED = (0x05, 0x0F, 0x85)
_FREEBSD = 0xA5
_BSD = (_FREEBSD, 0xA6, 0xA9)
_FIRST_LOGICAL = 5
_DYNAMIC = 0x42
_MOST_TABLES = 1024

_TYPES = {
    0x00: "marked as unused",
    0x01: "FAT12", 0x04: "FAT16", 0x06: "FAT16", 0x07: "NTFS / exFAT", 0x0B: "FAT32", 0x0C: "FAT32", 0x0E: "FAT16",
    0x11: "hidden FAT12", 0x14: "hidden FAT16", 0x16: "hidden FAT16", 0x17: "hidden NTFS / exFAT",
    0x1B: "hidden FAT32", 0x1C: "hidden FAT32", 0x1E: "hidden FAT16", 0x27: "Windows recovery",
    0x42: "Windows dynamic disk", 0x82: "Linux swap / Solaris", 0x83: "Linux", 0x8E: "Linux LVM",
    0xA5: "FreeBSD", 0xA6: "OpenBSD", 0xA8: "Apple UFS", 0xA9: "NetBSD", 0xAF: "HFS+", 0xBF: "Solaris",
    0xEE: "protective for GPT", 0xEF: "EFI system", 0xFD: "Linux RAID",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in a table; `first` and `count` in sectors."""

    slot: int
    flag: int
    kind: int
    first: int
    count: int

    @property
    def in_use(self) -> bool:
        """Tell whether the entry names a partition."""
        return self.kind != 0 and self.count != 0


@dataclass(slots=True)
class _Chain:
    """What following extended tables has found so far."""

    partitions: list[Partition] = field(default_factory=list)
    own: list[ByteRun] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    circles: set[int] = field(default_factory=set)
    next_number: int = _FIRST_LOGICAL


def entries(sector: bytes) -> tuple[Entry, ...]:
    """Return the four entries of a table, none where the sector is not marked as one."""
    if len(sector) < _SECTOR or sector[510:512] != _MARK:
        return ()
    found = []
    for slot in range(4):
        flag, kind, first, count = struct.unpack_from("<B3xB3xII", sector, _ENTRIES + 16 * slot)
        found.append(Entry(slot + 1, flag, kind, first, count))
    return tuple(found)


def is_protective(source: EvidenceSource) -> bool:
    """Tell whether the master boot record says that a GPT holds the truth."""
    sector = source.read_at(0, _SECTOR)
    marked = any(entry.kind == PROTECTIVE and entry.flag in _FLAGS for entry in entries(sector))
    return marked and boot_sector(sector) is None


def read_mbr(source: EvidenceSource) -> Table | None:
    """Return the table of a master boot record, or None where sector 0 is none (or the boot sector of a volume).

    A boot sector of FAT or NTFS ends in the same mark; its text lies where the entries would be, or zeros. It is
    taken for a table only where an entry leads to something known. Entries that start at sector 0 alone (a volume
    with a fake table, FreeBSD's "dangerously dedicated" disk) make no table either.
    """
    sector = source.read_at(0, _SECTOR)
    found = entries(sector)
    if not found or any(entry.flag not in _FLAGS for entry in found):
        return None
    unit, known = _unit(source, found)
    used = [entry for entry in found if entry.in_use or _is_hidden(source, entry, unit)]
    volume = boot_sector(sector)
    if all(entry.first == 0 for entry in used) or (volume is not None and not known):
        return None
    chain = _Chain(own=[ByteRun(0, _SECTOR)])
    if volume is not None:
        text = f"sector 0: a {volume} boot sector and a partition table at once; the table is followed"
        chain.troubles.append(trouble(TroubleCode.AMBIGUOUS, 0, text, _SECTOR))
    _read_primary(source, used, unit, chain)
    return Table(scheme="mbr", partitions=tuple(chain.partitions), own=tuple(chain.own), troubles=tuple(chain.troubles))


def _read_primary(source: EvidenceSource, used: list[Entry], unit: int, chain: _Chain) -> None:
    """Add the four primary partitions, then what the extended ones among them hold."""
    for entry in used:
        if entry.kind not in _EXTENDED:
            chain.partitions.extend(_partition(source, entry, 0, unit, str(entry.slot)))
        if entry.kind == _DYNAMIC:
            chain.troubles.append(dynamic_disk(entry.first * unit))
    for entry in used:
        if entry.kind in _EXTENDED:
            _follow(source, entry, unit, chain)
    for place in sorted(chain.circles):
        text = f"extended partition table at {place}: the chain leads to it twice; read once"
        chain.troubles.append(trouble(TroubleCode.DAMAGED, place, text))


def _unit(source: EvidenceSource, found: tuple[Entry, ...]) -> tuple[int, bool]:
    """Return the sector size in which an entry leads to something known, and whether any does."""
    sizes = sector_sizes(source.info)
    used = [entry for entry in found if entry.in_use and entry.first]
    for size in sizes:
        if any(_leads_somewhere(source, entry, size) for entry in used):
            return size, True
    return sizes[0], False


def _leads_somewhere(source: EvidenceSource, entry: Entry, unit: int) -> bool:
    start = entry.first * unit
    if entry.kind in _EXTENDED:
        return bool(entries(source.read_at(start, _SECTOR)))
    if entry.kind == PROTECTIVE:
        return source.read_at(start, 8) == b"EFI PART"
    return file_system_at(source, start) is not None


def _is_hidden(source: EvidenceSource, entry: Entry, unit: int) -> bool:
    """Tell whether an entry marked as unused still leads to a file system."""
    return entry.kind == 0 and 0 not in (entry.first, entry.count) and _leads_somewhere(source, entry, unit)


def _partition(source: EvidenceSource, entry: Entry, base: int, unit: int, label: str) -> tuple[Partition, ...]:
    """Return the partition of an entry that counts from sector `base`, or those of the BSD label inside it."""
    name = _TYPES.get(entry.kind, "type")
    whole = Partition(
        run=ByteRun((base + entry.first) * unit, entry.count * unit),
        label=label,
        description=f"{name} (0x{entry.kind:02x})",
        is_volume=entry.kind != PROTECTIVE,
    )
    if entry.kind in _BSD:
        return slice_partitions(source, whole, freebsd=entry.kind == _FREEBSD) or (whole,)
    return (whole,)


def _follow(source: EvidenceSource, outer: Entry, unit: int, chain: _Chain) -> None:
    """Add what the chain of an extended partition holds; every table is read once, their number is bounded."""
    pending = deque([outer.first])
    while pending:
        table = pending.popleft()
        place = table * unit
        if table in chain.seen:
            chain.circles.add(place)
            continue
        if len(chain.seen) >= _MOST_TABLES:
            text = f"extended partition table at {place}: more than {_MOST_TABLES} in the chain; the rest is not read"
            chain.troubles.append(trouble(TroubleCode.LIMIT, place, text))
            return
        chain.seen.add(table)
        found = entries(source.read_at(place, _SECTOR))
        if not found:
            text = f"extended partition table at {place}: not one (damaged, or past the end); partitions may be missing"
            chain.troubles.append(trouble(TroubleCode.DAMAGED, place, text))
            if table == outer.first:
                chain.partitions.extend(_partition(source, outer, 0, unit, str(outer.slot)))
            continue
        chain.own.append(ByteRun(place, _SECTOR))
        pending.extend(outer.first + entry.first for entry in found if entry.in_use and entry.kind in _EXTENDED)
        for entry in found:
            if entry.kind not in _EXTENDED and (entry.in_use or _is_hidden_logical(source, entry, table, unit)):
                chain.partitions.extend(_partition(source, entry, table, unit, str(chain.next_number)))
                chain.next_number += 1


def _is_hidden_logical(source: EvidenceSource, entry: Entry, table: int, unit: int) -> bool:
    moved = Entry(entry.slot, entry.flag, entry.kind, table + entry.first, entry.count)
    return entry.first > 0 and _is_hidden(source, moved, unit)
