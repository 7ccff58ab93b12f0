"""GUID partition tables: primary and backup, 512 to 4096 byte sectors.

Facts: UEFI specification, "GUID Partition Table (GPT) Disk Layout". The primary header is in sector 1, the backup
in the last sector of the disk; both carry a CRC-32 of themselves and of their entry array.
"""

import struct
import zlib
from dataclasses import dataclass
from uuid import UUID

from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.table import Partition, Table, dynamic_disk, printable_text, sector_sizes, trouble

_SIGNATURE = b"EFI PART"
_HEADER = 92
_LEAST_ENTRY = 128
_MOST_ENTRY_BYTES = 4 * 2**20
_UNUSED = bytes(16)
_DYNAMIC = UUID("af9b60a0-1431-4f62-bc68-3311714a69ad")

_TYPES = {
    UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"): "EFI system",
    UUID("21686148-6449-6e6f-744e-656564454649"): "BIOS boot",
    UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"): "Microsoft basic data",
    UUID("e3c9e316-0b5c-4db8-817d-f92df00215ae"): "Microsoft reserved",
    UUID("de94bba4-06d1-4d40-a16a-bfd50179d6ac"): "Windows recovery",
    UUID("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"): "Windows dynamic disk metadata",
    _DYNAMIC: "Windows dynamic disk data",
    UUID("e75caf8f-f680-4cee-afa3-b001e56efc2d"): "Windows Storage Spaces",
    UUID("0fc63daf-8483-4772-8e79-3d69d8477de4"): "Linux file system",
    UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"): "Linux swap",
    UUID("e6d6d379-f507-44c2-a23c-238f2a3df928"): "Linux LVM",
    UUID("a19d880f-05fc-4d3b-a006-743f0f84911e"): "Linux RAID",
    UUID("ca7d7ccb-63ed-4c53-861c-1742536059cc"): "LUKS",
    UUID("933ac7e1-2eb4-4f13-b844-0e14e2aef915"): "Linux home",
    UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709"): "Linux root (x86-64)",
    UUID("48465300-0000-11aa-aa11-00306543ecac"): "HFS+",
    UUID("7c3457ef-0000-11aa-aa11-00306543ecac"): "APFS",
    UUID("53746f72-6167-11aa-aa11-00306543ecac"): "CoreStorage",
    UUID("426f6f74-0000-11aa-aa11-00306543ecac"): "Apple boot",
    UUID("516e7cb4-6ecf-11d6-8ff8-00022d09712b"): "FreeBSD",
    UUID("516e7cb6-6ecf-11d6-8ff8-00022d09712b"): "FreeBSD UFS",
    UUID("516e7cba-6ecf-11d6-8ff8-00022d09712b"): "FreeBSD ZFS",
}


@dataclass(frozen=True, slots=True)
class _Header:
    """A header where it was found; offsets in bytes, `sound` when both CRCs are right."""

    offset: int
    unit: int
    alternate: int
    entries_at: int
    entry_size: int
    entries: bytes
    sound: bool
    cut: bool

    @property
    def own(self) -> tuple[ByteRun, ByteRun]:
        """The bytes of the header's sector and of its entry array."""
        return ByteRun(self.offset, self.unit), ByteRun(self.entries_at, len(self.entries))


def read_gpt(source: EvidenceSource, *, protective: bool, other_volume: bool) -> Table | None:
    """Return the GUID partition table of a source, or None.

    `protective`: the master boot record says that there is one. `other_volume`: something else (a master boot
    record in its own right, a file system at 0) explains the source, so that a damaged primary or a lone backup is
    a leftover. Where the primary does not hold, a backup that does is used, and a trouble says so.
    """
    primary = _primary(source)
    if primary is not None and primary.sound:
        backup = _header(source, primary.alternate, primary.unit)
        return _table(source, primary, backup, _disagreement(primary, backup))
    if other_volume and not protective:
        return None
    backup = _backup(source, primary)
    if backup is not None:
        text = f"GPT: the primary table is damaged; the backup at {backup.offset} is used"
        return _table(source, backup, primary, (trouble(TroubleCode.DAMAGED, 0, text),))
    if primary is not None:
        text = "GPT: a checksum of the primary table is wrong and there is no sound backup; used as it stands"
        return _table(source, primary, None, (trouble(TroubleCode.DAMAGED, 0, text),))
    return None


