"""Raw images: the bytes of a disk as they are, in one file or in several parts."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun, intersect, subtract
from triage.sources.badsectors import read_around
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.source import EvidenceSource, bytes_of
from triage.sources.unreadable import UnreadableLog

SMALLEST = 512
"""One sector: a file below this is no disk image."""

_AROUND = 16 << 20
"""Bytes that are read around bad sectors in one go: they are held twice."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where one file lies in the source; `missing` says why there is none."""

    run: ByteRun
    path: Path
    missing: str | None = None


class RawSource:
    """Files one after the other. Parts tile the source from 0 to its size; bad sectors are read around."""

    def __init__(self, info: SourceInfo, parts: tuple[Part, ...], files: EvidenceFiles) -> None:
        self.info = info
        self._parts = parts
        self._starts = [part.run.offset for part in parts]
        self._files = files
        self._log = UnreadableLog()
        for part in parts:
            if part.missing is not None:
                self._log.add(part.run, part.missing)
        self._known = self._log.runs()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; unreadable ones as zeros, recorded and not asked for again."""
        wanted = ByteRun(offset, max(0, min(length, self.info.size - offset)))
        if not wanted.length:
            return b""
        bad = self._known_bad(wanted)
        if not bad:
            return self._read(wanted)
        pieces = {run.offset: bytes(run.length) for run in bad}
        pieces |= {run.offset: self._read(run) for run in subtract((wanted,), bad)}
        return b"".join(data for _, data in sorted(pieces.items()))

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer as `ReadsInto` says, without a copy; bad sectors are not asked for again."""
        view = bytes_of(buffer, offset, self.info.size)
        wanted = ByteRun(offset, len(view))
        bad = self._known_bad(wanted)
        for run in bad:
            view[run.offset - offset : run.end - offset] = bytes(run.length)
        for run in subtract((wanted,), bad):
            for part, piece in self._cut(run):
                self._fill(part, piece, view[piece.offset - offset : piece.end - offset])

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self._known

    def close(self) -> None:
        """Release every handle."""
        self._files.close()

    def _known_bad(self, wanted: ByteRun) -> tuple[ByteRun, ...]:
        first = max(0, bisect_right(self._known, wanted.offset, key=lambda bad: bad.run.offset) - 1)
        last = bisect_right(self._known, wanted.end, key=lambda bad: bad.run.offset)
        return intersect(tuple(bad.run for bad in self._known[first:last]), (wanted,))

    def _read(self, wanted: ByteRun) -> bytes:
        """Read a run of which nothing is known to be bad."""
        pieces = [self._read_part(part, piece) for part, piece in self._cut(wanted)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _cut(self, wanted: ByteRun) -> Iterator[tuple[Part, ByteRun]]:
        """Cut a run where a part ends."""
        index = bisect_right(self._starts, wanted.offset) - 1
        position = wanted.offset
        while position < wanted.end:
            part = self._parts[index]
            end = min(part.run.end, wanted.end)
            yield part, ByteRun(position, end - position)
            position = end
            index += 1

    def _fill(self, part: Part, piece: ByteRun, view: memoryview) -> None:
        done = 0
        while done < piece.length:
            try:
                got = self._files.read_into(part.path, piece.offset - part.run.offset + done, [view[done:]])
            except OSError:
                got = 0
            if not got:
                around = ByteRun(piece.offset + done, min(_AROUND, piece.length - done))
                got = around.length
                view[done : done + got] = self._read_part(part, around)
            done += got

    def _read_part(self, part: Part, piece: ByteRun) -> bytes:
        start = part.run.offset
        data, bad = read_around(
            lambda offset, count: self._files.read(part.path, offset, count),
            ByteRun(piece.offset - start, piece.length),
            self.info.sector_size,
        )
        for found in bad:
            self._log.add(ByteRun(start + found.run.offset, found.run.length), f"{part.path.name}: {found.reason}")
        if bad:
            self._known = self._log.runs()
        return data


def open_raw(path: Path) -> EvidenceSource | None:
    """Open one file as the bytes of a disk; None unless it is a regular file.

    The last resort of the order of openers, so a file too small to be a disk is refused here: SourceError. An empty
    file is a source of no bytes, with a trouble.
    """
    if not path.is_file():
        return None
    files = EvidenceFiles()
    size = files.size(path)
    if 0 < size < SMALLEST:
        files.close()
        raise SourceError(
            f"{path}: {size} bytes are too few for a disk image and are of no known container: "
            "name the first file of the image"
        )
    troubles = () if size else ("the file is empty",)
    info = SourceInfo(kind="raw", files=(str(path),), size=size, troubles=troubles)
    return RawSource(info, (Part(ByteRun(0, size), path),), files)
