"""Whether a source is still there: a device that was unplugged reads like one that is bad throughout.

What Linux answers when a medium goes away under an open descriptor, seen on 6.18 with loop devices and FUSE and after
`blk_mark_disk_dead` (block/genhd.c): a block device that was removed has size 0 from then on, so that every read ends
at once and without an error; one that is offline but not yet removed fails every read with EIO, as does a file on it
whose bytes are not cached, while its name, inode and size are told from the cache as before; a file of a FUSE or
network server that died fails with ENOTCONN, EIO or ESTALE. A device that is plugged in again has a new node.
"""

import errno
import mmap
import os
import stat
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE = 4096
_Mark = tuple[int, int, int, int, bool]


@dataclass(frozen=True, slots=True)
class Presence:
    """What tells at any time whether a source is the one that was opened, and can be read at all.

    `witness` is a place that could be read at first, None where there was none: a read that fails there too was not
    stopped by a bad sector.
    """

    path: Path
    mark: _Mark
    witness: int | None

    @classmethod
    def of(cls, path: Path) -> "Presence":
        """Return that of a source that was just opened. Raises OSError where it is gone already."""
        mark = _mark(path)
        *_, end, _ = mark
        places = dict.fromkeys((0, end // 2 // _PAGE * _PAGE, max(0, end - _PAGE) // _PAGE * _PAGE)) if end else ()
        return cls(path, mark, next((place for place in places if _can_read(path, place)), None))

    def lasts(self) -> bool:
        """Tell whether the source is still there, without having been away."""
        try:
            return _mark(self.path) == self.mark and (self.witness is None or _can_read(self.path, self.witness))
        except OSError:
            return False


def is_there(path: Path) -> bool:
    """Tell whether there is something at a path that can be read: a device with a medium, a file, a folder."""
    try:
        *_, end, _ = _mark(path)
        return path.is_dir() or (end > 0 and _can_read(path, 0))
    except OSError:
        return False


def _mark(path: Path) -> _Mark:
    """Return device, inode, number and end of what is at a path, and whether the kernel knows the device it is on."""
    facts = path.stat()
    number = facts.st_rdev if stat.S_ISBLK(facts.st_mode) else facts.st_dev
    known = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").exists()
    return facts.st_dev, facts.st_ino, facts.st_rdev, _end(path, facts), known


def _end(path: Path, facts: os.stat_result) -> int:
    """Return where a file or block device ends, 0 for a folder."""
    if stat.S_ISDIR(facts.st_mode):
        return 0
    if not stat.S_ISBLK(facts.st_mode):
        return facts.st_size
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.lseek(handle, 0, os.SEEK_END)
    finally:
        os.close(handle)


def _can_read(path: Path, offset: int) -> bool:
    """Tell whether bytes at a multiple of 4 KiB can be read from the medium, past what the system remembers of it."""
    try:
        return _read(path, offset, os.O_DIRECT) > 0
    except OSError as error:
        if error.errno != errno.EINVAL:  # this file system does not read past its cache
            return False
    with suppress(OSError):
        return _read(path, offset, 0) > 0
    return False


def _read(path: Path, offset: int, flags: int) -> int:
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        os.posix_fadvise(handle, offset, _PAGE, os.POSIX_FADV_DONTNEED)
        with closing(mmap.mmap(-1, _PAGE)) as page:  # aligned, as reading past the cache asks for
            return os.preadv(handle, [page], offset)
    finally:
        os.close(handle)
