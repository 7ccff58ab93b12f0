"""Which inodes of an ext4 are encrypted (fscrypt), which the library does not tell.

Facts: the ext4 layout document of the Linux kernel.
"""

from triage.volumes.volume import Volume

_SUPERBLOCK = 1024
_INCOMPAT_64BIT = 0x80
_INCOMPAT_ENCRYPT = 0x10000
_ENCRYPTED = 0x800


class EncryptedInodes:
    """Answers for one ext volume; never True where the volume does not carry the feature."""

    def __init__(self, volume: Volume) -> None:
        """Read the superblock; the block group descriptors are read as they are needed."""
        self._volume = volume
        block = volume.read_at(_SUPERBLOCK, 1024).ljust(1024, b"\0")
        incompatible = _number(block, 96, 4)
        self._block_size = 1024 << min(_number(block, 24, 4), 6)
        self._descriptors = (_number(block, 20, 4) + 1) * self._block_size
        self._descriptor_size = max(32, _number(block, 254, 2)) if incompatible & _INCOMPAT_64BIT else 32
        self._per_group = _number(block, 40, 4)
        self._inode_size = _number(block, 88, 2) or 128
        self._possible = bool(incompatible & _INCOMPAT_ENCRYPT and self._per_group)

    def __contains__(self, inode: object) -> bool:
        """Tell whether an inode is encrypted: the content of a file, the names in a directory."""
        if not self._possible or not isinstance(inode, int) or inode <= 0:
            return False
        group, index = divmod(inode - 1, self._per_group)
        descriptor = self._volume.read_at(self._descriptors + group * self._descriptor_size, self._descriptor_size)
        table = _number(descriptor, 8, 4)
        if self._descriptor_size > 32:  # noqa: PLR2004 - the upper halves follow the 32 bytes of ext2
            table |= _number(descriptor, 40, 4) << 32
        flags = self._volume.read_at(table * self._block_size + index * self._inode_size + 32, 4)
        return bool(_number(flags, 0, 4) & _ENCRYPTED)


def _number(data: bytes, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "little")
