"""A file as a source with bits flipped or its end cut off, without a copy of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from triage.model.evidence import SourceInfo, UnreadableRun


@dataclass
class Overlay:
    """The bytes of a file, those in `flips` (offset to bit mask) changed, cut at `cut` bytes where given."""

    path: Path
    flips: dict[int, int] = field(default_factory=dict)
    cut: int | None = None

    @property
    def info(self) -> SourceInfo:
        size = self.path.stat().st_size if self.cut is None else self.cut
        return SourceInfo(kind="raw", files=(str(self.path),), size=size)

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.info.size - offset))
        with self.path.open("rb") as file:
            data = bytearray(os.pread(file.fileno(), length, offset))
        for position, mask in self.flips.items():
            if offset <= position < offset + len(data):
                data[position - offset] ^= mask
        return bytes(data)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return ()

    def close(self) -> None:
        """Hold nothing, release nothing."""


def written_sectors(path: Path, sector: int = 512) -> list[int]:
    """Return the offsets of the sectors of a sparse file that are not zero."""
    found: list[int] = []
    with path.open("rb") as file:
        position, size = 0, path.stat().st_size
        while position < size:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(file.fileno(), position, os.SEEK_HOLE)
            block = os.pread(file.fileno(), end - position, position)
            found.extend(position + at for at in range(0, len(block), sector) if any(block[at : at + sector]))
            position = end
    return found
