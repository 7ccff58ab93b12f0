"""A folder of an already mounted file system, listed as the kernel shows it.

There is no deleted content here and no unallocated space: what the kernel does not show is not seen.
"""

from collections.abc import Iterator

from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble
from triage.sources.folder import FolderEntry, FolderSource
from triage.sources.source import EvidenceSource
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume


def open_folder_filesystem(volume: Volume) -> "FolderFileSystem | None":
    """Return the file system of a folder source, or None when the volume lies on anything else."""
    source: EvidenceSource = volume.source
    while isinstance(source, WatchedSource):
        source = source.inner
    return FolderFileSystem(volume, source.entries) if isinstance(source, FolderSource) else None


class FolderFileSystem:
    """The entries of a folder source as items, in the order of their paths.

    An item's reference is the first of the names that share its content. Symbolic links have no content: their
    targets are not read.
    """

    kind = "folder"
    block_size = 1

    def __init__(self, volume: Volume, entries: tuple[FolderEntry, ...]) -> None:
        self._volume = volume
        self._address = volume.address
        self._entries = entries
        self._by_path: dict[str, FolderEntry] = {}

    def walk(self) -> Iterator[Item | Trouble]:
        """List every entry once."""
        for entry in self._entries:
            yield self._item(entry)

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end. Raises EvidenceError when the folder lists another file there.

        What the kernel cannot read comes back as zeros that the source has recorded.
        """
        entry = self._entry(item.reference)
        if entry is None or entry.size != item.size or entry.times.modified != item.times.modified:
            raise EvidenceError("changed since it was listed")
        length = min(length, item.size - offset)
        return self._volume.read_at(entry.offset + offset, length) if length > 0 else b""

    def close(self) -> None:
        """Do nothing: the source is the owner of its handles."""

    def _entry(self, reference: str) -> FolderEntry | None:
        if not self._by_path:
            self._by_path = {entry.path: entry for entry in self._entries}
        return self._by_path.get(reference)

    def _item(self, entry: FolderEntry) -> Item:
        return Item(
            address=self._address.child("file", entry.reference).child("path", "/" + entry.path),
            kind=entry.kind,
            path=entry.path,
            size=entry.size,
            allocated=True,
            reference=entry.reference,
            times=entry.times,
            runs=(ByteRun(entry.offset, entry.size),) if entry.kind is ItemKind.FILE and entry.size else (),
        )
