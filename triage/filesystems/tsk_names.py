"""What one directory entry of The Sleuth Kit stands for: its metadata, and which of its attributes are content."""

from typing import Any, NamedTuple

import pytsk3

from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_inodes import HoledInode
from triage.filesystems.tsk_runs import Layout, content_runs
from triage.model.item import ItemKind, Times
from triage.model.runs import Runs

NTFS_DATA = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
NTFS_INDEX_ROOT = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXROOT)
HFS_RESOURCE = int(pytsk3.TSK_FS_ATTR_TYPE_HFS_RSRC)
# The attribute that holds the content of a file where a file has one content only, and the data fork of HFS+.
DEFAULT = int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT)
PLAIN_CONTENT = frozenset({DEFAULT, int(pytsk3.TSK_FS_ATTR_TYPE_HFS_DATA)})
_CONTENT = PLAIN_CONTENT | {NTFS_DATA, NTFS_INDEX_ROOT, HFS_RESOURCE}
_SECOND = 1_000_000_000
_NON_RESIDENT = int(pytsk3.TSK_FS_ATTR_NONRES)
_COMPRESSED = int(pytsk3.TSK_FS_ATTR_COMP)
_ENCRYPTED = int(pytsk3.TSK_FS_ATTR_ENC)
_META_ALLOCATED = int(pytsk3.TSK_FS_META_FLAG_ALLOC)
_UNDEFINED_META = int(pytsk3.TSK_FS_META_TYPE_UNDEF)
_VIRTUAL_DIRECTORY = int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)

LOST_MAP = "the map of its blocks cannot be read"
FAR_MAP = "its blocks lie beyond the first 2**32, where they are not read"
SYSTEM_COMPRESSED = "compressed by the system (WOF): its content is not read"
TOO_MANY_HOLES = "a sparse file whose map of blocks takes the library too long to read"

_META_KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): ItemKind.FILE,
    int(pytsk3.TSK_FS_META_TYPE_VIRT): ItemKind.OTHER,
    int(pytsk3.TSK_FS_META_TYPE_UNDEF): ItemKind.FILE,
    int(pytsk3.TSK_FS_META_TYPE_DIR): ItemKind.DIRECTORY,
    int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR): ItemKind.DIRECTORY,
    int(pytsk3.TSK_FS_META_TYPE_LNK): ItemKind.LINK,
}
_NAME_KINDS = {
    int(pytsk3.TSK_FS_NAME_TYPE_REG): ItemKind.FILE,
    int(pytsk3.TSK_FS_NAME_TYPE_VIRT): ItemKind.OTHER,
    int(pytsk3.TSK_FS_NAME_TYPE_UNDEF): ItemKind.FILE,
    int(pytsk3.TSK_FS_NAME_TYPE_DIR): ItemKind.DIRECTORY,
    int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR): ItemKind.DIRECTORY,
    int(pytsk3.TSK_FS_NAME_TYPE_LNK): ItemKind.LINK,
}


class Stored(NamedTuple):
    """One attribute that holds content: its key, its name in bytes, its content size and where the bytes lie.

    `missing` is by how many bytes the size field exceeds the runs. `direct` is whether the runs are the content.
    """

    type: int
    id: int
    name: bytes
    missing: int
    size: int
    runs: Runs
    encrypted: bool
    direct: bool


class Entry(NamedTuple):
    """One name in one directory, read out of the library at once so that nothing of it outlives the directory.

    `free` is whether its metadata can be read and is in nobody's use, whatever the name says. `missing` is how many
    bytes of content the metadata claims without saying where they are. `unlocated` is why nothing is known of what an
    allocated name stands for, or why its content was not looked for. `parent` is the directory of a name that was
    found without its directory.
    """

    name: bytes
    inode: int
    allocated: bool
    realloc: bool
    free: bool
    kind: ItemKind
    is_directory: bool
    virtual_directory: bool
    times: Times
    missing: int
    unlocated: str | None
    fscrypt: bool
    stored: tuple[Stored, ...]
    parent: int | None = None


