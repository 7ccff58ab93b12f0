"""A folder as a source: the bytes of its regular files, laid end to end in the order of their paths.

So the arithmetic of coverage is that of an image. Files with several names (hard links) lie there once. Nothing below
the folder changes: directories and files are opened read-only and, where the kernel permits it (owner or root),
without touching access times; symbolic links are neither followed nor read, because reading one would touch its
access time; pipes, sockets and devices are listed and never opened. Folders of other mounted file systems are entered.
"""

import os
import stat
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import ItemKind, Times, printable
from triage.model.runs import ByteRun
from triage.sources.unreadable import UnreadableLog

OPEN_FILES = 32
MAX_TROUBLES = 1000

_STEP = 4000  # bytes of path in one system call; PATH_MAX is 4096
_SECTOR = 4096
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {stat.S_IFREG: ItemKind.FILE, stat.S_IFDIR: ItemKind.DIRECTORY, stat.S_IFLNK: ItemKind.LINK}


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderEntry:
    """One name below the folder.

    `path` is relative, surrogate-escaped. `size` is the length of a regular file, else 0. `offset` is where its bytes
    start in the source. `reference` is the first of the names that share the content (its own path without hard
    links), `inode` the (device, inode) pair as the kernel gave it.
    """

    path: str
    kind: ItemKind
    size: int
    times: Times
    offset: int
    reference: str
    inode: tuple[int, int]


