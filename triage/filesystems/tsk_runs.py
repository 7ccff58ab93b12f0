"""Where the content of an attribute lies: the library's run list as byte runs of the source."""

from dataclasses import dataclass
from typing import Any

import pytsk3

from triage.filesystems.tsk_inodes import Inodes
from triage.model.runs import ByteRun, Runs

_HOLE = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What turns a block number into an offset in the source; all in bytes.

    `interleaved` is True where each block is wrapped in other bytes (raw CD sectors): no plain runs exist then.
    `inodes` is the inode table where the file system is an ext.
    """

    block_size: int
    start: int
    size: int
    interleaved: bool = False
    inodes: Inodes | None = None


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """The runs of one attribute that lie in the volume; `span` is the length in bytes of all its runs, with holes."""

    runs: Runs
    span: int


def content_runs(attribute: Any, layout: Layout, size: int | None) -> FoundRuns:
    """Return the runs of an attribute in file order, cut at the content's size in bytes (None: whole clusters).

    Holes are left out, and so is what would lie outside the volume.
    """
    runs: list[ByteRun] = []
    span = 0
    for run in attribute:
        span = max(span, (run.offset + run.len) * layout.block_size)
        if layout.interleaved or int(run.flags) & _HOLE:
            continue
        length = run.len * layout.block_size
        if size is not None:
            length = min(length, size - run.offset * layout.block_size)
        start = run.addr * layout.block_size
        length = min(length, layout.size - start)
        if length > 0:
            runs.append(ByteRun(layout.start + start, length))
    return FoundRuns(tuple(runs), span)
