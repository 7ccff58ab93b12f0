"""Items: what a file system, an archive or a carver lists. Frozen metadata, no handle inside."""

from dataclasses import dataclass
from enum import StrEnum

from triage.model.address import Address
from triage.model.runs import Runs


class ItemKind(StrEnum):
    """What an item is; the values are part of the command-line contract."""

    FILE = "file"
    DIRECTORY = "directory"
    STREAM = "stream"
    LINK = "link"
    CARVED = "carved"
    MEMBER = "member"
    OTHER = "other"


class Outcome(StrEnum):
    """Every item ends in exactly one; the values are part of the command-line contract."""

    EXAMINED = "examined"
    SKIPPED = "skipped"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class Times:
    """Nanoseconds since 1970-01-01T00:00:00Z, None where the file system keeps no such time."""

    modified: int | None = None
    created: int | None = None
    accessed: int | None = None
    changed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing with a name: its metadata, and where its bytes lie.

    `path` is inside the volume, `/` separated, without a leading slash; a stream is `path:stream`; bytes that are
    not UTF-8 are surrogate-escaped. `reference` is the file system's own key, enough for it to read the content
    again (for TSK `inode` or `inode-type-id`). `runs` are offsets in the source, not in the volume; empty where the
    content lies inside metadata (resident) or the file system does not tell. `size` is the length of the content.
    `direct`: the bytes of the runs, end to end, are the content to its last byte, so that it can be read without the
    file system; never so where anything is compressed, a hole, or past what was ever written.
    `recovered` marks deleted content that may be someone else's bytes by now. `encrypted` names the method where the
    file system says that the content is encrypted. `unlocated` is why the file system cannot say where the content
    lies, None where it can: of such an item nothing is read, and its size is not that of the content.
    """

    address: Address
    kind: ItemKind
    path: str
    size: int
    allocated: bool
    reference: str
    times: Times = Times()
    runs: Runs = ()
    recovered: bool = False
    encrypted: str | None = None
    unlocated: str | None = None
    direct: bool = False

    @property
    def has_content(self) -> bool:
        """Whether there are bytes to examine; of a folder or a link the name is all there is."""
        kind = self.kind
        if kind is ItemKind.FILE:
            return True  # by far the most
        return self.size > 0 if kind is ItemKind.OTHER else kind is not ItemKind.DIRECTORY and kind is not ItemKind.LINK


def printable(name: str) -> str:
    r"""Return a name that every output can carry: bytes that are not UTF-8 become `\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
