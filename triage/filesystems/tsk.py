"""File systems read through The Sleuth Kit: NTFS, FAT, exFAT, ext2/3/4, HFS+, ISO 9660, UFS, YAFFS2."""

import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytsk3

from triage.filesystems.filesystem import FileSystem
from triage.filesystems.side_by_side import SideBySide
from triage.filesystems.tsk_image import VolumeImage, readable_front
from triage.filesystems.tsk_inodes import Inodes
from triage.filesystems.tsk_listing import one_line
from triage.filesystems.tsk_names import NTFS_DATA
from triage.filesystems.tsk_records import Records
from triage.filesystems.tsk_runs import Layout, content_runs
from triage.filesystems.tsk_walk import Walk
from triage.model.errors import EvidenceError
from triage.model.item import Item
from triage.model.runs import Runs
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.signatures import boot_sector
from triage.volumes.volume import Volume

_KINDS = {
    int(pytsk3.TSK_FS_TYPE_NTFS): "ntfs",
    int(pytsk3.TSK_FS_TYPE_FAT12): "fat12",
    int(pytsk3.TSK_FS_TYPE_FAT16): "fat16",
    int(pytsk3.TSK_FS_TYPE_FAT32): "fat32",
    int(pytsk3.TSK_FS_TYPE_EXFAT): "exfat",
    int(pytsk3.TSK_FS_TYPE_EXT2): "ext2",
    int(pytsk3.TSK_FS_TYPE_EXT3): "ext3",
    int(pytsk3.TSK_FS_TYPE_EXT4): "ext4",
    int(pytsk3.TSK_FS_TYPE_HFS): "hfs+",
    int(pytsk3.TSK_FS_TYPE_ISO9660): "iso9660",
    int(pytsk3.TSK_FS_TYPE_FFS1): "ufs1",
    int(pytsk3.TSK_FS_TYPE_FFS1B): "ufs1b",
    int(pytsk3.TSK_FS_TYPE_FFS2): "ufs2",
    int(pytsk3.TSK_FS_TYPE_YAFFS2): "yaffs2",
}
# In the order in which they are listed where several are valid in one volume.
_EVERY_KIND = (
    pytsk3.TSK_FS_TYPE_NTFS_DETECT,
    pytsk3.TSK_FS_TYPE_FAT_DETECT,
    pytsk3.TSK_FS_TYPE_EXT_DETECT,
    pytsk3.TSK_FS_TYPE_FFS_DETECT,
    pytsk3.TSK_FS_TYPE_HFS_DETECT,
    pytsk3.TSK_FS_TYPE_ISO9660_DETECT,
    pytsk3.TSK_FS_TYPE_YAFFS2_DETECT,
)
_SEVERAL = "Multiple file system types"  # how the library words it; it gives no code through Python
_BOOT_SECTOR = 512
_OPEN_FILES = 64
_PIECE = 1 << 24
_MFT = 0


