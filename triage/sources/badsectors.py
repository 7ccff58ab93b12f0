"""Reading around bad sectors: the good bytes come back, the bad ones as zeros with the reason."""

import errno
import os
from collections.abc import Callable

from triage.model.evidence import UnreadableRun
from triage.model.runs import ByteRun

Read = Callable[[int, int], bytes]
"""Offset and length to bytes: short at the end or before a bad place, OSError when the first byte is bad."""

GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.EBADF, errno.ESTALE, errno.ENOENT, errno.EACCES, errno.EPERM})
"""Errors that every sector would give alike: narrowing down would only ask in vain."""


def read_around(read: Read, run: ByteRun, granule: int) -> tuple[bytes, list[UnreadableRun]]:
    """Return exactly `run.length` bytes, and what of them could not be read, narrowed down to `granule` bytes.

    `granule` is the unit that fails as a whole: a sector, or a chunk of a container. A bad stretch is halved until
    it is one granule, so that n bad granules cost about n * log(length / granule) reads.
    """
    found: list[bytes] = []
    bad: list[UnreadableRun] = []
    waiting = [run]
    while waiting:
        piece = waiting.pop()
        try:
            data = read(piece.offset, piece.length) if piece.length else b""
        except OSError as error:
            halves = () if error.errno in GONE else _halves(piece, granule)
            if not halves:
                bad.append(UnreadableRun(run=piece, reason=reason_of(error)))
                found.append(bytes(piece.length))
            waiting.extend(halves)
            continue
        found.append(data)
        rest = ByteRun(piece.offset + len(data), piece.length - len(data))
        if rest.length and data:
            waiting.append(rest)
        elif rest.length:
            bad.append(UnreadableRun(run=rest, reason="the file ends before this place"))
            found.append(bytes(rest.length))
    return found[0] if len(found) == 1 else b"".join(found), bad


def reason_of(error: OSError) -> str:
    """Return the system's words for an error, without names and numbers, so that neighbours can be joined."""
    if error.errno is None:
        return str(error) or type(error).__name__
    return os.strerror(error.errno).lower() if error.errno != errno.EIO else "input/output error"


def _halves(piece: ByteRun, granule: int) -> tuple[ByteRun, ...]:
    """Cut a run at a multiple of the granule, the second half first; empty when it lies in one granule."""
    middle = (piece.offset + piece.length // 2) // granule * granule
    if middle <= piece.offset:
        middle = (piece.offset // granule + 1) * granule
    if middle >= piece.end:
        return ()
    return ByteRun(middle, piece.end - middle), ByteRun(piece.offset, middle - piece.offset)
