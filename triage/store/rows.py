"""Items and results as rows, and items back: nothing is lost on the way."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.model.address import Address
from triage.model.digest import PictureHashes
from triage.model.item import Item, ItemKind, Outcome, Times, printable
from triage.model.placing import Placed
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, Runs
from triage.store.times import utc_nanoseconds, utc_text

LARGEST = (1 << 63) - 1

Row = tuple[object, ...]
"""Values of one row, which travel between processes quicker than what they are made of."""

ITEM_COLUMNS = (
    "address, path, path_bytes, kind, size, allocated, recovered, encrypted, unlocated, reference, "
    "modified, created, accessed, changed, runs, direct"
)
_PLACE_COLUMNS = "outcome, tier, rank, draw, look, position"
_LEARNT_COLUMNS = "md5, sha1, sha256, media_type, pdq, pdq_quality, phash, picture_damaged, picture_scale, digest_way"

LISTED_WIDTH, RESULT_WIDTH, MEMBER_WIDTH = 22, 14, 33
"""How many values the rows of `listed_row`, `result_row` and `member_row` have; the last of a result is its item."""

LISTED_OUTCOME, LISTED_POSITION = 16, 21
"""Where the outcome, and where the content begins, stand in a row of `listed_row`; in one of `member_row` as well."""

ITEM_WIDTH = 16
"""How many values `item_of` takes: the first of every row of a listed item or a member."""

RESULT_OPENS = -2
"""Where a row of `result_row` says whether the item is a container."""

CARVED = 1 << 62
"""Where carved items begin in the order of a region: behind all that its walk lists, by where they lie."""

_LISTED_VALUES = ", ".join("?" * (2 + LISTED_WIDTH))
INSERT_ITEM = f"""
INSERT INTO item (region_id, sequence, {ITEM_COLUMNS}, {_PLACE_COLUMNS})
VALUES ({_LISTED_VALUES})
ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of columns, none from outside
INSERT_CARVED = f"""
INSERT INTO item (region_id, sequence, {ITEM_COLUMNS}, {_PLACE_COLUMNS})
SELECT {_LISTED_VALUES}
WHERE NOT EXISTS (SELECT 1 FROM item WHERE region_id = ? AND sequence = ? AND address = ?)
"""  # noqa: S608 - as above
INSERT_MEMBER = f"""
INSERT INTO item (id, region_id, sequence, container, {ITEM_COLUMNS}, {_PLACE_COLUMNS}, {_LEARNT_COLUMNS}, reason)
VALUES ({", ".join("?" * (4 + MEMBER_WIDTH))})
"""  # noqa: S608 - as above
INSERT_FOUND = f"""
INSERT INTO item (region_id, sequence, {ITEM_COLUMNS}, {_PLACE_COLUMNS}, {_LEARNT_COLUMNS}, reason)
SELECT {", ".join("?" * (2 + MEMBER_WIDTH))}
WHERE NOT EXISTS (SELECT 1 FROM item WHERE region_id = ? AND sequence = ? AND address = ?)
"""  # noqa: S608 - as above
UPDATE_RESULT = f"""
UPDATE item SET ({_LEARNT_COLUMNS}, outcome, reason, opens) = ({", ".join("?" * (RESULT_WIDTH - 1))}), look = 0
WHERE id = ? AND outcome = 'not-reached'
"""  # noqa: S608 - as above

_NO_PICTURE = PictureHashes()
_KINDS = {kind.value: kind for kind in ItemKind}
_WAITS, _LISTED = Outcome.NOT_REACHED.value, Outcome.EXAMINED.value


