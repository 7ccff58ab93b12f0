"""A file system with one file, `image`, in which chosen blocks cannot be read: the kernel's FUSE protocol by hand.

Usage: failing_disk.py MOUNTPOINT MAP; one letter of MAP stands for 64 KiB: `r` reads (the block is full of its own
number), `E` fails with EIO. It ends when it is unmounted. Layout of the messages: include/uapi/linux/fuse.h.
"""

import ctypes
import errno
import os
import stat
import struct
import sys

BLOCK = 64 << 10
LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR = 1, 3, 14, 15, 17, 18, 25, 26, 27, 29
SILENT = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET get no answer
ROOT, IMAGE = 1, 2


def attributes(node: int, size: int) -> bytes:
    mode = stat.S_IFDIR | 0o555 if node == ROOT else stat.S_IFREG | 0o444
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode: int, node: int, body: bytes, blocks: str) -> bytes | int:
    """Return the body of the answer, or an error number."""
    size = len(blocks) * BLOCK
    if opcode == READ:
        offset, length = struct.unpack_from("<8xQI", body)
        return read(offset, length, blocks)
    if opcode == LOOKUP and body != b"image\0":
        return errno.ENOENT
    opened = struct.pack("<QII", 1, 0, 0)
    known = {
        INIT: struct.pack("<4I2H2I2HI7I", 7, 31, 0, 0, 1, 1, 1 << 16, 1, 16, 0, 0, *[0] * 7),
        LOOKUP: struct.pack("<4Q2I", IMAGE, 0, 3600, 3600, 0, 0) + attributes(IMAGE, size),
        GETATTR: struct.pack("<QII", 3600, 0, 0) + attributes(node, size),
        OPEN: opened,
        OPENDIR: opened,
        STATFS: struct.pack("<5Q4I24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0),
        RELEASE: b"",
        RELEASEDIR: b"",
        FLUSH: b"",
    }
    return known.get(opcode, errno.ENOSYS)


def read(offset: int, length: int, blocks: str) -> bytes | int:
    end = min(offset + length, len(blocks) * BLOCK)
    touched = range(offset // BLOCK, -(-end // BLOCK))
    if any(blocks[number] == "E" for number in touched):
        return errno.EIO
    whole = b"".join(bytes([number]) * BLOCK for number in touched)
    return whole[offset % BLOCK :][: end - offset]


def serve(device: int, blocks: str) -> None:
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            raise
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode in SILENT:
            continue
        reply = answer(opcode, node, request[40:], blocks)
        body, error_number = (b"", -reply) if isinstance(reply, int) else (reply, 0)
        os.write(device, struct.pack("<IiQ", 16 + len(body), error_number, unique) + body)


def main() -> None:
    mountpoint, blocks = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"failing", mountpoint.encode(), b"fuse.failing", 7, options.encode()):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    serve(device, blocks)


if __name__ == "__main__":
    main()
