"""The space of a source by who owns it: allocated files, nobody, and what is closed to everyone."""

from typing import NamedTuple

import numpy as np

from triage.model.blocks import BLOCK_BYTES
from triage.model.item import ItemKind
from triage.model.runs import ByteRun
from triage.store.case import Case
from triage.store.spans import Spans, intersect, merge, spans_of, subtract

_IN_FILES = frozenset({ItemKind.FILE, ItemKind.STREAM, ItemKind.OTHER, ItemKind.LINK, ItemKind.DIRECTORY})


class Space(NamedTuple):
    """Spans of a source: `allocated` belong to files, `free` to none of them; encrypted volumes are in neither."""

    allocated: Spans
    free: Spans


def space_of(case: Case, reference: str) -> Space:
    """Return how the space of an exhibit is divided; every volume must be listed."""
    record = case.exhibits.get(reference)
    assert record is not None
    size = record.info.size
    owned = [some.spans for some in case.journal.accounted(reference) if some.allocated and some.kind in _IN_FILES]
    allocated = merge(owned)
    closed = [report.region.run for report in case.layout.volumes(reference) if report.state == "encrypted"]
    taken = merge([allocated, spans_of(closed, size)])
    return Space(allocated, subtract(spans_of([ByteRun(0, size)], size), taken))


def in_step(spans: Spans, allocated: Spans, case: Case, reference: str) -> Spans:
    """Return spans from where on a file could begin in them, by the clusters of the files of each region."""
    parts = [np.empty((0, 2), np.int64)]
    for region in case.layout.regions(reference):
        whole = np.array([[region.run.offset, region.run.end]], np.int64)
        owned, own = intersect(whole, allocated), intersect(spans, whole)
        first = int(owned[0, 0]) if len(owned) else region.run.offset
        starts = own[:, 0] + (first - own[:, 0]) % BLOCK_BYTES
        parts.append(np.stack((starts, own[:, 1]), axis=1)[starts < own[:, 1]])
    return merge(parts)
