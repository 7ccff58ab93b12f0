"""A volume: a window on a source that is a source itself."""

from dataclasses import dataclass, replace

from triage.model.address import Address
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource


@dataclass(frozen=True, slots=True)
class Volume:
    """The bytes of `run` in `source`, counted from zero. A run past the end of the source is cut there."""

    source: EvidenceSource
    run: ByteRun

    @property
    def info(self) -> SourceInfo:
        """The source's identity with the volume's size."""
        return replace(self.source.info, size=self.size)

    @property
    def size(self) -> int:
        """The bytes of the volume that the source has."""
        return max(0, min(self.run.end, self.source.info.size) - self.run.offset)

    @property
    def address(self) -> Address:
        """Where the volume starts in the source."""
        return Address("volume", str(self.run.offset))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the volume as the source gives them."""
        length = min(length, self.size - offset)
        return self.source.read_at(self.run.offset + offset, length) if length > 0 else b""

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return the unreadable runs of the source that lie in the volume, counted from the volume's start."""
        inside: list[UnreadableRun] = []
        for bad in self.source.unreadable_runs():
            start = max(bad.run.offset, self.run.offset)
            end = min(bad.run.end, self.run.end)
            if start < end:
                inside.append(replace(bad, run=ByteRun(start - self.run.offset, end - start)))
        return tuple(inside)

    def close(self) -> None:
        """Do nothing: the source is the owner of its handles."""
