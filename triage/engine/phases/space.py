"""The space of a source by who owns it: allocated files, nobody, and what is closed to everyone."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.model.blocks import BLOCK_BYTES
from triage.model.evidence import Region
from triage.model.item import ItemKind
from triage.model.runs import ByteRun
from triage.store.case import Case
from triage.store.spans import Spans, intersect, merge, spans_of, subtract, total

_IN_FILES = frozenset({ItemKind.FILE, ItemKind.STREAM, ItemKind.OTHER, ItemKind.LINK, ItemKind.DIRECTORY})
_SECTOR = 512
_SMALL = 512 << 20  # bytes; smaller volumes are given clusters of less than 4 KiB by mke2fs, and by mkfs.fat at times
_TELLING = 16  # runs, all so many clusters from each other as if by chance


class Space(NamedTuple):
    """Spans of a source: `allocated` belong to files, `free` to none of them; encrypted volumes are in neither.

    `begins` says, in order, where runs of files begin that have a block or more: at clusters, which shorter ones, that
    a file system may keep among its own records, need not.
    """

    allocated: Spans
    free: Spans
    begins: NDArray[np.int64]


class Aligned(NamedTuple):
    """Parts of spans from where on a file could begin in them, every so many bytes; `cut` bytes lie before these."""

    spans: Spans
    cut: int


def space_of(case: Case, reference: str) -> Space:
    """Return how the space of an exhibit is divided; every volume must be listed."""
    record = case.exhibits.get(reference)
    assert record is not None
    size = record.info.size
    owned = [some.spans for some in case.journal.accounted(reference) if some.allocated and some.kind in _IN_FILES]
    begins = [spans[spans[:, 1] - spans[:, 0] >= BLOCK_BYTES, 0] for spans in owned]
    allocated = merge(owned)
    closed = [report.region.run for report in case.layout.volumes(reference) if report.state == "encrypted"]
    taken = merge([allocated, spans_of(closed, size)])
    free = subtract(spans_of([ByteRun(0, size)], size), taken)
    return Space(allocated, free, np.unique(np.concatenate([np.empty(0, np.int64), *begins])))


def aligned(spans: Spans, begins: NDArray[np.int64], case: Case, reference: str) -> dict[int, Aligned]:
    """Return spans by the step at which files could begin in them, smallest first: the clusters of each region."""
    parts: defaultdict[int, list[Spans]] = defaultdict(list)
    cut: defaultdict[int, int] = defaultdict(int)
    for region in case.layout.regions(reference):
        own = intersect(np.array([[region.run.offset, region.run.end]], np.int64), spans)
        first, last = begins.searchsorted((region.run.offset, region.run.end))
        origin, step = _clusters(region, begins[first:last])
        starts = np.minimum(own[:, 0] + (origin - own[:, 0]) % step, own[:, 1])
        parts[step].append(np.stack((starts, own[:, 1]), axis=1))
        cut[step] += total(own) - total(parts[step][-1])
    return {step: Aligned(np.concatenate(parts[step]), cut[step]) for step in sorted(parts)}


def inside(offsets: NDArray[np.int64], length: int, spans: Spans) -> NDArray[np.bool_]:
    """Return of so many bytes from each offset on whether all lie in one of the spans, which are merged."""
    at = spans[:, 1].searchsorted(offsets, "right")
    beyond = np.append(spans, [[np.iinfo(np.int64).max] * 2], axis=0)
    return np.asarray((beyond[at, 0] <= offsets) & (offsets + length <= beyond[at, 1]), np.bool_)


def _clusters(region: Region, begins: NDArray[np.int64]) -> tuple[int, int]:
    """Return where a cluster of a region begins, and a step that all clusters keep: a block, or what divides it.

    It is what the runs of files show; of a small volume with too few of them nothing more is known than its sectors.
    """
    if len(begins) < _TELLING and region.run.length < _SMALL:
        return region.run.offset if not len(begins) else int(begins[0]), _SECTOR
    if not len(begins):
        return region.run.offset, BLOCK_BYTES
    step = int(np.gcd.reduce(begins - begins[0], initial=BLOCK_BYTES))
    return int(begins[0]), max(_SECTOR, step)
