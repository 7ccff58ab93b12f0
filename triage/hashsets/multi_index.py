"""Every row within a Hamming radius, exactly, by the pigeonhole over plain arrays that can be memory-mapped.

A hash is cut into `m` chunks. Where the thresholds of the chunks, each plus one, add up to more than the radius, a row
within the radius is within the threshold of at least one chunk: otherwise its chunks alone are further than the radius
(multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012; uneven thresholds as in GPH: Qin and others, ICDE 2018).

For each chunk all rows are sorted by its first `b` bits, the key. Chunk `i` of `m` has the bits from `i * bits // m`
on, the most significant bit of word 0 first. The arrays, for `n` rows:

- `offsets`, u4 of shape `(m, 2**b + 1)`: the rows with key `k` in chunk `i` are the entries `offsets[i, k]` to
  `offsets[i, k + 1]`;
- `ids`, u4 of shape `(m - 1, n)`: the entries of chunks 1 and up: the row in the low `(n - 1).bit_length()` bits, above
  it as many bits of the chunk after the key as there are and as fit. Chunk 0 needs none: the rows are in its order.

So most rows that share a near key are dismissed by their entry alone, without a look at the hash, whose place in memory
is random. Nothing in the arrays depends on the radius: thresholds are found for each search.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.uint32]

WORD_BITS = 64

_LINEAR_BELOW = 65_536
# Measured from 100,000 to 5,000,000 rows: fewer chunks are slower, more are no faster at the usual radii, and larger.
_CHUNKS = {4: 11, 1: 3}
_ENTRIES_PER_KEY = 6  # at least: with this the arrays and the hashes are at most 2.5 times as large as the hashes
_ENTRY_BITS = 32
_DENSE = 4
_BLOCK = 16384


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the hashes are cut: into `chunks`, each with a key of `key_bits`."""

    chunks: int
    key_bits: int


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Hits as columns of one length: number of the query, row of the hash, distance in bits."""

    query: Numbers
    row: Numbers
    distance: Numbers


def plan(n: int, words: int) -> Scheme | None:
    """Return the scheme for `n` hashes of so many 64-bit words (4 or 1), None where a linear scan is best."""
    if n < _LINEAR_BELOW:
        return None
    chunks = _CHUNKS[words]
    return Scheme(chunks, min((n // _ENTRIES_PER_KEY).bit_length() - 1, words * WORD_BITS // chunks))


def build(hashes: Words, scheme: Scheme) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the rows of `offsets` and `ids` chunk by chunk; that of chunk 0 has no ids, an empty array.

    `hashes` has the shape (n, words), its rows sorted by word 0, then 1 and so on. One chunk is in memory at a time.
    """
    id_bits = _id_bits(len(hashes))
    for chunk, cut in enumerate(_cuts(len(hashes), hashes.shape[1], scheme)):
        offsets = np.zeros((1 << scheme.key_bits) + 1, np.uint32)
        ids = np.empty(len(hashes) if chunk else 0, np.uint32)
        _kernel().sort_chunk(hashes, (*cut, id_bits), offsets, ids)
        yield offsets, ids


def search(hashes: Words, offsets: Numbers, ids: Numbers, queries: Words, radius: int) -> Hits:
    """Return every row within `radius` bits of each query, once, in no particular order.

    `hashes` (n, words), `offsets` and `ids` are C-contiguous, as `build` took and made them; `queries` is (q, words).
    Queries for which the index would save nothing, as too many rows are near in some chunk, are compared with all rows.
    """
    scheme = Scheme(len(offsets), (offsets.shape[1] - 1).bit_length() - 1)
    limit = len(hashes) // _DENSE
    layout = _layout(len(hashes), hashes.shape[1], scheme, radius)
    if layout[:, -1].sum() > limit:
        return scan(hashes, queries, radius)
    kernel = _kernel()
    masks = _masks(scheme.key_bits, int(layout[:, -2].max()))
    index = kernel.Index(_read_only(hashes), _read_only(offsets), _read_only(ids), _id_bits(len(hashes)))
    task = kernel.Task(_read_only(np.ascontiguousarray(queries)), layout, masks, radius, limit)
    hits, given_up = kernel.search(index, task)
    if not given_up.any():
        return Hits(*hits.T)
    again = np.flatnonzero(given_up).astype(np.uint32)
    rest = scan(hashes, queries[again], radius)
    return Hits(*np.hstack((hits.T, (again[rest.query], rest.row, rest.distance))))


def scan(hashes: Words, queries: Words, radius: int) -> Hits:
    """Return what `search` returns, by comparing with all rows: the best way for few, and the reference for tests.

    Half of the words are compared first: what is further than the radius there is further in all.
    """
    found: list[NDArray[Any]] = [np.empty((3, 0), np.uint32)]
    half = (hashes.shape[1] + 1) // 2
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK]
        for number, query in enumerate(queries):
            partly = np.bitwise_count(block[:, 0] ^ query[0])
            for word in range(1, half):
                partly += np.bitwise_count(block[:, word] ^ query[word])
            some = np.flatnonzero(partly <= radius)
            if len(some):
                distances = np.bitwise_count(block[some] ^ query).sum(axis=1, dtype=np.uint32)
                near = distances <= radius
                rows = start + some[near]
                found.append(np.vstack((np.full(len(rows), number), rows, distances[near])).astype(np.uint32))
    return Hits(*np.hstack(found))


@lru_cache(maxsize=16)
def _layout(n: int, words: int, scheme: Scheme, radius: int) -> NDArray[np.int64]:
    """Return a row for each chunk: its three numbers of `_cuts`, its threshold, and how many keys are within that."""
    thresholds = _thresholds(radius, scheme.chunks)
    probes = [_within(scheme.key_bits, threshold) for threshold in thresholds]
    return _read_only(np.column_stack((_cuts(n, words, scheme), thresholds, probes)))


def _cuts(n: int, words: int, scheme: Scheme) -> list[tuple[int, int, int]]:
    """Return of each chunk its first bit, the bits of its key, and how many bits after it are in an entry."""
    ends = [words * WORD_BITS * number // scheme.chunks for number in range(scheme.chunks + 1)]
    room = _ENTRY_BITS - _id_bits(n)
    return [
        (first, scheme.key_bits, min(room, end - first - scheme.key_bits) if first else 0)
        for first, end in pairwise(ends)
    ]


def _id_bits(n: int) -> int:
    return (n - 1).bit_length()


def _thresholds(radius: int, chunks: int) -> list[int]:
    """Return the least thresholds, which plus one add up to radius + 1, the larger ones last; -1 is no search at all.

    A row that shares a key of chunk 0 costs a look at its hash, as chunk 0 has no entries: so that one is the last
    to get a larger threshold.
    """
    share, more = divmod(radius + 1, chunks)
    return [share - 1] * (chunks - more) + [share] * more


def _within(bits: int, distance: int) -> int:
    """Count the keys of so many bits within a distance; none within -1."""
    return sum(comb(bits, flips) for flips in range(distance + 1))


@lru_cache(maxsize=8)
def _masks(bits: int, distance: int) -> Numbers:
    """Return what turns a key into each key within the distance, nearest first."""
    chosen = (flips for count in range(distance + 1) for flips in combinations(range(bits), count))
    return _read_only(np.array([sum(1 << bit for bit in flips) for flips in chosen], np.uint32))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written, as memory-mapped arrays are: the compiled loops take one kind only."""
    view = array.view()
    view.flags.writeable = False
    return view


def _kernel() -> Any:
    """Import the compiled loops: half a second that a process without a large set never spends."""
    return import_module("triage.hashsets.multi_index_kernel")
