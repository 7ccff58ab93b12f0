"""Reading many chunks of an EWF set at once: those that lie back to back in their file come with one call.

Raw chunks are read straight to where they are wanted and proved there; zlib streams by way of a scratch buffer.
"""

from collections.abc import Iterator
from struct import Struct

import deflate

from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_chunks import CHECKSUM, inflated, most_bytes
from triage.sources.ewf_index import Located

_STORED = 1 << 20
"""Bytes read with one call: they are still in the processor's cache when their checksums are computed."""

_MOST = 256
"""Chunks read with one call: two buffers each, of the 1,024 that the system takes."""

_SHORT = 1 << 10
"""Bytes of a zlib stream that is likely to come again at once: empty space gives the same one for every chunk."""

_SUM = Struct("<I")


class BatchReader:
    """Fills a buffer with chunks that have proved themselves, and leaves the others to be judged one by one."""

    def __init__(self, files: EvidenceFiles, chunk_size: int) -> None:
        self._files = files
        self._chunk_size = chunk_size
        self._scratch = memoryview(b"")
        self._stream = b""
        self._inflates_to = bytearray()

    def read(self, found: Located, target: memoryview) -> list[int]:
        """Put chunks into `target`, which begins with the first of them, and return which did not prove themselves.

        These are indexes into `found`; whatever is then in their part of `target` is not of the disk.
        """
        if not self._scratch:
            self._scratch = memoryview(bytearray(max(_STORED, most_bytes(self._chunk_size))))
        return [index for batch in _batches(found) for index in self._read(found, batch, target)]

    def _read(self, found: Located, batch: range, target: memoryview) -> Iterator[int]:
        size, start = self._chunk_size, found.offsets[batch.start]
        views = [target[index * size : (index + 1) * size] for index in batch]
        places, buffers = self._places(found, batch, views)
        try:
            got = self._files.read_into(found.segment.path, start, buffers)
        except OSError:
            got = 0
        for index, view, place in zip(batch, views, places, strict=True):
            length = found.lengths[index]
            is_read = 0 < length <= got - (found.offsets[index] - start)
            if not is_read or not self._put(view, place, length, compressed=found.compressed[index]):
                yield index

    def _places(self, found: Located, batch: range, views: list[memoryview]) -> tuple[list[int], list[memoryview]]:
        """Return where in the scratch buffer each chunk comes (of a raw one the checksum), and the buffers to fill."""
        places: list[int] = []
        buffers: list[memoryview] = []
        begun = used = 0
        for index, view in zip(batch, views, strict=True):
            length = found.lengths[index]
            if not found.compressed[index] and length >= len(view) + CHECKSUM:
                buffers += (self._scratch[begun:used], view) if used > begun else (view,)
                begun = used
                length -= len(view)
            places.append(used)
            used += length
        buffers.append(self._scratch[begun:used])
        return places, buffers

    def _put(self, view: memoryview, place: int, length: int, *, compressed: bool) -> bool:
        """Prove a raw chunk in its place, or put an inflated one there."""
        if not compressed:
            proves = length >= len(view) + CHECKSUM
            return proves and deflate.adler32(view) == _SUM.unpack_from(self._scratch, place)[0]
        data = self._inflated(self._scratch[place : place + length], len(view))
        if data is None:
            return False
        view[:] = data
        return True

    def _inflated(self, raw: memoryview, size: int) -> bytearray | None:
        if len(raw) > _SHORT:
            return inflated(raw, size, self._chunk_size)
        stream = bytes(raw)
        if stream != self._stream or len(self._inflates_to) != size:
            data = inflated(stream, size, self._chunk_size)
            if data is None:
                return None
            self._stream, self._inflates_to = stream, data
        return self._inflates_to


def _batches(found: Located) -> Iterator[range]:
    """Cut where chunks do not lie back to back, and where one call would read too much."""
    first = stored = 0
    for index, (offset, length) in enumerate(zip(found.offsets, found.lengths, strict=True)):
        follows = offset == found.offsets[first] + stored
        if index > first and not (follows and index - first < _MOST and stored + length <= _STORED):
            yield range(first, index)
            first, stored = index, 0
        stored += length
    yield range(first, len(found.offsets))
