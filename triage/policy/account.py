"""The coverage account: arithmetic over outcomes and byte runs, from what a case holds alone."""

from collections.abc import Iterable, Mapping, Sequence

from triage.model.coverage import Coverage, CoverageClass
from triage.model.evidence import VolumeReport
from triage.model.item import Outcome
from triage.model.runs import ByteRun, Runs, intersect, merge, subtract, total

_UNSUPPORTED = frozenset({"unsupported", "ambiguous", "no-file-system"})

# A byte that several claim goes to the first: what was read was read, whoever else shares the block.
_ORDER = (
    CoverageClass.EXAMINED,
    CoverageClass.UNALLOCATED_EXAMINED,
    CoverageClass.ENCRYPTED,
    CoverageClass.SKIPPED,
    CoverageClass.UNREADABLE,
    CoverageClass.NOT_EXAMINED,
)


def class_of(outcome: Outcome, *, allocated: bool) -> CoverageClass:
    """Return the class that the bytes of an item with this outcome belong to."""
    match outcome:
        case Outcome.EXAMINED:
            return CoverageClass.EXAMINED if allocated else CoverageClass.UNALLOCATED_EXAMINED
        case Outcome.SKIPPED:
            return CoverageClass.SKIPPED
        case Outcome.ENCRYPTED:
            return CoverageClass.ENCRYPTED
        case Outcome.UNREADABLE:
            return CoverageClass.UNREADABLE
        case _:
            return CoverageClass.NOT_EXAMINED


def account(
    size: int,
    volumes: Sequence[VolumeReport],
    claims: Mapping[CoverageClass, Iterable[ByteRun]],
    *,
    unreadable: Iterable[ByteRun],
    unlisted: Iterable[ByteRun],
    items: Mapping[str, int],
) -> Coverage:
    """Return the account of a source of `size` bytes.

    `claims` are the runs of items by the class of their outcome, `unreadable` the runs that gave no bytes,
    `unlisted` the volumes whose names are not all listed (what no item claims there was not examined), `items` the
    number of items by outcome. What lies in a read volume and belongs to no item is unallocated space or the
    file system's own structures, and was not examined; what lies in no volume is outside partitions.
    """
    left: Runs = merge([ByteRun(0, size)])
    taken: dict[CoverageClass, int] = dict.fromkeys(CoverageClass, 0)

    def take(kind: CoverageClass, runs: Runs) -> None:
        nonlocal left
        taken[kind] += total(intersect(left, runs))
        left = subtract(left, runs)

    encrypted = [report.region.run for report in volumes if report.state == "encrypted"]
    unsupported = [report.region.run for report in volumes if report.state in _UNSUPPORTED]
    take(CoverageClass.ENCRYPTED, merge(encrypted))
    take(CoverageClass.UNREADABLE, merge(unreadable))
    take(CoverageClass.UNSUPPORTED, merge(unsupported))
    for kind in _ORDER:
        take(kind, merge(claims.get(kind, ())))
    take(CoverageClass.NOT_EXAMINED, merge(unlisted))
    take(CoverageClass.UNALLOCATED_NOT_EXAMINED, merge(report.region.run for report in volumes))
    take(CoverageClass.OUTSIDE_PARTITIONS, left)
    return Coverage(size=size, bytes=taken, items=dict(items))
