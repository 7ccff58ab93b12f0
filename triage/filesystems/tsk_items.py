"""From a directory entry of The Sleuth Kit to items: which they are, and how they are called."""

from triage.filesystems.tsk_names import HFS_RESOURCE, NTFS_DATA, NTFS_INDEX_ROOT, PLAIN_CONTENT, Entry, Stored
from triage.model.address import Address
from triage.model.item import Item, ItemKind

_NOTHING = Stored(type=0, id=0, name=b"", missing=0, size=0, runs=(), encrypted=False, direct=False)


def items_of(entry: Entry, path: str, volume: Address, *, ntfs: bool) -> list[Item]:
    """List the items that one name stands for: itself, and its alternate streams."""
    return _ntfs_items(entry, path, volume) if ntfs else _plain_items(entry, path, volume)


def _ntfs_items(entry: Entry, path: str, volume: Address) -> list[Item]:
    items: list[Item] = []
    if entry.kind is ItemKind.DIRECTORY:
        index = next((s for s in entry.stored if s.type == NTFS_INDEX_ROOT and s.name == b"$I30"), None)
        items.append(_item(entry, (path, entry.kind), None, (volume, _key(entry, index))))
    for stored in entry.stored:
        if stored.type == NTFS_INDEX_ROOT and stored.name == b"$I30":
            continue
        place = volume, _key(entry, stored)
        if stored.type == NTFS_DATA and not stored.name:
            kind = ItemKind.STREAM if entry.kind is ItemKind.DIRECTORY else entry.kind
            items.append(_item(entry, (path, kind), stored, place))
        else:
            stream = f"{path}:{decode(stored.name)}"
            items.append(_item(entry, (stream, ItemKind.STREAM), stored, place))
    return items or [_item(entry, (path, entry.kind), None, (volume, str(entry.inode)))]


def decode(name: bytes) -> str:
    """Return a name as text; bytes that are not UTF-8 are surrogate-escaped."""
    return name.decode("utf-8", "surrogateescape")


def _plain_items(entry: Entry, path: str, volume: Address) -> list[Item]:
    content = None
    if entry.kind is not ItemKind.DIRECTORY:
        for stored in entry.stored:
            if stored.type in PLAIN_CONTENT:
                content = stored
                break
    items = [_item(entry, (path, entry.kind), content, (volume, str(entry.inode)))]
    if len(entry.stored) > (content is not None):
        forks = (stored for stored in entry.stored if stored.type == HFS_RESOURCE and stored.size)
        stream = f"{path}:rsrc", ItemKind.STREAM
        items += [_item(entry, stream, fork, (volume, _key(entry, fork))) for fork in forks]
    return items


def _item(entry: Entry, called: tuple[str, ItemKind], stored: Stored | None, place: tuple[Address, str]) -> Item:
    """Return an item by its path and kind, its content, and the volume and the key in it of what holds that."""
    path, kind = called
    volume, key = place
    # Unpacked at once: one by one, the fields would take as long as all of the rest here.
    _, _, allocated, _, free, _, _, _, times, _, unlocated, fscrypt, _, _ = entry
    _, _, _, _, size, runs, is_encrypted, direct = _NOTHING if stored is None else stored
    if kind is not ItemKind.FILE:
        unlocated = None
    encrypted = "fscrypt" if fscrypt else "EFS" if is_encrypted else None
    return Item(
        address=volume.child("file", key).child("path", "/" + path),
        kind=kind,
        path=path,
        size=size,
        allocated=allocated,
        reference=key,
        times=times,
        runs=runs,
        recovered=free or not allocated,
        encrypted=encrypted,
        unlocated=unlocated,
        direct=direct and unlocated is None and encrypted is None,
    )


def _key(entry: Entry, stored: Stored | None) -> str:
    return str(entry.inode) if stored is None else f"{entry.inode}-{stored.type}-{stored.id}"
