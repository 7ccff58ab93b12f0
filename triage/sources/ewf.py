"""EWF images (EnCase E01, SMART S01), read chunk by chunk with every checksum checked.

The format's own library returns zeros without a word for a chunk whose checksum is wrong, and refuses a set with a
segment missing; here such chunks are unreadable runs with their reason, and everything else is read. For the format
see `ewf_sections`.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun, merge
from triage.sources.badsectors import reason_of
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_batches import BatchReader
from triage.sources.ewf_chunks import BadChunk, decode
from triage.sources.ewf_index import ChunkIndex
from triage.sources.ewf_layout import Layout, lay_out
from triage.sources.ewf_sections import HEADER_SIZE, SIGNATURE, SIGNATURE_LOGICAL, Geometry, segment_number
from triage.sources.ewf_segments import set_names
from triage.sources.ewf_set import EwfSet, is_segment, only_segments, read_set
from triage.sources.source import EvidenceSource, bytes_of
from triage.sources.unreadable import UnreadableLog, UnreadableSource

SIGNATURE_ENCRYPTED = b"ADCRYPT\x00"

_CACHE = 16 << 20
"""Bytes of decoded chunks: the file table of some ten thousand files."""

_FEW = 3
"""Chunks up to which a read is small: The Sleuth Kit reads 64 KiB at any sector."""

_LOCATED = 1 << 12
"""Chunks that are looked up together."""


class EwfSource:
    """The disk in an EWF set.

    Small reads, as a file system's metadata ask for, keep the decoded chunks up to 16 MiB. Large ones keep only the
    chunks that they cut: whole chunks go straight to where they are wanted.
    """

    def __init__(self, info: SourceInfo, files: EvidenceFiles, index: ChunkIndex, geometry: Geometry) -> None:
        self.info = info
        self._files = files
        self._index = index
        self._reader = BatchReader(files, geometry.chunk_size)
        self._geometry = geometry
        self._log = UnreadableLog()
        self._cache: OrderedDict[int, bytes | bytearray] = OrderedDict()
        self._most = max(1, _CACHE // geometry.chunk_size)

    def record(self, run: ByteRun, reason: str) -> None:
        """Record what is known to be unreadable before it is read."""
        self._log.add(run, reason)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; those of chunks that do not prove themselves as zeros, recorded."""
        length = min(length, self.info.size - offset)
        if length <= 0:
            return b""
        if self._is_small(length):
            return b"".join(self._pieces(offset, offset + length))
        data = bytearray(length)
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer as `ReadsInto` says; chunks that do not prove themselves are zeros, recorded."""
        view = bytes_of(buffer, offset, self.info.size)
        if self._is_small(len(view)):
            self._copy(offset, view)
            return
        size, end = self._geometry.chunk_size, offset + len(view)
        first = -(-offset // size)
        last = self._geometry.chunk_count if end == self.info.size else end // size
        head, tail = first * size - offset, min(last * size, end) - offset
        self._copy(offset, view[:head])
        self._fill(first, last, view[head:tail])
        self._copy(offset + tail, view[tail:])

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self._log.runs()

    def close(self) -> None:
        """Release every handle and the kept chunks."""
        self._files.close()
        self._cache.clear()

    def _is_small(self, length: int) -> bool:
        return length <= _FEW * self._geometry.chunk_size

    def _fill(self, first: int, last: int, view: memoryview) -> None:
        """Fill a view with the whole chunks [first, last)."""
        size = self._geometry.chunk_size
        while first < last:
            try:
                found = self._index.locate(first, min(last, first + _LOCATED))
            except (BadChunk, OSError):
                count, refused = 1, [0]
            else:
                count, refused = len(found.offsets), self._reader.read(found, view)
            for index in refused:
                self._copy((first + index) * size, view[index * size : (index + 1) * size])
            first, view = first + count, view[count * size :]

    def _copy(self, offset: int, view: memoryview) -> None:
        """Fill a view chunk by chunk."""
        done = 0
        for piece in self._pieces(offset, offset + len(view)):
            view[done : done + len(piece)] = piece
            done += len(piece)

    def _pieces(self, offset: int, end: int) -> Iterator[bytes | bytearray]:
        size = self._geometry.chunk_size
        while offset < end:
            number, start = divmod(offset, size)
            piece = self._chunk(number)[start : start + end - offset]
            yield piece
            offset += len(piece)

    def _chunk(self, number: int) -> bytes | bytearray:
        data = self._cache.get(number)
        if data is not None:
            self._cache.move_to_end(number)
            return data
        size = self._geometry.size_of(number)
        try:
            data = self._decode(number, size)
        except BadChunk as bad:
            self._log.add(ByteRun(number * self._geometry.chunk_size, size), str(bad))
            data = bytes(size)
        if len(self._cache) >= self._most:
            self._cache.popitem(last=False)
        self._cache[number] = data
        return data

    def _decode(self, number: int, size: int) -> bytes | bytearray:
        try:
            stored = self._index.find(number)
            raw = self._files.read(stored.segment.path, stored.run.offset, stored.run.length)
        except OSError as error:
            raise BadChunk(f"the image files cannot be read: {reason_of(error)}") from error
        try:
            return decode(raw, size, self._geometry.chunk_size, compressed=stored.compressed)
        except BadChunk as bad:
            reason = str(bad) if len(raw) == stored.run.length else "the file ends inside a chunk"
            raise BadChunk(f"{stored.segment.path.name}: {reason}") from bad


def open_ewf(path: Path) -> EvidenceSource | None:
    """Open an E01 or S01 set by its first segment; None for other content.

    An image in AD encryption is a source of the file's size of which nothing can be read.
    Raises SourceError for logical evidence (L01) and for a later segment of a set whose first one is there.
    """
    if not path.is_file():
        return None
    files = EvidenceFiles()
    header = files.read(path, 0, HEADER_SIZE)
    if header.startswith(SIGNATURE_LOGICAL):
        files.close()
        raise SourceError(f"{path}: logical evidence (L01) holds files, not a disk: unsupported, give a disk image")
    if header.startswith(SIGNATURE_ENCRYPTED):
        return _encrypted(path, files)
    if not header.startswith(SIGNATURE):
        files.close()
        return None
    number = segment_number(header) or 1
    names = only_segments(files, path, set_names(path, number))
    if number > 1 and 1 in names and is_segment(files, names[1], 1):
        files.close()
        raise SourceError(f"{path}: segment {number} of an EWF set: give the first segment {names[1].name}")
    return _open_set(files, path, read_set(files, path, number, names))


def _encrypted(path: Path, files: EvidenceFiles) -> EvidenceSource:
    """Return AD encryption's wrapping of an image: of the disk inside not even the size is known."""
    reason = "the image is encrypted (AD encryption): decrypt it with its password or certificate"
    info = SourceInfo(
        kind="ewf",
        files=(str(path),),
        size=files.size(path),
        troubles=(reason,),
        encrypted="AD encryption",
    )
    files.close()
    return UnreadableSource(info, reason)


