"""Btrfs on one device: every subvolume and snapshot, as a directory where it hangs.

Paths begin at the top-level subvolume, whichever is mounted by default. A subvolume that hangs nowhere (deleted, not
yet cleaned up) is listed last, as not allocated, below `subvolume N`. Several devices are refused. What was written
after the last commit (the log tree) is not replayed, and deleted files are not recovered: their inodes leave the tree.
"""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.filesystems.btrfs_extents import FileReader, parse_extents, runs_of
from triage.filesystems.btrfs_trees import Key, Root, Trees, read_superblock
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind, Times, printable
from triage.model.runs import Runs
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.volume import Volume

MAX_DEPTH = 4096

_TOP = 5
_LAST_SUBVOLUME = 2**64 - 257
_FIRST_SUBVOLUME = 256
_INODE_ITEM, _XATTR_ITEM, _DIR_INDEX, _EXTENT_DATA = 1, 24, 96, 108
_ROOT_ITEM, _ROOT_BACKREF = 132, 144
_END = 2**64
_KINDS = {stat.S_IFREG: ItemKind.FILE, stat.S_IFDIR: ItemKind.DIRECTORY, stat.S_IFLNK: ItemKind.LINK}
_NAMED = struct.Struct("<QBQQHHB")  # location, transaction, length of the data, length of the name, type
_TIME = struct.Struct("<qI")
_INODE_SIZE = 160


