"""An EWF set as a whole: which segments are there, and what their sections say of the disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from triage.sources.badsectors import reason_of
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_layout import Stretch, stretches_of
from triage.sources.ewf_sections import (
    HEADER_SIZE,
    Geometry,
    Section,
    parse_digests,
    parse_errors,
    parse_geometry,
    segment_number,
)
from triage.sources.ewf_segments import DAMAGED, Segment, read_segment, segment_name

_LARGEST_BODY = 1 << 24
_GEOMETRY = frozenset({"volume", "disk", "data"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EwfSet:
    """Segments in order and the stretches of chunks in them, gaps included.

    `geometry` is None where no segment tells it. `closed`: the last segment is there. `errors` are (first sector,
    number of sectors) that the acquisition could not read.
    """

    segments: tuple[Segment, ...]
    stretches: tuple[Stretch, ...]
    geometry: Geometry | None
    closed: bool
    digests: tuple[tuple[str, str], ...]
    errors: tuple[tuple[int, int], ...]
    troubles: tuple[str, ...]


def is_segment(files: EvidenceFiles, path: Path, number: int) -> bool:
    """Tell whether the file's own header says that it is that segment. Raises OSError."""
    return segment_number(files.read(path, 0, HEADER_SIZE)) == number


def only_segments(files: EvidenceFiles, path: Path, names: Mapping[int, Path]) -> dict[int, Path]:
    """Return the names behind which there are segment files, of whatever number: `x.txt` beside `x.E01` is none.

    `path`, which has a segment's signature, stays; so does a file that cannot be read: it may be one.
    """
    return {number: name for number, name in names.items() if name == path or _may_be_segment(files, name)}


def read_set(files: EvidenceFiles, path: Path, number: int, names: Mapping[int, Path]) -> EwfSet:
    """Read the sections of every segment of the set of which `path` is segment `number`."""
    members = _members(files, names)
    last = max(members)
    closing = members[last]
    closed = isinstance(closing, Segment) and closing.is_last
    segments = tuple(member for member in members.values() if isinstance(member, Segment))
    stretches = tuple(_stretches(files, path, number, members))
    geometry, contradiction = _geometry(files, segments, stretches)
    errors = tuple(error for _, body in _bodies(files, segments, {"error2"}) for error in parse_errors(body))
    digests = dict(
        pair
        for section, body in _bodies(files, segments, {"hash", "digest"})
        for pair in parse_digests(section.kind, body)
    )
    troubles = [stretch.why for stretch in stretches if stretch.count is None]
    troubles += [f"{segment.path.name} is damaged" for segment in segments if _is_damaged(segment)]
    troubles += [
        f"{names[extra].name} lies behind the last segment: not read" for extra in sorted(names) if extra > last
    ]
    if contradiction:
        troubles.append(contradiction)
    if errors:
        troubles.append(f"the acquisition could not read {sum(count for _, count in errors)} sectors")
    return EwfSet(
        segments=segments,
        stretches=stretches,
        geometry=geometry,
        closed=closed,
        digests=tuple(sorted(digests.items())),
        errors=errors,
        troubles=tuple(dict.fromkeys(troubles)),
    )


def _members(files: EvidenceFiles, names: Mapping[int, Path]) -> dict[int, Segment | str]:
    """Return every segment up to the one that closes the set: the segment, or why there is none."""
    members: dict[int, Segment | str] = {}
    identifier = bytes(16)
    for number in range(1, max(names) + 1):
        member = _member(files, names.get(number), number, identifier)
        members[number] = member
        if isinstance(member, Segment):
            identifier = _identifier(files, member) or identifier
            if member.is_last:
                break
    return members


def _member(files: EvidenceFiles, path: Path | None, number: int, identifier: bytes) -> Segment | str:
    if path is None:
        return "is missing"
    try:
        if not is_segment(files, path, number):
            return f"is missing: {path.name} is something else"
        segment = read_segment(files, path, number)
        found = _identifier(files, segment)
    except OSError as error:
        return f"cannot be read: {reason_of(error)}"
    if found and any(identifier) and found != identifier:
        return f"is missing: {path.name} is of another set"
    return segment


def _may_be_segment(files: EvidenceFiles, path: Path) -> bool:
    try:
        return path.is_file() and segment_number(files.read(path, 0, HEADER_SIZE)) is not None
    except OSError:
        return True


def _identifier(files: EvidenceFiles, segment: Segment) -> bytes | None:
    for _, body in _bodies(files, (segment,), _GEOMETRY):
        geometry = parse_geometry(body)
        if geometry is not None and any(geometry.identifier):
            return geometry.identifier
    return None


def _stretches(
    files: EvidenceFiles, path: Path, number: int, members: Mapping[int, Segment | str]
) -> Iterator[Stretch]:
    for member, group in groupby(members.items(), key=lambda pair: pair[1]):
        numbers = [wanted for wanted, _ in group]
        if isinstance(member, Segment):
            yield from stretches_of(files, member)
        else:
            name = segment_name(path, number, numbers[0])
            until = f" to {segment_name(path, number, numbers[-1])}" if len(numbers) > 1 else ""
            yield Stretch(why=f"{name}{until} {member}")
    last = max(members)
    closing = members[last]
    if isinstance(closing, Segment) and closing.ended and not closing.is_last:
        yield Stretch(why=f"{segment_name(path, number, last + 1)} is missing")


def _geometry(
    files: EvidenceFiles, segments: tuple[Segment, ...], stretches: tuple[Stretch, ...]
) -> tuple[Geometry | None, str | None]:
    """Return the first sound geometry, made to agree with itself, and what had to be said about it."""
    for _, body in _bodies(files, segments, _GEOMETRY):
        geometry = parse_geometry(body)
        if geometry is None:
            continue
        counted = sum(stretch.count or 0 for stretch in stretches)
        if geometry.is_consistent and (geometry.chunk_count >= counted):
            return geometry, None
        chunks = max(geometry.chunk_count, counted)
        contradiction = (
            f"the sizes in the image contradict each other: {geometry.sector_count} sectors, "
            f"{geometry.chunk_count} chunks, {counted} of them in the tables"
        )
        sectors = chunks * geometry.sectors_per_chunk
        return replace(geometry, chunk_count=chunks, sector_count=sectors), contradiction
    return None, None


def _bodies(
    files: EvidenceFiles, segments: tuple[Segment, ...], kinds: frozenset[str] | set[str]
) -> Iterator[tuple[Section, bytes]]:
    for segment in segments:
        for section in segment.sections:
            if section.kind in kinds:
                length = min(section.end, segment.size, section.body + _LARGEST_BODY) - section.body
                yield section, files.read(segment.path, section.body, max(0, length))


def _is_damaged(segment: Segment) -> bool:
    return any(section.kind == DAMAGED for section in segment.sections)
