"""A file system in the plain bytes of an encrypted volume."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.filesystems.filesystem import FileSystem
from triage.model.item import Item
from triage.model.trouble import Trouble


@dataclass(frozen=True, slots=True)
class DecryptedFileSystem:
    """A file system whose items keep their runs, for the account of the source's bytes, and are never read by them.

    What lies at the runs is encrypted: `direct` is never so. Where `is_mapped` is false not even their place is known.
    """

    inner: FileSystem
    is_mapped: bool = True

    @property
    def kind(self) -> str:
        """The kind of the file system itself."""
        return self.inner.kind

    @property
    def block_size(self) -> int:
        """The allocation unit in bytes."""
        return self.inner.block_size

    def walk(self) -> Iterator[Item | Trouble]:
        """List what the file system lists."""
        for found in self.inner.walk():
            yield self._listed(found) if isinstance(found, Item) else found

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, decrypted. Raises EvidenceError."""
        return self.inner.read_at(item, offset, length)

    def close(self) -> None:
        """Close the file system."""
        self.inner.close()

    def _listed(self, item: Item) -> Item:
        if not self.is_mapped:
            return replace(item, direct=False, runs=())
        return replace(item, direct=False) if item.direct else item
