"""A random order of the numbers below a bound that takes no memory: any part of it is made on its own.

A Feistel network over as many bits as the bound needs is a permutation of the numbers of so many bits, whatever its
round functions are (Luby and Rackoff, 1988). What it maps beyond the bound is mapped again until it lies below, which
leaves a permutation of the numbers below (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). The round
functions are mixers of 64 bits, each with a key of its own from the seed: good statistically, not a cipher.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

MOST = 1 << 62
"""The largest bound."""

_ROUNDS = 8
_KEY_BYTES = 8
# The multipliers of the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

Numbers = NDArray[np.int64]
_Words = NDArray[np.uint64]


class Permutation:
    """The numbers 0 to `size` - 1 in an order that the seed (up to 64 bytes) decides."""

    def __init__(self, size: int, seed: bytes) -> None:
        if not 0 <= size <= MOST:
            raise ValueError(f"no order of {size} numbers")
        self.size = size
        bits = max(2, (size - 1).bit_length())
        self._widths = bits // 2, bits - bits // 2
        raw = blake2b(size.to_bytes(_KEY_BYTES), key=seed, digest_size=_ROUNDS * _KEY_BYTES).digest()
        self._keys = np.frombuffer(raw, "<u8").astype(np.uint64)

    def numbers(self, start: int, end: int) -> Numbers:
        """Return the numbers at the places `start` to `end` - 1 of the order; fewer where it ends before."""
        places = np.arange(start, min(end, self.size), dtype=np.uint64)
        found = self._mapped(places)
        beyond = np.flatnonzero(found >= self.size)
        while len(beyond):
            again = self._mapped(found[beyond])
            found[beyond] = again
            beyond = beyond[again >= self.size]
        return found.astype(np.int64)

    def _mapped(self, numbers: _Words) -> _Words:
        """Mix the lower part of each number into the upper one and let them change places, round after round."""
        low_bits, high_bits = self._widths
        for key in self._keys:
            low = numbers & np.uint64((1 << low_bits) - 1)
            high = numbers >> np.uint64(low_bits)
            high ^= _mixed(low ^ key) & np.uint64((1 << high_bits) - 1)
            numbers = (low << np.uint64(high_bits)) | high
            low_bits, high_bits = high_bits, low_bits
        return numbers


def _mixed(words: _Words) -> _Words:
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))
