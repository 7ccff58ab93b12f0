"""From a directory entry of The Sleuth Kit to items: which attributes are content, and how they are called."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytsk3

from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_inodes import HoledInode
from triage.filesystems.tsk_runs import Layout, content_runs
from triage.model.address import Address
from triage.model.item import Item, ItemKind, Times
from triage.model.runs import Runs

NTFS_DATA = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
NTFS_INDEX_ROOT = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXROOT)
HFS_RESOURCE = int(pytsk3.TSK_FS_ATTR_TYPE_HFS_RSRC)
# The attribute that holds the content of a file where a file has one content only, and the data fork of HFS+.
_DEFAULT = int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT)
PLAIN_CONTENT = frozenset({_DEFAULT, int(pytsk3.TSK_FS_ATTR_TYPE_HFS_DATA)})
_NON_RESIDENT = int(pytsk3.TSK_FS_ATTR_NONRES)
_COMPRESSED = int(pytsk3.TSK_FS_ATTR_COMP)
_ENCRYPTED = int(pytsk3.TSK_FS_ATTR_ENC)
_META_ALLOCATED = int(pytsk3.TSK_FS_META_FLAG_ALLOC)
_NAME_ALLOCATED = int(pytsk3.TSK_FS_NAME_FLAG_ALLOC)
_UNDEFINED_META = int(pytsk3.TSK_FS_META_TYPE_UNDEF)
_VIRTUAL_DIRECTORY = int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One attribute that holds content: its key, its name in bytes, its content size and where the bytes lie.

    `missing` is by how many bytes the size field exceeds the runs.
    """

    type: int
    id: int
    name: bytes
    size: int
    missing: int
    runs: Runs
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
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
    parent: int | None = None
    stored: tuple[Stored, ...]


def read_entry(handle: Any, layout: Layout, fs: Any) -> Entry:
    """Return what the library knows of one name that it lists; raises what the library raises."""
    listed = handle.info.name
    name = Name(listed.name or b"", listed.meta_addr, bool(int(listed.flags) & _NAME_ALLOCATED), int(listed.type))
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
    kind = _kind(name, meta)
    stored = () if meta is None else tuple(_stored(record, layout))
    in_use = meta is not None and bool(int(meta.flags) & _META_ALLOCATED)
    return Entry(
        name=name.name,
        inode=name.inode,
        allocated=name.allocated,
        realloc=in_use and not name.allocated,
        free=meta is not None and not in_use,
        kind=kind,
        is_directory=meta is not None and kind is ItemKind.DIRECTORY and (name.allocated or name.type in _MAY_ENTER),
        virtual_directory=name.type == _VIRTUAL_DIRECTORY,
        times=Times() if meta is None else _times(meta),
        missing=_missing(kind, meta, stored),
        unlocated=_unlocated(name, kind, meta, stored) if name.allocated else None,
        fscrypt=layout.inodes is not None and name.inode in layout.inodes,
        stored=stored,
    )


def holed_entry(name: Name, holed: HoledInode) -> Entry:
    """Put a name and an inode together about which the library is not asked."""
    content = Stored(type=_DEFAULT, id=0, name=b"", size=holed.size, missing=0, runs=(), encrypted=False)
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


def _missing(kind: ItemKind, meta: Any, stored: tuple[Stored, ...]) -> int:
    if meta is None or kind is not ItemKind.FILE:
        return 0
    return sum(part.missing for part in stored) if stored else max(0, meta.size)


def _unlocated(name: Name, kind: ItemKind, meta: Any, stored: tuple[Stored, ...]) -> str | None:
    """Return why nothing is known of what an allocated name stands for; readable metadata without content is known."""
    if name.type == _VIRTUAL_DIRECTORY or any(part.size for part in stored):
        return None
    if meta is None:
        return "its metadata cannot be read"
    if int(meta.type) == _UNDEFINED_META:
        return "its metadata is blank"
    if not int(meta.flags) & _META_ALLOCATED:
        return "its metadata is marked as free and holds no content"
    missing = _missing(kind, meta, stored)
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
_MAY_ENTER = frozenset(
    {
        int(pytsk3.TSK_FS_NAME_TYPE_DIR),
        int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR),
        int(pytsk3.TSK_FS_NAME_TYPE_UNDEF),
    }
)


