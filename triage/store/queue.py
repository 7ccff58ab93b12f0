"""The work that waits: items without an outcome, in the order of looking, which changes while a run goes on."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import NamedTuple, cast

from triage.model.runs import ByteRun
from triage.store.database import Database
from triage.store.exhibits import Exhibits
from triage.store.layout import Layout
from triage.store.rows import CARVED, ITEM_COLUMNS, LARGEST, Row

_WAITING = f"SELECT rank, id, tier, draw IS NOT NULL, {ITEM_COLUMNS}"
_BEFORE_ITEM = 4  # columns
_NEXT = f"""
{_WAITING} FROM item INDEXED BY item_queue
WHERE region_id = ? AND outcome = 'not-reached' AND id NOT IN (SELECT value FROM json_each(?))
ORDER BY rank, position, id LIMIT ?
"""  # noqa: S608 - names of columns, none from outside
_LOOKS = f"""
{_WAITING} FROM item INDEXED BY item_look
WHERE region_id = ? AND look = 1 AND outcome = 'not-reached' AND id NOT IN (SELECT value FROM json_each(?))
ORDER BY rank, position, id LIMIT ?
"""  # noqa: S608 - names of columns, none from outside
_CONTAINERS = f"""
{_WAITING} FROM item INDEXED BY item_opens
WHERE region_id = ? AND opens = 1 AND id NOT IN (SELECT value FROM json_each(?))
ORDER BY rank, position, id LIMIT ?
"""  # noqa: S608 - names of columns, none from outside
_PLACE = "SELECT region_id, sequence, path FROM item WHERE id = (SELECT coalesce(container, id) FROM item WHERE id = ?)"
_NEIGHBOURS = """
SELECT id, path, rank > ?3 AND outcome = 'not-reached' AS moves FROM item
WHERE region_id = ?1 AND sequence {after} ?2 AND sequence {within} ?4 AND container IS NULL
ORDER BY sequence {order} LIMIT {limit}
"""
_TIERS = """
SELECT item.tier, count(*) AS items, cast(total(item.size) AS INTEGER) AS bytes,
       sum(item.outcome <> 'not-reached') AS items_done,
       cast(total(item.size * (item.outcome <> 'not-reached')) AS INTEGER) AS bytes_done,
       cast(total(item.size * (item.draw IS NOT NULL)) AS INTEGER) AS picture_bytes,
       cast(total(item.size * (item.draw IS NOT NULL AND item.outcome <> 'not-reached')) AS INTEGER)
         AS picture_bytes_done
