"""What a row of the ground truth says: a known content, where it was put, and what it takes to find it there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from synthetic.truth_contents import original


class Where(StrEnum):
    """The parts of the disk."""

    NTFS = "NTFS"
    FAT32 = "FAT32"
    EXT4 = "ext4"
    GAP = "gap"
    LUKS = "LUKS"


class State(StrEnum):
    """In what state the bytes lie there."""

    FILE = "file"
    STREAM = "alternate data stream"
    DELETED = "deleted"
    OVERWRITTEN = "deleted, overwritten in part"
    FRAGMENTED = "deleted, in two pieces"
    SLACK = "slack"
    NAMELESS = "deleted, place forgotten"
    FORMER = "left of a former file system"
    BARE = "whole"
    BLOCKS = "blocks alone"
    ENCRYPTED = "encrypted volume"


class Need(StrEnum):
    """What an examination must do besides digesting listed files."""

    APPEARANCE = "pictures compared by appearance"
    VIDEOS = "videos compared by appearance"
    MEMBERS = "files inside files"
    THUMBNAILS = "thumbnails inside pictures"
    CARVING = "carving"
    BLOCKS = "sampled blocks"


class By(StrEnum):
    """Which kind of match finds it."""

    DIGEST = "digest"
    PDQ = "PDQ"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One content on the disk: the file `name` of the originals, or one made of it.

    `path` is that of the file in its volume (a stream's with `:`), empty where it has no name; `inside` the rest of the
    path where it lies inside that file. `made` gives the file that is written, by the name of the original. `beyond`:
    why it cannot be found by any profile; `told`: the reason code of the result that says so, if one does.
    """

    name: str
    what: str
    where: Where
    state: State = State.FILE
    path: str = ""
    inside: str = ""
    by: By = By.DIGEST
    needs: frozenset[Need] = frozenset()
    made: Callable[[str], bytes] = original
    beyond: str = ""
    told: str = ""

    @property
    def listed(self) -> str:
        """The path under which a finding is listed; empty where the bytes have no name.

        Of a name of 8.3 characters FAT loses the first when the file is deleted.
        """
        if self.state in {State.NAMELESS, State.SLACK, State.FORMER}:
            return ""
        folder, _, name = self.path.rpartition("/")
        if self.where is Where.FAT32 and self.state is not State.FILE:
            return f"{folder}/_{name[1:]}"
        return f"{self.path}/{self.inside}" if self.inside else self.path

    @property
    def content(self) -> bytes:
        """The bytes of the file that is written."""
        return _content(self)


@cache
def _content(row: Planted) -> bytes:
    return row.made(row.name)  # once: some archives carry the time at which they were made
