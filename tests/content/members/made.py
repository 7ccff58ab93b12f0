"""What the tests of members share: pictures, a compound file writer, and one way to look into a container."""

import io
import struct
from collections.abc import Iterable

from PIL import Image

from triage.content.content import Content
from triage.content.mediatype import HEAD, media_type
from triage.content.members.member import DEFAULT_LIMITS, Budget, Limits, Member, Obstacle
from triage.content.members.reading import members


def picture(kind: str = "JPEG", colour: str = "teal", side: int = 48) -> bytes:
    """Return a picture file."""
    file = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((side, side))
    Image.merge("RGB", [gradient, gradient.rotate(90), Image.new("L", (side, side), colour)]).save(file, kind)
    return file.getvalue()


def found(
    data: bytes,
    kind: str | None = None,
    *,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    budget: Budget | None = None,
) -> list[Member | Obstacle]:
    """Return what is inside, by the media type that the product itself tells."""
    budget = budget or Budget.of(len(data))
    kind = kind or media_type(data[:HEAD])
    return list(members(Content.of(data), kind, name=name, limits=limits, budget=budget))


def contents(data: bytes, kind: str | None = None, *, name: str = "") -> dict[str, bytes]:
    """Return all members by their names; there must be no obstacle."""
    inside = found(data, kind, name=name)
    assert [item for item in inside if isinstance(item, Obstacle) or item.obstacle] == []
    return {item.name: bytes(item.content.whole()) for item in inside if isinstance(item, Member) and item.content}


def told(inside: Iterable[Member | Obstacle]) -> list[tuple[str, str, bool]]:
    """Return name (empty for the container), code of the obstacle (empty for none), and whether there is a content."""
    return [
        (item.name, item.obstacle.code.value if item.obstacle else "", item.content is not None)
        if isinstance(item, Member)
        else ("", item.code.value, False)
        for item in inside
    ]


SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, LAST, TABLE, MORE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
IN_HEADER, PER_SECTOR = 109, 127
Tree = dict[str, "bytes | Tree"]


class CompoundWriter:
    """Writes a compound file of [MS-CFB] version 3: folders are dictionaries, streams bytes."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._table: list[int] = []
        self._mini_data = bytearray()
        self._mini_table: list[int] = []
        self._entries: list[list[object]] = []

    def _chain(self, table: list[int], count: int) -> int:
        start = len(table)
        table += [*range(start + 1, start + count), LAST] if count else []
        return start if count else LAST

    def _store(self, data: bytes) -> int:
        count = -(-len(data) // SECTOR)
        self._data += data.ljust(count * SECTOR, b"\0")
        return self._chain(self._table, count)

    def _store_small(self, data: bytes) -> int:
        count = -(-len(data) // MINI)
        self._mini_data += data.ljust(count * MINI, b"\0")
        return self._chain(self._mini_table, count)

    def _add(self, name: str, value: "bytes | Tree") -> int:
        """Add an entry and what is below it; siblings hang one right of the other."""
        number = len(self._entries)
        if isinstance(value, bytes):
            start = self._store_small(value) if len(value) < CUTOFF else self._store(value)
            self._entries.append([name, 2, FREE, FREE, start, len(value)])
            return number
        self._entries.append([name, 1, FREE, FREE, 0, 0])
        self._entries[number][3] = self._add_all(value)
        return number

    def _add_all(self, tree: Tree) -> int:
        first, before = FREE, None
        for name, value in tree.items():
            number = self._add(name, value)
            first = number if first == FREE else first
            if before is not None:
                self._entries[before][2] = number
            before = number
        return first

    def written(self, tree: Tree) -> bytes:
        """Return the file."""
        self._entries.append(["Root Entry", 5, FREE, FREE, LAST, 0])
        self._entries[0][3] = self._add_all(tree)
        self._entries[0][4:] = [self._store(bytes(self._mini_data)), len(self._mini_data)]
        mini = self._store(b"".join(struct.pack("<I", number) for number in self._mini_table))
        directory = self._store(b"".join(map(self._entry, self._entries)))
        sectors = more = 1
        while sectors * SECTOR // 4 < len(self._table) + sectors + more:
            sectors += 1
            more = -(-max(0, sectors - IN_HEADER) // PER_SECTOR)
        first = len(self._table)
        table = [*self._table, *[TABLE] * sectors, *[MORE] * more]
        packed = b"".join(struct.pack("<I", number) for number in table).ljust(sectors * SECTOR, b"\xff")
        places = list(range(first, first + sectors))
        packed += b"".join(
            struct.pack("<I", number)
            for at in range(more)
            for number in [
                *(places[IN_HEADER:] + [FREE] * PER_SECTOR)[at * PER_SECTOR :][:PER_SECTOR],
                first + sectors + at + 1 if at + 1 < more else LAST,
            ]
        )
        header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        header += bytes(6) + struct.pack("<7I", 0, sectors, directory, 0, CUTOFF, mini, 1)
        header += struct.pack("<II", first + sectors if more else LAST, more)
        header += b"".join(struct.pack("<I", number) for number in places[:IN_HEADER])
        return header.ljust(SECTOR, b"\xff") + bytes(self._data) + packed

    def _entry(self, entry: list[object]) -> bytes:
        name, kind, right, child, start, size = entry
        text = str(name).encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, right, child)
        return head + bytes(36) + struct.pack("<IQ", start, size)


def compound(tree: Tree) -> bytes:
    """Return a compound file."""
    return CompoundWriter().written(tree)
