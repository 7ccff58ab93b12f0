"""Pieces of a volume that were read last: metadata is small, lies together, and is asked for again and again.

The Sleuth Kit keeps 2 MiB itself, from wherever it began to read; a walk from folder to folder of an NTFS volume reads
most of its master file table anew for each of them.
"""

from collections import OrderedDict

from triage.model.runs import ByteRun
from triage.volumes.volume import Volume

LARGEST = 1 << 16
"""A longer read is one of content, and kept by nobody."""

_PIECE = 1 << 16
_PIECES = 512


class Pieces:
    """A volume read through pieces of 64 KiB, of which the last 32 MiB are kept."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    @property
    def run(self) -> ByteRun:
        """Where the volume lies in its source."""
        return self._volume.run

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the volume as the source gives them."""
        if length > LARGEST:
            return self._volume.read_at(offset, length)
        number, start = divmod(offset, _PIECE)
        data = self._piece(number)[start : start + length]
        if start + length > _PIECE:
            data += self._piece(number + 1)[: start + length - _PIECE]
        return data

    def _piece(self, number: int) -> bytes:
        piece = self._kept.get(number)
        if piece is not None:
            self._kept.move_to_end(number)
            return piece
        piece = self._volume.read_at(number * _PIECE, _PIECE)
        # Whoever asks for bytes that cannot be read has to meet them at the source each time, where it is noticed.
        if not self._is_hurt(number):
            self._kept[number] = piece
            if len(self._kept) > _PIECES:
                self._kept.popitem(last=False)
        return piece

    def _is_hurt(self, number: int) -> bool:
        if not self._volume.source.unreadable_runs():
            return False
        start, end = number * _PIECE, (number + 1) * _PIECE
        return any(bad.run.offset < end and bad.run.end > start for bad in self._volume.unreadable_runs())
