"""Looking up the chunks of an EWF set by number, in flat memory however large the set is."""

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from triage.model.runs import ByteRun
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_chunks import BadChunk, most_bytes
from triage.sources.ewf_layout import Layout, Placed
from triage.sources.ewf_sections import TABLE_HEAD_SIZE, Entries, Section, TableHead, parse_entries
from triage.sources.ewf_segments import Segment

_ENTRIES_KEPT = 1 << 22
_LARGEST_TABLE = 1 << 25


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one chunk lies in its segment file, with its checksum."""

    segment: Segment
    run: ByteRun
    compressed: bool


@dataclass(frozen=True, slots=True)
class Located:
    """Chunks that follow one another on the disk, all in one segment file: offsets there, lengths with checksums.

    A length is 0 where the table points outside its chunks.
    """

    segment: Segment
    offsets: list[int]
    lengths: list[int]
    compressed: list[bool]


class ChunkIndex:
    """Finds chunks by number; tables are read when they are needed, and the last ones used are kept."""

    def __init__(self, files: EvidenceFiles, layout: Layout, chunk_size: int) -> None:
        self._files = files
        self._placed = layout.placed
        self._firsts = [placed.first for placed in layout.placed]
        self._longest = most_bytes(chunk_size)
        self._kept: OrderedDict[int, Entries] = OrderedDict()
        self._damaged: set[int] = set()

    def find(self, chunk: int) -> Stored:
        """Return where a chunk lies. Raises BadChunk where no table tells, OSError."""
        placed, segment, entries = self._table_of(chunk)
        index = chunk - placed.first
        offset = entries.offset(index)
        end = self._end(segment, entries, index)
        if not offset < end:
            raise BadChunk(f"the chunk table of {segment.path.name} points outside its chunks")
        run = ByteRun(offset, min(end - offset, self._longest))
        return Stored(segment, run, entries.is_compressed(index))

    def locate(self, first: int, end: int) -> Located:
        """Return where the chunks [first, end) lie, or those of them that the table of the first one holds.

        Raises BadChunk where no table tells of the first one, OSError.
        """
        placed, segment, entries = self._table_of(first)
        low, high = first - placed.first, min(end - placed.first, placed.count)
        found = entries.offsets(low, high + 1)
        offsets = found[: high - low]
        lengths = np.zeros(high - low, np.int64)
        lengths[: len(found) - 1] = np.diff(found)
        odd = np.flatnonzero(lengths <= 0).tolist()
        told = np.minimum(lengths, self._longest).tolist()
        for index in odd:
            length = self._end(segment, entries, low + index) - int(offsets[index])
            told[index] = max(0, min(length, self._longest))
        return Located(segment, offsets.tolist(), told, entries.compressed(low, high).tolist())

    def _table_of(self, chunk: int) -> tuple[Placed, Segment, Entries]:
        position = bisect_right(self._firsts, chunk) - 1
        if position < 0 or chunk >= self._firsts[position] + self._placed[position].count:
            raise BadChunk("no chunk table tells where it lies")
        placed = self._placed[position]
        segment = placed.stretch.segment
        assert segment is not None, "a stretch without a segment has no count, so it is never placed"
        return placed, segment, self._entries(position, placed, segment)

    def _end(self, segment: Segment, entries: Entries, index: int) -> int:
        """Return where the next chunk begins, or where the section ends; 0 outside every section."""
        offset = entries.offset(index)
        following = entries.offset(index + 1) if index + 1 < len(entries) else 0
        if following > offset:
            return following
        at = bisect_right(segment.sections, offset, key=lambda section: section.offset) - 1
        return segment.sections[at].end if at >= 0 else 0

    def _entries(self, position: int, placed: Placed, segment: Segment) -> Entries:
        if placed.entries is not None:
            return placed.entries
        entries = self._kept.get(position)
        if entries is None:
            entries = self._load(position, placed, segment)
            self._kept[position] = entries
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _ENTRIES_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(position)
        return entries

    def _load(self, position: int, placed: Placed, segment: Segment) -> Entries:
        """Read the table, or its copy where the table is damaged."""
        for section, head in () if position in self._damaged else placed.stretch.tables:
            entries = _read_table(self._files, segment, section, head)
            if entries is not None:
                return entries
        self._damaged.add(position)
        raise BadChunk(f"the chunk table of {segment.path.name} is damaged and so is its copy")


def _read_table(files: EvidenceFiles, segment: Segment, section: Section, head: TableHead) -> Entries | None:
    """Return the entries of a table. Those of the SMART form, which holds the chunks itself, have no checksum."""
    start = section.body + TABLE_HEAD_SIZE
    if not 0 < head.count <= min(_LARGEST_TABLE, (segment.size - start) // 4):
        return None
    raw = files.read(segment.path, start, head.count * 4 + 4)
    first = head.base + (int.from_bytes(raw[:4], "little") & 0x7FFFFFFF)
    return parse_entries(raw, head, summed=not section.body < first < section.end)
