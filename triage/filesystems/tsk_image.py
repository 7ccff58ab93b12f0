"""The bytes of a volume as The Sleuth Kit asks for them, with a budget for its unbounded searches."""

import pytsk3

from triage.filesystems.pieces import Pieces
from triage.volumes.volume import Volume

_SECTOR = 512
_HEAD = 2048
_EXT = 1024
_MOST_SECTOR = 0x8000
# The most that the library takes for a cluster, in sectors, and the boot sector field for 256 of them and more.
_MOST_SECTORS = 128
_EXPONENTS = range(0xF4, 0xF9)


class VolumeImage(pytsk3.Img_Info):  # type: ignore[misc]  # the library ships no types
    """A volume behind the library's read callback; `front`, if given, is shown in place of its first bytes.

    `pieces` is the volume as it is, read through what was read last.
    """

    def __init__(self, volume: Volume, front: bytes = b"") -> None:
        """Take the size once: the library asks for it while it is being constructed."""
        self.front = front
        self.pieces = Pieces(volume)
        self._size = volume.info.size
        self._budget: int | None = None
        super().__init__(url="")

    def get_size(self) -> int:
        """Return the size of the volume in bytes."""
        return self._size

    def close(self) -> None:
        """Do nothing: the source owns its handles."""

    def limit(self, budget: int | None) -> None:
        """Let the library read at most `budget` more bytes (None: any number); a read past that fails."""
        self._budget = budget

    @property
    def is_spent(self) -> bool:
        """Tell whether a budget was set and has been used up."""
        return self._budget is not None and self._budget < 0

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; an empty answer, which the library takes for a failed read, where the budget is spent.

        Nothing may be raised here: an exception has no way through the library's C code.
        """
        if self._budget is not None:
            self._budget -= length
            if self._budget < 0:
                return b""
        data = self.pieces.read_at(offset, length)
        return self.front[offset:length] + data[len(self.front) - offset :] if offset < len(self.front) else data


def readable_front(volume: Volume) -> bytes:
    """Return first bytes that make a volume readable whose own say the same in a way the library does not take.

    Empty where its own will do. NTFS with clusters over 64 KiB (to 2 MiB, from Windows 10 1709 on) holds the power of
    two of its sectors per cluster: larger sectors, and fewer of them to a cluster, say the same. ext2 of revision 0
    leaves the size of its inodes out, which is 128 bytes.
    """
    head = bytearray(volume.read_at(0, _HEAD))
    if len(head) < _HEAD:
        return b""
    if head[3:11] == b"NTFS    " and head[13] in _EXPONENTS:
        return _smaller_clusters(head[:_SECTOR])
    if head[_EXT + 56 : _EXT + 58] == b"\x53\xef" and not any(
        head[_EXT + 76 : _EXT + 80] + head[_EXT + 88 : _EXT + 90]
    ):
        head[_EXT + 88 : _EXT + 90] = (128).to_bytes(2, "little")
        return bytes(head)
    return b""


def _smaller_clusters(boot: bytearray) -> bytes:
    sector = int.from_bytes(boot[11:13], "little")
    factor = (1 << (256 - boot[13])) // _MOST_SECTORS
    if sector * factor > _MOST_SECTOR:
        return b""
    boot[11:13] = (sector * factor).to_bytes(2, "little")
    boot[13] = _MOST_SECTORS
    sectors = int.from_bytes(boot[0x28:0x30], "little")
    boot[0x28:0x30] = (sectors // factor).to_bytes(8, "little")
    return bytes(boot)
