"""What a partition table says, before it is held against the source."""

from dataclasses import dataclass

from triage.model.address import Address
from triage.model.evidence import SourceInfo
from triage.model.runs import ByteRun, Runs
from triage.model.trouble import Trouble, TroubleCode

SECTOR_SIZES = (512, 4096, 2048, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One entry in use; `run` is as the table says and may lie past the end of the source.

    `label` is the number (or letter) that an operating system would give it, unique within the table.
    """

    run: ByteRun
    label: str
    description: str
    is_volume: bool = True

    @property
    def name(self) -> str:
        """The name a person reads."""
        return f"partition {self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One partition table: its partitions in table order, the bytes it takes itself, what is wrong with it."""

    scheme: str
    partitions: tuple[Partition, ...]
    own: Runs
    troubles: tuple[Trouble, ...] = ()


def trouble(code: TroubleCode, offset: int, text: str, length: int | None = None) -> Trouble:
    """Return a trouble at a byte offset of the source."""
    run = None if length is None else ByteRun(offset, length)
    return Trouble(address=Address("volume", str(offset)), code=code, text=text, run=run)


def sector_sizes(info: SourceInfo) -> tuple[int, ...]:
    """Return the sector sizes to try, the source's own first.

    An image does not tell how its medium was addressed: 4096-byte sectors hide in images said to have 512.
    """
    own = info.sector_size if info.sector_size in SECTOR_SIZES else SECTOR_SIZES[0]
    return (own, *(size for size in SECTOR_SIZES if size != own))


def printable_text(text: str) -> str:
    """Return a name from a table with everything that is not printable escaped."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def dynamic_disk(offset: int) -> Trouble:
    """Return the trouble with a Windows dynamic disk: its volumes are listed in a database that is not read."""
    text = "a Windows dynamic disk (LDM): volumes inside this partition or across disks are not assembled"
    return trouble(TroubleCode.UNSUPPORTED, offset, text)
