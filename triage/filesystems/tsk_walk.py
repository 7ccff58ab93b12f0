"""The walk over a file system of The Sleuth Kit: allocated names, then deleted ones, then orphans, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triage.filesystems.tsk_image import VolumeImage
from triage.filesystems.tsk_names import Entry, decode, items_of, read_entry
from triage.filesystems.tsk_runs import Layout
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble, TroubleCode

DEPTH_LIMIT = 10_000
# Looking for orphans reads every metadata table, and on FAT every cluster that is free: it is given up, and that is
# recorded, where it would read more than this.
ORPHAN_BUDGET = 4 << 30

_DOTS = frozenset({b".", b".."})


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory still to be listed: its inode, its path with a trailing slash (the root's is empty), its depth."""

    inode: int
    path: str
    depth: int
    allocated: bool = True


class Walk:
    """One walk; iterate it once. Every directory inode is entered once, so that it ends on any input."""

    def __init__(self, fs: Any, image: VolumeImage, layout: Layout, address: Address, kind: str) -> None:
        """Prepare; nothing is read before the first step."""
        self._fs = fs
        self._image = image
        self._layout = layout
        self._address = address
        self._ntfs = kind == "ntfs"
        self._entered: set[int] = set()
        self._orphans: int | None = None
        self._with_deleted: list[_Place] = []

    def __iter__(self) -> Iterator[Item | Trouble]:
        """Walk in three passes; the second visits only the directories in which a deleted name was seen."""
        root = _Place(int(self._fs.info.root_inum), "", 0)
        yield from self._live(root)
        for place in self._with_deleted:
            yield from self._gone(place)
        if self._orphans is not None:
            yield from self._lost(self._orphans)

    def _live(self, root: _Place) -> Iterator[Item | Trouble]:
        pending = [root]
        self._entered.add(root.inode)
        while pending:
            place = pending.pop()
            inner: list[_Place] = []
            deleted = False
            for entry in self._list(place):
                if isinstance(entry, Trouble):
                    yield entry
                elif not entry.allocated:
                    deleted = True
                else:
                    yield from self._name(entry, place)
                    yield from self._enter(entry, place, inner)
            if deleted:
                self._with_deleted.append(place)
            pending.extend(reversed(inner))

    def _gone(self, place: _Place) -> Iterator[Item | Trouble]:
        """List the deleted names of a live directory and everything below deleted directories."""
        pending: list[_Place] = []
        for entry in self._list(place):
            if isinstance(entry, Entry) and not entry.allocated:
                yield from self._name(entry, place)
                yield from self._enter(entry, place, pending)
        yield from self._below(list(reversed(pending)))

    def _below(self, pending: list[_Place]) -> Iterator[Item | Trouble]:
        while pending:
            place = pending.pop()
            inner: list[_Place] = []
            for entry in self._list(place):
                if isinstance(entry, Trouble):
                    yield entry
                    continue
                yield from self._name(entry, place)
                yield from self._enter(entry, place, inner)
            pending.extend(reversed(inner))

    def _lost(self, inode: int) -> Iterator[Item | Trouble]:
        self._image.limit(ORPHAN_BUDGET)
        try:
            handle = self._fs.open_dir(inode=inode)
        except Exception as error:  # hostile-input library: OSError mostly, but RuntimeError and SystemError occur
            spent = self._image.is_spent
            text = f"orphan search given up after reading {ORPHAN_BUDGET} bytes" if spent else one_line(error)
            code = TroubleCode.LIMIT if spent else TroubleCode.DAMAGED
            yield Trouble(address=self._address, code=code, text=f"deleted files without a name not listed: {text}")
            return
        finally:
            self._image.limit(None)
        place = _Place(inode, "$OrphanFiles/", 1, allocated=False)
        pending: list[_Place] = []
        for entry in self._entries(handle, place):
            if isinstance(entry, Trouble):
                yield entry
                continue
            yield from self._name(entry, place)
            yield from self._enter(entry, place, pending)
        yield from self._below(list(reversed(pending)))

    def _list(self, place: _Place) -> Iterator[Entry | Trouble]:
        try:
            handle = self._fs.open_dir(inode=place.inode)
        except Exception as error:  # hostile-input library: OSError mostly, but RuntimeError and SystemError occur
            if place.allocated:
                yield self._trouble(place, TroubleCode.DAMAGED, f"the directory cannot be listed: {one_line(error)}")
            return
        yield from self._entries(handle, place)

    def _entries(self, handle: Any, place: _Place) -> Iterator[Entry | Trouble]:
        names = iter(handle)
        while True:
            try:
                entry = read_entry(next(names), self._layout, self._fs)
            except StopIteration:
                return
            except Exception as error:  # hostile-input library; one name must not cost the others
                yield self._trouble(place, TroubleCode.DAMAGED, f"a name cannot be read: {one_line(error)}")
                continue
            if entry.name not in _DOTS:
                yield entry

    def _name(self, entry: Entry, place: _Place) -> Iterator[Item | Trouble]:
        if entry.virtual_directory:
            return
        path = place.path + decode(entry.name)
        yield from items_of(entry, path, self._address, ntfs=self._ntfs)
        if entry.allocated and entry.claimed and not entry.stored and entry.kind is ItemKind.FILE:
            text = f"{entry.claimed} bytes of content cannot be located"
            yield Trouble(address=self._address.child("path", "/" + path), code=TroubleCode.DAMAGED, text=text)

    def _enter(self, entry: Entry, place: _Place, pending: list[_Place]) -> Iterator[Trouble]:
        """Queue a directory for listing, unless it is known, or somebody else's by now."""
        if not entry.is_directory or entry.realloc or entry.inode in self._entered:
            return
        if entry.virtual_directory:
            self._orphans = entry.inode
            return
        if place.depth >= DEPTH_LIMIT:
            yield self._trouble(place, TroubleCode.LIMIT, f"directories deeper than {DEPTH_LIMIT} are not listed")
            return
        self._entered.add(entry.inode)
        path = f"{place.path}{decode(entry.name)}/"
        pending.append(_Place(entry.inode, path, place.depth + 1, place.allocated and entry.allocated))

    def _trouble(self, place: _Place, code: TroubleCode, text: str) -> Trouble:
        return Trouble(address=self._address.child("path", "/" + place.path.rstrip("/")), code=code, text=text)


def one_line(error: Exception) -> str:
    """Return what the library said, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
