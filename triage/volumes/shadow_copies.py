"""Volume shadow copies of NTFS: what a volume was at an earlier time, read through libvshadow.

Facts: libyal's "Volume Shadow Snapshot (VSS) format". The blocks that were changed since a copy was made are kept in
its store, a file whose name begins with the identifier of the copy; all others are those of the volume.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pyvshadow

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.unreadable import UnreadableLog
from triage.volumes.decrypted import VolumeFile
from triage.volumes.volume import Volume

_BLOCK = 16 << 10
_MOST_COPIES = 1024  # Windows keeps at most 512 of a volume


class ShadowCopy:
    """One shadow copy as a source of plain bytes, of the size that the volume had."""

    def __init__(self, volume: Volume, library: Any, store: Any) -> None:
        self._library = library  # as long as the store is used
        self._store = store
        self.info = SourceInfo(kind="raw", files=volume.info.files, size=int(store.get_size()))
        self._log = UnreadableLog()

    @property
    def created(self) -> str:
        """When it was made, in UTC to the second."""
        made: datetime = self._store.get_creation_time()
        return made.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; blocks that the library cannot give as zeros, recorded."""
        end = max(offset, min(offset + length, self.info.size))
        data = self._read(offset, end - offset)
        if data is not None:
            return data
        pieces: list[bytes] = []
        while offset < end:
            step = min(_BLOCK - offset % _BLOCK, end - offset)
            data = self._read(offset, step)
            if data is None:
                self._log.add(ByteRun(offset, step), "a block of the shadow copy cannot be read")
            pieces.append(data or bytes(step))
            offset += step
        return b"".join(pieces)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self._log.runs()

    def close(self) -> None:
        """Let go of the library's handle."""
        with suppress(Exception):  # closing twice is an error to the library
            self._library.close()

    def _read(self, offset: int, length: int) -> bytes | None:
        try:
            data: bytes = self._store.read_buffer_at_offset(length, offset) if length else b""
        except Exception:  # noqa: BLE001 - the library raises OSError, RuntimeError and MemoryError alike
            return None
        return data if len(data) == length else None


def open_shadow_copy(volume: Volume, identifier: str) -> ShadowCopy:
    """Return the shadow copy with the identifier that the name of its store begins with, in lower case.

    Raises EvidenceError where the volume has no catalogue of copies that can be read, or the copy is not in it.
    """
    library = pyvshadow.volume()
    try:
        library.open_file_object(VolumeFile(volume))
        for number in range(min(library.get_number_of_stores(), _MOST_COPIES)):
            store = library.get_store(number)
            if str(store.get_identifier()).lower() == identifier:
                return ShadowCopy(volume, library, store)
    except Exception as error:
        # Hostile bytes: the library raises OSError, RuntimeError and MemoryError alike.
        raise EvidenceError("the catalogue of the volume's shadow copies cannot be read") from error
    raise EvidenceError("the volume's catalogue knows no shadow copy of this identifier")
