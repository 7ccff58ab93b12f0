"""Self-test of the way from a source to contents: partitions, a file system, its files, and one that is deleted."""

import zlib
from dataclasses import dataclass, replace

from triage.content.digesting import digest
from triage.engine.selftest import known_answers as known
from triage.engine.selftest.differences import Differences, unlike
from triage.items.evidence import Evidence
from triage.model.evidence import Region, SourceInfo, UnreadableRun
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble
from triage.sources.watched import WatchedSource


def differences_of_disk() -> Differences:
    """List a disk in memory, and digest its files by their byte runs and through the file system."""
    evidence = Evidence(WatchedSource(_Memory(zlib.decompress(known.read("disk.zlib")))))
    regions = evidence.survey().regions
    yield from unlike("regions", [(region.name, region.run.length) for region in regions], list(known.REGIONS))
    for volume in (region for region in regions if region.is_volume):
        yield from unlike("file system", evidence.recognise(volume).file_system, known.FILE_SYSTEM)
        yield from _differences_of_files(evidence, volume)


def _differences_of_files(evidence: Evidence, volume: Region) -> Differences:
    by_runs: dict[str, known.Listed] = {}
    by_file_system: dict[str, known.Listed] = {}
    for entry in evidence.walk(volume):
        if isinstance(entry, Trouble):
            yield f"trouble: {entry.text}"
        elif entry.kind is ItemKind.FILE:
            by_runs[entry.path] = _listed(evidence, entry, volume)
            by_file_system[entry.path] = _listed(evidence, replace(entry, direct=False), volume)
    yield from unlike("files by their runs", by_runs, dict(known.FILES))
    yield from unlike("files through the file system", by_file_system, dict(known.FILES))


def _listed(evidence: Evidence, item: Item, volume: Region) -> known.Listed:
    sha256 = digest(evidence.content(item, volume.run), frozenset({"sha256"})).sha256
    return known.Listed(item.size, item.allocated, sha256)


@dataclass(frozen=True, slots=True)
class _Memory:
    """A source in memory."""

    data: bytes

    @property
    def info(self) -> SourceInfo:
        """What the source is."""
        return SourceInfo(kind="raw", files=(), size=len(self.data))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset."""
        return self.data[offset : offset + length]

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return that everything can be read."""
        return ()

    def close(self) -> None:
        """Do nothing: there is no handle."""
