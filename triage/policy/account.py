"""The coverage account: arithmetic over outcomes and byte runs, from what a case holds alone."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from triage.model.coverage import Coverage, CoverageClass, RegionCoverage
from triage.model.evidence import Region, VolumeReport
from triage.model.item import Outcome
from triage.model.runs import ByteRun
from triage.store.spans import Spans, before, intersect, merge, spans_of, subtract, total

_UNSUPPORTED = frozenset({"unsupported", "ambiguous", "no-file-system"})

# A byte that several claim goes to the first: what was read was read, whoever else shares the block.
_ORDER = (
    CoverageClass.EXAMINED,
    CoverageClass.UNALLOCATED_EXAMINED,
    CoverageClass.ENCRYPTED,
    CoverageClass.SKIPPED,
    CoverageClass.SKIPPED_BY_SIZE,
    CoverageClass.SKIPPED_KNOWN,
    CoverageClass.UNREADABLE,
    CoverageClass.NOT_EXAMINED,
)

# Rules by the code of an item's reason; what any other leaves out is unknown, these two know what they leave.
_SKIPPED_BY = {"size": CoverageClass.SKIPPED_BY_SIZE, "known": CoverageClass.SKIPPED_KNOWN}


def class_of(outcome: Outcome, *, allocated: bool, code: str = "") -> CoverageClass:
    """Return the class of the bytes of an item; `code` is its reason up to the first colon."""
    match outcome:
        case Outcome.EXAMINED:
            return CoverageClass.EXAMINED if allocated else CoverageClass.UNALLOCATED_EXAMINED
        case Outcome.SKIPPED:
            return _SKIPPED_BY.get(code, CoverageClass.SKIPPED)
        case Outcome.ENCRYPTED:
            return CoverageClass.ENCRYPTED
        case Outcome.UNREADABLE:
            return CoverageClass.UNREADABLE
        case _:
            return CoverageClass.NOT_EXAMINED


def account(
    size: int,
    volumes: Sequence[VolumeReport],
    claims: Mapping[CoverageClass, Sequence[Spans]],
    *,
    unreadable: Iterable[ByteRun],
    unlisted: Iterable[ByteRun],
    items: Mapping[str, int],
    noise: Sequence[Spans] = (),
    searched: Iterable[ByteRun] = (),
    regions: Sequence[Region] = (),
) -> Coverage:
    """Return the account of a source of `size` bytes, in all and for each of the regions that tile it.

    `claims` are the spans of items by the class of their outcome, `noise` those of items that may be encrypted,
    `unreadable` the runs that gave no bytes, `unlisted` the volumes whose names are not all listed (what no item claims
    there was not examined), `searched` what was searched for the beginnings of files, `items` the number of items by
    outcome. What lies in a read volume, belongs to no item and was not searched is unallocated space or the file
    system's own structures, and was not examined; what lies in no volume is outside partitions.
    """
    left = _Left(size, regions)
    encrypted = [report.region.run for report in volumes if report.state == "encrypted"]
    unsupported = [report.region.run for report in volumes if report.state in _UNSUPPORTED]
    left.take(CoverageClass.ENCRYPTED, spans_of(encrypted, size))
    left.take(CoverageClass.UNREADABLE, spans_of(unreadable, size))
    left.take(CoverageClass.UNSUPPORTED, spans_of(unsupported, size))
    high_entropy = 0
    for kind in _ORDER:
        left.take(kind, merge(claims.get(kind, ())))
        if kind is CoverageClass.ENCRYPTED:
            high_entropy = left.take(kind, merge(noise))
    left.take(CoverageClass.NOT_EXAMINED, spans_of(unlisted, size))
    # Behind all items: a search finds where files begin, and says nothing of one that could not be examined.
    left.take(CoverageClass.UNALLOCATED_EXAMINED, spans_of(searched, size))
    left.take(CoverageClass.UNALLOCATED_NOT_EXAMINED, spans_of((report.region.run for report in volumes), size))
    left.take(CoverageClass.OUTSIDE_PARTITIONS, left.spans)
    return Coverage(
        size=size,
        bytes=left.taken,
        items=dict(items),
        high_entropy=high_entropy,
        regions=left.by_region({report.region: report for report in volumes}),
    )


class _Left:
    """What of a source is in no class yet, and how much each class took, in all and in every region."""

    def __init__(self, size: int, regions: Sequence[Region]) -> None:
        self.spans = spans_of([ByteRun(0, size)], size)
        self.taken = dict.fromkeys(CoverageClass, 0)
        self._regions = regions
        self._edges = np.array([(region.run.offset, region.run.end) for region in regions], np.int64).reshape(-1, 2)
        self._within = {kind: np.zeros(len(regions), np.int64) for kind in CoverageClass}

    def take(self, kind: CoverageClass, spans: Spans) -> int:
        """Give what is left of the spans to a class; return how many bytes that are."""
        new = intersect(self.spans, spans)
        count = total(new)
        self.spans = subtract(self.spans, spans)
        self.taken[kind] += count
        taken = before(new, self._edges)
        self._within[kind] += taken[:, 1] - taken[:, 0]
        return count

    def by_region(self, reports: Mapping[Region, VolumeReport]) -> tuple[RegionCoverage, ...]:
        """Return the account of each region."""
        return tuple(
            RegionCoverage(
                name=region.name,
                offset=region.run.offset,
                length=region.run.length,
                state=reports[region].state if region in reports else None,
                file_system=reports[region].file_system if region in reports else None,
                bytes={kind: int(counts[index]) for kind, counts in self._within.items()},
            )
            for index, region in enumerate(self._regions)
        )
