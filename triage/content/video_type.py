"""Which contents are videos that can be decoded, by media type and by first bytes."""

VIDEO_TYPES = frozenset(
    {
        "video/mp4",
        "video/x-m4v",
        "video/quicktime",
        "video/3gpp",
        "video/3gpp2",
        "video/x-msvideo",
        "video/x-matroska",
        "video/webm",
        "video/x-ms-asf",
        "video/x-ms-wmv",
        "video/mpeg",
        "video/mpv",
        "video/mp2t",
        "video/mp2p",
        "video/x-flv",
    }
)
"""The media types that `hash_video` decodes."""

HEAD = 1024
"""As many first bytes as `video_type` looks at."""

_SIGNATURES = (
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "video/x-ms-asf"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\1\xba", "video/mpeg"),  # a pack of a program stream
    (b"\0\0\1\xb3", "video/mpeg"),  # a sequence of MPEG-1 or MPEG-2 video alone
)
_BOXES = frozenset({b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free"})  # before QuickTime had `ftyp`
_PICTURES = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2"})
_OTHERS = frozenset({*_PICTURES, b"msf1", b"M4A ", b"M4B ", b"M4P "})
_BRANDS = {b"qt  ": "video/quicktime", b"M4V ": "video/x-m4v"}
_SYNC = 0x47
_PACKETS = ((0, 188), (4, 192))  # where the first packet of a transport stream is, and how long each: plain, Blu-ray
_ENOUGH_PACKETS = 4


def video_type(head: bytes) -> str | None:
    """Return the media type of a video from its first bytes (`HEAD` of them), None for anything else.

    Says nothing of whether it can be decoded. libmagic does not know a transport stream, which this does.
    """
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    if head.startswith(b"RIFF"):
        return "video/x-msvideo" if head[8:12] == b"AVI " else None
    if head[4:8] in _BOXES:
        return "video/quicktime"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    return "video/mp2t" if any(_synchronised(head, *packets) for packets in _PACKETS) else None


def _iso_media(brand: bytes) -> str | None:
    if brand in _OTHERS:
        return None
    return _BRANDS.get(brand) or ("video/3gpp" if brand.startswith(b"3g") else "video/mp4")


def _synchronised(head: bytes, first: int, length: int) -> bool:
    marks = head[first::length][:_ENOUGH_PACKETS]
    return len(marks) == _ENOUGH_PACKETS and all(mark == _SYNC for mark in marks)
