"""Volume shadow copies: what files were before they were changed or deleted.

A copy is gone through where its store lies: the name of a store begins with the identifier of its copy, so that
each copy is given out once.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import closing
from hashlib import blake2b

from triage.content.members.member import Budget
from triage.filesystems.recognition import recognise
from triage.items.evidence import Evidence
from triage.items.inner_volumes import InnerVolume, Inside, grafted_trouble
from triage.model.errors import EvidenceError
from triage.model.evidence import Region
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble, TroubleCode
from triage.sources.watched import WatchedSource
from triage.volumes.shadow_copies import open_shadow_copy
from triage.volumes.volume import Volume

_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_STORE = re.compile(
    rf"(?:.*/)?System Volume Information/\{{({_GUID})\}}\{{3808876b-c176-4e48-b7ae-04046e6cc752\}}", re.IGNORECASE
)
_MOST_FILES = 200_000


def is_store(item: Item) -> bool:
    """Tell by its path whether a file is the store of a shadow copy."""
    return "3808876" in item.path and _STORE.fullmatch(item.path) is not None


def shadow_files(evidence: Evidence, item: Item, volume: ByteRun) -> Inside:
    """Yield the files of the shadow copy whose store an item is, but for those that are the same in the volume today.

    The same are those of one record, one size, the same times of modification and of the change of the record, and the
    same places in the volume: a time of modification can be set back by anybody. The stores of other copies are left
    out as well. What a copy of a volume inside a disk image, or of one that was unlocked, holds is not gone through,
    and trouble says so.
    """
    match = _STORE.fullmatch(item.path)
    assert match is not None, "nothing else is a store"
    if item.kind is ItemKind.MEMBER:
        yield _not_gone_through(item, TroubleCode.UNSUPPORTED, "it lies inside another file")
        return
    try:
        copy = open_shadow_copy(Volume(evidence.source, volume), match[1].lower())
    except EvidenceError as error:
        yield _not_gone_through(item, TroubleCode.UNREADABLE, str(error))
        return
    with closing(WatchedSource(copy, on_read=evidence.source.on_read)) as source:
        found = recognise(Volume(source, ByteRun(0, source.info.size)))
        yield from (grafted_trouble(item, trouble) for trouble in found.troubles)
        if found.filesystem is None:
            yield _not_gone_through(item, TroubleCode.UNREADABLE, "there is no file system in it")
            return
        today = Same(evidence.walk(Region(run=volume, name="", scheme="none", is_volume=True)), volume.offset)
        with closing(found.filesystem) as filesystem:
            yield from InnerVolume(
                container=item,
                path=f"{item.path}/{copy.created}",
                source=source,
                filesystem=filesystem,
                budget=Budget(members=_MOST_FILES, bytes=Budget.of(item.size).bytes + 4 * volume.length),
                wanted=lambda listed: not is_store(listed) and today.differs(listed),
            ).files()


class Same:
    """Which items are listed already, kept in eight bytes each; their runs are counted from `start` on."""

    def __init__(self, listed: Iterable[Item | Trouble], start: int) -> None:
        self._marks = array("Q", sorted(_mark(item, start) for item in listed if isinstance(item, Item)))

    def differs(self, item: Item) -> bool:
        """Tell whether an item, its runs counted from 0 on, is not among them as it is."""
        mark = _mark(item, 0)
        at = bisect_left(self._marks, mark)
        return at == len(self._marks) or self._marks[at] != mark


def _mark(item: Item, start: int) -> int:
    runs = [(run.offset - start, run.length) for run in item.runs]
    text = f"{item.times.modified} {item.times.changed} {item.size} {runs} {item.reference}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")


def _not_gone_through(item: Item, code: TroubleCode, why: str) -> Trouble:
    return Trouble(address=item.address, code=code, text=f"the volume shadow copy is not gone through: {why}")
