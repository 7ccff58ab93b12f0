"""Block devices, opened read-only.

The ioctl numbers are those of Linux, `include/uapi/linux/fs.h`: BLKSSZGET is _IO(0x12, 104), BLKGETSIZE64 is
_IOR(0x12, 114, size_t).
"""

import errno
import fcntl
import stat
import struct
from pathlib import Path

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo
from triage.model.runs import ByteRun
from triage.sources.badsectors import reason_of
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.raw import Part, RawSource
from triage.sources.source import EvidenceSource

_BLKSSZGET = 0x1268
_BLKGETSIZE64 = 0x80081272

_NEXT_STEP = {
    errno.EACCES: "run as root or let the operator into the group of the device",
    errno.EPERM: "run as root or let the operator into the group of the device",
    errno.ENOMEDIUM: "put the medium in and try again",
}


def open_device(path: Path) -> EvidenceSource | None:
    """Open a block device as the bytes of a disk; None for anything else.

    Raises SourceError for a character device, and for a block device without a medium or that cannot be opened.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode):
        raise SourceError(f"{path}: a character device has no bytes by offset: give the block device of the disk")
    if not stat.S_ISBLK(mode):
        return None
    files = EvidenceFiles()
    try:
        size = _size(files, path)
        sector_size = _sector_size(files.handle(path))
    except OSError as error:
        files.close()
        advice = _NEXT_STEP.get(error.errno or 0, "check the cable, the write blocker and the system's log")
        raise SourceError(f"{path}: the device cannot be opened: {reason_of(error)}: {advice}") from error
    if not size:  # to examine it would bind the exhibit to nothing, and what is put in then would be another source
        files.close()
        raise SourceError(f"{path}: the device has no bytes: put the medium in, or connect it again, and try again")
    info = SourceInfo(kind="device", files=(str(path),), size=size, sector_size=sector_size)
    return RawSource(info, (Part(ByteRun(0, size), path),), files)


def _size(files: EvidenceFiles, path: Path) -> int:
    """Return the bytes of a device: where it ends, or what the driver says where it cannot be sought."""
    end = files.size(path)
    if end:
        return end
    answer = fcntl.ioctl(files.handle(path), _BLKGETSIZE64, bytes(8))
    (size,) = struct.unpack("=Q", answer)
    return int(size)


def _sector_size(handle: int) -> int:
    """Return the logical sector size in bytes."""
    (size,) = struct.unpack("=i", fcntl.ioctl(handle, _BLKSSZGET, bytes(4)))
    return int(size)
