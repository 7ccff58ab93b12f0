"""A source made of blocks that a container maps: stored, absent, or lying in another source below."""

from dataclasses import dataclass
from typing import Protocol

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.container_file import MediumError
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog, overlapping

STEP = 64 * 1024
"""What is lost at most around one unreadable byte of a large block."""


class Blocks(Protocol):
    """What a container format has to tell."""

    def span(self, offset: int) -> int:
        """Return how many bytes from the offset on lie in one block; at least 1."""

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one block, at least one, short before a place that cannot be read; None: nothing is stored.

        Raises EvidenceError where no byte can be had.
        """

    def close(self) -> None:
        """Release every handle; calling it twice is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """What shows through where a container stores nothing.

    `source` from its offset `start` on; past its end zeros. `missing` says, where there is no source although the
    container needs one, why it cannot be read. Neither: zeros.
    """

    source: EvidenceSource | None = None
    start: int = 0
    missing: str | None = None


class BlockSource:
    """Reads a container by its blocks; trouble in one block costs that block, in steps of 64 KiB."""

    def __init__(self, info: SourceInfo, blocks: Blocks, below: Below | None = None) -> None:
        self._info = info
        self._blocks = blocks
        self._below = below or Below()
        self._log = UnreadableLog()

    @property
    def info(self) -> SourceInfo:
        """What the source is."""
        return self._info

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; unreadable ones as zeros, recorded."""
        end = min(offset + length, self._info.size)
        pieces: list[bytes] = []
        while offset < end:
            step = min(end - offset, self._blocks.span(offset), STEP)
            pieces.append(self._read_step(offset, step))
            offset += len(pieces[-1])
        return b"".join(pieces)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self._log.runs()

    def close(self) -> None:
        """Release the container and the source below it."""
        self._blocks.close()
        if self._below.source is not None:
            self._below.source.close()

    def _read_step(self, offset: int, length: int) -> bytes:
        try:
            data = self._blocks.read(offset, length)
        except EvidenceError as error:
            if isinstance(error, MediumError):
                length = min(length, error.length)
            self._log.add(ByteRun(offset, length), str(error))
            return bytes(length)
        return self._read_below(offset, length) if data is None else data

    def _read_below(self, offset: int, length: int) -> bytes:
        below = self._below
        if below.missing is not None:
            self._log.add(ByteRun(offset, length), below.missing)
        if below.source is None:
            return bytes(length)
        data = below.source.read_at(below.start + offset, length)
        for bad in overlapping(below.source.unreadable_runs(), ByteRun(below.start + offset, length)):
            self._log.add(ByteRun(bad.run.offset - below.start, bad.run.length), bad.reason)
        return data.ljust(length, b"\0")
