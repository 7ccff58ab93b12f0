"""The protocol of an evidence source."""

from typing import Protocol, runtime_checkable

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


@runtime_checkable
class ReadsInto(Protocol):
    """A source that can put its bytes where the caller wants them; the rules are those of `read_at`."""

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer, of any length, with the bytes at an offset; unreadable ones as zeros, recorded.

        Raises ValueError for a buffer that is read-only, has gaps, or would reach past the end of the source.
        """


def bytes_of(buffer: memoryview, offset: int, size: int) -> memoryview:
    """Return a buffer as bytes, to be filled from an offset of a source of `size` bytes.

    Raises ValueError where `ReadsInto` says so.
    """
    if buffer.readonly or not buffer.c_contiguous:
        raise ValueError("the buffer cannot be filled: it is read-only or has gaps")
    if not 0 <= offset <= size - buffer.nbytes:
        raise ValueError(f"{buffer.nbytes} bytes from offset {offset} on reach past the {size} bytes of the source")
    return buffer.cast("B")
