"""A content by its byte runs, read straight from the source."""

from bisect import bisect_right
from itertools import accumulate

from triage.model.runs import Runs
from triage.sources.source import EvidenceSource


class Extents:
    """The bytes of runs, end to end; the runs lie inside the source."""

    def __init__(self, source: EvidenceSource, runs: Runs) -> None:
        self._source = source
        self._runs = runs
        self._starts = [0, *accumulate(run.length for run in runs)]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset, fewer at the end; what the source cannot read is zeros that it records."""
        end = min(offset + length, self._starts[-1])
        pieces: list[bytes] = []
        number = bisect_right(self._starts, offset) - 1
        while offset < end:
            run, start = self._runs[number], self._starts[number]
            piece = min(end, start + run.length) - offset
            pieces.append(self._source.read_at(run.offset + offset - start, piece))
            offset += piece
            number += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
