"""BSD disk labels, of a whole disk or inside a slice of an MBR.

Facts: `struct disklabel` of 4.4BSD (sys/disklabel.h of FreeBSD, NetBSD and OpenBSD), both byte orders.
"""

import struct
from dataclasses import dataclass
from typing import Literal

from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.table import SECTOR_SIZES, Partition, Table, trouble

_MAGIC = 0x82564557
_PLACES = (512, 64, 0, 4096)
_FIXED = 148
_ENTRY = 16
_MOST = 22
_RAW = 2

_TYPES = {
    1: "swap", 7: "4.2BSD fast file system", 8: "MS-DOS", 11: "HFS", 12: "ISO 9660", 17: "Linux ext2", 18: "NTFS",
    19: "RAID", 20: "ccd", 27: "ZFS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Label:
    """A label found at `place`; entries are (index, first sector, sectors, type), in use only."""

    place: int
    length: int
    unit: int
    sound: bool
    entries: tuple[tuple[int, int, int, int], ...]


def read_label(source: EvidenceSource) -> Table | None:
    """Return the BSD label of a source that has one in its first sectors, or None."""
    size = source.info.size
    label = _find(source, 0)
    if label is None:
        return None
    partitions = _partitions(label, ByteRun(0, size), base=0, prefix="")
    if not partitions:
        return None
    own = (ByteRun(0, label.place), ByteRun(label.place, label.length))
    troubles = () if label.sound else (trouble(TroubleCode.DAMAGED, 0, "BSD label: its checksum is wrong"),)
    return Table(scheme="bsd", partitions=partitions, own=own, troubles=troubles)


def slice_partitions(source: EvidenceSource, slice_: Partition, *, freebsd: bool) -> tuple[Partition, ...]:
    """Return the partitions of the label inside an MBR slice; empty where the slice has none.

    FreeBSD counts sectors from the slice's start when its raw partition `c` starts at 0, else (and NetBSD and
    OpenBSD always) from the start of the disk.
    """
    label = _find(source, slice_.run.offset)
    if label is None:
        return ()
    raw = next((first for index, first, _, _ in label.entries if index == _RAW), 0)
    base = slice_.run.offset if freebsd and raw == 0 else 0
    inside = _partitions(label, slice_.run, base=base, prefix=slice_.label)
    return tuple(each for each in inside if slice_.run.offset <= each.run.offset < slice_.run.end)


def _find(source: EvidenceSource, offset: int) -> _Label | None:
    head = source.read_at(offset, max(_PLACES) + _FIXED + _MOST * _ENTRY)
    for place in _PLACES:
        for order in ("little", "big"):
            label = _parse(head, place, "<" if order == "little" else ">", order)
            if label is not None:
                return label
    return None


def _parse(head: bytes, place: int, prefix: str, order: Literal["little", "big"]) -> _Label | None:
    raw = head[place:]
    if len(raw) < _FIXED or struct.unpack_from(f"{prefix}I", raw, 0)[0] != _MAGIC:
        return None
    magic, _, count = struct.unpack_from(f"{prefix}IHH", raw, 132)
    length = _FIXED + count * _ENTRY
    if magic != _MAGIC or not 0 < count <= _MOST or len(raw) < length:
        return None
    unit = int.from_bytes(raw[40:44], order)
    summed = 0
    for (word,) in struct.iter_unpack(f"{prefix}H", raw[:length]):
        summed ^= word
    entries = []
    for index in range(count):
        sectors, first, _, kind = struct.unpack_from(f"{prefix}IIIB", raw, _FIXED + index * _ENTRY)
        if sectors:
            entries.append((index, first, sectors, kind))
    unit = unit if unit in SECTOR_SIZES else SECTOR_SIZES[0]
    return _Label(place, length, unit, summed == 0, tuple(entries))


def _partitions(label: _Label, whole: ByteRun, *, base: int, prefix: str) -> tuple[Partition, ...]:
    """Return the partitions of a label but for those that only say "all of it" beside others."""
    found = [
        (
            index,
            Partition(
                run=ByteRun(base + first * label.unit, sectors * label.unit),
                label=f"{prefix}{chr(ord('a') + index)}",
                description=_TYPES.get(kind, f"type {kind}"),
            ),
        )
        for index, first, sectors, kind in label.entries
    ]
    named = [each for index, each in found if index != _RAW] or [each for _, each in found]
    return tuple([each for each in named if not _covers(each.run, whole)] or named[:1])


def _covers(run: ByteRun, whole: ByteRun) -> bool:
    return run.offset <= whole.offset and run.end >= whole.end
