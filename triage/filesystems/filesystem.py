"""The protocol of a file system reader."""

from collections.abc import Iterator
from typing import Protocol

from triage.model.item import Item
from triage.model.trouble import Trouble


class FileSystem(Protocol):
    """One opened file system in one volume."""

    @property
    def kind(self) -> str:
        """The field's name for it: ntfs, fat12, fat16, fat32, exfat, ext2, ext3, ext4, hfs+, apfs, xfs, ..."""

    @property
    def block_size(self) -> int:
        """The allocation unit in bytes."""

    def walk(self) -> Iterator[Item | Trouble]:
        """List every item once, in a fixed order: allocated names first, then deleted, then orphans.

        Trouble inside the file system is yielded and the walk goes on; it ends on any input.
        """

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end of the content.

        Raises EvidenceError when the file system cannot say where the bytes are or they cannot be decoded; its text
        names no path, because names that share the content share the answer.
        """

    def close(self) -> None:
        """Release every handle; calling it twice is harmless."""
