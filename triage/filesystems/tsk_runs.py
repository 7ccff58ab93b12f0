"""Where the content of an attribute lies: the library's run list as byte runs of the source."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytsk3

from triage.filesystems.tsk_inodes import Inodes
from triage.filesystems.tsk_records import Records
from triage.model.runs import ByteRun, Runs

_HOLE = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
_NO_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What turns a block number into an offset in the source; all in bytes.

    `interleaved` is True where each block is wrapped in other bytes (raw CD sectors): no plain runs exist then.
    `inodes` is the inode table where the file system is an ext, `records` the master file table where it is NTFS.
    `shown` is how many first bytes the library is shown in place of the volume's own, `readable` up to where in the
    volume it reads. `plain` is whether what is plain and sound is read without the library; only a comparison of both
    ways asks for less.
    """

    block_size: int
    start: int
    size: int
    readable: int
    shown: int = 0
    interleaved: bool = False
    inodes: Inodes | None = None
    records: Records | None = None
    plain: bool = True


class FoundRuns(NamedTuple):
    """The runs of one attribute that lie in the volume; `span` is the length in bytes of all its runs, with holes.

    `whole` is whether the library would read just the bytes of the runs, end to end, up to the content's size.
    """

    runs: Runs
    span: int
    whole: bool


def content_runs(attribute: Any, layout: Layout, size: int | None) -> FoundRuns:
    """Return the runs of an attribute in file order, cut at the content's size in bytes (None: whole clusters).

    Holes are left out, and so is what would lie outside the volume.
    """
    runs: list[ByteRun] = []
    block, span = layout.block_size, 0
    limit = _NO_LIMIT if size is None else size
    whole = size is not None and not layout.interleaved
    for run in attribute:
        offset, length, start, flags = run.offset * block, run.len * block, run.addr * block, int(run.flags)
        wanted = min(length, limit - offset)
        if span < limit and (flags or offset != span or not layout.shown <= start <= layout.readable - wanted):
            whole = False
        span = max(span, offset + length)
        inside = min(wanted, layout.size - start)
        if inside > 0 and not (flags & _HOLE or layout.interleaved):
            runs.append(ByteRun(layout.start + start, inside))
    return FoundRuns(tuple(runs), span, whole and span >= limit)