def open_btrfs(volume: Volume) -> "BtrfsFileSystem | None":
    """Return the file system, or None without its signature. Raises EvidenceError for damage and several devices."""
    superblock = read_superblock(volume)
    if superblock is None:
        return None
    if superblock.devices != 1:
        raise EvidenceError(f"Btrfs over {superblock.devices} devices, of which one is here")
    trees = Trees(volume, superblock)
    return BtrfsFileSystem(volume, trees)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subvolume:
    number: int
    root: Root
    top: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inode:
    size: int
    mode: int
    times: Times

    @property
    def kind(self) -> ItemKind:
        return _KINDS.get(stat.S_IFMT(self.mode), ItemKind.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """One name in a directory: of an inode, or of a subvolume."""

    name: str
    number: int
    is_subvolume: bool


@dataclass(slots=True, kw_only=True)
class _Place:
    """A directory being listed."""

    subvolume: _Subvolume
    inode: int
    path: str
    allocated: bool
    address: Address
    names: Iterator[_Name]
    lost: list[str] = field(default_factory=list)


class BtrfsFileSystem:
    """One opened Btrfs. References are `subvolume-inode` and, for a stream, `subvolume-inode/attribute name`."""

    kind = "btrfs"

    def __init__(self, volume: Volume, trees: Trees) -> None:
        self.block_size = trees.superblock.sector_size
        self._volume = volume
        self._trees = trees
        self._held: tuple[str, FileReader] | None = None
        self._lost_roots: list[str] = []
        self._roots = self._list_roots(self._lost_roots)

    def walk(self) -> Iterator[Item | Trouble]:
        """List the top-level subvolume with all that hangs in it, then the subvolumes that hang nowhere."""
        yield from self._state()
        lost, roots = list(self._lost_roots), self._roots
        entered: set[int] = set()
        if _TOP in roots:
            yield from self._walk_subvolume(roots[_TOP], "", entered)
        else:
            lost.append("the top-level subvolume is missing")
        for number in sorted(roots.keys() - entered):
            if number not in entered:
                yield from self._walk_subvolume(roots[number], f"subvolume {number}/", entered)
        yield from _troubles(self._volume.address, "the list of subvolumes", lost)

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end; of a symbolic link, its target. Raises EvidenceError."""
        if item.kind is ItemKind.STREAM:
            return self._attribute(item)[offset : offset + length]
        if self._held is None or self._held[0] != item.reference:
            self._held = (item.reference, self._reader(item))
        return self._held[1].read(offset, length)

    def close(self) -> None:
        """Drop what is cached; calling it twice is harmless."""
        self._held = None
        self._trees.node.cache_clear()

    def _state(self) -> Iterator[Trouble]:
        superblock, address = self._trees.superblock, self._volume.address
        if superblock.size > self._volume.info.size:
            text = f"Btrfs of {superblock.size} bytes in a volume of {self._volume.info.size}: its end is missing"
            yield Trouble(address=address, code=TroubleCode.DAMAGED, text=text)
        if superblock.log_root:
            text = "Btrfs was not unmounted: what was written after its last commit is not listed"
            yield Trouble(address=address, code=TroubleCode.LIMIT, text=text)

    def _list_roots(self, lost: list[str]) -> dict[int, _Subvolume]:
        """Return every subvolume of the root tree by its number."""
        roots: dict[int, _Subvolume] = {}
        for first, last in ((_TOP, _TOP), (_FIRST_SUBVOLUME, _LAST_SUBVOLUME)):
            for key, data in self._items(Key(first, _ROOT_ITEM, 0), Key(last, _ROOT_ITEM, _END), lost):
                if key.type == _ROOT_ITEM and len(data) >= 239:  # noqa: PLR2004 - the size of its first form
                    top, address = struct.unpack_from("<QQ", data, 168)
                    roots[key.object] = _Subvolume(number=key.object, root=Root(address, data[238]), top=top)
        return roots

    def _items(
        self, first: Key, last: Key, lost: list[str], subvolume: _Subvolume | None = None
    ) -> Iterator[tuple[Key, bytes]]:
        root = self._trees.superblock.root if subvolume is None else subvolume.root
        return self._trees.items(root, first, last, lost)

    def _walk_subvolume(self, top: _Subvolume, path: str, entered: set[int]) -> Iterator[Item | Trouble]:
        """List everything below the root of a subvolume, other subvolumes included, without recursion."""
        allocated = top.number == _TOP
        entered.add(top.number)
        known: set[tuple[int, int]] = {(top.number, top.top)}
        stack = [self._place(top, top.top, path, self._volume.address, allocated)]
        while stack:
            here = stack[-1]
            name = next(here.names, None)
            if name is None:
                stack.pop()
                yield from _troubles(here.address, printable(here.path) or "/", here.lost)
                continue
            target = self._target(here, name, entered)
            if target is None:
                continue
            subvolume, number = target
            items = list(self._rows(here, subvolume, number, here.path + name.name))
            yield from items
            item = items[0]
            if not isinstance(item, Item) or item.kind is not ItemKind.DIRECTORY:
                continue
            if (subvolume.number, number) in known or len(stack) >= MAX_DEPTH:
                code = TroubleCode.LIMIT if len(stack) >= MAX_DEPTH else TroubleCode.DAMAGED
                text = f"{printable(item.path)}: not entered, listed before or too deep"
                yield Trouble(address=item.address, code=code, text=text)
                continue
            known.add((subvolume.number, number))
            entered.add(subvolume.number)
            stack.append(self._place(subvolume, number, item.path + "/", item.address, allocated))

    def _place(self, subvolume: _Subvolume, inode: int, path: str, address: Address, allocated: bool) -> _Place:
        lost: list[str] = []
        names = self._names(subvolume, inode, lost)
        return _Place(
            subvolume=subvolume, inode=inode, path=path, allocated=allocated, address=address, names=names, lost=lost
        )

    def _names(self, subvolume: _Subvolume, inode: int, lost: list[str]) -> Iterator[_Name]:
        """Yield the names in a directory in the order in which they were made."""
        for _, data in self._items(Key(inode, _DIR_INDEX, 0), Key(inode, _DIR_INDEX, _END), lost, subvolume):
            if len(data) < _NAMED.size:
                lost.append("a name is damaged")
                continue
            number, kind, _, _, _, length, _ = _NAMED.unpack_from(data)
            name = data[_NAMED.size : _NAMED.size + length].decode("utf-8", "surrogateescape")
            yield _Name(name=name, number=number, is_subvolume=kind == _ROOT_ITEM)

    def _target(self, here: _Place, name: _Name, entered: set[int]) -> tuple[_Subvolume, int] | None:
        """Return what a name stands for; None, and recorded, where it is a subvolume that is not there.

        In a snapshot, the name of a subvolume that hung in the original stands for nothing: no reference leads back.
        """
        if not name.is_subvolume:
            return here.subvolume, name.number
        back = Key(name.number, _ROOT_BACKREF, here.subvolume.number)
        references = [data for _, data in self._items(back, back, here.lost)]
        if not references or struct.unpack_from("<Q", references[0].ljust(8, b"\0"))[0] != here.inode:
            return None
        subvolume = self._roots.get(name.number)
        if subvolume is None or name.number in entered:
            here.lost.append(f"subvolume {name.number} is missing or listed before")
            return None
        return subvolume, subvolume.top

    def _rows(self, here: _Place, subvolume: _Subvolume, number: int, path: str) -> Iterator[Item | Trouble]:
        """Yield the row of one name and of its streams, or what kept us from it."""
        reference = f"{subvolume.number}-{number}"
        base = self._volume.address.child("file", reference)
        lost: list[str] = []
        inode = self._inode(subvolume, number, lost)
        if inode is None:
            yield from _troubles(base.child("path", "/" + path), printable(path), lost or ["its inode is missing"])
            return
        content = inode.kind in (ItemKind.FILE, ItemKind.LINK)
        yield Item(
            address=base.child("path", "/" + path),
            kind=inode.kind,
            path=path,
            size=inode.size if content else 0,
            allocated=here.allocated,
            reference=reference,
            times=inode.times,
            runs=self._runs(subvolume, number, inode.size, lost) if inode.kind is ItemKind.FILE else (),
            recovered=not here.allocated,
        )
        for name, value in self._attributes(subvolume, number, lost):
            yield Item(
                address=base.child("path", f"/{path}:{name}"),
                kind=ItemKind.STREAM,
                path=f"{path}:{name}",
                size=len(value),
                allocated=here.allocated,
                reference=f"{reference}/{name}",
                times=inode.times,
                recovered=not here.allocated,
            )
        yield from _troubles(base.child("path", "/" + path), printable(path), lost)

    def _inode(self, subvolume: _Subvolume, number: int, lost: list[str]) -> _Inode | None:
        key = Key(number, _INODE_ITEM, 0)
        for _, data in self._items(key, key, lost, subvolume):
            if len(data) >= _INODE_SIZE:
                (size,) = struct.unpack_from("<Q", data, 16)
                (mode,) = struct.unpack_from("<I", data, 52)
                return _Inode(size=size, mode=mode, times=_times(data))
        return None

    def _extents(self, subvolume: _Subvolume, number: int, lost: list[str]) -> Iterator[tuple[int, bytes]]:
        first, last = Key(number, _EXTENT_DATA, 0), Key(number, _EXTENT_DATA, _END)
        return ((key.offset, data) for key, data in self._items(first, last, lost, subvolume))

    def _runs(self, subvolume: _Subvolume, number: int, size: int, lost: list[str]) -> Runs:
        try:
            extents = parse_extents(self._extents(subvolume, number, lost))
        except EvidenceError as error:
            lost.append(str(error))
            return ()
        return runs_of(self._trees, self._volume.run.offset, self._volume.info.size, extents, size)

    def _attributes(self, subvolume: _Subvolume, number: int, lost: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the attributes that users set and that have a value."""
        for _, data in self._items(Key(number, _XATTR_ITEM, 0), Key(number, _XATTR_ITEM, _END), lost, subvolume):
            position = 0
            while position + _NAMED.size <= len(data):
                _, _, _, _, length, name_length, _ = _NAMED.unpack_from(data, position)
                start = position + _NAMED.size
                name = data[start : start + name_length].decode("utf-8", "surrogateescape")
                position = start + name_length + length
                if name.startswith("user.") and length:
                    yield name, data[start + name_length : position]

    def _found(self, reference: str) -> tuple[_Subvolume, int]:
        number, _, inode = reference.partition("-")
        subvolume = self._roots.get(int(number))
        if subvolume is None:
            raise EvidenceError(f"subvolume {number} is missing")
        return subvolume, int(inode)

    def _reader(self, item: Item) -> FileReader:
        subvolume, number = self._found(item.reference)
        lost: list[str] = []
        extents = parse_extents(self._extents(subvolume, number, lost))
        if lost:
            raise EvidenceError(lost[0])
        return FileReader(self._trees, extents, item.size)

    def _attribute(self, item: Item) -> bytes:
        reference, _, name = item.reference.partition("/")
        subvolume, number = self._found(reference)
        for known, value in self._attributes(subvolume, number, []):
            if known == name:
                return value
        raise EvidenceError("the attribute cannot be found")


def _times(inode: bytes) -> Times:
    accessed, changed, modified, created = (
        seconds * 1_000_000_000 + nanoseconds
        for seconds, nanoseconds in (_TIME.unpack_from(inode, offset) for offset in (112, 124, 136, 148))
    )
    return Times(modified=modified, created=created or None, accessed=accessed, changed=changed)


def _troubles(address: Address, what: str, lost: list[str]) -> Iterator[Trouble]:
    """Yield one trouble for all that was lost in one place."""
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        yield Trouble(address=address, code=TroubleCode.DAMAGED, text=f"{what}: {lost[0]}{more}")
