"""What is in one directory, whichever way its size calls for."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytsk3

from triage.filesystems.ext_reader import ExtReader
from triage.filesystems.ntfs_reader import Known, NtfsReader
from triage.filesystems.pieces import Pieces
from triage.filesystems.tsk_directories import Name, OwnName, ext_names, ext_parts, file_name, ntfs_names
from triage.filesystems.tsk_names import Entry, Stored, entry_of, holed_entry, open_entry, read_entry
from triage.filesystems.tsk_runs import Layout, content_runs

# The library's time for a directory grows with the square of its names; in one of this many bytes are about ten
# thousand. Ext directories are always read here: in each, the library would load all blocks of the one above it.
LARGE = 1 << 19
# As many inodes are looked at one by one where the library cannot look for orphans.
SCAN_LIMIT = 1 << 22

_INDEX_ALLOCATION = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXALLOC)
_FREE = int(pytsk3.TSK_FS_META_FLAG_UNALLOC)
_USED = int(pytsk3.TSK_FS_META_FLAG_USED)
_UNDEFINED = int(pytsk3.TSK_FS_NAME_TYPE_UNDEF)
_ALLOCATED = int(pytsk3.TSK_FS_NAME_FLAG_ALLOC)
_PLACE = re.compile(r"^\w+: \(\w+\.\w+:\d+\) ")
_DOTS = frozenset({b".", b".."})


class Listing:
    """Lists directories of one file system; whatever goes wrong in one is an answer, a line of text."""

    def __init__(self, fs: Any, layout: Layout, kind: str, pieces: Pieces) -> None:
        """Take the library's file system and its kind, and the volume that it reads."""
        self._fs = fs
        self._pieces = pieces
        self._layout = layout
        self._ext = kind.startswith("ext")
        self._last = int(fs.info.last_inum)
        self._ntfs = kind == "ntfs"
        self.met_large = False
        self._ext_reader: ExtReader | None = None
        if layout.inodes is not None and layout.plain and not layout.interleaved:
            self._ext_reader = ExtReader(layout.inodes, layout, pieces)
        self._reader: NtfsReader | None = None
        if layout.records is not None and layout.records.runs and layout.plain and not layout.shown:
            self._reader = NtfsReader(fs, layout, layout.records, pieces)

    def entries(self, inode: int, *, only_deleted: bool = False) -> Iterator[Entry | str]:
        """List one directory but for `.` and `..`; live names may be left out, which then cost nothing."""
        content = None if self._ext_reader is None else self._ext_reader.directory(inode)
        if self._ext_reader is not None and content is not None:
            yield from self._plain(self._ext_reader, content, only_deleted=only_deleted)
        else:
            try:
                names = self._names(inode)
            except Exception as error:  # noqa: BLE001 - hostile-input library: OSError mostly, but others occur
                yield f"the directory cannot be listed: {one_line(error)}"
                return
            yield from self._each(names, only_deleted=only_deleted)
        if self._pieces.met_unreadable and self._is_hurt(inode):
            # Zeros in place of what cannot be read look like the end of a directory, or like nothing at all.
            yield "part of the directory cannot be read: names in it may be missing"

    def _is_hurt(self, inode: int) -> bool:
        """Tell whether a byte of a directory, or of the map of its blocks, cannot be read."""
        if self._layout.inodes is not None and self._layout.inodes.is_map_lost(inode):
            return True
        try:
            runs = [
                run for part in self._fs.open_meta(inode=inode) for run in content_runs(part, self._layout, None).runs
            ]
        except Exception:  # noqa: BLE001 - hostile-input library: what it cannot place may lie where nothing can be read
            return True
        return self._pieces.are_hurt(runs)

    def has_no_orphans(self, budget: int) -> bool:
        """Tell whether it is certain, having read at most `budget` bytes, that there are none."""
        return self._ext_reader is not None and self._ext_reader.has_no_orphans(budget)

    def orphans(self) -> Iterator[Entry | str] | None:
        """List the orphans without the library's search; None where that is needed."""
        known = None if self._reader is None else self._reader.orphans()
        return None if known is None else self._each(iter(known))

    def prepare(self, inode: int) -> None:
        """Let the library read all there is in an NTFS as it does when it lists its first directory."""
        if self._reader is not None:
            with suppress(Exception):
                self._fs.open_dir(inode=inode)

    def lost(self, inode: int) -> Iterator[Entry | str]:
        """List the library's virtual directory of orphans, which it fills by a search. Raises what the library does."""
        return self._each(iter(self._fs.open_dir(inode=inode)))

    def scan(self, known: set[int]) -> Iterator[Entry]:
        """Look for orphans inode by inode: free ones that were in use and have no name in `known`."""
        info = self._fs.info
        last = min(int(info.last_inum), SCAN_LIMIT)
        free = None if self._reader is None else self._reader.free_records()
        for inode in range(int(info.first_inum), last) if free is None else free:
            if inode in known or inode >= last or not self._may_be_orphan(inode):
                continue
            try:
                entry = self._orphan(inode)
            except Exception:  # noqa: BLE001, S112 - a free record may hold anything: one that cannot be read is no orphan
                continue
            if entry is not None:
                yield entry

    def _may_be_orphan(self, inode: int) -> bool:
        return self._ext_reader is None or self._ext_reader.may_be_orphan(inode)

    def _orphan(self, inode: int) -> Entry | None:
        """Return an inode that is free and was in use, under the name that it has itself. Raises as the library."""
        name = Name(b"OrphanFile-%d" % inode, inode, allocated=False, type=_UNDEFINED)
        holed = None if self._layout.inodes is None else self._layout.inodes.holed(inode)
        if holed is not None:
            return holed_entry(name, holed) if holed.free else None
        record = self._fs.open_meta(inode=inode)
        flags = int(record.info.meta.flags)
        if not flags & _FREE or not flags & _USED:
            return None
        own = file_name(record) if self._ntfs else None
        if own is None:
            return entry_of(name, record, self._layout)
        entry = entry_of(name._replace(name=own.name), record, self._layout)
        return entry._replace(parent=own.parent) if self._is_parent(own) else entry

    def _is_parent(self, own: OwnName) -> bool:
        """Tell whether the record of a directory is the one meant; freeing a record counts its sequence up."""
        try:
            meta = self._fs.open_meta(inode=own.parent).info.meta
        except OSError:
            return False
        return bool(meta.seq - bool(int(meta.flags) & _FREE) == own.sequence)

    @property
    def scanned_all(self) -> bool:
        """Tell whether a scan sees every inode."""
        return int(self._fs.info.last_inum) <= SCAN_LIMIT

    def _each(self, names: Iterator[Any], *, only_deleted: bool = False) -> Iterator[Entry | str]:
        while True:
            try:
                found = next(names)
                entry = self._entry(found, only_deleted=only_deleted)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - hostile-input library; one name must not cost the others
                yield f"a name cannot be read: {one_line(error)}"
                continue
            if entry is not None:
                yield entry

    def _plain(self, reader: ExtReader, content: Stored, *, only_deleted: bool) -> Iterator[Entry | str]:
        """List an ext directory from its runs, where nothing raises; the library is asked about odd names only."""
        self.met_large |= content.size > LARGE
        for name in ext_names(reader.parts(content), self._layout.block_size, self._last):
            if (only_deleted and name.allocated) or name.name in _DOTS:
                continue
            entry = reader.entry(name)
            if entry is None:
                yield from self._each(iter((name,)))
            else:
                yield entry

    def _entry(self, found: Any, *, only_deleted: bool) -> Entry | None:
        """Return an entry; None for `.` and `..`: the runs of a large directory must not be read once per child."""
        if isinstance(found, Known | Name):
            name = found.found.name if isinstance(found, Known) else found
            return None if name.name in _DOTS or (only_deleted and name.allocated) else self._own_entry(found)
        listed = found.info.name
        own_name = listed.name or b""
        if own_name in _DOTS:
            return None
        allocated = bool(int(listed.flags) & _ALLOCATED)
        if only_deleted and allocated:
            return None
        return read_entry(found, Name(own_name, listed.meta_addr, allocated, int(listed.type)), self._layout, self._fs)

    def _own_entry(self, found: Known | Name) -> Entry:
        """Return an entry for a name that was read without the library."""
        if isinstance(found, Name):
            plain = None if self._ext_reader is None else self._ext_reader.entry(found)
            return open_entry(found, self._layout, self._fs) if plain is None else plain
        assert self._reader is not None
        return self._reader.entry(found)

    def _names(self, inode: int) -> Iterator[Any]:
        """Return what lists a directory: names read here, or the library's own handles."""
        if self._ext:
            record = self._fs.open_meta(inode=inode)
            self.met_large |= record.info.meta.size > LARGE
            return ext_names(ext_parts(record, self._layout.block_size), self._layout.block_size, self._last)
        known = None if self._reader is None else self._reader.names(inode, LARGE)
        if known is not None:
            return iter(known)
        if self._ntfs:
            record = self._fs.open_meta(inode=inode)
            if sum(a.info.size for a in record if int(a.info.type) == _INDEX_ALLOCATION) > LARGE:
                self.met_large = True
                return ntfs_names(record)
        if self._reader is not None:
            self._reader.note(inode)
        return iter(self._fs.open_dir(inode=inode))


def one_line(error: Exception) -> str:
    """Return what the library said, on one line and without the place in its source."""
    return " ".join(_PLACE.sub("", str(error)).split()) or type(error).__name__
