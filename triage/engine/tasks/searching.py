"""Searching free space: the pictures and videos that begin in it become items, to be examined like all others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
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

_MOST = 1024
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
    """Tell what begins in each piece, and how far it is searched; the slack of files is told many pieces at a time."""
    some, pace = _Some(), Pace()
    for piece in request.pieces:
        for _ in _in_piece(piece, tools, some):
            if pace.is_due() or len(some.carved) >= _MOST:
                yield some.taken()
    if some.runs:
        yield some.taken()
    tools.rest()


def _in_piece(piece: Piece, tools: Tools, some: "_Some") -> Iterator[None]:
    """Search a piece; yield whenever what is done so far may be told."""
    # Files begin at sectors, which are counted from where the source begins; one may go on behind the piece.
    base = piece.start // SECTOR * SECTOR
    stretch = carve(partial(_read, tools.evidence.source.read_at, piece.start, base), piece.end - base)
    done, carved = piece.start, list[Item]()
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
        if reached > done and (reached >= piece.until or isinstance(told, Progress)):
            some.add(done, reached, carved, joins=done > piece.start)
            done, carved = reached, []
            yield
        if done >= piece.until:
            return


@dataclass(slots=True)
class _Some:
    """What was searched since it was last told, and carved there."""

    runs: list[ByteRun] = field(default_factory=list)
    carved: list[Item] = field(default_factory=list)

    def add(self, start: int, end: int, carved: list[Item], *, joins: bool) -> None:
        """Take bytes of a piece, and what was carved there; `joins`: others of the same piece came before."""
        if joins and self.runs:
            start = self.runs.pop().offset
        self.runs.append(ByteRun(start, end - start))
        self.carved += carved

    def taken(self) -> Searched:
        order = Order(seed=b"", removable=False)
        placed = [order.place(item) for item in self.carved]
        told = Searched(
            runs=tuple(self.runs),
            rows=tuple(map(listed_row, self.carved, placed)),
            waiting=tuple(
                (int(place.tier), item.size, place.draw is not None)
                for item, place in zip(self.carved, placed, strict=True)
            ),
        )
        self.runs, self.carved = [], []
        return told


def _read(read: ReadAt, start: int, base: int, offset: int, length: int) -> bytes:
    """Read from a base on, with zeros for what lies before the start: those bytes belong to a file."""
    before = max(0, start - base - offset)
    return bytes(before) + read(base + offset + before, length - before)


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