class TskFileSystem:
    """One file system opened by The Sleuth Kit. Not for use from several threads at once."""

    _plain = True

    def __init__(self, volume: Volume, kind: Any, front: bytes = b"") -> None:
        """Open by kind, one of the library's constants; `front` as for the image. Raises OSError where it is not."""
        self._volume = volume
        self._image = VolumeImage(volume, front)
        try:
            self._fs = pytsk3.FS_Info(self._image, 0, kind)
        except (RuntimeError, SystemError, MemoryError) as error:  # what the library raises for some hostile input
            raise OSError(one_line(error)) from error
        self._files: OrderedDict[int, Any] = OrderedDict()
        self.kind = _KINDS.get(int(self._fs.info.ftype), "unknown")
        self._block_size = int(self._fs.info.block_size)
        self.block_size = self._block_size * self._blocks_allocated_together()

    def walk(self) -> Iterator[Item | Trouble]:
        """List every name: allocated ones, then deleted ones, then orphans, in the order of the directories."""
        info = self._fs.info
        if int(info.last_block_act) < int(info.last_block):
            yield self._cut()
        yield from Walk(self._fs, self._image, self._layout(), self._volume.address, self.kind)

    def _layout(self) -> Layout:
        info, size, shown = self._fs.info, self._volume.info.size, len(self._image.front)
        readable = min(size, (int(info.last_block_act) + 1) * self._block_size)
        layout = Layout(
            block_size=self._block_size,
            start=self._volume.run.offset,
            size=size,
            readable=readable,
            shown=shown,
            interleaved=bool(info.block_pre_size or info.block_post_size),
            plain=self._plain,
            inodes=self._inodes(readable, shown) if self.kind.startswith("ext") else None,
        )
        return replace(layout, records=self._records(layout)) if self.kind == "ntfs" else layout

    def _inodes(self, readable: int, shown: int) -> Inodes:
        return Inodes(self._image.pieces, readable=readable, shown=shown, fine_times=self.kind == "ext4")

    def _records(self, layout: Layout) -> Records:
        """Return the master file table; without records where the library cannot say where all of it lies."""
        runs: Runs = ()
        with suppress(OSError):
            for attribute in self._fs.open_meta(inode=_MFT):
                info = attribute.info
                if int(info.type) == NTFS_DATA and not info.name and info.size > 0:
                    found = content_runs(attribute, layout, info.size)
                    runs = found.runs if found.whole else ()
        return Records(self._image.pieces, runs)

    def _blocks_allocated_together(self) -> int:
        """Return how many of the library's blocks are one allocation unit: of FAT and exFAT its blocks are sectors.

        Facts: the boot sector of FAT has the number in byte 13, that of exFAT its power of two in byte 109.
        """
        if "fat" not in self.kind:
            return 1
        boot = self._image.front or self._volume.read_at(0, _BOOT_SECTOR)
        count = 1 << (boot[109] & 31) if self.kind == "exfat" else boot[13]
        return max(1, count)

    def _cut(self) -> Trouble:
        info = self._fs.info
        whole = (int(info.last_block) + 1) * self._block_size
        text = f"{self.kind} of {whole} bytes in a volume of {self._volume.size}: its end is missing"
        return Trouble(address=self._volume.address, code=TroubleCode.DAMAGED, text=text)

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end of the content. Raises EvidenceError."""
        length = min(length, item.size - offset)
        if length <= 0:
            return b""
        inode, kind, attribute = _parse(item.reference)
        pieces: list[bytes] = []
        try:
            handle = self._open(inode)
            while length:
                piece = handle.read_random(offset, min(length, _PIECE), kind, attribute)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
        except Exception as error:  # hostile-input library: OSError mostly, but others occur
            raise EvidenceError(f"byte {offset} cannot be read: {one_line(error)}") from error
        if length:
            raise EvidenceError(f"the content ends at byte {offset}, its metadata says {item.size}")
        return self._as_stored(item, offset, b"".join(pieces))

    def close(self) -> None:
        """Let the library's objects go."""
        self._files.clear()

    def _as_stored(self, item: Item, end: int, data: bytes) -> bytes:
        """Return content with the volume's own first bytes where the library was shown others."""
        front, start = len(self._image.front), end - len(data)
        if start >= front or not item.runs or item.runs[0].offset != self._volume.run.offset:
            return data
        return self._volume.read_at(start, min(front, end) - start) + data[front - start :]

    def _open(self, inode: int) -> Any:
        handle = self._files.pop(inode, None)
        if handle is None:
            handle = self._fs.open_meta(inode=inode)
        self._files[inode] = handle
        if len(self._files) > _OPEN_FILES:
            self._files.popitem(last=False)
        return handle


def open_tsk(volume: Volume) -> FileSystem | None:
    """Open the file system of a volume if The Sleuth Kit knows it; all of them where several are valid at once."""
    _keep_wall_time()
    kinds: tuple[Any, ...] = (pytsk3.TSK_FS_TYPE_FAT32,)
    front = readable_front(volume)
    try:
        return TskFileSystem(volume, pytsk3.TSK_FS_TYPE_DETECT, front)
    except OSError as error:
        if _SEVERAL in str(error):
            kinds = _EVERY_KIND
        elif boot_sector(volume.read_at(0, _BOOT_SECTOR)) is None:
            return None
        # Else: with less than 65,525 clusters the library does not take a FAT32 for one unless it is told so.
    opened: list[FileSystem] = []
    for kind in kinds:
        with suppress(OSError):
            opened.append(TskFileSystem(volume, kind, front))
    return SideBySide(volume, tuple(opened)) if len(opened) > 1 else next(iter(opened), None)


def _parse(reference: str) -> tuple[int, int, int]:
    """Return inode, attribute type and attribute id; without the latter two the library's default is read."""
    inode, *rest = (int(part) for part in reference.split("-"))
    return (inode, rest[0], rest[1]) if rest else (inode, int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT), -1)


def _keep_wall_time() -> None:
    """Let the library read the wall-clock times of FAT as if they were UTC, whatever the host's time zone.

    FAT keeps no zone. The library converts through the C library's zone, so that the same evidence would give other
    times on another host; the process is set to UTC instead.
    """
    if os.environ.get("TZ") != "UTC0":
        os.environ["TZ"] = "UTC0"
        time.tzset()
