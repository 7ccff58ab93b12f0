"""The small picture that cameras put into a JPEG: a JPEG of its own, that may show what the large one does no more."""

from collections.abc import Iterator

from triage.content.content import Content
from triage.content.exif import parse_exif
from triage.content.jpeg import jpeg_head
from triage.content.members.member import Container, Member, Obstacle
from triage.model.trouble import TroubleCode

_HEAD = 256 << 10
_JPEG = b"\xff\xd8\xff"


def exif_thumbnail(container: Container) -> Iterator[Member]:
    """Yield the thumbnail in a JPEG's EXIF data, if there is one."""
    data = container.read(0, _HEAD)
    head = jpeg_head(data)
    if head is None or head.exif is None:
        return
    tiff = data[head.exif[0] : sum(head.exif)]
    exif = parse_exif(tiff)
    if exif is None or exif.thumbnail is None:
        return
    start, length = exif.thumbnail
    thumbnail = tiff[start : start + length]
    if thumbnail.startswith(_JPEG):
        obstacle = None if len(thumbnail) == length else Obstacle(TroubleCode.DAMAGED, "cut off by its segment's end")
        yield Member("exif-thumbnail.jpg", length, None, Content.of(thumbnail), obstacle)
