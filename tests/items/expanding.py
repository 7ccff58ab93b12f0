"""What the tests of expansion share: a file in a folder as evidence, and what is found inside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from triage.content.content import Content
from triage.content.mediatype import HEAD, media_type
from triage.content.members.member import Obstacle
from triage.items.evidence import Evidence
from triage.items.expansion import Expanded, Reach, expand, opens
from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.opening import open_source
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableLog
from triage.sources.watched import WatchedSource

ALL = Reach(thumbnails=True, images=True, shadows=True)
MEMBERS = Reach(thumbnails=False, images=False, shadows=False)


class Told(NamedTuple):
    """What was found: contents by their paths, obstacles of members by theirs, and the trouble."""

    items: list[Item]
    contents: dict[str, bytes]
    obstacles: dict[str, TroubleCode]
    troubles: list[Trouble]


def listed(evidence: Evidence) -> Iterator[tuple[Item, ByteRun]]:
    """Yield the files of all volumes, each with its volume."""
    for region in evidence.survey().regions:
        if region.is_volume:
            for entry in evidence.walk(region):
                if isinstance(entry, Item) and entry.kind in {ItemKind.FILE, ItemKind.STREAM}:
                    yield entry, region.run


def expanded(evidence: Evidence, item: Item, volume: ByteRun, reach: Reach = ALL) -> list[Expanded | Trouble]:
    """Return what `expand` yields, with every content read while it is good, and an obstacle where it cannot be."""
    content = evidence.content(item, volume)
    head = content.head(HEAD)
    kind = media_type(head)
    if not opens(item, kind, head, reach):
        return []
    return [
        _read(each) if isinstance(each, Expanded) and each.content is not None else each
        for each in expand(evidence, item, content, kind, volume, reach)
    ]


def _read(each: Expanded) -> Expanded:
    assert each.content is not None
    try:
        return each._replace(content=Content.of(bytes(each.content.whole())))
    except EvidenceError as error:
        return each._replace(content=None, obstacle=Obstacle(TroubleCode.UNREADABLE, str(error)))


def told(found: list[Expanded | Trouble]) -> Told:
    """Return what was found, in a form that is easily compared."""
    inner = [each for each in found if isinstance(each, Expanded)]
    return Told(
        items=[each.item for each in inner],
        contents={each.item.path: bytes(each.content.whole()) for each in inner if each.content is not None},
        obstacles={each.item.path: each.obstacle.code for each in inner if each.obstacle is not None},
        troubles=[each for each in found if isinstance(each, Trouble)],
    )


def inside(folder: Path, name: str, data: bytes, reach: Reach = ALL) -> Told:
    """Return what is inside one file that lies alone in a folder, which is the evidence."""
    (folder / name).write_bytes(data)
    evidence = Evidence(WatchedSource(open_source(folder)))
    ((item, volume),) = listed(evidence)
    found = expanded(evidence, item, volume, reach)
    evidence.source.close()
    return told(found)


class Scratched:
    """A source of which some bytes cannot be read: real bytes around them."""

    def __init__(self, inner: EvidenceSource, bad: ByteRun) -> None:
        self.inner, self.bad, self.log = inner, bad, UnreadableLog()

    @property
    def info(self) -> SourceInfo:
        return self.inner.info

    def read_at(self, offset: int, length: int) -> bytes:
        data = self.inner.read_at(offset, length)
        start, end = max(self.bad.offset, offset), min(self.bad.end, offset + len(data))
        if start >= end:
            return data
        self.log.add(ByteRun(start, end - start), "scratched")
        return data[: start - offset] + bytes(end - start) + data[end - offset :]

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        return self.log.runs()

    def close(self) -> None:
        self.inner.close()
