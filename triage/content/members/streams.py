"""Files that are one compressed file: gzip, bzip2, xz, lzma, zstd. A tar inside is for the next level to open.

Source of the name and time in gzip's header: RFC 1952 2.3.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath

from triage.content.members import compression
from triage.content.members.compression import Decompressor
from triage.content.members.decoding import Coded, decoded
from triage.content.members.member import Container, Member, as_name

_NAMED = 8
_EXTRA = 4
_ENDINGS = {".tgz": ".tar", ".tbz2": ".tar", ".tbz": ".tar", ".txz": ".tar", ".tzst": ".tar", ".svgz": ".svg"}
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".lzma", ".zst", ".z"})
_HEAD = 4096


def gzip_member(container: Container) -> Iterator[Member]:
    """Yield the file in a gzip file, under the name that the header has for it."""
    head = container.content.head(_HEAD)
    seconds = int.from_bytes(head[4:8], "little")
    name = _gzip_name(head) or _without_ending(container.name)
    yield _member(container, compression.inflate(compression.GZIP), name, seconds * 1_000_000_000 or None)


def bzip2_member(container: Container) -> Iterator[Member]:
    """Yield the file in a bzip2 file."""
    yield _member(container, compression.bunzip2, _without_ending(container.name))


def xz_member(container: Container) -> Iterator[Member]:
    """Yield the file in an .xz or .lzma file."""
    yield _member(container, compression.unxz(container), _without_ending(container.name))


def zstd_member(container: Container) -> Iterator[Member]:
    """Yield the file in a zstd file."""
    yield _member(container, compression.unzstd, _without_ending(container.name))


def _member(container: Container, start: Callable[[], Decompressor], name: str, modified: int | None = None) -> Member:
    coded = Coded(pieces=partial(compression.all_pieces, start, container), stored=container.size)
    content, obstacle = decoded(container, coded)
    return Member(name, content.size if content else None, modified, content, obstacle)


def _gzip_name(head: bytes) -> str | None:
    flags = head[3] if len(head) > 3 else 0  # noqa: PLR2004 - after the signature and the method
    start = 10
    if flags & _EXTRA:
        start += 2 + int.from_bytes(head[10:12], "little")
    end = head.find(b"\0", start)
    return as_name(head[start:end]) if flags & _NAMED and end > start else None


def _without_ending(name: str) -> str:
    """Return what a compressed file was called before, `content` if that cannot be told."""
    path = PurePosixPath(name)
    if path.suffix.lower() in _ENDINGS:
        return path.stem + _ENDINGS[path.suffix.lower()]
    return path.stem if path.suffix.lower() in _COMPRESSED else "content"
