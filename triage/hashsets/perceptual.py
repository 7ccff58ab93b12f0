"""Perceptual look-ups: every member within a radius, by comparing with all of them, so that none can be missed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import Column, Columns
from triage.hashsets.record import PDQ_BYTES, PHASH_BYTES

# The radius that PDQ's authors recommend: unrelated pictures are 128 bits apart on average, with a deviation of 8.
PDQ_RADIUS = 31
# At 8 of 64 bits re-encoded, resized and recoloured copies are found (96 % or more of a test series), while the chance
# that two unrelated hashes come so near is 3 in 10,000,000,000.
PHASH_RADIUS = 8

_BLOCK = 16384  # words of 8 bytes: a block and what is made of it stay in a core's cache

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A record that came near, `distance` bits away; candidates sort by distance."""

    distance: int
    record: int


class PdqIndex:
    """PDQ hashes of one set, as four rows of 64-bit words."""

    def __init__(self, columns: Columns) -> None:
        self._words: Column = columns["pdq"]
        self._records: Column = columns["pdq_record"]

    def __len__(self) -> int:
        return len(self._records)

    def hash_at(self, position: int) -> tuple[int, bytes]:
        """Return the record and the hash at a position of the column."""
        return int(self._records[position]), self._words[:, position].astype(">u8").tobytes()

    def near(self, hashes: Sequence[bytes], radius: int = PDQ_RADIUS) -> list[Candidate]:
        """Return the records within `radius` bits of any of the hashes (the variants of one picture), nearest first.

        Two of the four words are compared first: what is further than the radius there is further in all.
        """
        queries = _words(hashes, PDQ_BYTES)
        best: dict[int, int] = {}
        for start in range(0, len(self), _BLOCK):
            block = self._words[:, start : start + _BLOCK]
            for query in queries:
                partly = np.bitwise_count(block[0] ^ query[0])
                partly += np.bitwise_count(block[1] ^ query[1])
                some = np.flatnonzero(partly <= radius)
                if len(some):
                    distances = np.bitwise_count(block[:, some] ^ query[:, None]).sum(axis=0, dtype=np.int64)
                    _keep(best, self._records[start + some], distances, radius)
        return _sorted(best)


class PhashIndex:
    """64-bit hashes of one set."""

    def __init__(self, columns: Columns) -> None:
        self._words: Column = columns["phash"]
        self._records: Column = columns["phash_record"]

    def __len__(self) -> int:
        return len(self._records)

    def near(self, value: bytes, radius: int = PHASH_RADIUS) -> list[Candidate]:
        """Return the records within `radius` bits, nearest first."""
        query = _words([value], PHASH_BYTES)[0, 0]
        best: dict[int, int] = {}
        for start in range(0, len(self), _BLOCK):
            distances = np.bitwise_count(self._words[start : start + _BLOCK] ^ query)
            some = np.flatnonzero(distances <= radius)
            _keep(best, self._records[start + some], distances[some], radius)
        return _sorted(best)


def _words(hashes: Sequence[bytes], length: int) -> Words:
    return np.frombuffer(b"".join(hashes), ">u8").astype(np.uint64).reshape(-1, length // 8)


def _keep(best: dict[int, int], records: Column, distances: Column, radius: int) -> None:
    for record, distance in zip(records.tolist(), distances.tolist(), strict=True):
        if distance <= min(radius, best.get(record, radius)):
            best[record] = distance


def _sorted(best: dict[int, int]) -> list[Candidate]:
    return sorted(Candidate(distance, record) for record, distance in best.items())