def read_entry(handle: Any, name: Name, layout: Layout, fs: Any) -> Entry:
    """Return what the library knows of a name that it lists; raises what the library raises."""
    if handle.info.meta is None:
        # The library drops the metadata of a name whose generation is not that of the name. As it counts generations,
        # that is so for most deleted files: the metadata is taken all the same if it is free still. Of an NTFS name
        # that is live only because its place in the index was never cleared, too.
        return entry_of(name, _free_record(fs, name.inode), layout)
    return entry_of(name, handle, layout)


def open_entry(name: Name, layout: Layout, fs: Any) -> Entry:
    """Return what there is to know of a name that was read without the library."""
    holed = None if layout.inodes is None else layout.inodes.holed(name.inode)
    if holed is not None:
        return holed_entry(name, holed)
    try:
        record = fs.open_meta(inode=name.inode) if name.inode or name.allocated else None
    except OSError:
        record = None
    return entry_of(name, record, layout)


def entry_of(name: Name, record: Any, layout: Layout) -> Entry:
    """Put a name and its metadata together; `record` is an open file of the library, or None."""
    meta = None if record is None else record.info.meta
    if meta is None:
        return unknown(name, layout)
    own_name, inode, allocated, name_type = name
    form, in_use = int(meta.type), bool(int(meta.flags) & _META_ALLOCATED)
    kind = _META_KINDS.get(form, ItemKind.OTHER) if form != _UNDEFINED_META else _kind(name)
    stored = _stored(record, inode, layout)
    missing = _missing(meta, stored) if kind is ItemKind.FILE else 0
    unlocated = why_unlocated(name, form, in_use, missing, stored) if allocated else None
    if stored and kind is ItemKind.FILE and (unread := _unread_map(layout, inode)):
        stored = (stored[0]._replace(size=max(0, meta.size), missing=0, runs=(), direct=False),)
        missing, unlocated = 0, unread
    # By position: the names of the fields would take as long as all of the rest here.
    return Entry(
        own_name,
        inode,
        allocated,
        in_use and not allocated,
        not in_use,
        kind,
        kind is ItemKind.DIRECTORY and (allocated or name_type in MAY_ENTER),
        name_type == _VIRTUAL_DIRECTORY,
        _times(meta),
        missing,
        unlocated,
        layout.inodes is not None and inode in layout.inodes,
        stored,
    )


def unknown(name: Name, layout: Layout) -> Entry:
    """Return what there is to know of a name without metadata."""
    virtual = name.type == _VIRTUAL_DIRECTORY
    return Entry(
        name=name.name,
        inode=name.inode,
        allocated=name.allocated,
        realloc=False,
        free=False,
        kind=_kind(name),
        is_directory=False,
        virtual_directory=virtual,
        times=Times(),
        missing=0,
        unlocated="its metadata cannot be read" if name.allocated and not virtual else None,
        fscrypt=layout.inodes is not None and name.inode in layout.inodes,
        stored=(),
    )


def holed_entry(name: Name, holed: HoledInode) -> Entry:
    """Put a name and an inode together about which the library is not asked."""
    content = Stored(type=DEFAULT, id=0, name=b"", size=holed.size, missing=0, runs=(), encrypted=False, direct=False)
    return Entry(
        name=name.name,
        inode=name.inode,
        allocated=name.allocated,
        realloc=not holed.free and not name.allocated,
        free=holed.free,
        kind=ItemKind.FILE,
        is_directory=False,
        virtual_directory=False,
        times=holed.times,
        missing=0,
        unlocated=TOO_MANY_HOLES,
        fscrypt=False,
        stored=(content,),
    )


def _unread_map(layout: Layout, inode: int) -> str | None:
    """Return why the library's runs of an ext file are not those of its content."""
    if layout.inodes is None:
        return None
    if layout.inodes.is_map_lost(inode):
        return LOST_MAP
    return FAR_MAP if layout.inodes.is_map_far(inode) else None


