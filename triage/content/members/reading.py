"""What lies inside a file, whatever its format: the table of the formats, and the one way to go through their members.

A reader is chosen by the first bytes where they tell, else by the media type. Whatever a reader raises becomes an
obstacle: nothing that a file holds stops an examination.
"""

from collections.abc import Callable
from typing import NamedTuple

from triage.content.content import Content
from triage.content.members.decoding import obstacle_of
from triage.content.members.exif_thumbnail import exif_thumbnail
from triage.content.members.mail import MAILBOX, MESSAGE, mail_type, mailbox_members, message_members
from triage.content.members.member import (
    DEFAULT_LIMITS,
    Budget,
    Container,
    Found,
    Limits,
    Obstacle,
    unsupported,
)
from triage.content.members.office import compound_members
from triage.content.members.pdf import pdf_members
from triage.content.members.sevenzip import sevenzip_members
from triage.content.members.streams import bzip2_member, gzip_member, xz_member, zstd_member
from triage.content.members.tar_archive import tar_members
from triage.content.members.thumbcache import thumbcache_members
from triage.content.members.zip_archive import zip_members
from triage.model.trouble import TroubleCode

HEAD = 4096
"""As many first bytes as `holds_members` looks at."""


class _Format(NamedTuple):
    """A format: `signatures` by their offsets, and the media types by which it is called elsewhere."""

    read: Callable[[Container], Found]
    signatures: tuple[tuple[int, bytes], ...] = ()
    types: frozenset[str] = frozenset()


def _refusing(name: str) -> Callable[[Container], Found]:
    def refuse(_container: Container) -> Found:
        raise unsupported(f"{name} archives are not read")

    return refuse


FORMATS: tuple[_Format, ...] = (
    _Format(
        zip_members,
        ((0, b"PK\3\4"), (0, b"PK\5\6"), (0, b"PK\7\x08PK"), (0, b"PK00PK\3\4")),
        frozenset(
            {
                "application/zip",
                "application/java-archive",
                "application/epub+zip",
                "application/vnd.android.package-archive",
                "application/x-zip-compressed",
            }
        ),
    ),
    _Format(gzip_member, ((0, b"\x1f\x8b\x08"),), frozenset({"application/gzip", "application/x-gzip"})),
    _Format(
        bzip2_member,
        tuple((0, b"BZh%d1AY&SY" % level) for level in range(1, 10)),
        frozenset({"application/x-bzip2", "application/bzip2"}),
    ),
    _Format(xz_member, ((0, b"\xfd7zXZ\0"),), frozenset({"application/x-xz", "application/x-lzma"})),
    _Format(zstd_member, ((0, b"\x28\xb5\x2f\xfd"),), frozenset({"application/zstd", "application/x-zstd"})),
    _Format(sevenzip_members, ((0, b"7z\xbc\xaf\x27\x1c"),), frozenset({"application/x-7z-compressed"})),
    _Format(
        tar_members, ((257, b"ustar"),), frozenset({"application/x-tar", "application/x-gtar", "application/x-ustar"})
    ),
    _Format(pdf_members, ((0, b"%PDF-"),), frozenset({"application/pdf"})),
    _Format(
        compound_members,
        ((0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),),
        frozenset(
            {
                "application/CDFV2",
                "application/x-ole-storage",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.ms-office",
                "application/vnd.ms-outlook",
            }
        ),
    ),
    _Format(thumbcache_members, ((0, b"CMMM"),)),
    _Format(exif_thumbnail, ((0, b"\xff\xd8\xff"),), frozenset({"image/jpeg"})),
    _Format(message_members, types=frozenset({MESSAGE})),
    _Format(mailbox_members, types=frozenset({MAILBOX})),
    _Format(_refusing("RAR"), ((0, b"Rar!\x1a\x07"),), frozenset({"application/x-rar", "application/vnd.rar"})),
    _Format(_refusing("CAB"), ((0, b"MSCF\0\0\0\0"),), frozenset({"application/vnd.ms-cab-compressed"})),
    _Format(_refusing("ARJ"), types=frozenset({"application/x-arj"})),
    _Format(_refusing("LHA"), types=frozenset({"application/x-lzh-compressed", "application/x-lha"})),
    _Format(_refusing("StuffIt"), types=frozenset({"application/x-stuffit", "application/x-stuffitx"})),
    _Format(_refusing("TNEF"), types=frozenset({"application/vnd.ms-tnef"})),
    _Format(_refusing("compress (.Z)"), ((0, b"\x1f\x9d"),), frozenset({"application/x-compress"})),
)

# Asked of every file that is examined: nearly all of them are none of these.
_STARTS = tuple(signature for row in FORMATS for offset, signature in row.signatures if not offset)
_FURTHER_IN = tuple((offset, signature) for row in FORMATS for offset, signature in row.signatures if offset)
_BY_TYPE = {name: row.read for row in reversed(FORMATS) for name in row.types}
_ZIP_PREFIXES = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")


def holds_members(media_type: str | None, head: bytes = b"") -> bool:
    """Return whether a file may hold others, by its media type and its first bytes (`HEAD` of them, if at hand).

    It is true as well of archives that are known and not read: `members` says so of them.
    """
    return _reader(media_type, head) is not None


def members(
    content: Content,
    media_type: str | None,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    budget: Budget,
) -> Found:
    """Yield what lies directly inside a file, and an obstacle for each part of it that could not be gone through.

    `name` is the file's own, by which that in a compressed stream is named; `budget` is to be the same for a file and
    all that lies inside it. Contents are good as long as the container's content is. It never raises.
    """
    try:
        read = _reader(media_type, content.head(HEAD))
        if read is None:
            return
        container = Container(content=content, name=name, limits=limits, budget=budget)
        for found in read(container):
            if budget.members <= 0:
                yield Obstacle(TroubleCode.LIMIT, "more members than are looked at for one file and all inside it")
                return
            budget.members -= 1
            yield found
    except Exception as error:  # noqa: BLE001 - whatever hostile bytes make a reader raise is a fact about them
        yield obstacle_of(error)


def _reader(media_type: str | None, head: bytes) -> Callable[[Container], Found] | None:
    if head.startswith(_STARTS) or any(head.startswith(signature, offset) for offset, signature in _FURTHER_IN):
        return next(row.read for row in FORMATS if _begins(row, head))
    if media_type is None or media_type.startswith("text/"):
        media_type = mail_type(head)
    elif media_type.startswith(_ZIP_PREFIXES):
        return zip_members
    return None if media_type is None else _BY_TYPE.get(media_type)


def _begins(row: _Format, head: bytes) -> bool:
    return any(head.startswith(signature, offset) for offset, signature in row.signatures)
