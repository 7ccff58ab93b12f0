"""Apple partition maps.

Facts: Inside Macintosh, "Devices", driver descriptor record and partition map entries (big-endian). Block 0 begins
with `ER`, every entry with `PM`; discs may be mapped in 512-byte blocks although the record says 2048.
"""

import struct

from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.volumes.signatures import file_system_at
from triage.volumes.table import SECTOR_SIZES, Partition, Table, printable_text

_MAP_TYPE = "Apple_partition_map"
_MOST_ENTRIES = 1024
_FREE = ("Apple_Free", "Apple_Void")
_DRIVERS = ("Apple_Driver", "Apple_Patches", "Apple_FWDriver")


def read_apm(source: EvidenceSource) -> Table | None:
    """Return the Apple partition map of a source, or None.

    Driver partitions hold code, no file system: they are volumes only where one begins in them.
    """
    record = source.read_at(0, 4)
    for block in _block_sizes(record):
        first = _entry(source, block, 1)
        if first is not None and first[4].lower() == _MAP_TYPE.lower():
            return _table(source, block, min(first[0], _MOST_ENTRIES))
    return None


def _block_sizes(record: bytes) -> tuple[int, ...]:
    """Return the block sizes to try: 512 before what the driver descriptor record says."""
    said = int.from_bytes(record[2:4], "big") if record[:2] == b"ER" else 0
    return tuple(dict.fromkeys((512, *((said,) if said in SECTOR_SIZES else ()), 2048)))


def _entry(source: EvidenceSource, block: int, index: int) -> tuple[int, int, int, str, str] | None:
    """Return (entries in the map, first block, blocks, name, type) of one entry, or None where there is none."""
    raw = source.read_at(block * index, 80)
    if len(raw) < 80 or raw[:2] != b"PM":  # noqa: PLR2004 - the fields read here end there
        return None
    count, first, blocks = struct.unpack_from(">III", raw, 4)
    name, kind = (printable_text(raw[at : at + 32].partition(b"\0")[0].decode("mac-roman")) for at in (16, 48))
    return count, first, blocks, name, kind


def _table(source: EvidenceSource, block: int, count: int) -> Table:
    partitions: list[Partition] = []
    own = [ByteRun(0, block)]
    for index in range(1, count + 1):
        entry = _entry(source, block, index)
        if entry is None:
            break
        _, first, blocks, name, kind = entry
        run = ByteRun(first * block, blocks * block)
        if kind.lower() == _MAP_TYPE.lower():
            own.append(run)
        elif kind not in _FREE:
            volume = not kind.startswith(_DRIVERS) or file_system_at(source, run.offset) is not None
            description = ", ".join(filter(None, (name, kind)))
            partitions.append(Partition(run=run, label=str(index), description=description, is_volume=volume))
    return Table(scheme="apm", partitions=tuple(partitions), own=tuple(own))