def told_apart(entry: Entry) -> Entry:
    """Return an NTFS entry as it is, or as one whose content is not read: the system keeps it compressed in a stream.

    The content proper is then a hole, which the file system reads as zeros. Facts: the WOF provider of Windows keeps
    the chunks in the stream `WofCompressedData`.
    """
    if any(part.name == b"WofCompressedData" for part in entry.stored):
        for part in entry.stored:
            if part.type == NTFS_DATA and not part.name and part.size and not part.runs:
                return entry._replace(unlocated=SYSTEM_COMPRESSED)
    return entry


def _missing(meta: Any, stored: tuple[Stored, ...]) -> int:
    missing = 0
    for part in stored:
        missing += part.missing
    return missing if stored else max(0, meta.size)


def why_unlocated(name: Name, form: int, in_use: bool, missing: int, stored: tuple[Stored, ...]) -> str | None:
    """Return why nothing is known of what an allocated name stands for; readable metadata without content is known."""
    for part in stored:
        if part.size:
            return None
    if name.type == _VIRTUAL_DIRECTORY:
        return None
    if form == _UNDEFINED_META:
        return "its metadata is blank"
    if not in_use:
        return "its metadata is marked as free and holds no content"
    return f"its metadata claims {missing} bytes and not where they lie" if missing else None


def _free_record(fs: Any, inode: int) -> Any:
    """Open the metadata of an inode if it is in nobody's use now, else return None."""
    if not inode:
        return None
    try:
        record = fs.open_meta(inode=inode)
    except OSError:
        return None
    return None if int(record.info.meta.flags) & _META_ALLOCATED else record


# What a deleted name may say it is so that its metadata, if a directory, is believed to be still that of the name.
MAY_ENTER = frozenset(
    {
        int(pytsk3.TSK_FS_NAME_TYPE_DIR),
        int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR),
        int(pytsk3.TSK_FS_NAME_TYPE_UNDEF),
    }
)


def _kind(name: Name) -> ItemKind:
    return _NAME_KINDS.get(name.type, ItemKind.OTHER)


def _stored(handle: Any, inode: int, layout: Layout) -> tuple[Stored, ...]:
    found: list[Stored] = []
    for attribute in handle:
        info = attribute.info
        kind = int(info.type)
        if kind in _CONTENT:
            found.append(_one_stored(attribute, info, kind, inode, layout))
    if len(found) > 1 and len({(part.type, part.id) for part in found}) < len(found):
        # Only the first of those that share a key can be read.
        return tuple(part._replace(direct=False) for part in found)
    return tuple(found)


def _one_stored(attribute: Any, info: Any, kind: int, inode: int, layout: Layout) -> Stored:
    flags, claimed, name = int(info.flags), max(0, info.size), info.name or b""
    size, missing = claimed, 0
    runs: Runs = ()
    direct = False
    if flags & _NON_RESIDENT:
        compressed = flags & _COMPRESSED
        runs, span, whole = content_runs(attribute, layout, None if compressed else claimed)
        if not compressed and span < claimed:
            # The content is as long as its runs, whatever the size field says. In a named stream without any run,
            # not even a sparse one, nothing is missing: so it is for the list of bad clusters of a sound NTFS.
            missing = claimed - span if span or not name else 0
            size = span
        direct = whole and size > 0 and not flags & _ENCRYPTED
        if direct and layout.records is not None:
            direct = kind == NTFS_DATA and layout.records.is_written(inode, name, claimed)
    return Stored(kind, info.id, name, missing, size, runs, bool(flags & _ENCRYPTED), direct)


def _times(meta: Any) -> Times:
    return Times(
        modified=meta.mtime * _SECOND + meta.mtime_nano or None,
        created=meta.crtime * _SECOND + meta.crtime_nano or None,
        accessed=meta.atime * _SECOND + meta.atime_nano or None,
        changed=meta.ctime * _SECOND + meta.ctime_nano or None,
    )
