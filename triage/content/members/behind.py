"""What lies behind the end of a picture or a program, or begins behind a few bytes of junk: archives and pictures.

A zip archive is found by the end of its directory, which is at the end of the file; 7z and RAR by their signatures in
front of a program's or picture's rest; pictures and films by carving what follows a picture's end.
"""

import re
from dataclasses import replace
from typing import NamedTuple

from triage.content.carving.carver import Carved, carve
from triage.content.content import KEEP, Content
from triage.content.mediatype import UNKNOWN
from triage.content.members.file_ends import gif_end, jpeg_end, png_end, program_rest
from triage.content.members.member import Container, Found, Member, Obstacle
from triage.content.members.zip_archive import zip_members
from triage.model.runs import ByteRun
from triage.model.trouble import TroubleCode

_HEAD = 4096
_ZIP_END, _ZIP_END_SIZE, _LONGEST_COMMENT = b"PK\5\6", 22, 0xFFFF
_LOOK = 1 << 16
_LEAST = 32
_ARCHIVE = re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|PK\x03\x04")
_ENDINGS = {b"7": "7z", b"R": "rar", b"P": "zip"}
_MEDIA = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....(?:WEBP|AVI )|\0\0[\x00\x01].ftyp", re.DOTALL)
_ENDS = {b"\xff\xd8": jpeg_end, b"\x89P": png_end, b"GI": gif_end}
_MEDIA_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/heic": "heic",
    "image/avif": "avif",
    "video/x-msvideo": "avi",
    "video/quicktime": "mov",
}


class _Rest(NamedTuple):
    """Bytes that are no part of what the file begins with. `after_picture`: they are behind a picture's end."""

    run: ByteRun
    after_picture: bool = False


def is_followed(media_type: str | None, head: bytes, content: Content) -> bool:
    """Tell whether there is something behind, by a look at no more than the beginning and the end of the rest."""
    rest = _rest(media_type, head, content)
    if rest is None or rest.run.length < _LEAST:
        return False
    look = _beginning(content, rest.run)
    if _ARCHIVE.search(look) or (rest.after_picture and _MEDIA.search(look)):
        return True
    return _is_zip(content, rest.run)


def behind_members(media_type: str | None, container: Container) -> Found:
    """Yield what lies behind: pictures and films, then the members of a zip archive, or another archive as it is."""
    content = container.content
    rest = _rest(media_type, content.head(_HEAD), content)
    if rest is None or rest.run.length < _LEAST:
        return
    archive = _ARCHIVE.search(_beginning(content, rest.run))
    start = rest.run.offset + archive.start() if archive else rest.run.end
    if rest.after_picture:
        yield from _media(container, ByteRun(rest.run.offset, start - rest.run.offset))
    if _is_zip(content, rest.run):
        window = content if rest.run.end == content.size else container.window(0, rest.run.end)
        yield from zip_members(replace(container, content=window))
    elif archive:
        length = rest.run.end - start
        name = f"behind-the-end.{_ENDINGS[archive[0][:1]]}"
        yield Member(name, length, None, container.window(start, length))


def _rest(media_type: str | None, head: bytes, content: Content) -> _Rest | None:
    """Return what is no part of what a file begins with, None where nobody looks for that."""
    if head.startswith(b"MZ"):
        return _Rest(program_rest(head, content.size))
    if (find := _ENDS.get(head[:2])) is not None:
        end = find(content) if content.size <= KEEP else None
        if end is None:
            return _Rest(ByteRun(0, content.size))
        return _Rest(ByteRun(min(end, content.size), max(0, content.size - end)), after_picture=True)
    is_unknown = media_type in {None, UNKNOWN} or head.startswith(b"#!")
    return _Rest(ByteRun(0, content.size)) if is_unknown else None


def _beginning(content: Content, run: ByteRun) -> bytes:
    """Return the first bytes of the rest; of one that is the whole file, those that every look at it reads."""
    return content.read_at(run.offset, min(run.length, _LOOK if run.offset else _HEAD))


def _is_zip(content: Content, run: ByteRun) -> bool:
    """Tell whether a zip archive's directory ends in the last bytes, a comment of any length behind it."""
    start = max(run.offset, run.end - _ZIP_END_SIZE - _LONGEST_COMMENT)
    tail = content.read_at(start, run.end - start)
    at = tail.rfind(_ZIP_END)
    return at >= 0 and at + _ZIP_END_SIZE + int.from_bytes(tail[at + 20 : at + 22], "little") <= len(tail)


def _media(container: Container, run: ByteRun) -> Found:
    """Yield the pictures and films in what follows a picture; a broken one only where it is the first thing there."""
    container.budget.spend(run.length)

    def read(offset: int, length: int) -> bytes:
        return container.read(run.offset + offset, min(length, run.length - offset))

    for number, found in enumerate((each for each in carve(read, run.length, step=1) if isinstance(each, Carved)), 1):
        if found.whole or not found.offset:
            obstacle = None if found.whole else Obstacle(TroubleCode.DAMAGED, found.reason)
            name = f"behind-the-end-{number}.{_MEDIA_ENDINGS.get(found.media_type, 'mp4')}"
            window = container.window(run.offset + found.offset, found.length)
            yield Member(name, found.length, None, window, obstacle)
