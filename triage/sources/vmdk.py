"""VMDK disk images: every kind of extent, joined as the descriptor says, over a parent where there is one.

Our own reader, because a missing extent, a renamed file or a delta without its parent must cost no more than the
bytes concerned. Facts: VMware Virtual Disk Format 5.0 technical note.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from triage.model.errors import EvidenceError, SourceError
from triage.model.evidence import SourceInfo, UnreadableRun
from triage.model.item import printable
from triage.model.runs import ByteRun
from triage.sources.block_source import Below, BlockSource
from triage.sources.container_file import PLAUSIBLE_SIZE, ContainerFile, beside
from triage.sources.difference import Chain, open_parent, with_parent
from triage.sources.flat import FlatBlocks, NoBlocks
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableSource
from triage.sources.vmdk_descriptor import Descriptor, Extent, is_descriptor
from triage.sources.vmdk_sparse import ESX, HOSTED, SE_SPARSE, SECTOR, SparseBlocks, SparseHeader

_HEAD = 4096
_LARGEST_DESCRIPTOR = 1024 * 1024
_FLAT = ("FLAT", "VMFS")
_SPARSE = ("SPARSE", "VMFSSPARSE")


def open_vmdk(path: Path) -> EvidenceSource | None:
    """Return the virtual disk of a VMDK descriptor or extent, or None if the file is none.

    A flat extent has no signature: alone it is a raw image. Raises SourceError if the file cannot be opened.
    """
    return _open(path, (path.resolve(),))


def _open(path: Path, chain: Chain) -> EvidenceSource | None:
    file = ContainerFile(path)
    try:
        head = file.peek(0, _HEAD)
        if is_descriptor(head):
            descriptor = Descriptor.parse(file.read_up_to(0, _LARGEST_DESCRIPTOR))
            return _disk(path, descriptor, None, chain)
        if head.startswith((HOSTED, ESX)):
            header = SparseHeader.read(file)
            text = file.read_up_to(header.descriptor[0], min(header.descriptor[1], _LARGEST_DESCRIPTOR))
            return _disk(path, Descriptor.parse(text), header, chain)
        if head.startswith(SE_SPARSE):
            return _unreadable(path, file.size, "SE sparse extents are not supported; convert it to a raw image")
    except EvidenceError as error:
        return _unreadable(path, file.size, f"VMDK image: {error}")
    finally:
        file.close()
    return None


def _disk(path: Path, descriptor: Descriptor | None, own: SparseHeader | None, chain: Chain) -> EvidenceSource:
    """Join the extents; `own` is the header of the file at `path` where that file is itself an extent."""
    extents, troubles = _extents(path, descriptor, own)
    size = sum(extent.sectors for extent in extents) * SECTOR
    if size > PLAUSIBLE_SIZE:
        raise EvidenceError(f"damaged descriptor: virtual size of {size} bytes")
    below = Below()
    if descriptor is not None and descriptor.is_delta:
        below = _parent(path, descriptor, chain)
    parts: list[EvidenceSource] = []
    start = 0
    for extent in extents:
        here = Below(source=below.source, start=start, missing=below.missing)
        parts.append(_part(path, extent, here))
        start += extent.sectors * SECTOR
    files = [str(path), *(name for part in parts for name in part.info.files)]
    troubles.extend(trouble for part in parts for trouble in part.info.troubles)
    info = SourceInfo(kind="vmdk", files=tuple(files), size=size, troubles=tuple(troubles))
    return JoinedDisk(with_parent(info, below), parts, below.source)


def _extents(
    path: Path, descriptor: Descriptor | None, own: SparseHeader | None
) -> tuple[tuple[Extent, ...], list[str]]:
    """Return the extents, the one that is the file itself under the file's present name, and what is odd."""
    extents = descriptor.extents if descriptor is not None else ()
    if own is None:
        if not extents:
            raise EvidenceError("the descriptor names no extent")
        return extents, []
    alone = Extent(sectors=own.capacity // SECTOR, kind="SPARSE", name=path.name, start=0)
    if len(extents) == 1:
        return (alone,), []
    alike = [
        index for index, extent in enumerate(extents) if extent.kind in _SPARSE and extent.sectors == alone.sectors
    ]
    named = [index for index in alike if extents[index].name == path.name]
    if not alike:
        return (alone,), ["no usable descriptor inside: the file may be one extent of a larger disk"]
    index = (named or alike)[0]
    return (*extents[:index], replace(extents[index], name=path.name), *extents[index + 1 :]), []


def _parent(path: Path, descriptor: Descriptor, chain: Chain) -> Below:
    def is_parent(found: Path) -> bool:
        return _content_id(found) == descriptor.parent_id

    names = (descriptor.parent_name,) if descriptor.parent_name else ()
    return open_parent(path, names, chain, is_parent=is_parent, opener=_open)


def _content_id(path: Path) -> str | None:
    """Return the content identifier of an image. Raises SourceError or EvidenceError if it cannot be read."""
    file = ContainerFile(path)
    try:
        start, length = 0, _LARGEST_DESCRIPTOR
        if file.read_up_to(0, len(HOSTED)) == HOSTED:
            start, length = SparseHeader.read(file).descriptor
        descriptor = Descriptor.parse(file.read_up_to(start, min(length, _LARGEST_DESCRIPTOR)))
        return descriptor.content_id if descriptor is not None else None
    finally:
        file.close()


def _part(path: Path, extent: Extent, below: Below) -> EvidenceSource:
    """Open one extent; whatever is wrong with it costs its own range only."""
    size = extent.sectors * SECTOR
    info = SourceInfo(kind="vmdk", files=(), size=size)
    if extent.kind == "ZERO":
        return BlockSource(info, NoBlocks())
    name = printable(extent.name)
    if extent.kind not in (*_FLAT, *_SPARSE):
        return _lost(info, f"extent {name} is of the kind {extent.kind}, which is not supported")
    found = path if extent.name == path.name else beside(path, extent.name)
    if found is None:
        return _lost(info, f"extent {name} is missing: put it beside the descriptor")
    info = replace(info, files=(str(found),))
    try:
        return _stored(ContainerFile(found), extent, info, below)
    except (SourceError, EvidenceError) as error:
        return _lost(info, f"extent {name}: {error}")


def _stored(file: ContainerFile, extent: Extent, info: SourceInfo, below: Below) -> EvidenceSource:
    if extent.kind in _FLAT:
        start = extent.start * SECTOR
        if start + info.size > file.size:
            name = printable(extent.name)
            info = replace(info, troubles=(f"extent {name} is cut: it ends at {file.size} bytes",))
        return BlockSource(info, FlatBlocks(file, start))
    try:
        header = SparseHeader.read(file)
    except EvidenceError:
        file.close()
        raise
    return BlockSource(info, SparseBlocks(file, header), below)


def _lost(info: SourceInfo, reason: str) -> UnreadableSource:
    return UnreadableSource(replace(info, troubles=(reason,)), reason)


def _unreadable(path: Path, size: int, reason: str) -> UnreadableSource:
    return _lost(SourceInfo(kind="vmdk", files=(str(path),), size=size), reason)


class JoinedDisk:
    """Extents one after the other, over a parent that they share."""

    def __init__(self, info: SourceInfo, parts: Sequence[EvidenceSource], parent: EvidenceSource | None) -> None:
        self._info = info
        self._parts = [part for part in parts if part.info.size]
        self._parent = parent
        self._starts = list(accumulate((part.info.size for part in self._parts), initial=0))[:-1]

    @property
    def info(self) -> SourceInfo:
        """What the source is."""
        return self._info

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; unreadable ones as zeros, recorded."""
        end = min(offset + length, self._info.size)
        pieces: list[bytes] = []
        while offset < end:
            index = bisect_right(self._starts, offset) - 1
            pieces.append(self._parts[index].read_at(offset - self._starts[index], end - offset))
            offset += len(pieces[-1])
        return b"".join(pieces)

    def unreadable_runs(self) -> tuple[UnreadableRun, ...]:
        """Return what could not be read so far, counted from the start of the disk."""
        return tuple(
            replace(bad, run=ByteRun(bad.run.offset + start, bad.run.length))
            for start, part in zip(self._starts, self._parts, strict=True)
            for bad in part.unreadable_runs()
        )

    def close(self) -> None:
        """Release every extent and the parent."""
        for part in self._parts:
            part.close()
        if self._parent is not None:
            self._parent.close()