def listed_row(item: Item, placed: Placed) -> Row:
    """Return the columns of an item and of its place, in the order of `INSERT_ITEM`."""
    path, reference, times, runs = item.path, item.reference, item.times, item.runs
    raw = None if path.isascii() else raw_bytes(path)
    return (
        str(item.address),
        path if raw is None else printable(path),
        raw,
        item.kind._value_,
        storable(item.size),
        item.allocated,
        item.recovered,
        item.encrypted,
        item.unlocated,
        reference if reference.isascii() else raw_bytes(reference) or reference,
        utc_text(times.modified),
        utc_text(times.created),
        utc_text(times.accessed),
        utc_text(times.changed),
        runs_text(runs),
        item.direct,
        _WAITS if item.has_content else _LISTED,
        int(placed.tier),
        placed.rank,
        placed.draw,
        placed.look,
        storable(runs[0].offset) if runs else 0,
    )


def item_of(row: Sequence[Any]) -> Item:
    """Return the item of a row of `ITEM_COLUMNS`."""
    (address, path, raw, kind, size, allocated, recovered, encrypted, unlocated, reference, *times, runs, direct) = row
    return Item(
        address=Address.parse(address),
        kind=_KINDS[kind],
        path=path if raw is None else _escaped(raw),
        size=size,
        allocated=bool(allocated),
        reference=_escaped(reference) if isinstance(reference, bytes) else reference,
        times=Times(*map(utc_nanoseconds, times)),
        runs=runs_of(runs),
        recovered=bool(recovered),
        encrypted=encrypted,
        unlocated=unlocated,
        direct=bool(direct),
    )


def result_row(result: ItemResult) -> Row:
    """Return the parameters of `UPDATE_RESULT`; the number of the item is the last."""
    return (*_learnt(result), result.outcome.value, _reason(result), result.opens, result.item)


def member_row(item: Item, placed: Placed, result: ItemResult) -> Row:
    """Return the columns of a member and of its result, in the order of `INSERT_MEMBER`.

    It never waits: it is part of no random sample, and what is in it is told with its container.
    """
    listed = listed_row(item, placed._replace(draw=None, look=False))
    outcome = result.outcome.value
    return (*listed[:LISTED_OUTCOME], outcome, *listed[LISTED_OUTCOME + 1 :], *_learnt(result), _reason(result))


def _learnt(result: ItemResult) -> Row:
    pictures = result.pictures or _NO_PICTURE
    return (
        result.digests.md5,
        result.digests.sha1,
        result.digests.sha256,
        result.media_type,
        pictures.pdq,
        pictures.quality,
        pictures.phash,
        pictures.damaged if result.pictures else None,
        pictures.scale if result.pictures else None,
        result.digest_way,
    )


def _reason(result: ItemResult) -> str | None:
    return None if result.reason is None else printable(result.reason)


def runs_text(runs: Runs) -> str:
    """Return `offset+length offset+length`, empty for no runs."""
    return " ".join([f"{run.offset}+{run.length}" for run in runs])


def runs_of(text: str) -> Runs:
    """Return what `runs_text` was given."""
    pairs = (pair.split("+") for pair in text.split())
    return tuple(ByteRun(int(offset), int(length)) for offset, length in pairs)


def spans_of(texts: Iterable[str], size: int) -> NDArray[np.int64]:
    """Return what `runs_text` wrote as an array of [start, end), cut at the size of the source.

    One pass in C: a source may hold runs by the million. A number past 64 bits, which only hostile metadata claims,
    is read as the largest one.
    """
    numbers = np.fromstring(" ".join(filter(None, texts)).replace("+", " "), dtype=np.uint64, sep=" ").reshape(-1, 2)
    start = np.minimum(numbers[:, 0], np.uint64(size))
    end = start + np.minimum(numbers[:, 1], np.uint64(size) - start)
    return np.stack((start, end), axis=1).astype(np.int64)


def storable(number: int) -> int:
    """Return a number that an SQLite integer holds: hostile metadata may claim more bytes than any disk has."""
    return min(number, LARGEST)


def raw_bytes(name: str) -> bytes | None:
    """Return the bytes of a name that is not valid UTF-8 (surrogate-escaped), None for every other name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return None


def _escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
