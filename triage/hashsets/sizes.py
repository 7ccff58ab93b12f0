"""The sizes of a set's members, by which most files can be told to be none without being digested.

Sizes below a bound are bits in a map, larger ones a sorted array: a map is made in a twentieth of the time that sorting
takes, and of 30 million files few are larger than 64 MiB.
"""

from bisect import bisect_left
from typing import Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import Column
from triage.hashsets.record import DIGEST_BYTES, HASH_BITS

_DIGESTS = sum(HASH_BITS[name] for name in DIGEST_BYTES)
_MOST_MAPPED = 1 << 26
_BITS_PER_RECORD = 64  # at most: no more than each would take in an array
_BLOCK = 1 << 18

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Sizes:
    """Every size, in bytes, that a member with a digest has: a content of another size is no member by its digest.

    `mapped`: (bound,) whether there is a member of each size below the bound; `larger`: the sizes from the bound on.
    """

    def __init__(self, mapped: Flags, larger: Numbers) -> None:
        self._bound = len(mapped)
        self._map = np.packbits(mapped, bitorder="little")
        larger = np.sort(larger)
        self._larger = larger[np.diff(larger, prepend=-1) > 0]

    @classmethod
    def of(cls, present: Column, size: Column) -> Self | None:
        """Return the sizes of a set's records, by its columns `present` and `size`, both (n,).

        None where a record with a digest has no size, for then a content of any size can be a member. No bytes at all
        are no member, so a size of 0 is none told. A record without a digest, as altered copies are, needs no size.
        """
        mapped = np.zeros(min(_MOST_MAPPED, _BITS_PER_RECORD * len(present)), np.bool_)
        larger = [np.empty(0, np.int64)]
        for start in range(0, len(present), _BLOCK):
            rows = slice(start, start + _BLOCK)
            told = size[rows][(present[rows] & _DIGESTS) != 0]
            if (told <= 0).any():
                return None
            small = told < len(mapped)
            mapped[told[small]] = True
            larger.append(told[~small])
        return cls(mapped, np.concatenate(larger))

    def __contains__(self, size: int) -> bool:
        if 0 <= size < self._bound:
            return bool(self._map[size >> 3] >> (size & 7) & 1)
        place = bisect_left(self._larger, size)
        return place < len(self._larger) and bool(self._larger[place] == size)

    def holds(self, sizes: Numbers) -> Flags:
        """Return for each of some sizes whether a member has it."""
        held = np.zeros(len(sizes), np.bool_)
        small = (sizes >= 0) & (sizes < self._bound)
        some = sizes[small]
        held[small] = self._map[some >> 3] >> (some & 7) & 1
        large = sizes[~small]
        ends = self._larger.searchsorted(large, "right")
        held[~small] = ends > self._larger.searchsorted(large)
        return held
