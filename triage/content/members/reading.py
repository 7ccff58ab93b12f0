"""What lies inside a file, whatever its format: which reader is asked, and the one way to go through the members.

A reader is chosen by the first bytes where they tell, else by the media type. Whatever a reader raises becomes an
obstacle: nothing that a file holds stops an examination.
"""

from collections.abc import Iterator
from functools import partial

from triage.content.content import Content
from triage.content.members.behind import behind_members, is_followed
from triage.content.members.decoding import obstacle_of
from triage.content.members.exif_thumbnail import exif_thumbnail
from triage.content.members.formats import FORMATS, Format, Reader
from triage.content.members.mail import mail_type
from triage.content.members.member import DEFAULT_LIMITS, Budget, Container, Found, Limits, Obstacle
from triage.content.members.zip_archive import zip_members
from triage.model.trouble import TroubleCode

HEAD = 4096
"""As many first bytes as `holds_members` looks at."""


# Asked of every file that is examined: nearly all of them are none of these.
_STARTS = tuple(signature for row in FORMATS for offset, signature in row.signatures if not offset)
_FURTHER_IN = tuple((offset, signature) for row in FORMATS for offset, signature in row.signatures if offset)
_WEAK = tuple((row.seen_in, row.read) for row in FORMATS if row.seen_in is not None)
_BY_TYPE = {name: row.read for row in reversed(FORMATS) for name in row.types}
_ZIP_PREFIXES = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")


def holds_members(
    media_type: str | None, head: bytes = b"", content: Content | None = None, *, thumbnails: bool = True
) -> bool:
    """Return whether a file may hold others, by its media type and its first bytes (`HEAD` of them, if at hand).

    With its content, also by what follows the end of a picture or a program, which costs a look at the end of few.
    It is true as well of archives that are known and not read: `members` says so of them. `thumbnails`: those in JPEG.
    """
    read = _reader(media_type, head)
    if read is not None and (thumbnails or read is not exif_thumbnail):
        return True
    return content is not None and is_followed(media_type, head, content)


def members(
    content: Content,
    media_type: str | None,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    budget: Budget,
    thumbnails: bool = True,
) -> Found:
    """Yield what lies directly inside a file, and an obstacle for each part of it that could not be gone through.

    `name` is the file's own, by which that in a compressed stream is named; `budget` is to be the same for a file and
    all that lies inside it. Contents are good as long as the container's content is. It never raises.
    """
    container = Container(content=content, name=name, limits=limits, budget=budget)
    for read in _readers(media_type, content, thumbnails=thumbnails):
        try:
            for found in read(container):
                if budget.members <= 0:
                    yield Obstacle(TroubleCode.LIMIT, "more members than are looked at for one file and all inside it")
                    return
                budget.members -= 1
                yield found
        except Exception as error:  # noqa: BLE001 - whatever hostile bytes make a reader raise is a fact about them
            yield obstacle_of(error)


def _readers(media_type: str | None, content: Content, *, thumbnails: bool) -> Iterator[Reader]:
    """Yield who goes through a file, one after the other. What follows its end is first, and so numbered always."""
    try:
        read = _reader(media_type, content.head(HEAD))
    except Exception as error:  # noqa: BLE001 - as above
        yield partial(_only, obstacle_of(error))
        return
    if read is None or read is exif_thumbnail:
        yield partial(behind_members, media_type)
    if read is not None and (thumbnails or read is not exif_thumbnail):
        yield read


def _only(obstacle: Obstacle, _container: Container) -> Found:
    yield obstacle


def _reader(media_type: str | None, head: bytes) -> Reader | None:
    if head.startswith(_STARTS):
        return next(row.read for row in FORMATS if _begins(row, head))
    for offset, signature in _FURTHER_IN:
        if head.startswith(signature, offset):
            return next(row.read for row in FORMATS if _begins(row, head))
    for seen_in, read in _WEAK:
        if seen_in(head):
            return read
    if media_type is None or media_type.startswith("text/"):
        media_type = mail_type(head) or media_type
    elif media_type.startswith(_ZIP_PREFIXES):
        return zip_members
    return None if media_type is None else _BY_TYPE.get(media_type)


def _begins(row: Format, head: bytes) -> bool:
    return any(head.startswith(signature, offset) for offset, signature in row.signatures)
