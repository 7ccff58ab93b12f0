"""Pieces of a volume that were read last: metadata is small, lies together, and is asked for again and again.

The Sleuth Kit keeps 2 MiB itself, from wherever it began to read; a walk from folder to folder of an NTFS volume reads
most of its master file table anew for each of them.
"""

from collections import OrderedDict
from collections.abc import Iterable

from triage.model.runs import ByteRun
from triage.sources.unreadable import overlapping
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

LONGEST = 1 << 16
"""A longer read is one of content, and kept by nobody."""

_PIECE = 1 << 16
_PIECES = 512


class Pieces:
    """A volume read through pieces of 64 KiB, of which the last 32 MiB are kept."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._kept: OrderedDict[int, bytes | None] = OrderedDict()

    @property
    def run(self) -> ByteRun:
        """Where the volume lies in its source."""
        return self._volume.run

    @property
    def met_unreadable(self) -> bool:
        """Whether a byte of the source could not be read so far."""
        return bool(self._volume.source.unreadable_runs())

    def are_hurt(self, runs: Iterable[ByteRun]) -> bool:
        """Tell whether a byte of the runs, whose offsets are in the source, could not be read."""
        bad = self._volume.source.unreadable_runs()
        return any(overlapping(bad, run) for run in runs)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the volume as the source gives them."""
        if length > LONGEST:
            return self._volume.read_at(offset, length)
        number, start = divmod(offset, _PIECE)
        first = self._piece(number)
        second = self._piece(number + 1) if start + length > _PIECE else b""
        if first is None or second is None:
            # Whoever asks for bytes that cannot be read has to meet them at the source each time, where it is noticed;
            # and who asks for those beside them must not.
            return self._volume.read_at(offset, length)
        data = first[start : start + length]
        return data + second[: start + length - _PIECE] if second else data

    def read_once(self, offset: int, length: int) -> bytes:
        """Return bytes of the volume that nobody will ask for again, and keep none of them."""
        return self._volume.read_at(offset, length)

    def _piece(self, number: int) -> bytes | None:
        """Return a piece; None for one in which a byte cannot be read."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        piece = self._kept[number] = self._read(ByteRun(number * _PIECE, _PIECE))
        if len(self._kept) > _PIECES:
            self._kept.popitem(last=False)
        return piece

    def _read(self, run: ByteRun) -> bytes | None:
        source = self._volume.source
        before = isinstance(source, WatchedSource) and source.touched
        piece = self._volume.read_at(run.offset, run.length)
        if isinstance(source, WatchedSource):
            source.touched = before  # what else lies in the piece was not asked for
        place = ByteRun(self._volume.run.offset + run.offset, run.length)
        return None if overlapping(source.unreadable_runs(), place) else piece
