"""File-level encryption that a content's first bytes give away.

Sources: EFS metadata: [MS-EFSR] 2.2.2 and 2.2.3 (Windows writes it in front of the content on FAT and exFAT, in files
named `*.PFILE`); ZIP: APPNOTE 4.4.4; RAR: the RAR 5.0 archive format note; OpenPGP: RFC 9580 4.2, 5.1 and 5.3; age: the
C2SP specification; eCryptfs: the Linux kernel's documentation of its file header; LUKS: the on-disk format
specifications.
"""

import struct
from collections.abc import Callable

HEAD = 4096
"""As many first bytes as `protected` looks at."""

_BITLOCKER = b"-FVE-FS-"
_SIGNATURES = (
    (0, b"LUKS\xba\xbe\x00\x01", "LUKS1"),
    (0, b"LUKS\xba\xbe\x00\x02", "LUKS2"),
    (3, _BITLOCKER, "BitLocker"),
    (0, b"encrcdsa", "encrypted disk image (encrcdsa)"),
    (0, b"age-encryption.org/v1\n", "age"),
    (0, b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (0, b"-----BEGIN PGP MESSAGE-----", "OpenPGP"),
    (0, b"Salted__", "OpenSSL enc"),
    (0, b"\x00\x01\x00\x00R\x00O\x00B\x00S\x00", "EFS (raw backup)"),
)

_FROM_START = tuple(signature for offset, signature, _ in _SIGNATURES if not offset)

_EFS_KEY_LIST_AT = {1: 0x40, 2: 0x40, 3: 0x40, 4: 0x20, 5: 0x20}  # by EFS version: where the offset of the list is
_EFS_SMALLEST = 0x54
_ZIP_STRONG = 99
_ECRYPTFS_MARKER = 0x3C81B7F5
_PGP_PUBLIC_KEY_ALGORITHMS = frozenset({1, 2, 16, 18, 25, 26})
_PGP_CIPHERS = frozenset({1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13})
_PGP_KEY_DERIVATIONS = frozenset({0, 1, 3, 4})


def protected(head: bytes, size: int) -> str | None:
    """Return the method's name if the content is encrypted as a file, else None; it never raises.

    `head` is the first `HEAD` bytes, `size` the length of the whole content.
    """
    if head.startswith(_FROM_START) or head.startswith(_BITLOCKER, 3):
        return next(name for offset, signature, name in _SIGNATURES if head.startswith(signature, offset))
    for recognise in _RECOGNISERS:
        method = recognise(head, size)
        if method is not None:
            return method
    return None


def _efs(head: bytes, size: int) -> str | None:
    """Recognise EFS metadata with content behind it; metadata alone (`$EFS` of a folder) protects no bytes here."""
    if len(head) < _EFS_SMALLEST:
        return None
    length, reserved, version = struct.unpack_from("<III", head)
    at = _EFS_KEY_LIST_AT.get(version)
    if reserved or at is None or not _EFS_SMALLEST <= length < size:
        return None
    offset, recovery = struct.unpack_from("<II", head, at)
    if not at + 8 <= offset < min(length, len(head) - 8) or recovery >= length:
        return None
    keys, entry = struct.unpack_from("<II", head, offset)
    return "EFS" if keys and 0 < entry <= length - offset else None


def _zip(head: bytes, _size: int) -> str | None:
    """Recognise a ZIP whose first member is encrypted (bit 0 of its flags)."""
    start = head.find(b"PK\x03\x04", 0, 8)  # a split or spanned archive has a four-byte marker before it
    if start not in {0, 4} or len(head) < start + 10 or (start and head[:4] not in {b"PK\x07\x08", b"PK00"}):
        return None
    _needed, flags, method = struct.unpack_from("<HHH", head, start + 4)
    if not flags & 1:
        return None
    return "ZIP (AES)" if method == _ZIP_STRONG else "ZIP"


def _rar(head: bytes, _size: int) -> str | None:
    """Recognise a RAR with encrypted headers: an encryption header comes first (5.0), the main header's flag (4.x)."""
    if head.startswith(b"Rar!\x1a\x07\x01\x00"):
        at = 12  # after the signature and the header's CRC-32
        while head[at : at + 1] >= b"\x80":  # the header's size, seven bits a byte
            at += 1
        return "RAR" if head[at + 1 : at + 2] == b"\x04" else None
    if head.startswith(b"Rar!\x1a\x07\x00") and head[9:10] == b"\x73":
        return "RAR" if int.from_bytes(head[10:12], "little") & 0x80 else None
    return None


def _android_backup(head: bytes, _size: int) -> str | None:
    """Recognise an Android backup whose fourth line names a cipher."""
    if not head.startswith(b"ANDROID BACKUP\n"):
        return None
    lines = head[:64].split(b"\n")
    if len(lines) < 5 or lines[3] == b"none":  # noqa: PLR2004 - four lines and the rest
        return None
    return "Android backup (AES)"


def _ecryptfs(head: bytes, size: int) -> str | None:
    """Recognise an eCryptfs file: after its true size, a random word and that word under a fixed mask."""
    if len(head) < 16:  # noqa: PLR2004 - two words after eight bytes
        return None
    true_size, word, masked = struct.unpack_from(">QII", head)
    return "eCryptfs" if word ^ masked == _ECRYPTFS_MARKER and true_size <= size else None


def _openpgp(head: bytes, size: int) -> str | None:
    """Recognise a binary OpenPGP message by its first packet: a session key, for a public key or a passphrase."""
    packet = _openpgp_packet(head)
    if packet is None:
        return None
    tag, length, body = packet
    if length > size or len(body) < 10:  # noqa: PLR2004 - the shorter of the fixed parts below
        return None
    public = tag == 1 and body[0] == 3 and body[9] in _PGP_PUBLIC_KEY_ALGORITHMS  # noqa: PLR2004 - the packet version
    passphrase = tag == 3 and body[0] == 4 and body[1] in _PGP_CIPHERS and body[2] in _PGP_KEY_DERIVATIONS  # noqa: PLR2004 - tag and version
    return "OpenPGP" if public or passphrase else None


def _openpgp_packet(head: bytes) -> tuple[int, int, bytes] | None:
    """Return tag, length and the bytes at hand of the first packet, in the old or the new framing."""
    if len(head) < 4 or not head[0] & 0x80:  # noqa: PLR2004 - the longest framing looked at
        return None
    if head[0] & 0x40:
        return (head[0] & 0x3F, head[1], head[2:]) if head[1] < 192 else _two_byte_length(head)  # noqa: PLR2004 - RFC 9580 4.2.1
    width = {0: 1, 1: 2}.get(head[0] & 3)
    if width is None:
        return None
    return head[0] >> 2 & 0xF, int.from_bytes(head[1 : 1 + width], "big"), head[1 + width :]


def _two_byte_length(head: bytes) -> tuple[int, int, bytes] | None:
    if head[1] >= 224:  # noqa: PLR2004 - RFC 9580 4.2.1: longer lengths do not occur in a session key packet
        return None
    return head[0] & 0x3F, (head[1] - 192 << 8) + head[2] + 192, head[3:]


_RECOGNISERS: tuple[Callable[[bytes, int], str | None], ...] = (_efs, _zip, _rar, _android_backup, _ecryptfs, _openpgp)