def _primary(source: EvidenceSource) -> _Header | None:
    """Return the header in sector 1, a sound one before a damaged one."""
    found = [_header(source, unit, unit) for unit in sector_sizes(source.info)]
    headers = [header for header in found if header is not None]
    return next((header for header in headers if header.sound), headers[0] if headers else None)


def _backup(source: EvidenceSource, primary: _Header | None) -> _Header | None:
    """Return a sound backup: where the damaged primary says, or in the last sector of the source."""
    size = source.info.size
    places = [] if primary is None else [(primary.alternate, primary.unit)]
    places.extend((size // unit * unit - unit, unit) for unit in sector_sizes(source.info))
    for offset, unit in places:
        header = _header(source, offset, unit)
        if header is not None and header.sound:
            return header
    return None


def _header(source: EvidenceSource, offset: int, unit: int) -> _Header | None:
    """Return the header at a byte offset, or None where there is no signature."""
    raw = source.read_at(offset, unit) if offset >= unit else b""
    if len(raw) < _HEADER or raw[:8] != _SIGNATURE:
        return None
    length, checksum = struct.unpack_from("<II", raw, 12)
    alternate, table = struct.unpack_from("<Q32xQ", raw, 32)
    count, entry_size, entries_checksum = struct.unpack_from("<III", raw, 80)
    entries, cut = b"", False
    if entry_size >= _LEAST_ENTRY and entry_size % 8 == 0:
        cut = count * entry_size > _MOST_ENTRY_BYTES
        entries = source.read_at(table * unit, min(count * entry_size, _MOST_ENTRY_BYTES))
    sound = (
        _HEADER <= length <= unit
        and zlib.crc32(raw[:16] + bytes(4) + raw[20:length]) == checksum
        and len(entries) == count * entry_size
        and zlib.crc32(entries) == entries_checksum
    )
    return _Header(offset, unit, alternate * unit, table * unit, entry_size, entries, sound, cut)


def _disagreement(primary: _Header, backup: _Header | None) -> tuple[Trouble, ...]:
    """Return what the backup has to say against a sound primary."""
    if backup is not None and backup.sound and backup.entries != primary.entries:
        text = f"GPT: the backup at {backup.offset} names other partitions than the primary; the primary is followed"
        return (trouble(TroubleCode.AMBIGUOUS, backup.offset, text, backup.unit),)
    return ()


def _table(
    source: EvidenceSource, header: _Header, other: _Header | None, troubles: tuple[Trouble, ...]
) -> Table | None:
    """Return the table of a header."""
    partitions: list[Partition] = []
    found = list(troubles)
    for index in range(len(header.entries) // max(header.entry_size, _LEAST_ENTRY)):
        raw = header.entries[index * header.entry_size :][: header.entry_size]
        if raw[:16] == _UNUSED:
            continue
        first, last = struct.unpack_from("<QQ", raw, 32)
        if last < first:
            text = f"GPT: partition {index + 1} ends (sector {last}) before it begins (sector {first}); not read"
            found.append(trouble(TroubleCode.DAMAGED, first * header.unit, text))
            continue
        run = ByteRun(first * header.unit, (last - first + 1) * header.unit)
        if UUID(bytes_le=raw[:16]) == _DYNAMIC:
            found.append(dynamic_disk(run.offset))
        partitions.append(Partition(run=run, label=str(index + 1), description=_description(raw)))
    if header.cut:
        text = f"GPT: an entry array of more than {_MOST_ENTRY_BYTES} bytes; the rest is not read"
        found.append(trouble(TroubleCode.LIMIT, header.offset, text))
    size = source.info.size
    if header.alternate >= size and header.sound:
        text = f"GPT: written for a disk of at least {header.alternate + header.unit} bytes, the source has {size}"
        found.append(trouble(TroubleCode.DAMAGED, size, text))
    own = (ByteRun(0, header.unit), *header.own, *(other.own if other is not None else ()))
    return Table(scheme="gpt", partitions=tuple(partitions), own=own, troubles=tuple(found))


def _description(raw: bytes) -> str:
    """Return the partition's name and what its type GUID stands for."""
    name = raw[56:128].decode("utf-16-le", "replace").partition("\0")[0]
    kind = UUID(bytes_le=raw[:16])
    return ", ".join(filter(None, (printable_text(name), _TYPES.get(kind, f"type {kind}"))))
