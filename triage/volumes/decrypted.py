"""The decrypted view of an encrypted volume, at the offsets of the source where its encrypted bytes lie.

Every method here encrypts sector by sector and moves nothing: the plain bytes of an offset stand at the same offset of
the source, or at one that is shifted by the length of a header. So what lists files in the plain bytes names byte runs
of the source, and the account of its bytes holds. Only reading must go through here: the bytes at those runs are
encrypted (see `triage.filesystems.decrypted`).
"""

import io
from dataclasses import dataclass
from typing import Any

from triage.content.content import ReadAt, Window
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog, overlapping
from triage.volumes.volume import Volume

_PIECE = 1 << 20


class VolumeFile(Window):
    """A volume as a file, with the `get_size` that libyal asks for.

    The library reads sector by sector. What was fetched before is given from memory, which takes a tenth of the time.
    """

    def __init__(self, volume: Volume) -> None:
        super().__init__(volume.read_at, volume.size)
        self._fetched = b""
        self._from = 0

    def get_size(self) -> int:
        """Return the size of the volume in bytes."""
        return self._size

    def fetch(self, offset: int, length: int) -> None:
        """Read what the library is about to ask for, and keep it in place of what was kept before."""
        self._fetched, self._from = self._read_at(offset, length), offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset; past the end there is nothing to read."""
        if whence == io.SEEK_SET and offset >= 0:
            self._position = offset
            return offset
        return super().seek(offset, whence)

    def read(self, size: int = -1) -> bytes | None:
        """Return as many bytes as there are."""
        start = self._position - self._from
        if 0 <= start <= len(self._fetched) - size and size > 0:
            self._position += size
            return self._fetched[start : start + size]
        return super().read(size)


def library_reader(library: Any, file: VolumeFile, run: ByteRun, method: str) -> ReadAt:
    """Return a function that reads plain bytes of a library's volume; it raises EvidenceError where that cannot.

    `run` is where the encrypted bytes of it lie in the file.
    """

    def decrypt(offset: int, length: int) -> bytes:
        wanted = min(length, run.length - offset)
        file.fetch(run.offset + offset, wanted)
        try:
            data: bytes = library.read_buffer_at_offset(wanted, offset)
        except Exception as error:  # the library meets hostile bytes: any type of error is evidence trouble
            raise EvidenceError(f"{method}: cannot be decrypted") from error
        if len(data) != wanted:
            raise EvidenceError(f"{method}: cannot be decrypted to its end")
        return data

    return decrypt


class DecryptedSource:
    """A source of which one stretch, `run`, is shown decrypted, and nothing else can be read.

    `decrypt` returns plain bytes of whole units of `unit` bytes, counted from the start of the run; it raises
    EvidenceError where it cannot. A unit in which a byte cannot be read is zeros as a whole, and recorded: what was not
    read must not come out as noise.
    """

    def __init__(self, source: EvidenceSource, run: ByteRun, decrypt: ReadAt, unit: int) -> None:
        self._source = source
        self._run = run
        self._decrypt = decrypt
        self._unit = unit
        self._log = UnreadableLog()

    @property
    def info(self) -> SourceInfo:
        """What the source is; its size is that of the encrypted one."""
        return self._source.info

    def read_at(self, offset: int, length: int) -> bytes:
        """Return plain bytes at an offset of the source, as far as the run goes."""
        start, end = offset - self._run.offset, min(offset + length, self._run.end) - self._run.offset
        if start < 0 or start >= end:
            return b""
        first, last = start // self._unit * self._unit, min(-(-end // self._unit) * self._unit, self._run.length)
        pieces = [self._piece(ByteRun(at, min(_PIECE, last - at))) for at in range(first, last, _PIECE)]
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return data if (first, last) == (start, end) else data[start - first : end - first]

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read or decrypted so far, in the source and in whole units of the run."""
        if not self._log.runs():
            return self._source.unreadable_runs()
        both = UnreadableLog()
        for bad in (*self._source.unreadable_runs(), *self._log.runs()):
            both.add(bad.run, bad.reason)
        return both.runs()

    def close(self) -> None:
        """Do nothing: the source is the owner of its handles."""

    def _piece(self, run: ByteRun) -> bytes:
        """Return the plain bytes of some units, of which those that cannot be had are zeros."""
        try:
            data = self._decrypt(run.offset, run.length)
        except EvidenceError as error:
            self._log.add(ByteRun(self._run.offset + run.offset, run.length), str(error))
            return bytes(run.length)
        bad = self._source.unreadable_runs()
        lost = overlapping(bad, ByteRun(self._run.offset + run.offset, run.length)) if bad else []
        return self._without(data, run, lost) if lost else data

    def _without(self, data: bytes, run: ByteRun, lost: list[UnreadableRun]) -> bytes:
        """Return plain bytes with every unit that was not read as a whole zeroed and recorded."""
        cleaned = bytearray(data)
        for each in lost:
            start = (each.run.offset - self._run.offset) // self._unit * self._unit
            end = min(-(-(each.run.end - self._run.offset) // self._unit) * self._unit, self._run.length)
            start, end = max(start, run.offset), min(end, run.end)
            cleaned[start - run.offset : end - run.offset] = bytes(end - start)
            self._log.add(ByteRun(self._run.offset + start, end - start), each.reason)
        return bytes(cleaned)


@dataclass(frozen=True, slots=True)
class DecryptedVolume(Volume):
    """The plain bytes of an encrypted volume; `method` names what they were encrypted with, in one word.

    `is_mapped`: the runs of files in it are byte runs of the source.
    """

    outer: Address
    method: str
    is_mapped: bool = True

    @property
    def address(self) -> Address:
        """That of the encrypted volume, and a step that says that its bytes were decrypted."""
        return self.outer.child("decrypted", self.method)


def decrypted(volume: Volume, run: ByteRun, decrypt: ReadAt, unit: int, method: str) -> DecryptedVolume:
    """Return the plain bytes of `run` of a volume; `decrypt` and `unit` are those of `DecryptedSource`."""
    place = ByteRun(volume.run.offset + run.offset, run.length)
    return DecryptedVolume(DecryptedSource(volume.source, place, decrypt, unit), place, volume.address, method)
