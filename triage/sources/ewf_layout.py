"""Which chunks of an EWF set lie where, and what can be said when some of their tables are lost.

A table does not say which chunks it holds: they are counted, from the first segment on. Where a segment is missing or
cut the count is lost, so what follows is counted from the other end, which is known when the last segment is there.
A `sectors` section whose table is lost is walked chunk by chunk: they lie back to back, and each proves its own end.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_chunks import measure, most_bytes
from triage.sources.ewf_sections import (
    COMPRESSED,
    LARGEST_OFFSET,
    TABLE_HEAD_SIZE,
    Entries,
    Geometry,
    Section,
    TableHead,
    parse_table_head,
)
from triage.sources.ewf_segments import DAMAGED, Segment

Found = tuple[int, bool]
"""A chunk found by walking: its offset in the segment file, and whether it is a zlib stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Chunks that follow one another. `count` is None where it is not known how many: `why` says it.

    `tables` are the table and its copy where their heads are sound, `sectors` the section that holds the chunks
    where there is one.
    """

    why: str
    segment: Segment | None = None
    count: int | None = None
    tables: tuple[tuple[Section, TableHead], ...] = ()
    sectors: Section | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A stretch of which the number of the first chunk is known; `entries` where they were found by walking."""

    first: int
    count: int
    stretch: Stretch
    entries: Entries | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of the order: placed stretches sorted by number, and `lost` chunks as [first, end) with why."""

    placed: tuple[Placed, ...]
    lost: tuple[tuple[int, int, str], ...]


def stretches_of(files: EvidenceFiles, segment: Segment) -> list[Stretch]:
    """Return the stretches of one segment in order. Raises OSError."""
    name = segment.path.name
    found: list[Stretch] = []
    pending: Section | None = None
    for section in segment.sections:
        if section.kind in {"table", "table2"}:
            head = parse_table_head(files.read(segment.path, section.body, TABLE_HEAD_SIZE))
            if head is None:
                continue
            if pending is None and section.kind == "table2" and found and found[-1].count == head.count:
                found[-1] = replace(found[-1], tables=(*found[-1].tables, (section, head)))
                continue
            why = f"the chunk table of {name} is damaged"
            found.append(
                Stretch(why=why, segment=segment, count=head.count, tables=((section, head),), sectors=pending)
            )
            pending = None
        elif section.kind == "sectors":
            found.extend(_without_table(segment, pending))
            pending = section
        elif section.kind == DAMAGED and pending is not None and pending.body == pending.end:
            pending = replace(
                pending, end=section.end
            )  # an acquisition that was broken off: the size was never filled in
        elif section.kind == DAMAGED and pending is None:
            found.append(Stretch(why=f"{name} is damaged", segment=segment))
    found.extend(_without_table(segment, pending))
    if pending is None and not segment.ended and not (found and found[-1].count is None):
        found.append(Stretch(why=f"{name} is cut short", segment=segment))
    return found


def _without_table(segment: Segment, sectors: Section | None) -> Iterator[Stretch]:
    if sectors is not None:
        state = "is damaged" if segment.ended else "is cut short"
        yield Stretch(why=f"{segment.path.name} {state}: a chunk table is lost", segment=segment, sectors=sectors)


def lay_out(files: EvidenceFiles, stretches: Sequence[Stretch], geometry: Geometry, *, closed: bool) -> Layout:
    """Give every chunk its number: forwards up to the first stretch without a count, backwards if `closed`.

    `closed`: the last stretch is the last of the set, so that it ends with the last chunk. Raises OSError.
    """
    total = geometry.chunk_count
    placed: list[Placed] = []
    number = 0
    waiting = list(stretches)
    while waiting:
        stretch = waiting.pop(0)
        if stretch.count is None:
            room = total - number - sum(after.count or 0 for after in waiting)
            walked, is_whole = _walk(files, stretch, range(number, number + max(0, room)), geometry)
            placed.extend(walked)
            number += sum(part.count for part in walked)
            if not is_whole:
                waiting.insert(0, stretch)
                break
        else:
            placed.append(Placed(number, stretch.count, stretch))
            number += stretch.count
    end = total
    while closed and waiting and (count := waiting[-1].count) is not None and end - count >= number:
        end -= count
        placed.append(Placed(end, count, waiting.pop()))
    placed.sort(key=lambda part: part.first)
    return Layout(tuple(placed), ((number, end, _reason(waiting)),) if number < end else ())


def _reason(unplaced: Sequence[Stretch]) -> str:
    """Say why chunks are lost, given the stretches that found no place."""
    causes = [stretch.why for stretch in unplaced if stretch.count is None]
    homeless = [stretch.segment.path.name for stretch in unplaced if stretch.segment and stretch.count is not None]
    if homeless:
        causes.append(f"where the chunks of {', '.join(dict.fromkeys(homeless))} belong cannot be told")
    return "; ".join(dict.fromkeys(causes)) or "the chunk tables end before the last chunk"


def _walk(files: EvidenceFiles, stretch: Stretch, numbers: range, geometry: Geometry) -> tuple[list[Placed], bool]:
    """Find the chunks of a `sectors` section without its table, up to the first one that does not prove itself.

    Returns them in pieces that a table could hold, and whether they fill the section to its very end.
    """
    segment, sectors = stretch.segment, stretch.sectors
    if segment is None or sectors is None:
        return [], False
    found: list[Found] = []
    position = sectors.body
    for number in numbers:
        window = max(0, min(most_bytes(geometry.chunk_size), sectors.end - position))
        measured = measure(files.read(segment.path, position, window), geometry.size_of(number), geometry.chunk_size)
        if measured is None:
            break
        length, compressed = measured
        found.append((position, compressed))
        position += length
    return list(_pieces(stretch, numbers.start, found)), position == sectors.end


def _pieces(stretch: Stretch, first: int, found: Sequence[Found]) -> Iterator[Placed]:
    start = 0
    while start < len(found):
        base = found[start][0]
        end = bisect_right(found, base + LARGEST_OFFSET, lo=start, key=lambda chunk: chunk[0])
        stored = np.array(
            [offset - base | (COMPRESSED if compressed else 0) for offset, compressed in found[start:end]], np.uint32
        )
        yield Placed(first + start, end - start, stretch, Entries(stored, base, end - start))
        start = end
