"""A FAT16 file system in pure Python, after Microsoft's "FAT: General Overview of On-Disk Format", 1.03."""

import struct

from images.tree import WHEN, File, folders_of

SECTOR = 512
CLUSTER = 2048
RESERVED = 4 * SECTOR
ROOT_ENTRIES = 512
_DIRECTORY, _ARCHIVE, _LONG = 0x10, 0x20, 0x0F
_DELETED = 0xE5
_DATE = (WHEN.year - 1980) << 9 | WHEN.month << 5 | WHEN.day
_TIME = WHEN.hour << 11 | WHEN.minute << 5 | WHEN.second // 2


def fat16(files: list[File], size: int) -> bytes:
    """Return a FAT16 volume of `size` bytes (16 to 128 MiB) that holds the files."""
    return _Fat16(size).build(files)


class _Fat16:
    def __init__(self, size: int) -> None:
        self.image = bytearray(size)
        self.fat_size = -(-(size // CLUSTER + 2) * 2 // SECTOR) * SECTOR
        self.data_start = RESERVED + 2 * self.fat_size + ROOT_ENTRIES * 32
        clusters = (size - self.data_start) // CLUSTER
        assert 4085 <= clusters < 65525, "not the number of clusters of a FAT16"
        self.fat = [0xFFF8, 0xFFFF] + [0] * clusters
        self.next = 2
        self.entries: dict[str, bytearray] = {"": bytearray()}
        self.short = 0

    def build(self, files: list[File]) -> bytes:
        starts: dict[str, int] = {"": 0}
        for folder in folders_of(files):
            starts[folder] = self._allocate(bytes(4 * CLUSTER), deleted=False)
            self.entries[folder] = self._dots(starts[folder], starts[folder.rpartition("/")[0]])
            self._enter(folder, _DIRECTORY, starts[folder], 0, deleted=False)
        for file in files:
            start = self._allocate(file.data, deleted=file.deleted)
            self._enter(file.path, _ARCHIVE, start, len(file.data), deleted=file.deleted)
        self._boot()
        for folder, entries in self.entries.items():
            at = self._offset(starts[folder]) if folder else RESERVED + 2 * self.fat_size
            self.image[at : at + len(entries)] = entries
        table = struct.pack(f"<{len(self.fat)}H", *self.fat)[: self.fat_size]
        for copy in range(2):
            at = RESERVED + copy * self.fat_size
            self.image[at : at + len(table)] = table
        return bytes(self.image)

    def _offset(self, cluster: int) -> int:
        return self.data_start + (cluster - 2) * CLUSTER

    def _allocate(self, data: bytes, *, deleted: bool) -> int:
        count = -(-len(data) // CLUSTER)
        if not count:
            return 0
        start, self.next = self.next, self.next + count
        self.image[self._offset(start) : self._offset(start) + len(data)] = data
        if not deleted:
            self.fat[start : start + count] = [*range(start + 1, start + count), 0xFFFF]
        return start

    def _dots(self, own: int, parent: int) -> bytearray:
        return bytearray(_entry(b".          ", _DIRECTORY, own, 0) + _entry(b"..         ", _DIRECTORY, parent, 0))

    def _enter(self, path: str, attributes: int, start: int, size: int, *, deleted: bool) -> None:
        folder, _, name = path.rpartition("/")
        self.short += 1
        short = f"F{self.short:06d}~".encode().ljust(8) + b"BIN"
        block = bytearray(_long_entries(name, short) + _entry(short, attributes, start, size))
        if deleted:
            for at in range(0, len(block), 32):
                block[at] = _DELETED
        self.entries[folder] += block

    def _boot(self) -> None:
        total = len(self.image) // SECTOR
        small, large = (total, 0) if total < 1 << 16 else (0, total)
        self.image[:62] = (
            b"\xeb\x3c\x90MSDOS5.0"
            + struct.pack("<HBHBHHBHHHII", SECTOR, CLUSTER // SECTOR, RESERVED // SECTOR, 2, ROOT_ENTRIES, small, 0xF8,
                          self.fat_size // SECTOR, 63, 255, 0, large)
            + struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x20260314, b"SYNTHETIC  ", b"FAT16   ")
        )  # fmt: skip
        self.image[510:512] = b"\x55\xaa"


def _entry(short: bytes, attributes: int, start: int, size: int) -> bytes:
    return struct.pack("<11sBBBHHHHHHHI", short, attributes, 0, 0, _TIME, _DATE, _DATE, 0, _TIME, _DATE, start, size)


def _long_entries(name: str, short: bytes) -> bytes:
    checksum = 0
    for byte in short:
        checksum = ((checksum >> 1) | (checksum << 7)) + byte & 0xFF
    raw = name.encode("utf-16-le")
    if len(raw) % 26:
        raw = (raw + b"\0\0").ljust(-(-(len(raw) + 2) // 26) * 26, b"\xff")
    parts = [raw[at : at + 26] for at in range(0, len(raw), 26)]
    entries = b""
    for number in range(len(parts), 0, -1):
        part = parts[number - 1]
        order = number | (0x40 if number == len(parts) else 0)
        entries += struct.pack("<B10sBBB12sH4s", order, part[:10], _LONG, 0, checksum, part[10:22], 0, part[22:])
    return entries
