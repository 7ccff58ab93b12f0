"""The walk over a file system of The Sleuth Kit: allocated names, then deleted ones, then orphans, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triage.filesystems.tsk_image import VolumeImage
from triage.filesystems.tsk_items import decode, items_of
from triage.filesystems.tsk_listing import Listing, one_line
from triage.filesystems.tsk_names import FAR_MAP, SYSTEM_COMPRESSED, TOO_MANY_HOLES, Entry, told_apart
from triage.filesystems.tsk_runs import Layout
from triage.model.address import Address
from triage.model.item import Item, ItemKind, printable
from triage.model.trouble import Trouble, TroubleCode

DEPTH_LIMIT = 10_000
# Looking for orphans reads every metadata table, and on FAT every cluster that is free: it is given up, and that is
# recorded, where it would read more than this.
ORPHAN_BUDGET = 4 << 30

# What came with the device is listed after what people put there, so that this can be examined meanwhile.
_LATE = frozenset(
    {
        *("windows", "windows.old", "winnt", "program files", "program files (x86)", "programdata", "$extend"),
        *("usr", "lib", "lib64", "bin", "sbin", "etc", "opt", "var", "snap", "boot"),
        *("system", "applications", "library"),
    }
)

_LIMITS = frozenset({TOO_MANY_HOLES, FAR_MAP, SYSTEM_COMPRESSED})
_UNKNOWN = {
    ItemKind.FILE: "its content is not known",
    ItemKind.DIRECTORY: "what is in it is not listed",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory still to be listed: its inode, its path with a trailing slash (the root's is empty), its depth."""

    inode: int
    path: str
    depth: int
    allocated: bool = True


def _comes_late(place: _Place) -> bool:
    return place.path.rstrip("/").casefold() in _LATE


