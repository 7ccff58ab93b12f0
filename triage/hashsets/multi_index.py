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

Bits of a query may be unknown: a picture that was decoded at a smaller scale has a few. Then only the known bits are
compared, to which the pigeonhole applies as well, and in each chunk all keys are looked up that differ in few of its
known bits and in any of its unknown ones. Each unknown bit doubles the keys of its chunk, so a chunk of many gets a low
threshold or is not searched at all, and others get a larger one: what adds fewest keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
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
_HASHES_PER_PROBE = 16  # are compared in the time that a probe of a large index takes, or more
_MOST_MASKS = 1 << 16
_TOO_MANY = 1 << 62
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
        _kernel().sort_chunk(hashes, (*cut.tolist(), id_bits), offsets, ids)
        yield offsets, ids


def search(hashes: Words, offsets: Numbers, ids: Numbers, queries: Words, radius: int) -> Hits:
    """Return every row within `radius` bits of each query, once, in no particular order.

    `hashes` (n, words), `offsets` and `ids` are C-contiguous, as `build` took and made them; `queries` is (q, words).
    Queries for which the index would save nothing, as too many rows are near in some chunk, are compared with all rows.
    """
    hits, given_up = _search((hashes, offsets, ids), (queries, np.zeros_like(queries)), radius)
    if not given_up.any():
        return Hits(*hits.T)
    again = np.flatnonzero(given_up).astype(np.uint32)
    rest = scan(hashes, queries[again], radius)
    return Hits(*np.hstack((hits.T, (again[rest.query], rest.row, rest.distance))))


def may_hold(hashes: Words, offsets: Numbers, ids: Numbers, asked: tuple[Words, Words], radius: int) -> bool:
    """Tell whether any row is within `radius` bits of any query, where bits of the queries are not known.

    `asked` are the queries and the `unknown` bits of each, both (q, words). A row counts if it differs in at most
    `radius` of the known bits: exactly then is it within the radius of some hash that the query may stand for.
    """
    hits, given_up = _search((hashes, offsets, ids), asked, radius, first=True)
    if len(hits) or not given_up.any():
        return len(hits) > 0
    queries, unknown = asked
    return may_hold_by_scan(hashes, (queries[given_up], unknown[given_up]), radius)


def scan(hashes: Words, queries: Words, radius: int) -> Hits:
    """Return what `search` returns, by comparing with all rows: the best way for few, and the reference for tests."""
    found = _scanned(hashes, queries, np.zeros_like(queries), radius)
    return Hits(*np.hstack([np.empty((3, 0), np.uint32), *found]))


def may_hold_by_scan(hashes: Words, asked: tuple[Words, Words], radius: int) -> bool:
    """Return what `may_hold` returns, by comparing with all rows."""
    return next(_scanned(hashes, *asked, radius), None) is not None


def warm() -> None:
    """Load the compiled loops now: half a second that processes forked afterwards are spared."""
    _kernel()


def _search(
    arrays: tuple[Words, Numbers, Numbers], asked: tuple[Words, Words], radius: int, *, first: bool = False
) -> tuple[Numbers, NDArray[np.bool_]]:
    hashes, offsets, ids = (_read_only(array) for array in arrays)
    queries, unknown = (_read_only(np.ascontiguousarray(words)) for words in asked)
    scheme = Scheme(len(offsets), (offsets.shape[1] - 1).bit_length() - 1)
    kernel = _kernel()
    index = kernel.Index(hashes, offsets, ids, _id_bits(len(hashes)))
    cuts = _cuts(len(hashes), hashes.shape[1], scheme)
    limits = len(hashes) // _HASHES_PER_PROBE, len(hashes) // _DENSE
    task = kernel.Task(queries, unknown, cuts, *_probes(scheme.key_bits, radius), radius, *limits, first)
    found: tuple[Numbers, NDArray[np.bool_]] = kernel.search(index, task)
    return found


def _scanned(hashes: Words, queries: Words, unknown: Words, radius: int) -> Iterator[Numbers]:
    """Yield hits, never none, as rows of queries, rows and distances.

    Half of the words are compared first: what is further than the radius there is further in all. Each unknown bit may
    take one off that, which is cheaper than to leave them out of every comparison.
    """
    half = (hashes.shape[1] + 1) // 2
    within = (radius + np.bitwise_count(unknown[:, :half]).sum(axis=1)).tolist()
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK]
        for number, (query, bound) in enumerate(zip(queries, within, strict=True)):
            partly = np.bitwise_count(block[:, 0] ^ query[0])
            for word in range(1, half):
                partly += np.bitwise_count(block[:, word] ^ query[word])
            some = np.flatnonzero(partly <= bound)
            if len(some):
                differ = (block[some] ^ query) & ~unknown[number]
                distances = np.bitwise_count(differ).sum(axis=1, dtype=np.uint32)
                near = distances <= radius
                rows = start + some[near]
                if len(rows):
                    yield np.vstack((np.full(len(rows), number), rows, distances[near])).astype(np.uint32)


@lru_cache(maxsize=16)
def _cuts(n: int, words: int, scheme: Scheme) -> NDArray[np.int64]:
    """Return of each chunk its first bit, the bits of its key, and how many bits after it are in an entry."""
    ends = [words * WORD_BITS * number // scheme.chunks for number in range(scheme.chunks + 1)]
    room = _ENTRY_BITS - _id_bits(n)
    cuts = [
        (first, scheme.key_bits, min(room, end - first - scheme.key_bits) if first else 0)
        for first, end in pairwise(ends)
    ]
    return _read_only(np.array(cuts, np.int64))


def _id_bits(n: int) -> int:
    return (n - 1).bit_length()


@lru_cache(maxsize=8)
def _probes(key_bits: int, radius: int) -> tuple[Numbers, NDArray[np.int64], NDArray[np.int64]]:
    """Return `masks`, `ends` and `costs` of the kernel's `Task`; flips that would need too many masks cost too much."""
    numbers = [[comb(known, flips) for flips in range(radius + 1)] for known in range(key_bits + 1)]
    within = np.cumsum(numbers[key_bits])
    within = within[within <= _MOST_MASKS]
    keys = np.arange(1 << key_bits, dtype=np.uint32)
    near = keys[np.bitwise_count(keys) < len(within)]
    masks = near[np.argsort(np.bitwise_count(near), kind="stable")]
    costs = np.array(numbers, np.int64)
    costs[:, len(within) :][costs[:, len(within) :] > 0] = _TOO_MANY
    ends = np.pad(within, (0, radius + 1 - len(within)), "edge")
    return _read_only(masks), _read_only(ends), _read_only(costs)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written, as memory-mapped arrays are: the compiled loops take one kind only."""
    view = array.view()
    view.flags.writeable = False
    return view


def _kernel() -> Any:
    """Import the compiled loops: half a second that a process without a large set never spends."""
    return import_module("triage.hashsets.multi_index_kernel")
