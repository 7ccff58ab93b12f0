"""The table of the formats that hold other files: who reads them, and those that are known and not read."""

from collections.abc import Callable
from typing import NamedTuple

from triage.content.members.exif_thumbnail import exif_thumbnail
from triage.content.members.mail import MAILBOX, MESSAGE, mailbox_members, message_members
from triage.content.members.member import Container, Found, unsupported
from triage.content.members.office import compound_members
from triage.content.members.pdf import pdf_members
from triage.content.members.rtf import rtf_members
from triage.content.members.sevenzip import sevenzip_members
from triage.content.members.streams import bzip2_member, gzip_member, xz_member, zstd_member
from triage.content.members.tar_archive import tar_members
from triage.content.members.thumbcache import thumbcache_members
from triage.content.members.weak_signatures import is_arj, is_cpio, is_lha, is_lzma, is_pdf, is_tar
from triage.content.members.zip_archive import zip_members

Reader = Callable[[Container], Found]


class Format(NamedTuple):
    """A format: `signatures` by their offsets, and the media types by which it is called elsewhere.

    `seen_in` tells of the first bytes what no signature tells.
    """

    read: Reader
    signatures: tuple[tuple[int, bytes], ...] = ()
    types: frozenset[str] = frozenset()
    seen_in: Callable[[bytes], bool] | None = None


def _refusing(name: str) -> Reader:
    def refuse(_container: Container) -> Found:
        raise unsupported(f"{name} are not read")

    return refuse


def _refused(name: str, *signatures: bytes, types: tuple[str, ...] = (), at: int = 0) -> Format:
    return Format(_refusing(name), tuple((at, signature) for signature in signatures), frozenset(types))


_READ = (
    Format(
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
    Format(gzip_member, ((0, b"\x1f\x8b\x08"),), frozenset({"application/gzip", "application/x-gzip"})),
    Format(
        bzip2_member,
        tuple((0, b"BZh%d1AY&SY" % level) for level in range(1, 10)),
        frozenset({"application/x-bzip2", "application/bzip2"}),
    ),
    Format(xz_member, ((0, b"\xfd7zXZ\0"),), frozenset({"application/x-xz", "application/x-lzma"}), is_lzma),
    Format(zstd_member, ((0, b"\x28\xb5\x2f\xfd"),), frozenset({"application/zstd", "application/x-zstd"})),
    Format(sevenzip_members, ((0, b"7z\xbc\xaf\x27\x1c"),), frozenset({"application/x-7z-compressed"})),
    Format(
        tar_members,
        ((257, b"ustar"),),
        frozenset({"application/x-tar", "application/x-gtar", "application/x-ustar"}),
        is_tar,
    ),
    Format(pdf_members, ((0, b"%PDF-"),), frozenset({"application/pdf"}), is_pdf),
    Format(rtf_members, ((0, b"{\\rtf"), (0, b"{\\urtf")), frozenset({"text/rtf", "application/rtf"})),
    Format(
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
    Format(thumbcache_members, ((0, b"CMMM"),)),
    Format(exif_thumbnail, ((0, b"\xff\xd8\xff"),), frozenset({"image/jpeg"})),
    Format(message_members, types=frozenset({MESSAGE})),
    Format(mailbox_members, types=frozenset({MAILBOX})),
)
_NOT_READ = (
    _refused("RAR archives", b"Rar!\x1a\x07", b"RE\x7e\x5e", types=("application/x-rar", "application/vnd.rar")),
    _refused("CAB archives", b"MSCF\0\0\0\0", types=("application/vnd.ms-cab-compressed",)),
    Format(_refusing("ARJ archives"), types=frozenset({"application/x-arj"}), seen_in=is_arj),
    Format(
        _refusing("LHA archives"),
        types=frozenset({"application/x-lzh-compressed", "application/x-lha"}),
        seen_in=is_lha,
    ),
    Format(_refusing("cpio archives"), types=frozenset({"application/x-cpio"}), seen_in=is_cpio),
    _refused(
        "StuffIt archives",
        *(b"StuffIt (c)1997-", b"StuffIt!", b"StuffIt?"),
        types=("application/x-stuffit", "application/x-stuffitx"),
    ),
    _refused("StuffIt archives", b"rLau", at=10),
    _refused("TNEF messages (winmail.dat)", b"\x78\x9f\x3e\x22", types=("application/vnd.ms-tnef",)),
    _refused("Outlook's PST and OST stores", b"!BDN"),
    _refused("WIM images", b"MSWIM\0\0\0", b"WLPWM\0\0\0"),
    _refused("ACE archives", b"**ACE**", at=7),
    _refused("xar archives", b"xar!"),
    _refused("InstallShield archives", b"ISc("),
    _refused("ALZ archives", b"ALZ\1"),
    _refused("EGG archives", b"EGGA"),
    _refused("ZPAQ archives", b"zPQ", b"7kSt\xa0\x31\x83\xd3"),
    _refused("FreeArc archives", b"ArC\1"),
    _refused("ZOO archives", b"\xdc\xa7\xc4\xfd", at=20),
    _refused("lzip files", b"LZIP\1"),
    _refused("lz4 files", b"\x04\x22\x4d\x18"),
    _refused("lzop files", b"\x89LZO\0\r\n\x1a\n"),
    _refused("files of Microsoft's COMPRESS", b"SZDD\x88\xf0\x27\x33", b"KWAJ\x88\xf0\x27\xd1"),
    _refused("compress (.Z) files", b"\x1f\x9d", types=("application/x-compress",)),
)

FORMATS: tuple[Format, ...] = _READ + _NOT_READ
