"""Decoding within limits: a member's bytes held in memory while few, decoded again as they are read where many."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from triage.content.content import Content
from triage.content.members.member import Container, Obstacle, ObstacleError, damaged
from triage.model.errors import EvidenceError
from triage.model.trouble import TroubleCode

Pieces = Iterator[tuple[bytes, int]]
"""Decoded bytes, in order, each with how many bytes of the compressed form were read so far."""

_BEHIND = (
    2 << 20
)  # what may be read again without starting over: the head of a content that is then read from its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A member in its compressed form. `pieces` starts decoding anew each time; `size` and `crc` are claimed.

    `plain`: where it lies in the container if it is not compressed at all.
    """

    pieces: Callable[[], Pieces]
    stored: int
    size: int | None = None
    crc: int | None = None
    plain: int | None = None


def decoded(container: Container, coded: Coded) -> tuple[Content | None, Obstacle | None]:
    """Return a member's content and what is wrong with it: of a damaged one what can be decoded, of a bomb nothing."""
    try:
        _check(container, coded)
    except ObstacleError as error:
        return None, error.obstacle
    taken = _Taken(container.limits.held)
    obstacle = None
    try:
        _take(container, coded, taken)
    except EvidenceError as error:
        obstacle = obstacle_of(error)
        if obstacle.code is TroubleCode.LIMIT:
            return None, obstacle
    if taken.size == 0 and obstacle is not None:
        return None, obstacle
    return taken.content(container, coded), obstacle


def _check(container: Container, coded: Coded) -> None:
    """Refuse what would be too much by its own claim."""
    size = coded.size or 0
    if size > container.limits.unchecked and size > container.limits.ratio * coded.stored:
        raise _too_much(container)
    if size > container.limits.member:
        raise ObstacleError(TroubleCode.LIMIT, f"a member of {size} bytes")
    if size > container.budget.bytes:
        raise ObstacleError(TroubleCode.LIMIT, f"{size} bytes are more than is left for this file and all inside it")


def _too_much(container: Container) -> ObstacleError:
    text = f"decodes to more than {container.limits.ratio} times its compressed form, as only bombs do"
    return ObstacleError(TroubleCode.LIMIT, text)


class _Taken:
    """The bytes decoded so far: kept until they are too many, counted and summed always."""

    def __init__(self, most: int) -> None:
        self.size = 0
        self.crc = 0
        self._kept: bytearray | None = bytearray()
        self._most = most

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        if self.size > self._most:
            self._kept = None
        if self._kept is not None:
            self._kept += piece

    def content(self, container: Container, coded: Coded) -> Content:
        if self._kept is not None:
            return Content.of(memoryview(self._kept).toreadonly())
        if coded.plain is not None:
            return container.window(coded.plain, self.size)
        return Content(Redecoded(container, coded.pieces).read, self.size, keep=0)


def _take(container: Container, coded: Coded, taken: _Taken) -> None:
    """Decode to the end or the claimed size. Raises ObstacleError for whatever is wrong; what was taken is kept."""
    limits = container.limits
    pieces = translated(coded.pieces()) if coded.size != 0 else iter(())
    for piece, consumed in pieces:
        wanted = piece if coded.size is None else piece[: coded.size - taken.size]
        container.budget.spend(len(wanted))
        taken.add(wanted)
        if taken.size > limits.unchecked and taken.size > limits.ratio * consumed:
            raise _too_much(container)
        if taken.size > limits.member:
            raise ObstacleError(TroubleCode.LIMIT, f"a member of more than {limits.member} bytes")
        if taken.size == coded.size:
            _end(coded, goes_on=len(wanted) < len(piece) or any(more for more, _ in islice(pieces, 1)))
            break
    if coded.size is not None and taken.size < coded.size:
        raise damaged(f"decodes to {taken.size} of {coded.size} bytes")
    if coded.crc is not None and taken.crc != coded.crc:
        raise damaged("the checksum does not match")


def _end(coded: Coded, *, goes_on: bool) -> None:
    if goes_on:
        raise damaged(f"decodes to more than its {coded.size} bytes")


def translated(pieces: Pieces) -> Pieces:
    """Yield pieces. Whatever a decoder raises on bad bytes is raised as an ObstacleError."""
    try:
        yield from pieces
    except EvidenceError:
        raise
    except Exception as error:
        raise ObstacleError(*obstacle_of(error)) from error


def obstacle_of(error: BaseException) -> Obstacle:
    """Return what an error of any origin means for the record."""
    if isinstance(error, ObstacleError):
        return error.obstacle
    if isinstance(error, EvidenceError) or (isinstance(error, OSError) and error.errno is not None):
        return Obstacle(TroubleCode.UNREADABLE, one_line(error))
    if isinstance(error, MemoryError):
        return Obstacle(TroubleCode.LIMIT, "more memory is asked for than there is")
    return Obstacle(TroubleCode.DAMAGED, f"cannot be read: {one_line(error)}")


def one_line(error: BaseException) -> str:
    """Return what a library says, in one line of ASCII."""
    text = " ".join(str(error).split())
    return ascii(text)[1:-1][:200] or type(error).__name__


class Redecoded:
    """The bytes of a stream too large to be held: decoded anew from its start when something far behind is asked for.

    What it decodes is paid for, so that whoever jumps about in it comes to an end.
    """

    def __init__(self, container: Container, pieces: Callable[[], Pieces]) -> None:
        self._container = container
        self._open = pieces
        self._pieces: Pieces = iter(())
        self._recent = bytearray()
        self._start = 1  # where `_recent` begins: past the first byte, so that the first read starts decoding

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes at an offset, fewer at the end. Raises EvidenceError when they cannot be decoded any more."""
        if offset < self._start:
            self._pieces, self._start = translated(self._open()), 0
            self._recent.clear()
        while self._start + len(self._recent) < offset + length:
            piece, _consumed = next(self._pieces, (b"", 0))
            if not piece:
                break
            self._container.budget.spend(len(piece))
            self._recent += piece
            self._forget(offset)
        begin = offset - self._start
        return bytes(self._recent[begin : begin + length])

    def _forget(self, offset: int) -> None:
        needless = min(offset - self._start, len(self._recent) - _BEHIND)
        if needless > _BEHIND:
            del self._recent[:needless]
            self._start += needless
