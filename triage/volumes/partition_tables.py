"""What a source is divided into: the first step of an examination after opening it."""

from dataclasses import dataclass, replace

from triage.model.evidence import Region
from triage.model.runs import ByteRun, intersect, merge
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.source import EvidenceSource
from triage.volumes.apm import read_apm
from triage.volumes.bsd import read_label
from triage.volumes.gpt import read_gpt
from triage.volumes.locked import boot_code
from triage.volumes.mbr import is_protective, read_mbr
from triage.volumes.signatures import file_system_at
from triage.volumes.table import Partition, Table, trouble
from triage.volumes.tiling import tile

_TABLE_PLACES = ByteRun(0, 2 * 4096)
_ISO_DESCRIPTOR = 0x8000
_ISO_BLOCK = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The regions that tile a source from 0 to its size, sorted, and what was wrong with its tables."""

    regions: tuple[Region, ...]
    troubles: tuple[Trouble, ...]


def survey(source: EvidenceSource) -> Survey:
    """Return how a source is divided; never raises, whatever the bytes.

    Looked for in this order: ISO 9660 (its hybrids carry up to three tables that only lead back into it), GPT, MBR,
    Apple partition map, BSD label. Where there is none, the whole source is one volume of scheme `none`. Overlaps,
    duplicates and partitions past the end follow the rule of `tiling`. An empty source has no regions.
    """
    size = source.info.size
    if size == 0:
        return Survey(regions=(), troubles=())
    table, troubles = _table(source)
    regions: tuple[Region, ...] = ()
    if table is not None:
        regions, unfit = tile(table, size)
        troubles = (*troubles, *table.troubles, *unfit, *_disk_encryption(source))
    if not any(region.is_volume for region in regions):
        regions = (_whole(source),)
    return Survey(regions=regions, troubles=(*troubles, *_unread_tables(source)))


def _table(source: EvidenceSource) -> tuple[Table | None, tuple[Trouble, ...]]:
    """Return the table to follow, if any, and what the choice leaves open."""
    protective = is_protective(source)
    mbr = read_mbr(source)
    explained = (mbr is not None and not protective) or file_system_at(source, 0) is not None
    gpt = read_gpt(source, protective=protective, other_volume=explained)
    iso_end = _iso_end(source)
    if iso_end:
        return _beyond_iso(source, iso_end, gpt or mbr or read_apm(source))
    if gpt is not None and (protective or not explained):
        return _with_hybrid_entries(gpt, mbr), ()
    stale = () if gpt is None else (_stale_gpt(),)
    if mbr is not None and protective:
        text = "the master boot record announces a GPT, but there is none that can be read"
        missing = trouble(TroubleCode.DAMAGED, 0, text)
        return (mbr if any(each.is_volume for each in mbr.partitions) else None), (missing,)
    if mbr is not None:
        return mbr, stale
    return read_apm(source) or read_label(source), stale


def _with_hybrid_entries(gpt: Table, mbr: Table | None) -> Table:
    """Return the GPT with what a hybrid master boot record names beside it."""
    if mbr is None:
        return gpt
    starts = {each.run.offset for each in gpt.partitions}
    extra = [
        replace(each, label=f"{each.label} (MBR)")
        for each in mbr.partitions
        if each.is_volume and each.run.offset not in starts
    ]
    return replace(gpt, partitions=(*gpt.partitions, *extra))


def _stale_gpt() -> Trouble:
    text = "a GPT lies beside another table or file system that contradicts it; the partitions it names are not read"
    return trouble(TroubleCode.AMBIGUOUS, 0, text)


def _iso_end(source: EvidenceSource) -> int:
    """Return where the ISO 9660 volume at 0 ends, 0 where there is none."""
    descriptor = source.read_at(_ISO_DESCRIPTOR, _ISO_BLOCK)
    if descriptor[1:6] != b"CD001":
        return 0
    blocks = int.from_bytes(descriptor[80:84], "little") if descriptor[0] == 1 else 0
    return min(blocks * _ISO_BLOCK, source.info.size) or source.info.size


def _beyond_iso(source: EvidenceSource, end: int, table: Table | None) -> tuple[Table | None, tuple[Trouble, ...]]:
    """Return the ISO image and the partitions behind it as one table; None where there are none behind it.

    Partitions inside the image are its own boot files or another view of its files. An Apple or Linux file system
    among them is not read, and a trouble says so; FAT ones are the boot images of the UEFI firmware.
    """
    if table is None:
        return None, ()
    troubles = tuple(
        trouble(TroubleCode.AMBIGUOUS, each.run.offset, f"{each.name} inside the ISO 9660 image: {kind}, not read")
        for each in table.partitions
        if 0 < each.run.offset < end and (kind := file_system_at(source, each.run.offset)) not in (None, "FAT")
    )
    behind = tuple(each for each in table.partitions if each.run.offset >= end)
    if not any(each.run.offset < source.info.size for each in behind):
        return None, troubles
    image = Partition(run=ByteRun(0, end), label="0", description="ISO 9660 image")
    return replace(table, partitions=(image, *behind), troubles=()), (*troubles, *table.troubles)


def _whole(source: EvidenceSource) -> Region:
    kind = file_system_at(source, 0)
    description = "no partition table" if kind is None else f"no partition table; {kind} from the first byte"
    run = ByteRun(0, source.info.size)
    return Region(run=run, name="whole source", scheme="none", is_volume=True, description=description)


def _disk_encryption(source: EvidenceSource) -> tuple[Trouble, ...]:
    """Return whether the boot code is that of a product which encrypts whole disks behind a partition table."""
    locked = boot_code(source.read_at(0, 512))
    return () if locked is None else (trouble(TroubleCode.ENCRYPTED, 0, locked.text),)


def _unread_tables(source: EvidenceSource) -> tuple[Trouble, ...]:
    """Return whether a table could be there that could not be read."""
    lost = intersect(merge(bad.run for bad in source.unreadable_runs()), (_TABLE_PLACES,))
    if not lost:
        return ()
    text = "the start of the source cannot be read: a partition table there would not be seen"
    return (trouble(TroubleCode.UNREADABLE, lost[0].offset, text, lost[0].length),)