def items_of(entry: Entry, path: str, volume: Address, *, ntfs: bool) -> Iterator[Item]:
    """List the items that one name stands for: itself, and its alternate streams."""
    if not ntfs:
        yield from _plain_items(entry, path, volume)
        return
    listed = False
    if entry.kind is ItemKind.DIRECTORY:
        listed = True
        index = next((s for s in entry.stored if s.type == NTFS_INDEX_ROOT and s.name == b"$I30"), None)
        yield _item(entry, path, volume, kind=entry.kind, stored=None, reference=_key(entry, index))
    for stored in entry.stored:
        if stored.type == NTFS_INDEX_ROOT and stored.name == b"$I30":
            continue
        listed = True
        if stored.type == NTFS_DATA and not stored.name:
            kind = ItemKind.STREAM if entry.kind is ItemKind.DIRECTORY else entry.kind
            yield _item(entry, path, volume, kind=kind, stored=stored, reference=_key(entry, stored))
        else:
            stream = f"{path}:{decode(stored.name)}"
            yield _item(entry, stream, volume, kind=ItemKind.STREAM, stored=stored, reference=_key(entry, stored))
    if not listed:
        yield _item(entry, path, volume, kind=entry.kind, stored=None, reference=str(entry.inode))


def decode(name: bytes) -> str:
    """Return a name as text; bytes that are not UTF-8 are surrogate-escaped."""
    return name.decode("utf-8", "surrogateescape")


def _plain_items(entry: Entry, path: str, volume: Address) -> Iterator[Item]:
    content = next((s for s in entry.stored if s.type in PLAIN_CONTENT), None)
    if entry.kind is ItemKind.DIRECTORY:
        content = None
    yield _item(entry, path, volume, kind=entry.kind, stored=content, reference=str(entry.inode))
    for stored in entry.stored:
        if stored.type == HFS_RESOURCE and stored.size:
            yield _item(
                entry, f"{path}:rsrc", volume, kind=ItemKind.STREAM, stored=stored, reference=_key(entry, stored)
            )


def _item(entry: Entry, path: str, volume: Address, *, kind: ItemKind, stored: Stored | None, reference: str) -> Item:
    return Item(
        address=volume.child("file", reference).child("path", "/" + path),
        kind=kind,
        path=path,
        size=0 if stored is None else stored.size,
        allocated=entry.allocated,
        reference=reference,
        times=entry.times,
        runs=() if stored is None else stored.runs,
        recovered=entry.free or not entry.allocated,
        encrypted=_method(entry, stored),
        unlocated=entry.unlocated if kind is ItemKind.FILE else None,
    )


def _method(entry: Entry, stored: Stored | None) -> str | None:
    if entry.fscrypt:
        return "fscrypt"
    return "EFS" if stored is not None and stored.encrypted else None


def _key(entry: Entry, stored: Stored | None) -> str:
    return str(entry.inode) if stored is None else f"{entry.inode}-{stored.type}-{stored.id}"


def _kind(name: Name, meta: Any) -> ItemKind:
    if meta is not None and int(meta.type) != _UNDEFINED_META:
        return _META_KINDS.get(int(meta.type), ItemKind.OTHER)
    return _NAME_KINDS.get(name.type, ItemKind.OTHER)


def _stored(handle: Any, layout: Layout) -> Iterator[Stored]:
    for attribute in handle:
        info = attribute.info
        kind = int(info.type)
        if kind not in PLAIN_CONTENT and kind not in (NTFS_DATA, NTFS_INDEX_ROOT, HFS_RESOURCE):
            continue
        flags = int(info.flags)
        size = max(0, info.size)
        runs: Runs = ()
        missing = 0
        if flags & _NON_RESIDENT:
            found = content_runs(attribute, layout, None if flags & _COMPRESSED else size)
            runs = found.runs
            if not flags & _COMPRESSED and found.span < size:
                # The content is as long as its runs, whatever the size field says. In a named stream without any run,
                # not even a sparse one, nothing is missing: so it is for the list of bad clusters of a sound NTFS.
                missing = size - found.span if found.span or not info.name else 0
                size = found.span
        yield Stored(
            type=kind,
            id=info.id,
            name=info.name or b"",
            size=size,
            missing=missing,
            runs=runs,
            encrypted=bool(flags & _ENCRYPTED),
        )


def _times(meta: Any) -> Times:
    return Times(
        modified=_nanoseconds(meta.mtime, meta.mtime_nano),
        created=_nanoseconds(meta.crtime, meta.crtime_nano),
        accessed=_nanoseconds(meta.atime, meta.atime_nano),
        changed=_nanoseconds(meta.ctime, meta.ctime_nano),
    )


def _nanoseconds(seconds: int, nano: int) -> int | None:
    return seconds * 1_000_000_000 + nano if seconds or nano else None
