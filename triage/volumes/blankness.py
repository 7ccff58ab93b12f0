"""Volumes that are all one byte."""

from collections.abc import Iterator
from dataclasses import dataclass

from triage.content.noise import spread
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource

_PIECE = 4096
_READ_FULLY = 64 * 2**20
_BLOCK = 2**20
_SAMPLES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Blankness:
    """Whether a volume is all one byte (`fill`: 0x00, or 0xFF as erased flash memory has), and how far that is known.

    `fill` is None where other bytes were found or something could not be read. `bytes_read` of `size` were looked
    at; `text` says so.
    """

    fill: int | None
    bytes_read: int
    size: int

    @property
    def blank(self) -> bool:
        """Tell whether every byte looked at is the same."""
        return self.fill is not None

    @property
    def complete(self) -> bool:
        """Tell whether every byte was looked at."""
        return self.bytes_read == self.size

    @property
    def text(self) -> str:
        """One line for a person."""
        if self.fill is None:
            return "not blank"
        if self.complete:
            return f"all {self.size} bytes are 0x{self.fill:02x}"
        return f"{self.bytes_read} of {self.size} bytes sampled, all 0x{self.fill:02x}; the others were not looked at"


def is_blank(volume: EvidenceSource) -> Blankness:
    """Return whether a volume is blank: read to the end up to 64 MiB, beyond that sampled evenly, ends included.

    What cannot be read comes as zeros and is never taken for blank.
    """
    size = volume.info.size
    fill: int | None = None
    done = 0
    for run in _blank_runs(size):
        data = volume.read_at(run.offset, run.length)
        done += len(data)
        fill = data[0] if fill is None else fill
        if fill not in (0x00, 0xFF) or data.count(fill) != len(data):
            return Blankness(fill=None, bytes_read=done, size=size)
    if volume.unreadable_runs():
        fill = None
    return Blankness(fill=fill, bytes_read=done, size=size)


def _blank_runs(size: int) -> Iterator[ByteRun]:
    if size <= _READ_FULLY:
        for start in range(0, size, _BLOCK):
            yield ByteRun(start, min(_BLOCK, size - start))
    else:
        yield from spread(size, _PIECE, _SAMPLES)
