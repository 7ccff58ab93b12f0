"""A partitioned disk: an MBR, partitions at 1 MiB boundaries, and gaps between them."""

import struct

SECTOR = 512
ALIGNMENT = 1 << 20
NTFS_TYPE, FAT16_TYPE, LINUX_TYPE = 0x07, 0x06, 0x83


def mbr_disk(partitions: list[tuple[int, bytes]], *, gap: bytes = b"") -> bytes:
    """Return a disk of up to four (type, volume) partitions; `gap` is put into free space before the last one."""
    table = b""
    body = bytearray(ALIGNMENT)
    for number, (kind, volume) in enumerate(partitions):
        if gap and number == len(partitions) - 1:
            body += gap.ljust(-(-len(gap) // ALIGNMENT) * ALIGNMENT, b"\0")
        start = len(body) // SECTOR
        table += struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, len(volume) // SECTOR)
        body += volume
        body += bytes(-len(body) % ALIGNMENT)
    body[440:446] = struct.pack("<IH", 0x20260314, 0)
    body[446 : 446 + len(table)] = table
    body[510:512] = b"\x55\xaa"
    return bytes(body)
