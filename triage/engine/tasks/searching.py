"""Searching free space: the pictures and videos that begin in it become items, to be examined like all others."""

from collections.abc import Iterator
from functools import partial

from triage.content.carving.carver import Carved, Progress, carve
from triage.content.carving.places import SECTOR
from triage.content.content import ReadAt
from triage.engine.messages import Piece, Searched, SearchSpace
from triage.engine.tasks.tools import Pace, Tools
from triage.items.order import Order
from triage.model.address import Address
from triage.model.item import Item, ItemKind
from triage.model.runs import ByteRun
from triage.store.rows import listed_row

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/avif": "avif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-msvideo": "avi",
}


def searched(request: SearchSpace, tools: Tools) -> Iterator[Searched]:
    """Tell what begins in each piece, and how far it is searched."""
    for piece in request.pieces:
        yield from _in_piece(piece, tools)
    tools.rest()


def _in_piece(piece: Piece, tools: Tools) -> Iterator[Searched]:
    # Files begin at sectors, which are counted from where the source begins; one may go on behind the piece.
    base = piece.start // SECTOR * SECTOR
    stretch = carve(partial(_read, tools.evidence.source.read_at, piece.start, base), piece.end - base)
    done, carved, pace = piece.start, list[Item](), Pace()
    tools.begin(done)
    for told in stretch:
        if isinstance(told, Carved):
            if piece.start <= base + told.offset < piece.until:
                carved.append(_item(base + told.offset, told))
            reached = min(base + told.offset + 1, piece.until)
        else:
            reached = min(base + told.examined, piece.until)
        tools.begin(reached)
        # Between two files in one stretch the search is not cut: what lies in the first is passed over.
        if reached >= piece.until or (isinstance(told, Progress) and (told.reason or pace.is_due())):
            if reached > done:
                yield _searched(done, reached, carved)
            done, carved = reached, []
        if done >= piece.until:
            return


def _read(read: ReadAt, start: int, base: int, offset: int, length: int) -> bytes:
    """Read from a base on, with zeros for what lies before the start: those bytes belong to a file."""
    before = max(0, start - base - offset)
    return bytes(before) + read(base + offset + before, length - before)


def _searched(start: int, end: int, carved: list[Item]) -> Searched:
    order = Order(seed=b"", removable=False)
    placed = [order.place(item) for item in carved]
    return Searched(
        run=ByteRun(start, end - start),
        rows=tuple(map(listed_row, carved, placed)),
        waiting=tuple(
            (int(place.tier), item.size, place.draw is not None) for item, place in zip(carved, placed, strict=True)
        ),
    )


def _item(offset: int, carved: Carved) -> Item:
    place = f"{offset}+{carved.length}"
    return Item(
        address=Address("carved", place),
        kind=ItemKind.CARVED,
        path=f"carved/{offset}.{_EXTENSIONS.get(carved.media_type, 'bin')}",
        size=carved.length,
        allocated=False,
        reference=place,
        runs=(ByteRun(offset, carved.length),),
        recovered=True,
        direct=True,
    )
