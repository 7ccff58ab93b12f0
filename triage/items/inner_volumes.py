"""The files of a volume that lies inside a file: of a disk image, or of a shadow copy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from triage.content.content import Content
from triage.content.members.member import Budget, Obstacle
from triage.filesystems.filesystem import FileSystem
from triage.items.extents import Extents
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.watched import WatchedSource


class Inner(NamedTuple):
    """A file in a file: its content is good until the next one is asked for, and None where it cannot be had."""

    item: Item
    content: Content | None
    obstacle: Obstacle | None


Inside = Iterator[Inner | Trouble]


def everything(_item: Item) -> bool:
    """Say yes."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerVolume:
    """A file system on the source that a `container` holds; `path` is what the paths of its files begin with.

    What is read in it is paid for from `budget`, as is every name but those that `wanted` is not true of.
    """

    container: Item
    path: str
    source: WatchedSource
    filesystem: FileSystem
    budget: Budget
    wanted: Callable[[Item], bool] = everything

    def files(self) -> Inside:
        """Yield everything that has a content, and the trouble met in listing it."""
        for found in self.filesystem.walk():
            if isinstance(found, Trouble):
                yield grafted_trouble(self.container, found)
            elif self.wanted(found):
                if self.budget.members <= 0:
                    text = "more names than are looked at for one file and all inside it"
                    yield Trouble(address=self.container.address, code=TroubleCode.LIMIT, text=text)
                    return
                self.budget.members -= 1
                if found.has_content:
                    yield self._inner(found)

    def _inner(self, found: Item) -> Inner:
        container = self.container
        item = replace(
            found,
            address=grafted(container.address, found.address),
            kind=ItemKind.MEMBER,
            path=f"{self.path}/{found.path}",
            allocated=found.allocated and container.allocated,
            recovered=found.recovered or container.recovered,
            reference=f"{container.reference}!{found.address}",
            runs=(),
            direct=False,
        )
        if found.unlocated:
            return Inner(item, None, Obstacle(TroubleCode.UNREADABLE, found.unlocated))
        if found.size > self.budget.bytes:
            text = f"{found.size} bytes are more than is left for one file and all inside it"
            return Inner(item, None, Obstacle(TroubleCode.LIMIT, text))
        obstacle = Obstacle(TroubleCode.ENCRYPTED, f"encrypted ({found.encrypted})") if found.encrypted else None
        return Inner(item, self._content(found), obstacle)

    def _content(self, found: Item) -> Content:
        extents = Extents(self.source, found.runs) if found.direct else None

        def read(offset: int, length: int) -> bytes:
            self.source.touched = False
            data = extents.read_at(offset, length) if extents else self.filesystem.read_at(found, offset, length)
            self.budget.spend(len(data))
            if self.source.touched:
                raise EvidenceError("part of the content could not be read")
            return data

        return Content(read, found.size)


def grafted(outer: Address, inner: Address) -> Address:
    """Return the address of what has an address of its own inside a file."""
    base = outer if inner.parent is None else grafted(outer, inner.parent)
    return base.child(inner.scheme, inner.value)


def grafted_trouble(container: Item, trouble: Trouble) -> Trouble:
    """Return trouble inside a file as trouble of the evidence; its bytes are counted otherwise there."""
    return replace(trouble, address=grafted(container.address, trouble.address), run=None)
