"""A source that is watched while it is read: how much was asked of it, and whether an unreadable byte was met."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from triage.model.evidence import SourceInfo, UnreadableRun
from triage.sources.source import EvidenceSource, ReadsInto, bytes_of


@dataclass(slots=True)
class WatchedSource:
    """A source that counts the bytes asked of it and notices when a read met an unreadable one.

    `on_read`, where set, is called after each read: a sign of life while a library is busy for long. `on_unreadable` is
    called before it, when bytes could not be read that were not known to be unreadable: nobody was told of them yet.
    """

    inner: EvidenceSource
    bytes_read: int = 0
    touched: bool = False
    on_read: Callable[[], None] | None = None
    on_unreadable: Callable[[], None] | None = None
    _known: tuple[UnreadableRun, ...] = ()

    def __post_init__(self) -> None:
        """Take note of what is unreadable from the start, such as a missing segment."""
        self._known = self.inner.unreadable_runs()

    @property
    def info(self) -> SourceInfo:
        """What the source is."""
        return self.inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        """Read, count, and remember whether an unreadable byte was among them."""
        data = self.inner.read_at(offset, length)
        self._note(offset, length, len(data))
        return data

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer (as `ReadsInto` says), count, and remember whether an unreadable byte was among them."""
        if isinstance(self.inner, ReadsInto):
            self.inner.read_into(offset, buffer)
        else:
            view = bytes_of(buffer, offset, self.info.size)
            view[:] = self.inner.read_at(offset, len(view))
        self._note(offset, buffer.nbytes, buffer.nbytes)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far."""
        return self.inner.unreadable_runs()

    def close(self) -> None:
        """Release the source."""
        self.inner.close()

    def _note(self, offset: int, length: int, count: int) -> None:
        self.bytes_read += count
        bad = self.inner.unreadable_runs()
        if bad is not self._known and bad != self._known:
            self._known = bad
            if self.on_unreadable is not None:
                self.on_unreadable()
        if bad:
            last = bisect_left(bad, offset + length, key=lambda run: run.run.offset) - 1
            self.touched = self.touched or (last >= 0 and bad[last].run.end > offset)
        if self.on_read is not None:
            self.on_read()
