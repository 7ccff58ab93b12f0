"""Members of container files: what a reader gives out, and the bounds within which it does."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

from triage.content.content import Content
from triage.model.errors import EvidenceError
from triage.model.trouble import TroubleCode

DEEPEST = 8
"""As many levels of containers inside containers as are worth opening; whoever descends counts them."""

_SEARCHED = 1 << 18


class Obstacle(NamedTuple):
    """Why a member, or a container as a whole or in part, cannot be had as it should be: one line for a person.

    `code` is `encrypted`, `damaged`, `unsupported`, `limit`, or `unreadable` where the evidence itself cannot be read.
    """

    code: TroubleCode
    text: str


TOO_DEEP = Obstacle(TroubleCode.LIMIT, f"more than {DEEPEST} levels of containers inside containers")


class Member(NamedTuple):
    """A file inside a file.

    `name` is the path as it is stored, with the bytes that are not UTF-8 as surrogate escapes: it may be absolute,
    climb with `..` or occur twice. `size` is claimed, in bytes; `modified` is in nanoseconds UTC since 1970 where the
    format has it so. `content` is None where it cannot be had. With both a content and an obstacle, the content is
    what could be decoded of a damaged member.
    """

    name: str
    size: int | None = None
    modified: int | None = None
    content: Content | None = None
    obstacle: Obstacle | None = None


class ObstacleError(EvidenceError):
    """An obstacle on its way to the record."""

    def __init__(self, code: TroubleCode, text: str) -> None:
        super().__init__(text)
        self.obstacle = Obstacle(code, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one member may cost, in bytes.

    `held`: of a decoded member in memory; larger ones are decoded again as they are read. `whole`: of a container that
    is gone through in memory. `member`: its size; `ratio`: its size to that of its compressed form, once it is larger
    than `unchecked`; `dictionary`: what a decoder may hold.
    """

    held: int = 64 << 20
    whole: int = 192 << 20
    member: int = 64 << 30
    ratio: int = 250
    unchecked: int = 16 << 20
    dictionary: int = 256 << 20


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Budget:
    """What is left for one file and all that lies inside it, at every depth: members, and bytes decoded or searched."""

    members: int
    bytes: int

    @classmethod
    def of(cls, size: int) -> Self:
        """Return what a file of a size in bytes may cost: enough for any honest one, and little for a bomb."""
        return cls(members=max(200_000, size // 256), bytes=min((32 << 20) + 100 * size, (256 << 20) + 40 * size))

    def spend(self, length: int) -> None:
        """Take bytes away. Raises ObstacleError when there are none left."""
        self.bytes -= length
        if self.bytes < 0:
            raise ObstacleError(TroubleCode.LIMIT, "the bytes allowed for one file and all inside it are used up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container under a reader. `name`: its own, by which some formats name what they hold."""

    content: Content
    name: str
    limits: Limits
    budget: Budget

    @property
    def size(self) -> int:
        """Return the container's size in bytes."""
        return self.content.size

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the container, fewer at its end."""
        return self.content.read_at(offset, length)

    def exactly(self, offset: int, length: int) -> bytes:
        """Return just so many bytes. Raises ObstacleError where the container ends before."""
        data = self.read(offset, length) if 0 <= length <= self.size else b""
        if len(data) != length:
            raise ObstacleError(TroubleCode.DAMAGED, f"the file ends before its {length} bytes at {offset}")
        return data

    def whole(self, most: int) -> bytes:
        """Return all bytes. Raises ObstacleError where they are more than `most`."""
        if self.size > most:
            raise ObstacleError(TroubleCode.LIMIT, f"{self.size} bytes are too many to be read as a whole")
        return bytes(self.content.whole())

    def window(self, offset: int, size: int) -> Content:
        """Return a part as a content of its own, read on demand, as far as the container goes."""
        size = max(0, min(size, self.size - offset))
        self.budget.spend(size)
        return Content(partial(self._read_part, offset), size)

    def _read_part(self, start: int, offset: int, length: int) -> bytes:
        return self.content.read_at(start + offset, length)

    def find(self, pattern: bytes, start: int, end: int | None = None) -> int:
        """Return where a pattern begins next, -1 where it does not before `end`; what is searched is paid for."""
        end = self.size if end is None else min(end, self.size)
        for offset in range(max(0, start), end, _SEARCHED):
            data = self.read(offset, min(_SEARCHED + len(pattern) - 1, end - offset))
            found = data.find(pattern)
            self.budget.spend(min(len(data), _SEARCHED) if found < 0 else found)
            if found >= 0:
                return offset + found
        return -1


Found = Iterator[Member | Obstacle]


def damaged(text: str) -> ObstacleError:
    """Return the error for bytes that are not what the format asks for."""
    return ObstacleError(TroubleCode.DAMAGED, text)


def unsupported(text: str) -> ObstacleError:
    """Return the error for what a format allows and this package does not read."""
    return ObstacleError(TroubleCode.UNSUPPORTED, text)


def as_name(stored: bytes) -> str:
    """Return a name as text, without losing a byte of it."""
    return stored.decode("utf-8", "surrogateescape")


def from_filetime(ticks: int) -> int | None:
    """Return a FILETIME (100 ns since 1601, UTC) in nanoseconds since 1970; None for zero, which means none."""
    return (ticks - 116_444_736_000_000_000) * 100 if ticks else None
