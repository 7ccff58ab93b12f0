"""The coverage account: arithmetic over outcomes and byte runs, from what a case holds alone."""

from collections.abc import Iterable, Mapping, Sequence

from triage.model.coverage import Coverage, CoverageClass
from triage.model.evidence import VolumeReport
from triage.model.item import Outcome
from triage.model.runs import ByteRun
from triage.policy.spans import Spans, intersect, merge, spans_of, subtract, total

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
) -> Coverage:
    """Return the account of a source of `size` bytes.

    `claims` are the spans of items by the class of their outcome, `unreadable` the runs that gave no bytes,
    `unlisted` the volumes whose names are not all listed (what no item claims there was not examined), `items` the
    number of items by outcome. What lies in a read volume and belongs to no item is unallocated space or the
    file system's own structures, and was not examined; what lies in no volume is outside partitions.
    """
    left = spans_of([ByteRun(0, size)], size)
    taken: dict[CoverageClass, int] = dict.fromkeys(CoverageClass, 0)

    def take(kind: CoverageClass, spans: Spans) -> None:
        nonlocal left
        taken[kind] += total(intersect(left, spans))
        left = subtract(left, spans)

    encrypted = [report.region.run for report in volumes if report.state == "encrypted"]
    unsupported = [report.region.run for report in volumes if report.state in _UNSUPPORTED]
    take(CoverageClass.ENCRYPTED, spans_of(encrypted, size))
    take(CoverageClass.UNREADABLE, spans_of(unreadable, size))
    take(CoverageClass.UNSUPPORTED, spans_of(unsupported, size))
    for kind in _ORDER:
        take(kind, merge(claims.get(kind, ())))
    take(CoverageClass.NOT_EXAMINED, spans_of(unlisted, size))
    take(CoverageClass.UNALLOCATED_NOT_EXAMINED, spans_of((report.region.run for report in volumes), size))
    take(CoverageClass.OUTSIDE_PARTITIONS, left)
    return Coverage(size=size, bytes=taken, items=dict(items))
