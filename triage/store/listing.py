"""Which listed items a case holds: nothing is stored twice, and what is surely new is stored without a search."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.store.database import Database
from triage.store.rows import CARVED, INSERT_ITEM, Row

_MOST = 8 << 20  # addresses remembered, of eight bytes each
_ADDRESS = 0

# Only while a walk needs it: to look a long text up among a million costs more than all else in storing an item.
_WITH_INDEX = f"""
CREATE UNIQUE INDEX IF NOT EXISTS item_address_{{region}} ON item (address)
WHERE region_id = {{region}} AND sequence < {CARVED} AND container IS NULL
"""
_WITHOUT_INDEX = "DROP INDEX IF EXISTS item_address_{region}"
_HELD = f"SELECT 1 FROM item WHERE region_id = ? AND sequence < {CARVED} LIMIT 1"  # noqa: S608 - a constant


class Listing:
    """Stores what walks list, one walk at a time.

    Of a volume that is listed for the first time the hashes of all addresses are remembered. An address whose hash is
    among them, a volume that is listed again after a kill, and one with more names than are remembered bring in an
    index by which the case itself refuses what it holds: one of this volume alone, for others may be listed meanwhile
    by another process. It goes when the walk is over (see `forget_addresses`). Members of containers and carved items
    have no part in it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._region: int | None = None
        self._seen = Seen()

    def add(self, region: int, rows: Sequence[Row], first: int) -> int:
        """Store listed rows inside the open transaction; return how many were new.

        `first` is the position of the first of them in the walk; 0 begins a walk.
        """
        if first == 0:
            self._begin(region)
        if self._region != region or not self._seen.add(hash(row[_ADDRESS]) for row in rows):
            self._region = None
            self._database.execute(_WITH_INDEX.format(region=region))
        return self._database.execute_many(
            INSERT_ITEM, [(region, sequence, *row) for sequence, row in enumerate(rows, first)]
        )

    def _begin(self, region: int) -> None:
        held = self._database.one(_HELD, (region,))
        self._region, self._seen = None if held else region, Seen()


def forget_addresses(database: Database, region: int) -> None:
    """Remove the index of a region whose walk is over, if there is one."""
    database.execute(_WITHOUT_INDEX.format(region=region))


class Seen:
    """Remembers hashes of 64 bits, as sorted runs each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def add(self, hashes: Iterable[int]) -> bool:
        """Remember hashes; tell whether all were new. Where they were not, or are too many, none is remembered."""
        given = np.fromiter(hashes, dtype=np.int64)
        fresh = np.unique(given)
        if len(fresh) < len(given) or sum(map(len, self._runs)) > _MOST or any(_meet(run, fresh) for run in self._runs):
            return False
        while self._runs and len(self._runs[-1]) < 2 * len(fresh):
            fresh = np.sort(np.concatenate((self._runs.pop(), fresh)), kind="stable")
        if len(fresh):
            self._runs.append(fresh)
        return True


def _meet(run: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Tell whether a sorted array holds any of some numbers."""
    places = np.minimum(np.searchsorted(run, others), len(run) - 1)
    return bool((run[places] == others).any())
