"""Bytes that lie in a file as they are."""

from dataclasses import dataclass

from triage.sources.block_source import STEP
from triage.sources.container_file import ContainerFile


@dataclass(frozen=True, slots=True)
class FlatBlocks:
    """The bytes of a file from `start` on."""

    file: ContainerFile
    start: int = 0

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the 64 KiB block."""
        return STEP - offset % STEP

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file. Raises EvidenceError where it ends before."""
        return self.file.read_some(self.start + offset, length)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


@dataclass(frozen=True, slots=True)
class NoBlocks:
    """Nothing is stored: zeros, or what lies below."""

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the 64 KiB block."""
        return STEP - offset % STEP

    def read(self, offset: int, length: int) -> None:
        """Tell that nothing is stored."""

    def close(self) -> None:
        """Do nothing."""
