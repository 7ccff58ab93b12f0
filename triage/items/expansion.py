"""What lies inside a file, at every depth: members of archives, documents and mails, disk images, shadow copies.

Names are those that are stored: nothing here is ever written to disk by them, so that they need no taming beyond one
separator. All that is found inside one file is paid for from one budget, whatever the depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from triage.content.content import Content
from triage.content.mediatype import media_type as type_of
from triage.content.mediatype import quick_type
from triage.content.members.decoding import obstacle_of
from triage.content.members.member import DEEPEST, TOO_DEEP, Budget, Found, Member, Obstacle
from triage.content.members.reading import HEAD, holds_members, members
from triage.items.evidence import Evidence
from triage.items.indicators_content import is_asked
from triage.items.inner_volumes import Inner, Inside
from triage.items.nested_images import image_files, may_be_image
from triage.items.shadow_copies import is_store, shadow_files
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind, Times
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.watched import WatchedSource

LONGEST_NAME = 2048
"""Characters kept of a member's name: Windows and Linux know none longer than about half of it."""

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is looked into beside archives, documents and mails.

    `thumbnails` in the EXIF data of JPEG, `images` of disks, and the volume's `shadows`.
    """

    thumbnails: bool
    images: bool
    shadows: bool


class Expanded(NamedTuple):
    """A file inside a file, as an item of the kind MEMBER.

    Its address is that of the container and one step `member:ORDINAL` for each level, counted from 0; of a file in a
    disk image or shadow copy it is followed by the file's own address in there. `content` is good until the next is
    asked for, and None where it cannot be had; with an obstacle it is what could be decoded of a damaged member.
    """

    item: Item
    content: Content | None
    obstacle: Obstacle | None


def opens(item: Item, media_type: str | None, head: bytes, reach: Reach, content: Content | None = None) -> bool:
    """Tell whether a file is to be gone through, by its name, its type and its first 4,096 bytes.

    `expand` does that, and `told_by` for one that is asked for accounts or devices. With its content, also by what
    follows a picture or program: at most 128 KiB are read for it of a file that is not whole in memory anyhow.
    """
    if reach.shadows and is_store(item):
        return True
    if reach.images and may_be_image(item, head):
        return True
    if is_asked(item):
        return True
    return holds_members(media_type, head, content, thumbnails=reach.thumbnails)


def expand(  # noqa: PLR0917 - what is opened, and how far
    evidence: Evidence, item: Item, content: Content, media_type: str | None, volume: ByteRun, reach: Reach
) -> Iterator[Expanded | Trouble]:
    """Yield what lies inside an item of `volume`, depth first: a file, then what is in it.

    Trouble has the address of the container that could not be gone through as a whole. It never raises for what the
    bytes hold, and ends on any input.
    """
    if evidence.unreadable_in(item):
        content = evidence.content(item, volume)  # the given one may keep the zeros that stand for what is lost
    expansion = _Expansion(evidence, volume, reach, Budget.of(content.size))
    yield from expansion.inside(item, Intact(content, evidence.source), media_type, 1)


class Intact(Content):
    """A content that is refused where bytes of the source are lost: the zeros in their place are no member's."""

    def __init__(self, content: Content, source: WatchedSource) -> None:
        super().__init__(self._read_whole, content.size, keep=0)
        self._content = content
        self._source = source

    def head(self, length: int = 4096) -> bytes:
        """Return the first bytes; no more is read, for what is lost further on may be one member's alone."""
        return self.read_at(0, length)

    def _read_whole(self, offset: int, length: int) -> bytes:
        source = self._source
        before, source.touched = source.touched, False
        data = self._content.read_at(offset, length)
        lost, source.touched = source.touched, source.touched or before
        if lost:
            raise EvidenceError(f"some of the {length} bytes at {offset} cannot be read")
        return data


@dataclass(frozen=True, slots=True)
class _Expansion:
    evidence: Evidence
    volume: ByteRun
    reach: Reach
    budget: Budget

    def inside(self, item: Item, content: Content, media_type: str | None, level: int) -> Iterator[Expanded | Trouble]:
        """Yield what is inside one container, the `level`-th one inside the other."""
        if level > DEEPEST:
            yield _trouble(item, TOO_DEEP)
            return
        try:
            for found in self._direct(item, content, media_type):
                if isinstance(found, Trouble):
                    yield found
                else:
                    yield Expanded(*found)
                    yield from self._further(found, level + 1)
        except Exception as error:  # noqa: BLE001 - whatever hostile bytes make a reader raise is a fact about them
            yield _trouble(item, obstacle_of(error))

    def _further(self, found: Inner, level: int) -> Iterator[Expanded | Trouble]:
        if found.content is None:
            return
        try:
            head = found.content.head(HEAD)
        except EvidenceError:
            return  # whoever reads the content is told
        kind = quick_type(head) or type_of(head)
        if opens(found.item, kind, head, self.reach, found.content):
            yield from self.inside(found.item, found.content, kind, level)

    def _direct(self, item: Item, content: Content, media_type: str | None) -> Inside:
        if self.reach.shadows and is_store(item):
            return shadow_files(self.evidence, item, self.volume)
        return self._by_its_bytes(item, content, media_type, content.head(HEAD))

    def _by_its_bytes(self, item: Item, content: Content, media_type: str | None, head: bytes) -> Inside:
        """Yield the members, and of what holds none by its first bytes the files in the disk image that it may be."""
        inside = members(
            content,
            media_type,
            name=item.path.rpartition("/")[2],
            budget=self.budget,
            thumbnails=self.reach.thumbnails,
        )
        yield from _items(item, inside)
        if self.reach.images and may_be_image(item, head) and not holds_members(media_type, head):
            yield from image_files(item, content, self.evidence, self.budget)


def _items(item: Item, inside: Found) -> Inside:
    ordinal = 0
    for found in inside:
        if isinstance(found, Obstacle):
            yield _trouble(item, found)
            continue
        member = _item(item, found, ordinal)
        if len(found.name) > LONGEST_NAME:
            text = f"a name of {len(found.name)} characters, of which the first {LONGEST_NAME} are kept"
            yield _trouble(member, Obstacle(TroubleCode.LIMIT, text))
        yield Inner(member, found.content, found.obstacle)
        ordinal += 1


def _item(container: Item, member: Member, ordinal: int) -> Item:
    size = member.content.size if member.content is not None else member.size or 0
    name = member.name[:LONGEST_NAME].replace("\\", "/").lstrip("/") or str(ordinal)
    return Item(
        address=container.address.child("member", str(ordinal)),
        kind=ItemKind.MEMBER,
        path=f"{container.path}/{name}",
        size=size,
        allocated=container.allocated,
        reference=f"{container.reference}!member:{ordinal}",
        times=Times(modified=member.modified),
        recovered=container.recovered,
    )


def _trouble(item: Item, obstacle: Obstacle) -> Trouble:
    return Trouble(address=item.address, code=obstacle.code, text=obstacle.text)
