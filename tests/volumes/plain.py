"""Sources of plain bytes, and a FAT boot sector, for the tests of this room."""

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from triage.content.noise import noise
from triage.model.evidence import Region, SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.volumes.partition_tables import Survey


@dataclass
class Sparse:
    """A source of `size` zeros but for the stretches put into it; stretches in `bad` read as recorded zeros."""

    size: int
    sector_size: int = 512
    stretches: dict[int, bytes] = field(default_factory=dict)
    bad: tuple[ByteRun, ...] = ()

    @property
    def info(self) -> SourceInfo:
        return SourceInfo(kind="raw", files=("memory",), size=self.size, sector_size=self.sector_size)

    def put(self, offset: int, data: bytes) -> Self:
        self.stretches[offset] = data
        return self

    def read_at(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        length = max(0, min(length, self.size - offset))
        data = bytearray(length)
        for start, stretch in self.stretches.items():
            low, high = max(start, offset), min(start + len(stretch), offset + length)
            if low < high:
                data[low - offset : high - offset] = stretch[low - start : high - start]
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return tuple(UnreadableRun(run=run, reason="bad sector") for run in self.bad)

    def close(self) -> None:
        pass


@dataclass
class Opened:
    """A file read as it is, from `start` on."""

    path: Path
    descriptor: int
    start: int
    size: int

    @property
    def info(self) -> SourceInfo:
        return SourceInfo(kind="raw", files=(str(self.path),), size=self.size)

    def read_at(self, offset: int, length: int) -> bytes:
        return os.pread(self.descriptor, max(0, min(length, self.size - offset)), self.start + offset)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return ()

    def close(self) -> None:
        os.close(self.descriptor)


def fat_boot_sector() -> bytes:
    """A FAT16 boot sector as mkfs.fat writes it."""
    sector = bytearray(512)
    sector[:11] = b"\xeb\x3c\x90mkfs.fat"
    sector[11:22] = bytes.fromhex("0002 04 0400 02 0002 0080 f8")
    sector[54:62] = b"FAT16   "
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def table_sector(*entries: tuple[int, int, int], flag: int = 0) -> bytes:
    """A master boot record or extended table of up to four (type, first sector, sectors)."""
    packed = b"".join(struct.pack("<B3xB3xII", flag, *entry) for entry in entries)
    return bytes(446) + packed.ljust(64, b"\0") + b"\x55\xaa"


def volumes(survey: Survey) -> list[tuple[int, int]]:
    """The (offset, length) of every volume found."""
    return [(region.run.offset, region.run.length) for region in survey.regions if region.is_volume]


def named(survey: Survey, name: str) -> Region:
    return next(region for region in survey.regions if region.name == name)


def check_tiling(survey: Survey, size: int) -> None:
    """Hold regions to their contract: they tile the source, and no name comes twice."""
    position = 0
    for region in survey.regions:
        assert region.run.offset == position
        assert region.run.length > 0
        position = region.run.end
    assert position == size
    assert len({region.name for region in survey.regions}) == len(survey.regions)


def noisiness(source: EvidenceSource) -> float | None:
    """Return what `noise` says of a whole source."""
    return noise(source.read_at, source.info.size)
