"""Blocks of a device, by which known content is told whatever the file system is, and what a sample of them showed."""

from dataclasses import dataclass

BLOCK_BYTES = 4096
"""Bytes of a block: what file systems of today allocate at once, or a part of it."""

BLOCK_DIGEST_BYTES = 16
"""Bytes of the digest of a block: its MD5."""

ASSURED_BYTES = 20 << 20
"""A sample is laid so that an unbroken content of so many bytes is met without doubt, a scattered one nearly so."""

ASSURED_CONFIDENCE = 0.99
"""How surely a sample meets a content of `ASSURED_BYTES` that is scattered over single blocks."""

LEAST_DRAWN = 1 << 14
"""Blocks that are drawn at least, where there are so many: small parts cost nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStratum:
    """The blocks of one part of a device, and what was read of them; all but the first are numbers of blocks.

    `label` follows the word `in`. Of `blocks` a number is the `grid`, of which `grid_read` were read; `drawn` of the
    others were drawn at random, all of them read. `unreadable` are those that could not be read: `grid_unreadable` of
    `grid_read`, `drawn_unreadable` of `drawn`. `leads` are blocks read that are blocks of known files, `alone` those of
    them that lie in no finding. `left_bytes` are the bytes of the part that are in no whole block.
    Raises ValueError for numbers that cannot be true.
    """

    label: str
    blocks: int
    grid: int
    grid_read: int
    drawn: int
    leads: int = 0
    alone: int = 0
    grid_unreadable: int = 0
    drawn_unreadable: int = 0
    left_bytes: int = 0

    def __post_init__(self) -> None:
        """Refuse a sample larger than what it was drawn from, and leads that were not read or are no leads."""
        nested = 0 <= self.grid_read <= self.grid <= self.blocks and 0 <= self.drawn <= self.blocks - self.grid
        lost = 0 <= self.grid_unreadable <= self.grid_read and 0 <= self.drawn_unreadable <= self.drawn
        if not nested or not lost or not 0 <= self.alone <= self.leads <= self.read or self.left_bytes < 0:
            raise ValueError(f"not a sample of blocks: {self}")

    @property
    def read(self) -> int:
        """Blocks that were read."""
        return self.grid_read - self.grid_unreadable + self.drawn - self.drawn_unreadable

    @property
    def complete(self) -> bool:
        """Whether every block was read, or could not be."""
        return self.grid_read == self.grid and self.drawn == self.blocks - self.grid
