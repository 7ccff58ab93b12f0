"""The protocol of an evidence source."""

from typing import Protocol

from triage.model.evidence import SourceInfo, UnreadableRun


class EvidenceSource(Protocol):
    """Bytes by offset. A volume is one too, so that nested images need no special case.

    `read_at` returns exactly `min(length, size - offset)` bytes and never raises for trouble in the evidence:
    what cannot be read comes back as zeros and is recorded as an `UnreadableRun`. Offsets past the end give `b""`.
    """

    @property
    def info(self) -> SourceInfo:
        """What the source is."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; unreadable ones as zeros, recorded."""

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far, sorted by offset, without overlap."""

    def close(self) -> None:
        """Release every handle; calling it twice is harmless."""
