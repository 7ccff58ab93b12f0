"""Opened evidence: from a source to its volumes, from a volume to its items, from an item to its bytes."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.content.content import Content
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.recognition import Recognition, recognise
from triage.items.extents import Extents
from triage.items.verification import Verification
from triage.model.errors import EvidenceError
from triage.model.evidence import Region, VolumeReport
from triage.model.item import Item
from triage.model.runs import ByteRun, merge
from triage.model.secret import NO_SECRETS, Secrets
from triage.model.trouble import Trouble
from triage.sources.unreadable import overlapping
from triage.sources.watched import WatchedSource
from triage.volumes.partition_tables import Survey, survey
from triage.volumes.volume import Volume

_OPEN_VOLUMES = 12  # each may keep some 32 MiB of its metadata


@dataclass(slots=True)
class Evidence:
    """One source, opened by one process; the volumes used last are kept open.

    `secrets` are tried on every encrypted volume.
    """

    source: WatchedSource
    secrets: Secrets = NO_SECRETS
    _opened: "OrderedDict[ByteRun, Recognition]" = field(default_factory=OrderedDict)

    def verification(self) -> Verification:
        """Return the comparison of the source with the digests that its container claims."""
        return Verification(self.source)

    def survey(self) -> Survey:
        """Return the partitions, tables and gaps of the source."""
        if self.source.info.kind == "folder":
            return whole_source(self.source.info.size)
        return survey(self.source.inner)

    def recognise(self, region: Region) -> VolumeReport:
        """Return what kind of file system a region holds, or why none can be read."""
        found = self._recognition(region.run)
        if found.filesystem is None:
            return VolumeReport(region=region, state=found.state, text=found.text)
        kind, unit = found.filesystem.kind, found.filesystem.block_size
        return VolumeReport(region=region, state=found.state, file_system=kind, text=found.text, block_size=unit)

    def walk(self, region: Region) -> Iterator[Item | Trouble]:
        """List what a region holds: trouble met in recognising it, then items in a fixed order."""
        found = self._recognition(region.run)
        yield from found.troubles
        if found.filesystem is not None:
            yield from found.filesystem.walk()

    def open(self, volume: ByteRun) -> None:
        """Open a volume now: to unlock it may take longer than one of its items is given."""
        self._recognition(volume)

    def content(self, item: Item, volume: ByteRun) -> Content:
        """Return the content of an item that lies in `volume`. Raises EvidenceError where nobody knows its place.

        It is read by the item's byte runs where they are the content, else through the file system.
        """
        if item.unlocated:
            raise EvidenceError(item.unlocated)
        if item.direct:
            return Content(Extents(self.source, item.runs).read_at, item.size)
        filesystem = self._filesystem(volume)
        return Content(lambda offset, length: filesystem.read_at(item, offset, length), item.size)

    def unreadable_in(self, item: Item) -> int:
        """Return how many bytes of an item's runs are known to be unreadable."""
        bad = self.source.unreadable_runs()
        if not bad:
            return 0
        return sum(lost.run.length for run in merge(item.runs) for lost in overlapping(bad, run))

    def _filesystem(self, volume: ByteRun) -> FileSystem:
        filesystem = self._recognition(volume).filesystem
        if filesystem is None:
            raise EvidenceError(f"the volume at {volume.offset} no longer opens; check the source and run again")
        return filesystem

    def _recognition(self, run: ByteRun) -> Recognition:
        if run in self._opened:
            self._opened.move_to_end(run)
        else:
            self._opened[run] = recognise(Volume(self.source, run), self.secrets)
            if len(self._opened) > _OPEN_VOLUMES:
                self._close(self._opened.popitem(last=False)[1])
        return self._opened[run]

    def _close(self, recognition: Recognition) -> None:
        if recognition.filesystem is not None:
            recognition.filesystem.close()


def whole_source(size: int) -> Survey:
    """Return the survey of a source that cannot have partitions."""
    region = Region(run=ByteRun(0, size), name="whole source", scheme="none", is_volume=True)
    return Survey(regions=(region,), troubles=())
