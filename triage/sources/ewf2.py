"""EWF version 2 images (Ex01), through libewf."""

from pathlib import Path

import pyewf

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.badsectors import read_around
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog, UnreadableSource

SIGNATURE = b"EVF2\x0d\x0a\x81\x00"
SIGNATURE_LOGICAL = b"LEF2\x0d\x0a\x81\x00"

_UNCHECKED = (
    "Ex01: the library gives a chunk with a wrong checksum as zeros without a word: "
    "verify the image against its stored digest"
)


class Ewf2Source:
    """The disk in an Ex01 set."""

    def __init__(self, info: SourceInfo, handle: "pyewf.handle", chunk_size: int) -> None:
        self.info = info
        self._handle = handle
        self._chunk_size = chunk_size
        self._log = UnreadableLog()
        self._closed = False

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; those of chunks that the library refuses as zeros, recorded."""
        wanted = ByteRun(offset, max(0, min(length, self.info.size - offset)))
        if not wanted.length:
            return b""
        data, bad = read_around(self._read, wanted, self._chunk_size)
        for found in bad:
            self._log.add(found.run, found.reason)
        return data

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self._log.runs()

    def close(self) -> None:
        """Release every handle."""
        if not self._closed:
            self._handle.close()
            self._closed = True

    def _read(self, offset: int, length: int) -> bytes:
        try:
            return bytes(self._handle.read_buffer_at_offset(length, offset))
        except Exception as error:
            # The library raises OSError, RuntimeError and MemoryError alike for damage in the evidence.
            raise OSError("libewf cannot read this chunk") from error


def open_ewf2(path: Path) -> EvidenceSource | None:
    """Open an Ex01 set by its first segment; None for other content.

    Raises SourceError for logical evidence (Lx01). A set that libewf refuses is unreadable, of unknown size.
    """
    if not path.is_file():
        return None
    files = EvidenceFiles()
    header = files.read(path, 0, len(SIGNATURE))
    files.close()
    if header == SIGNATURE_LOGICAL:
        raise SourceError(f"{path}: logical evidence (Lx01) holds files, not a disk: unsupported, give a disk image")
    return _open(path) if header == SIGNATURE else None


def _open(path: Path) -> EvidenceSource:
    handle = pyewf.handle()
    try:
        names = tuple(str(name) for name in pyewf.glob(str(path)))
        handle.open(names)
        size = int(handle.get_media_size())
        sector_size, chunk_size = int(handle.get_bytes_per_sector()), int(handle.get_chunk_size())
        digests = tuple(sorted(_digests(handle)))
    except Exception as error:  # noqa: BLE001 - the library raises OSError, RuntimeError and MemoryError alike
        reason = f"libewf cannot open this Ex01 set: {str(error).splitlines()[0]}"
        info = SourceInfo(kind="ewf2", files=(str(path),), size=0, troubles=(reason,))
        return UnreadableSource(info, reason)
    info = SourceInfo(
        kind="ewf2",
        files=names,
        size=size,
        sector_size=sector_size,
        stored_digests=digests,
        troubles=(_UNCHECKED,),
    )
    return Ewf2Source(info, handle, chunk_size)


def _digests(handle: "pyewf.handle") -> list[tuple[str, str]]:
    values = ((name, handle.get_hash_value(name.upper())) for name in ("md5", "sha1"))
    return [(name, str(value).lower()) for name, value in values if value]