def open_folder(path: Path) -> "FolderSource | None":
    """Return the folder as a source, or None when the path is no directory (a link to one is one).

    Raises SourceError when the directory cannot be opened at all.
    """
    if not path.is_dir():
        return None
    try:
        root = _open_quietly(os.fsencode(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, None)
    except OSError as error:
        raise SourceError(
            f"{printable(str(path))}: the folder cannot be opened: {error.strerror}; run as a user who may read it"
        ) from error
    return FolderSource(path, root)


class FolderSource:
    """The regular files of one folder as one run of bytes; holds at most `OPEN_FILES` files open."""

    def __init__(self, path: Path, root: int) -> None:
        self._root = root
        self._log = UnreadableLog()
        self._handles: OrderedDict[int, int] = OrderedDict()
        self._failed: set[int] = set()
        found, troubles = _list(root)
        self.entries = _lay_out(found)
        self._files = [
            entry
            for entry in self.entries
            if entry.kind is ItemKind.FILE and entry.size and entry.path == entry.reference
        ]
        self._starts = [entry.offset for entry in self._files]
        size = self._files[-1].offset + self._files[-1].size if self._files else 0
        self._info = SourceInfo(kind="folder", files=(str(path),), size=size, troubles=troubles)

    @property
    def info(self) -> SourceInfo:
        """What the source is; `files` holds the folder's own path."""
        return self._info

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; unreadable ones as zeros, recorded."""
        end = min(offset + length, self._info.size)
        pieces: list[bytes] = []
        while offset < end:
            index = bisect_right(self._starts, offset) - 1
            entry = self._files[index]
            take = min(end, entry.offset + entry.size) - offset
            pieces.append(self._read_file(index, offset - entry.offset, take))
            offset += take
        return b"".join(pieces)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far, sorted by offset, without overlap."""
        return self._log.runs()

    def close(self) -> None:
        """Release every handle; calling it twice is harmless."""
        while self._handles:
            os.close(self._handles.popitem()[1])
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _read_file(self, index: int, position: int, length: int) -> bytes:
        """Return exactly `length` bytes of one file."""
        if index in self._failed:
            return bytes(length)
        entry = self._files[index]
        try:
            handle = self._handle(index)
        except OSError as error:
            self._fail(index, 0, error.strerror or str(error))
            return bytes(length)
        try:
            data = _pread(handle, position, length)
        except OSError:
            data = self._read_around(entry, handle, position, length)
        if len(data) < length:
            self._fail(index, position + len(data), "shrank since it was listed")
        return data.ljust(length, b"\0")

    def _read_around(self, entry: FolderEntry, handle: int, position: int, length: int) -> bytes:
        """Return what can be had sector by sector, recording the rest."""
        pieces: list[bytes] = []
        end = position + length
        while position < end:
            take = min(_SECTOR - position % _SECTOR, end - position)
            try:
                data = _pread(handle, position, take)
            except OSError as error:
                data = bytes(take)
                self._log.add(ByteRun(entry.offset + position, take), f"{printable(entry.path)}: {error.strerror}")
            pieces.append(data)
            if len(data) < take:
                break
            position += take
        return b"".join(pieces)

    def _fail(self, index: int, position: int, reason: str) -> None:
        """Record a file as unreadable from a position on; a file that failed whole is not tried again."""
        entry = self._files[index]
        if position == 0:
            self._failed.add(index)
        run = ByteRun(entry.offset + position, entry.size - position)
        self._log.add(run, f"{printable(entry.path)}: {reason}")

    def _handle(self, index: int) -> int:
        """Return an open handle on a file that still is the one listed."""
        handle = self._handles.get(index)
        if handle is not None:
            self._handles.move_to_end(index)
            return handle
        entry = self._files[index]
        handle = _open_below(self._root, os.fsencode(entry.path), _FILE)
        now = os.fstat(handle)
        if _identity(now) != (entry.inode, entry.size, entry.times.modified):
            os.close(handle)
            raise OSError(0, "changed since it was listed")
        self._handles[index] = handle
        if len(self._handles) > OPEN_FILES:
            os.close(self._handles.popitem(last=False)[1])
        return handle


_Found = tuple[bytes, os.stat_result]


def _identity(status: os.stat_result) -> tuple[tuple[int, int], int, int]:
    return (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns


def _list(root: int) -> tuple[list[_Found], tuple[str, ...]]:
    """Return every name below the root, sorted by its bytes, and a line for each directory that could not be listed."""
    found: list[_Found] = []
    troubles: list[str] = []
    entered: set[tuple[int, int]] = set()
    pending = [b""]
    while pending:
        directory = pending.pop()
        try:
            for path, status in _list_directory(root, directory, entered):
                found.append((path, status))
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
        except OSError as error:
            name = printable(os.fsdecode(directory)) or "."
            troubles.append(f"folder {name} could not be listed: {error.strerror}")
    found.sort(key=lambda one: one[0])
    troubles.sort()
    if len(troubles) > MAX_TROUBLES:
        more = len(troubles) - MAX_TROUBLES
        troubles[MAX_TROUBLES:] = [f"{more} more folders could not be listed"]
    return found, tuple(troubles)


def _list_directory(root: int, directory: bytes, entered: set[tuple[int, int]]) -> Iterator[_Found]:
    """Yield the entries of one directory. Raises OSError, also when a mount made it contain itself."""
    handle = _open_below(root, directory or b".", _DIRECTORY)
    try:
        status = os.fstat(handle)
        if (status.st_dev, status.st_ino) in entered:
            raise OSError(0, "it is a folder that was listed already (a bind mount or a cycle)")
        entered.add((status.st_dev, status.st_ino))
        prefix = directory + b"/" if directory else b""
        with os.scandir(handle) as entries:
            for entry in entries:
                try:
                    yield prefix + os.fsencode(entry.name), entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # vanished while the folder was being listed: it is not part of it
    finally:
        os.close(handle)


def _lay_out(found: list[_Found]) -> tuple[FolderEntry, ...]:
    """Give every file its place; names of the same inode share one."""
    entries: list[FolderEntry] = []
    firsts: dict[tuple[int, int], FolderEntry] = {}
    offset = 0
    for name, status in found:
        shared = firsts.get((status.st_dev, status.st_ino)) if status.st_nlink > 1 else None
        entry = _entry(os.fsdecode(name), status, offset, shared)
        if entry.kind is ItemKind.FILE and shared is None:
            offset += entry.size
            if status.st_nlink > 1:
                firsts[entry.inode] = entry
        entries.append(entry)
    return tuple(entries)


def _entry(path: str, status: os.stat_result, offset: int, shared: FolderEntry | None) -> FolderEntry:
    """Return the entry at its own offset, or at that of the first name of the same file."""
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), ItemKind.OTHER)
    return FolderEntry(
        path=path,
        kind=kind,
        size=shared.size if shared else status.st_size if kind is ItemKind.FILE else 0,
        times=Times(modified=status.st_mtime_ns, accessed=status.st_atime_ns, changed=status.st_ctime_ns),
        offset=shared.offset if shared else offset,
        reference=shared.path if shared else path,
        inode=(status.st_dev, status.st_ino),
    )


def _pread(handle: int, position: int, length: int) -> bytes:
    """Return `length` bytes, fewer only at the end of the file. Raises OSError."""
    pieces: list[bytes] = []
    while length:
        data = os.pread(handle, length, position)
        if not data:
            break
        pieces.append(data)
        position += len(data)
        length -= len(data)
    return b"".join(pieces)


def _open_below(root: int, path: bytes, flags: int) -> int:
    """Open a path of any length below an open directory. Raises OSError."""
    base = root
    try:
        while len(path) > _STEP:
            cut = path.rindex(b"/", 0, _STEP)
            step = os.open(path[:cut], os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=base)
            if base != root:
                os.close(base)
            base, path = step, path[cut + 1 :]
        return _open_quietly(path, flags, base)
    finally:
        if base != root:
            os.close(base)


def _open_quietly(path: bytes, flags: int, base: int | None) -> int:
    """Open without touching the access time where that is permitted."""
    try:
        return os.open(path, flags | os.O_NOATIME, dir_fd=base)
    except PermissionError:
        return os.open(path, flags, dir_fd=base)
