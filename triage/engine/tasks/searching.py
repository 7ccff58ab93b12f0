"""Searching free space: the pictures and videos that begin in it become items, to be examined like all others."""

from collections.abc import Iterator
from functools import partial

from triage.content.carving.carver import Carved, carve
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


def _in_piece(piece: Piece, tools: Tools) -> Iterator[Searched]:
    read = tools.evidence.source.read_at
    done, carved, pace = piece.start, list[Item](), Pace()
    # A file that begins in the piece may go on behind it.
    for told in carve(partial(_read, read, piece.start), piece.end - piece.start):
        if isinstance(told, Carved):
            if piece.start + told.offset < piece.until:
                carved.append(_item(piece.start + told.offset, told))
            continue
        reached = min(piece.start + told.examined, piece.until)
        if reached >= piece.until or told.reason or pace.is_due():
            if reached > done:
                yield _searched(done, reached, carved)
            done, carved = reached, []
        if done >= piece.until:
            return


def _read(read: ReadAt, start: int, offset: int, length: int) -> bytes:
    return read(start + offset, length)


def _searched(start: int, end: int, carved: list[Item]) -> Searched:
    order = Order(seed=b"", removable=False)
    placed = [order.place(item) for item in carved]
    return Searched(
        run=ByteRun(start, end - start),
        rows=tuple(map(listed_row, carved, placed)),
        waiting=tuple((int(place.tier), item.size, False) for item, place in zip(carved, placed, strict=True)),
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
