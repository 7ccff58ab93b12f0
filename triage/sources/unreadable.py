"""What could not be read: the log every source keeps, and a source of which nothing can be."""

from bisect import bisect_right
from dataclasses import dataclass, field

from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.runs import ByteRun


class UnreadableLog:
    """Unreadable runs of one source, sorted and without overlap; the first reason given for a byte stays."""

    def __init__(self) -> None:
        self._runs: list[UnreadableRun] = []
        self._told: tuple[UnreadableRun, ...] | None = None

    def add(self, run: ByteRun, reason: str) -> None:
        """Record a run, joining it to a neighbour with the same reason."""
        position = run.offset
        index = max(0, bisect_right(self._runs, run.offset, key=lambda known: known.run.offset) - 1)
        fresh: list[UnreadableRun] = []
        while position < run.end:
            if index >= len(self._runs) or self._runs[index].run.offset >= run.end:
                fresh.append(UnreadableRun(run=ByteRun(position, run.end - position), reason=reason))
                break
            known = self._runs[index].run
            if position < known.offset:
                fresh.append(UnreadableRun(run=ByteRun(position, known.offset - position), reason=reason))
            position = max(position, known.end)
            index += 1
        for bad in fresh:
            self._insert(bad)

    def runs(self) -> tuple[UnreadableRun, ...]:
        """Return what was recorded so far."""
        if self._told is None:
            self._told = tuple(self._runs)
        return self._told

    def _insert(self, bad: UnreadableRun) -> None:
        index = bisect_right(self._runs, bad.run.offset, key=lambda known: known.run.offset)
        start, end = bad.run.offset, bad.run.end
        first = last = index
        if first and (before := self._runs[first - 1]).run.end == start and before.reason == bad.reason:
            first, start = first - 1, before.run.offset
        if last < len(self._runs) and (after := self._runs[last]).run.offset == end and after.reason == bad.reason:
            last, end = last + 1, after.run.end
        self._told = None
        self._runs[first:last] = [UnreadableRun(run=ByteRun(start, end - start), reason=bad.reason)]


@dataclass(slots=True)
class UnreadableSource:
    """A container that was recognised but of which no byte can be had: all of it reads as recorded zeros."""

    info: SourceInfo
    reason: str
    _log: UnreadableLog = field(default_factory=UnreadableLog)

    def __post_init__(self) -> None:
        """Record the whole of it."""
        if self.info.size:
            self._log.add(ByteRun(0, self.info.size), self.reason)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return zeros."""
        return bytes(max(0, min(length, self.info.size - offset)))

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return the whole of it."""
        return self._log.runs()

    def close(self) -> None:
        """Do nothing: no handle is held."""


def overlapping(runs: tuple[UnreadableRun, ...], window: ByteRun) -> list[UnreadableRun]:
    """Return the parts of sorted runs that lie in a window."""
    index = max(0, bisect_right(runs, window.offset, key=lambda bad: bad.run.offset) - 1)
    inside: list[UnreadableRun] = []
    for bad in runs[index:]:
        start, end = max(bad.run.offset, window.offset), min(bad.run.end, window.end)
        if bad.run.offset >= window.end:
            break
        if start < end:
            inside.append(UnreadableRun(run=ByteRun(start, end - start), reason=bad.reason))
    return inside
