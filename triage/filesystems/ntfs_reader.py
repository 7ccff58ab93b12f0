"""NTFS directories and what their names stand for, from the volume's own bytes where these are plain and sound.

The Sleuth Kit is asked about each record and each directory that is not, and about all of them where its own reading
of the table would fail; what is returned is the same either way, in the same order.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytsk3

from triage.filesystems.ntfs_index import Found, index_names, utf8
from triage.filesystems.ntfs_record import FileRecord, Geometry, OddError, file_record
from triage.filesystems.ntfs_rows import SIZE, STRANGE, plain_entry
from triage.filesystems.ntfs_table import Table, checksum, read_table, with_names
from triage.filesystems.pieces import Pieces
from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_names import Entry, entry_of, unknown, why_unlocated
from triage.filesystems.tsk_records import Records
from triage.filesystems.tsk_runs import Layout
from triage.model.item import ItemKind
from triage.model.runs import ByteRun

_ALLOCATED = int(pytsk3.TSK_FS_META_FLAG_ALLOC)
_DIRECTORY_META = int(pytsk3.TSK_FS_META_TYPE_DIR)
_REGULAR_META = int(pytsk3.TSK_FS_META_TYPE_REG)
_DIRECTORY_NAME = int(pytsk3.TSK_FS_NAME_TYPE_DIR)
_VIRTUAL = int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)
_LIVE = int(pytsk3.TSK_FS_NAME_FLAG_ALLOC)
_UNDEFINED_NAME = int(pytsk3.TSK_FS_NAME_TYPE_UNDEF)
_MAY_ENTER = frozenset({_DIRECTORY_NAME, _UNDEFINED_NAME})
_DOTS = frozenset({b".", b".."})
_REFERENCE = (1 << 48) - 1
_FILE_NAME = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_FNAME)
_LETTERS = 66
_DOS_ONLY = 2
# A slip over hostile bytes must not cost a directory that the library can list.
_ODD = OddError, ValueError, IndexError, struct.error
# The library cuts longer names of what is in a directory without being in its index, and goes no deeper.
_MOST_NAME, _MOST_DEPTH, _MOST_PATH = 250, 120, 3000


class Known(NamedTuple):
    """A name, and what it stands for; or its record as read here, or as the library has it."""

    found: Found
    entry: Entry | None
    record: FileRecord | None
    opened: Any


class NtfsReader:
    """Lists the directories of one NTFS volume; it reads the table of all files once, when the first one is listed."""

    def __init__(self, fs: Any, layout: Layout, records: Records, pieces: Pieces) -> None:
        """Take the library's file system, and the table and the volume that it reads."""
        info = fs.info
        self._fs = fs
        self._layout = layout
        self._records = records
        self._pieces = pieces
        self._last = int(info.last_inum)
        self._geometry = Geometry(layout.block_size, int(info.block_count), layout.start, layout.size, layout.readable)
        self._table = self._read()
        self._rows = b"" if self._table is None else self._table.rows
        self._kept = min(self._last, len(self._rows) // SIZE)
        # What the library's walk for orphans would meet: directories with their depth and the length of their path,
        # and the free records that have a name.
        self._entered = {int(info.root_inum): (0, 0)}
        self._reached: set[int] = set()
        self._certain = True

    def record(self, inode: int) -> FileRecord | None:
        """Return a record that is plain and sound."""
        return file_record(self._records.record(inode), self._geometry) if 0 < inode < self._last else None

    def names(self, inode: int, most: int) -> list[Known] | None:
        """List a directory as the library does; None where it has to be asked, or the index has over `most` bytes."""
        record = None if self._table is None else self.record(inode)
        if record is not None and self._table is not None and sum(part.size for part in record.indices) <= most:
            with suppress(*_ODD):
                return self._noted(inode, self._listed(inode, record, self._table))
        with suppress(*_ODD):
            # Where not even its record can be opened, the library's search has to tell what it makes of that.
            self._certain &= self._opened(inode) is not None
        return None

    def note(self, inode: int) -> None:
        """Note what is in a directory that the library has to list.

        Not where the table is not known: the library may fail at it when it lists its first directory, but not again.
        """
        if self._table is None:
            return
        place = self._entered.get(inode)
        try:
            for handle in self._fs.open_dir(inode=inode):
                info = handle.info.name
                name = Name(info.name or b"", info.meta_addr, bool(int(info.flags) & _LIVE), int(info.type))
                if name.type != _VIRTUAL and (name.inode or name.allocated):
                    known = self._known(Found(name, int(info.meta_seq), b""))
                    if place is not None and (known.entry is None or known.entry.free):
                        self._note(known, place)
        except Exception:  # noqa: BLE001 - hostile-input library: then its own search has to tell
            self._certain = False

    def entry(self, known: Known) -> Entry:
        """Return what a name stands for, as `tsk_names.read_entry` does."""
        (name, sequence, _), entry, record, opened = known
        if entry is not None:
            return unknown(name, self._layout) if entry is STRANGE else entry
        if record is not None:
            if record.in_use and record.sequence != sequence:
                return unknown(name, self._layout)
            return record_entry(name, record)
        if opened is None or not (name.inode or name.allocated):
            return unknown(name, self._layout)
        meta = opened.info.meta
        in_use = int(meta.flags) & _ALLOCATED
        is_meant = meta.seq == sequence if in_use else name.inode or meta.seq == sequence
        return entry_of(name, opened if is_meant else None, self._layout)

    def orphans(self) -> list[Known] | None:
        """List the free records without a name in a directory; None where the library has to look for them.

        So it is where one of them is odd or a directory, or the library would not list what is listed here.
        """
        try:
            return None if self._table is None or not self._certain else self._unnamed(self._table)
        except _ODD:
            return None

    def _unnamed(self, table: Table) -> list[Known]:
        found: list[Known] = []
        for inode in table.free[table.bases].tolist():
            if inode in self._reached:
                continue
            record = self.record(inode)
            if record is None or record.is_directory or record.in_use:
                raise OddError
            if record.is_used:
                name = utf8(record.names[0][1]) if record.names else b"OrphanFile-%d" % inode
                if len(name) > _MOST_NAME:
                    raise OddError
                orphan = Name(name, inode, allocated=False, type=_UNDEFINED_NAME)
                found.append(Known(Found(orphan, record.sequence - 1, b""), None, record, None))
        return found

    def free_records(self) -> Iterator[int] | None:
        """Return the records that may have been in use and are free, in their order; None where that is not known."""
        return None if self._table is None else iter(self._table.free.tolist())

    def _read(self) -> Table | None:
        table = read_table(self._pieces, self._records.runs, self._records.size, self._geometry)
        if table is None:
            return None
        names: list[tuple[int, int, int]] = []
        try:
            for inode in table.odd.tolist():
                opened = self._fs.open_meta(inode=inode)
                names += [(parent, inode, checksum(letters)) for parent, letters in _library_names(opened)]
            for inode in table.listed.tolist():
                self._fs.open_meta(inode=inode)
        except Exception:  # noqa: BLE001 - hostile-input library: whether it goes on at such a one is not told
            return None
        return with_names(table, names)

    def _listed(self, inode: int, record: FileRecord, table: Table) -> dict[tuple[int, bytes], Known]:
        """Return the names in the index, each once, and then those that only the records know of."""
        rows: dict[tuple[int, bytes], Known] = {}
        live: set[tuple[int, int]] = set()
        for found in index_names(inode, record, self._last, self._geometry, self._pieces):
            name = found.name
            key = name.inode, name.name
            kept = rows.get(key)
            if kept is None or (name.allocated and not kept.found.name.allocated):
                rows[key] = self._known(found)
                if name.allocated:
                    live.add((name.inode, checksum(found.letters)))
        if self._pieces.met_unreadable and self._is_hurt(record):
            raise OddError
        parent = (record.sequence if record.in_use else max(0, record.sequence - 1)) << 48 | inode
        for child in dict.fromkeys(child for child in table.named(parent) if child not in live):
            self._add(child[0], parent, rows)
        return rows

    def _add(self, child: int, parent: int, rows: dict[tuple[int, bytes], Known]) -> None:
        """Add the names of a record that says of itself that it is in a directory, unless its index says so."""
        record = self.record(child)
        opened = None if record is not None else self._opened(child)
        if record is not None:
            raw = record.names
            in_use, sequence = record.in_use, record.sequence
        elif opened is not None:
            raw = _library_names(opened)
            in_use, sequence = bool(int(opened.info.meta.flags) & _ALLOCATED), int(opened.info.meta.seq)
        else:
            return
        names = [(reference, utf8(letters)) for reference, letters in raw]
        for reference, own in names:
            if reference != parent or self._is_live(rows.get((child, own))):
                continue
            for other, name in names:
                if other & _REFERENCE == parent & _REFERENCE:
                    if len(name) > _MOST_NAME:
                        raise OddError
                    found = Found(Name(name, child, in_use, _UNDEFINED_NAME), sequence - (not in_use), b"")
                    kept = rows.get((child, name))
                    if kept is None or (in_use and not kept.found.name.allocated):
                        rows[child, name] = Known(found, None, record, opened)

    def _is_live(self, known: Known | None) -> bool:
        return known is not None and known.found.name.allocated

    def _known(self, found: Found) -> Known:
        inode = found.name.inode
        if 0 < inode < self._kept:
            entry = plain_entry(self._rows, found.name, found.sequence)
            if entry is not None:
                return Known(found, entry, None, None)
        record = self.record(inode)
        if record is not None:
            return Known(found, None, record, None)
        opened = self._opened(inode)
        if opened is None:
            raise OddError  # where a name leads to a damaged record, the library keeps a part of what it has read
        return Known(found, None, None, opened)

    def _opened(self, inode: int) -> Any:
        if inode >= self._last:
            raise OddError
        try:
            return self._fs.open_meta(inode=inode)
        except OSError:
            return None

    def _is_hurt(self, record: FileRecord) -> bool:
        return self._pieces.are_hurt(
            ByteRun(self._geometry.start + start, length)
            for index in record.indices
            for length, start in index.pairs
            if start >= 0
        )

    def _noted(self, inode: int, rows: dict[tuple[int, bytes], Known]) -> list[Known]:
        """Note what the library's own walk would meet in a directory, if it would list that."""
        place = self._entered.get(inode)
        known = list(rows.values())
        if place is not None:
            for one in known:
                if one.entry is None or one.entry.free:
                    self._note(one, place)
        return known

    def _note(self, known: Known, place: tuple[int, int]) -> None:
        name, sequence, _ = known.found
        record = known.record if known.entry is None else self.record(name.inode)
        if record is not None:
            own, in_use, is_directory = record.sequence, record.in_use, record.is_directory
        elif known.opened is not None:
            meta = known.opened.info.meta
            own, in_use = int(meta.seq), bool(int(meta.flags) & _ALLOCATED)
            is_directory = int(meta.type) == _DIRECTORY_META
        else:
            return
        if sequence != (own if in_use or not own else own - 1) or name.name in _DOTS:
            return
        if not in_use:
            self._reached.add(name.inode)
        if is_directory and name.type in _MAY_ENTER and (name.allocated or not in_use):
            depth, length = place[0] + 1, place[1] + len(name.name) + 1
            if self._entered.setdefault(name.inode, (depth, length)) != (depth, length):
                self._certain = False
            self._certain &= depth < _MOST_DEPTH and length < _MOST_PATH


def record_entry(name: Name, record: FileRecord) -> Entry:
    """Put a name and its record together, as `tsk_names.entry_of` does with what the library says."""
    own_name, inode, allocated, kind = name
    in_use, is_directory, stored = record.in_use, record.is_directory, record.stored
    missing = 0
    if not is_directory:
        for part in stored:
            missing += part.missing
    return Entry(
        own_name,
        inode,
        allocated,
        in_use and not allocated,
        not in_use,
        ItemKind.DIRECTORY if is_directory else ItemKind.FILE,
        is_directory and (allocated or kind in _MAY_ENTER),
        False,
        record.times,
        missing,
        why_unlocated(name, _REGULAR_META, in_use, missing, stored) if allocated else None,
        False,
        stored,
    )


def _library_names(opened: Any) -> list[tuple[int, bytes]]:
    """Return directory and name of each long name of a record that the library has opened. Raises OddError."""
    names: list[tuple[int, bytes]] = []
    numbers: set[int] = set()
    for attribute in opened:
        info = attribute.info
        if int(info.type) != _FILE_NAME:
            continue
        key = bytes(opened.read_random(0, info.size, _FILE_NAME, info.id)) if info.size > _LETTERS else b""
        if len(key) <= _LETTERS or info.id in numbers:
            raise OddError
        numbers.add(info.id)
        letters = key[_LETTERS : _LETTERS + 2 * key[_LETTERS - 2]]
        if key[_LETTERS - 1] != _DOS_ONLY:
            if len(letters) < 2 * key[_LETTERS - 2]:
                raise OddError
            names.append((int.from_bytes(key[:8], "little"), letters))
    return names