FROM region JOIN item ON item.region_id = region.id
WHERE region.exhibit_id = ? AND item.kind NOT IN ('directory', 'link') AND item.container IS NULL
GROUP BY item.tier ORDER BY item.tier
"""
_MOST_RUNS = 8 << 20  # characters: a hostile file may lie in millions of pieces
_RUNS = ITEM_COLUMNS.split(", ").index("runs")
_PATH, _SIZE = ITEM_COLUMNS.split(", ").index("path"), ITEM_COLUMNS.split(", ").index("size")
_SIBLINGS = 20_000  # on each side of a hit: a folder with more is finished in its turn
_STRANGERS = 2_000  # between siblings
_BEFORE = _NEIGHBOURS.format(after="<", within=">=", order="DESC", limit=_SIBLINGS)
_BEHIND = _NEIGHBOURS.format(after=">", within="<", order="ASC", limit=_SIBLINGS)


class Pending(NamedTuple):
    """An item to be gone through: its number in the case, its region and tier, and whether its name is a picture's.

    `row` is what `item_of` makes the item of, `rank` its place in the order of looking, lower first.
    """

    number: int
    volume: ByteRun
    tier: int
    is_picture: bool
    row: Row
    rank: int = 0

    @property
    def size(self) -> int:
        """The length of its content."""
        return cast("int", self.row[_SIZE])

    @property
    def folder(self) -> tuple[ByteRun, str]:
        """What its siblings have in common with it."""
        return self.volume, folder_of(cast("str", self.row[_PATH]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStanding:
    """How many items and bytes of content of one tier there are, and have an outcome.

    `picture_bytes` are those of items with a picture's name, which take longer.
    """

    tier: int
    items: int
    bytes: int
    items_done: int
    bytes_done: int
    picture_bytes: int
    picture_bytes_done: int


class Queue:
    """Says what is to be examined next, and moves items up."""

    def __init__(self, database: Database, exhibits: Exhibits, layout: Layout) -> None:
        self._database = database
        self._exhibits = exhibits
        self._layout = layout

    def next(self, reference: str, limit: int, *, without: Collection[int] = ()) -> list[Pending]:
        """Return at most `limit` items without an outcome, first in the order of looking; not those named by number."""
        return self._first(_NEXT, reference, limit, without)

    def looks(self, reference: str, limit: int, *, without: Collection[int] = ()) -> list[Pending]:
        """Return at most `limit` items that are still to be looked at by their embedded pictures, likewise."""
        return self._first(_LOOKS, reference, limit, without)

    def containers(self, reference: str, limit: int, *, without: Collection[int] = ()) -> list[Pending]:
        """Return at most `limit` examined items that hold others and are still to be gone through, likewise."""
        return self._first(_CONTAINERS, reference, limit, without)

    def looked(self, numbers: Sequence[int], near: Sequence[int], *, rank: int) -> None:
        """Record that items were looked at; those that came `near` a known picture get a rank of their own."""
        with self._database.transaction():
            self._database.execute_many("UPDATE item SET look = 0 WHERE id = ?", ((number,) for number in numbers))
            self._database.execute_many(
                "UPDATE item SET rank = ?1 WHERE id = ?2 AND rank > ?1", ((rank, number) for number in near)
            )

    def raise_siblings(self, number: int, rank: int) -> int:
        """Give the waiting items in the folder of an item a rank, unless theirs is lower; return how many were moved.

        Most walks list a folder at one go, so that siblings stand together; some put subfolders between them, and
        deleted names further on. Those are looked for among the next thousands, and left to their turn beyond. The
        siblings of a member are those of its container, and carved items have carved ones only.
        """
        row = self._database.one(_PLACE, (number,))
        assert row is not None
        folder = folder_of(row["path"])
        place = row["region_id"], row["sequence"], rank
        bounds = (0, CARVED) if row["sequence"] < CARVED else (CARVED, LARGEST)
        both = zip((_BEFORE, _BEHIND), bounds, strict=True)
        moved = [(rank, one) for query, bound in both for one in self._siblings(query, (*place, bound), folder)]
        with self._database.transaction():
            self._database.execute_many("UPDATE item SET rank = ? WHERE id = ?", moved)
        return len(moved)

    def tiers(self, reference: str) -> tuple[TierStanding, ...]:
        """Return how far each tier is, in their order; folders, links and members of containers are in none."""
        rows = self._database.rows(_TIERS, (self._exhibits.key(reference),))
        return tuple(TierStanding(**dict(row)) for row in rows)

    def _siblings(self, query: str, place: tuple[int, int, int, int], folder: str) -> Iterator[int]:
        strangers = 0
        for row in self._database.rows(query, place):
            if folder_of(row["path"]) != folder:
                strangers += 1
                if strangers > _STRANGERS:
                    return
            elif row["moves"]:
                yield row["id"]

    def _first(self, query: str, reference: str, limit: int, without: Collection[int]) -> list[Pending]:
        named = json.dumps(list(without))
        each = (self._of_region(query, key, run, named, limit) for key, run in self._layout.keyed(reference))
        found: list[Pending] = []
        weight = 0
        for _, pending in islice(merge(*each, key=lambda pair: pair[0]), limit):
            found.append(pending)
            weight += len(cast("str", pending.row[_RUNS]))
            if weight > _MOST_RUNS:
                break
        return found

    def _of_region(self, query: str, key: int, run: ByteRun, named: str, limit: int) -> Iterator[tuple[int, Pending]]:
        for row in self._database.tuples(query, (key, named, limit)):
            rank, number, tier, is_picture = row[:_BEFORE_ITEM]
            yield rank, Pending(number, run, tier, bool(is_picture), row[_BEFORE_ITEM:], rank)


def folder_of(path: str) -> str:
    """Return the folder of a path."""
    return path.rpartition("/")[0]