class Walk:
    """One walk; iterate it once. Every directory inode is entered once, so that it ends on any input."""

    def __init__(self, fs: Any, image: VolumeImage, layout: Layout, address: Address, kind: str) -> None:
        """Prepare; nothing is read before the first step."""
        self._fs = fs
        self._image = image
        self._address = address
        self._ntfs = kind == "ntfs"
        self._listing = Listing(fs, layout, kind, image.pieces)
        self._entered: set[int] = set()
        self._named: set[int] = set()
        # The library shows a directory of orphans in the root, which is not on the disk; where the root may be listed
        # without the library, it is the last inode.
        self._orphans = int(fs.info.last_inum) if self._ntfs or kind.startswith("ext") else None
        self._can_scan = kind.startswith("ext")
        # An NTFS record names the directory that it was in: the places of all are kept. That of an ext is not known.
        self._parents: dict[int | None, _Place] = {}
        self._with_deleted: list[_Place] = []

    def __iter__(self) -> Iterator[Item | Trouble]:
        """Walk in three passes; the second visits only the directories in which a deleted name was seen."""
        yield from self._live(_Place(int(self._fs.info.root_inum), "", 0))
        for place in self._with_deleted:
            yield from self._gone(place)
        if self._orphans is not None:
            yield from self._lost(_Place(self._orphans, "$OrphanFiles/", 1, allocated=False))

    def _live(self, root: _Place) -> Iterator[Item | Trouble]:
        pending = [root]
        self._entered.add(root.inode)
        if self._ntfs:
            self._parents[root.inode] = root
        while pending:
            place = pending.pop()
            inner: list[_Place] = []
            deleted = False
            for entry in self._listing.entries(place.inode):
                if isinstance(entry, Entry) and not entry.allocated:
                    deleted = True
                else:
                    yield from self._take(entry, place, inner)
            if deleted:
                self._with_deleted.append(place)
            if place is root:
                inner.sort(key=_comes_late)
            pending.extend(reversed(inner))

    def _gone(self, place: _Place) -> Iterator[Item | Trouble]:
        """List the deleted names of a live directory and everything below deleted directories."""
        inner: list[_Place] = []
        for entry in self._listing.entries(place.inode, only_deleted=True):
            if isinstance(entry, Entry):
                yield from self._take(entry, place, inner)
        yield from self._below(inner)

    def _below(self, places: list[_Place]) -> Iterator[Item | Trouble]:
        pending = list(reversed(places))
        while pending:
            place = pending.pop()
            inner: list[_Place] = []
            for entry in self._listing.entries(place.inode):
                yield from self._take(entry, place, inner)
            pending.extend(reversed(inner))

    def _lost(self, place: _Place) -> Iterator[Item | Trouble]:
        """List files whose names are gone.

        The library's search takes as long as its listing of large directories, and on ext it fails where a directory
        was deleted: inodes are looked at one by one then.
        """
        if self._listing.has_no_orphans(ORPHAN_BUDGET):
            return
        if self._listing.met_large:
            yield from self._scanned(place)
            return
        found = self._listing.orphans()
        if found is not None:
            for entry in found:
                yield from self._take(entry, place, [])
            return
        self._listing.prepare(int(self._fs.info.root_inum))
        self._image.limit(ORPHAN_BUDGET)
        try:
            found = self._listing.lost(place.inode)
        except Exception as error:  # noqa: BLE001 - hostile-input library: OSError mostly, but others occur
            if self._image.is_spent or not self._can_scan:
                cause = f"{ORPHAN_BUDGET} bytes were read" if self._image.is_spent else one_line(error)
                lead = "deleted files without a name are not listed, the search was given up"
                yield self._not_searched(f"{lead}: {cause}")
                return
        finally:
            self._image.limit(None)
        if found is None:
            yield from self._scanned(place)
            return
        inner: list[_Place] = []
        for entry in found:
            yield from self._take(entry, place, inner)
        yield from self._below(inner)

    def _scanned(self, place: _Place) -> Iterator[Item | Trouble]:
        """List orphans found inode by inode, directories with all that is in them first."""
        self._image.limit(ORPHAN_BUDGET)
        found = list(self._listing.scan(self._named | self._entered))
        directories = [entry for entry in found if entry.is_directory]
        children = {
            child.inode
            for entry in directories
            for child in self._listing.entries(entry.inode)
            if isinstance(child, Entry) and child.inode != entry.inode
        }
        spent = self._image.is_spent
        self._image.limit(None)
        # What is in another orphan is listed there; of orphans that hold each other the first one holds the others.
        directories.sort(key=lambda entry: entry.inode in children)
        for entry in directories:
            if entry.inode not in self._named and entry.inode not in self._entered:
                inner: list[_Place] = []
                yield from self._take(entry, self._parents.get(entry.parent, place), inner)
                yield from self._below(inner)
        for entry in found:
            if not entry.is_directory and entry.inode not in self._named:
                yield from self._take(entry, self._parents.get(entry.parent, place), [])
        if spent or not self._listing.scanned_all:
            cause = f"{ORPHAN_BUDGET} bytes were read" if spent else "too many inodes"
            yield self._not_searched(f"deleted files without a name are not all listed: {cause}")

    def _take(self, entry: Entry | str, place: _Place, inner: list[_Place]) -> list[Item | Trouble]:
        """Turn one name into its items, and queue it if it is a directory to be entered."""
        if isinstance(entry, str):
            damaged = place.path.rstrip("/"), TroubleCode.DAMAGED, entry
            return [self._trouble(*damaged)] if place.allocated else []
        if entry.virtual_directory:
            self._orphans = entry.inode
            return []
        if entry.free or not entry.allocated:
            self._named.add(entry.inode)
        if self._ntfs and len(entry.stored) > 1:
            entry = told_apart(entry)
        path = place.path + decode(entry.name)
        found: list[Item | Trouble] = [*items_of(entry, path, self._address, ntfs=self._ntfs)]
        if entry.unlocated or (entry.allocated and entry.missing):
            found.append(self._loss(entry, path))
        if entry.is_directory and not entry.realloc and entry.inode not in self._entered:
            found += self._queue(entry, path, place, inner)
        return found

    def _queue(self, entry: Entry, path: str, place: _Place, inner: list[_Place]) -> list[Trouble]:
        if place.depth >= DEPTH_LIMIT:
            return [self._trouble(path, TroubleCode.LIMIT, f"deeper than {DEPTH_LIMIT} directories: not listed")]
        self._entered.add(entry.inode)
        inner.append(_Place(entry.inode, path + "/", place.depth + 1, place.allocated and entry.allocated))
        if self._ntfs:
            self._parents[entry.inode] = inner[-1]
        return []

    def _loss(self, entry: Entry, path: str) -> Trouble:
        """Say what an allocated name hides from the examination."""
        if not entry.unlocated:
            return self._trouble(path, TroubleCode.DAMAGED, f"{entry.missing} bytes of content cannot be located")
        unknown = _UNKNOWN.get(entry.kind, "what it is stays unknown")
        code = TroubleCode.LIMIT if entry.unlocated in _LIMITS else TroubleCode.DAMAGED
        return self._trouble(path, code, f"{printable(path)}: {entry.unlocated}; {unknown}")

    def _not_searched(self, text: str) -> Trouble:
        return Trouble(address=self._address, code=TroubleCode.NOT_SEARCHED, text=text)

    def _trouble(self, path: str, code: TroubleCode, text: str) -> Trouble:
        return Trouble(address=self._address.child("path", "/" + path), code=code, text=text)