def _open_set(files: EvidenceFiles, path: Path, found: EwfSet) -> EvidenceSource:
    info = SourceInfo(
        kind="ewf",
        files=tuple(str(segment.path) for segment in found.segments),
        size=0,
        stored_digests=found.digests,
        troubles=found.troubles,
    )
    geometry = found.geometry
    if geometry is None:
        files.close()
        reason = "the section with the size of the disk is lost: nothing can be read"
        return UnreadableSource(
            replace(info, files=info.files or (str(path),), troubles=(*info.troubles, reason)), reason
        )
    layout = lay_out(files, found.stretches, geometry, closed=found.closed)
    info = replace(
        info,
        size=geometry.size,
        sector_size=geometry.sector_size,
        troubles=(*found.troubles, *_losses(layout, found.troubles)),
    )
    source = EwfSource(info, files, ChunkIndex(files, layout, geometry.chunk_size), geometry)
    for first, end, reason in layout.lost:
        source.record(_clipped(first, end - first, geometry.chunk_size, geometry.size), reason)
    for run in merge(_clipped(*error, geometry.sector_size, geometry.size) for error in found.errors):
        source.record(run, "the acquisition could not read these sectors")
    return source


def _losses(layout: Layout, said: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the layout could not place, without what was said already."""
    causes = (cause for _, _, reason in layout.lost for cause in reason.split("; "))
    return tuple(cause for cause in causes if cause not in said)


def _clipped(first: int, count: int, unit: int, size: int) -> ByteRun:
    """Return a run of units in bytes, cut at the size of the disk."""
    start = min(first * unit, size)
    return ByteRun(start, min((first + count) * unit, size) - start)
