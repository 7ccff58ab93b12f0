"""The inner loops of the multi-index, compiled to machine code by numba; what the arrays hold says `multi_index`.

Importing this module imports numba, and compiles or loads the code: half a second and more. Only `multi_index` does,
when it first needs it.
"""

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.uint32]
Function = TypeVar("Function", bound=Callable[..., Any])

types: Any = numba.types  # numba annotates its functions in part

PDQ_WORDS = 4
_FULL = 1 << 62


class Index(NamedTuple):
    """The arrays of `multi_index`, and how many low bits of an entry are the row."""

    hashes: Words
    offsets: Numbers
    ids: Numbers
    id_bits: int


class Task(NamedTuple):
    """What to look for, and whether the `first` hit is enough.

    `unknown` has a bit set wherever a query's bit may be either. `cuts` has a row for each chunk: first bit, bits of
    the key, bits after it that entries hold. `masks` turn a key into the keys near it, nearest first; the first
    `ends[threshold]` of them are within a threshold. `costs[known, flips]` is how many keys differ in so many of the
    known bits.
    """

    queries: Words
    unknown: Words
    cuts: NDArray[np.int64]
    masks: Numbers
    ends: NDArray[np.int64]
    costs: NDArray[np.int64]
    radius: int
    most_probes: int
    most_entries: int
    first: bool


class _Work(NamedTuple):
    """`thresholds` of each query (row) and chunk (column), -1 for no search; then what one chunk takes.

    `masks` of each probe; `buckets`: where its entries start and end, and what was read there; `found`: rows.
    """

    thresholds: NDArray[np.int64]
    masks: Numbers
    buckets: Numbers
    found: Numbers


def _mapped(kind: Any, dimensions: int = 2) -> Any:
    """Return the type of arrays that may be read-only, as those of a memory map are."""
    return types.Array(kind, dimensions, "C", readonly=True)


_WORDS, _NUMBERS, _COUNT = _mapped(types.uint64), _mapped(types.uint32), types.int64
_INDEX = types.NamedTuple((_WORDS, _NUMBERS, _NUMBERS, _COUNT), Index)
_COUNTS = _mapped(_COUNT)
_TASK = types.NamedTuple(
    (
        _WORDS,
        _WORDS,
        _COUNTS,
        _mapped(types.uint32, 1),
        _mapped(_COUNT, 1),
        _COUNTS,
        _COUNT,
        _COUNT,
        _COUNT,
        types.boolean,
    ),
    Task,
)
_RESULT = types.Tuple((types.uint32[:, ::1], types.boolean[::1]))
_COLUMN = types.uint32[::1]


def _compiled(signature: Any) -> Callable[[Function], Function]:
    """Return a decorator that compiles, and keeps the machine code where numba finds a folder that can be written.

    Code that was kept and is damaged, as after a power cut, is not used.
    """

    def compiled(function: Function) -> Function:
        try:
            return cast(Function, numba.njit(signature, nogil=True, cache=True)(function))
        except (RuntimeError, OSError, EOFError, UnpicklingError, ImportError):
            return cast(Function, numba.njit(signature, nogil=True)(function))

    return compiled


def _part(function: Function) -> Function:
    """Return the function, to be compiled into those that call it."""
    return register_jitable(function)


@_part
def _planned(task: Task, given_up: NDArray[np.bool_]) -> _Work:
    """Find the thresholds of all queries, give up those that ask for too many keys, and make room for the others."""
    thresholds = np.full((len(task.queries), len(task.cuts)), -1, np.int64)
    most = np.int64(0)
    for number in range(len(task.queries)):
        probes = _allot(task, number, thresholds[number])
        given_up[number] = probes < 0
        most = max(most, probes)
    return _Work(
        thresholds,
        np.empty(most, np.uint32),
        np.empty((most, 3), np.uint32),
        np.empty(task.most_entries + 1, np.uint32),
    )


@_part
def _allot(task: Task, number: int, thresholds: NDArray[np.int64]) -> np.int64:
    """Raise the thresholds of one query until they, each plus one, add up to more than the radius.

    Each step raises the one that adds fewest keys, of equal ones the last: a row that shares a key of chunk 0 costs a
    look at its hash, as chunk 0 has no entries. Return how many keys a chunk has at most, -1 where all have too many.
    """
    steps, probes = np.empty(len(task.cuts), np.int64), np.zeros(len(task.cuts), np.int64)
    for chunk in range(len(steps)):
        steps[chunk] = _step(task, number, chunk, 0)
    left = task.most_probes
    for _ in range(task.radius + 1):
        best = 0
        for chunk in range(len(steps)):
            if steps[chunk] <= steps[best]:
                best = chunk
        if steps[best] > left:
            return np.int64(-1)
        left -= steps[best]
        probes[best] += steps[best]
        thresholds[best] += 1
        steps[best] = _step(task, number, best, min(thresholds[best] + 1, task.radius))
    return np.int64(probes.max())


@_part
def _step(task: Task, number: int, chunk: int, flips: int) -> np.int64:
    """Return how many keys differ in so many known bits, and in any of the unknown ones."""
    first, key_bits, _ = task.cuts[chunk]
    free = _ones(_bits(task.unknown, number, first, key_bits))
    cost = task.costs[key_bits - free, flips]
    return np.int64(cost << free) if cost < _FULL else np.int64(_FULL)


@_part
def _candidates(index: Index, task: Task, work: _Work, at: tuple[int, int]) -> int:
    """Write the rows near the query in one chunk to `found`; return how many, -1 to give the query up."""
    number, chunk = at
    threshold = work.thresholds[number, chunk]
    if threshold < 0:
        return 0
    first, key_bits, tail_bits = task.cuts[chunk]
    key = np.uint32(_bits(task.queries, number, first, key_bits))
    free = np.uint32(_bits(task.unknown, number, first, key_bits))
    masks = work.masks[: _spread(task.masks[: task.ends[threshold]], free, work.masks)]
    if _locate(index.offsets[chunk], key, masks, len(index.hashes), work.buckets) > task.most_entries:
        return -1
    if chunk == 0:
        return _rows(work, len(masks))
    entries = index.ids[chunk - 1]
    _touch(entries, work.buckets, len(masks))
    tail = _bits(task.queries, number, first + key_bits, tail_bits)
    known = ~_bits(task.unknown, number, first + key_bits, tail_bits)
    return _filter(entries, (masks, ~free), (tail, known, index.id_bits, threshold), work)


@_part
def _spread(masks: Numbers, free: np.uint32, spread: Numbers) -> int:
    """Write the masks that flip known bits alone, each with every choice of the free bits; return how many."""
    count = 0
    for mask in masks:
        if mask & free:
            continue
        chosen = np.uint32(0)
        while True:
            spread[count] = mask | chosen
            count += 1
            chosen = (chosen - free) & free  # the next choice: subtracting carries through the bits that are not free
            if chosen == 0:
                break
    return count


@_part
def _locate(offsets: Numbers, key: np.uint32, masks: Numbers, rows: int, buckets: Numbers) -> np.int64:
    """Write where the bucket of each probe starts and ends; return how many entries they hold.

    Return more than any limit where an offset points outside the rows.
    """
    held = np.int64(0)
    for probe in range(len(masks)):
        slot = key ^ masks[probe]
        start, end = offsets[slot], offsets[slot + np.uint32(1)]
        if start > end or end > rows:
            return np.int64(_FULL)
        buckets[probe, 0] = start
        buckets[probe, 1] = end
        held += np.int64(end - start)
    return held


@_part
def _touch(entries: Numbers, buckets: Numbers, probes: int) -> None:
    """Read both ends of every bucket: loads that wait for nothing, so that their cache misses overlap.

    What was read is written, or the compiler would leave the loads out.
    """
    last = np.uint32(len(entries) - 1)
    for probe in range(probes):
        start, end = buckets[probe, 0], buckets[probe, 1]
        buckets[probe, 2] = entries[min(start, last)] ^ entries[min(end, last)]


@_part
def _filter(
    entries: Numbers, probes: tuple[Numbers, np.uint32], near: tuple[np.uint64, np.uint64, int, int], work: _Work
) -> int:
    """Write the rows whose chunk is within the threshold on its known bits; return how many.

    Without a branch: whether an entry passes cannot be predicted.
    """
    masks, known_key = probes
    tail, known_tail, id_bits, threshold = near
    buckets, found = work.buckets, work.found
    shift = np.uint64(id_bits)
    rows = (np.uint64(1) << shift) - np.uint64(1)
    count = 0
    for probe in range(len(masks)):
        allowed = threshold - _ones(np.uint64(masks[probe] & known_key))
        for place in range(buckets[probe, 0], buckets[probe, 1]):
            entry = np.uint64(entries[place])
            found[count] = entry & rows
            count += int(_ones(((entry >> shift) ^ tail) & known_tail) <= allowed)
    return count


@_part
def _rows(work: _Work, probes: int) -> int:
    """Write the rows of the buckets of chunk 0, in whose order the hashes are; return how many."""
    buckets, found = work.buckets, work.found
    count = 0
    for probe in range(probes):
        for row in range(buckets[probe, 0], buckets[probe, 1]):
            found[count] = row
            count += 1
    return count


@_part
def _verify(index: Index, task: Task, work: _Work, at: tuple[int, int, int], hits: Numbers) -> int:
    """Write those of the rows found for a query in a chunk that are hits; return how many, -1 to give the query up."""
    number, chunk, found = at
    count = 0
    for row in work.found[:found]:
        if row >= len(index.hashes):
            return -1
        distance = _distance(index.hashes, row, task, number)
        if distance <= task.radius and not _found_before(index, task, work, (number, chunk), row):
            hits[count, 0] = number
            hits[count, 1] = row
            hits[count, 2] = distance
            count += 1
    return count


@_part
def _found_before(index: Index, task: Task, work: _Work, at: tuple[int, int], row: int) -> bool:
    """Tell whether an earlier chunk finds this row as well: then it has been reported."""
    number, chunk = at
    for earlier in range(chunk):
        first, key_bits, tail_bits = task.cuts[earlier]
        width = key_bits + tail_bits
        differ = _bits(index.hashes, row, first, width) ^ _bits(task.queries, number, first, width)
        if _ones(differ & ~_bits(task.unknown, number, first, width)) <= work.thresholds[number, earlier]:
            return True
    return False


@_part
def _distance(hashes: Words, row: int, task: Task, number: int) -> np.int64:
    """Return in how many of the known bits a row differs from a query."""
    queries, unknown = task.queries, task.unknown
    if hashes.shape[1] == PDQ_WORDS:  # written out, as a loop of unknown length is slower
        return (
            _ones((hashes[row, 0] ^ queries[number, 0]) & ~unknown[number, 0])
            + _ones((hashes[row, 1] ^ queries[number, 1]) & ~unknown[number, 1])
            + _ones((hashes[row, 2] ^ queries[number, 2]) & ~unknown[number, 2])
            + _ones((hashes[row, 3] ^ queries[number, 3]) & ~unknown[number, 3])
        )
    distance = np.int64(0)
    for word in range(hashes.shape[1]):
        distance += _ones((hashes[row, word] ^ queries[number, word]) & ~unknown[number, word])
    return distance


@_part
def _bits(hashes: Words, row: int, first: int, width: int) -> np.uint64:
    """Return `width` (0 to 63) bits of the hash in a row from bit `first` on, counted from the most significant."""
    place, left = first >> 6, 64 - (first & 63)
    keep = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    value: np.uint64 = hashes[row, place] >> np.uint64(max(left - width, 0))
    if left < width:
        rest = width - left
        value = (hashes[row, place] << np.uint64(rest)) | (hashes[row, place + 1] >> np.uint64(64 - rest))
    return np.uint64(value & keep)


@_part
def _ones(word: np.uint64) -> np.int64:
    """Count the bits of a word; LLVM knows this idiom and makes one instruction of it."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@_part
def _grown(hits: Numbers, used: int, more: int) -> Numbers:
    if used + more <= len(hits):
        return hits
    larger = np.empty((max(2 * len(hits), used + more), 3), np.uint32)
    larger[:used] = hits[:used]
    return larger


@_compiled(_RESULT(_INDEX, _TASK))
def search(index: Index, task: Task) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the hits (query number, row, distance), and which queries were given up: these have no hits.

    A query is given up when it asks for more keys than `most_probes`, or the buckets of one chunk hold more entries
    than `most_entries`: the caller has a better way. So is one for which the arrays point outside the rows: whatever a
    file holds, nothing outside is read, and nothing missed. Where the first hit is enough, no more are looked for.
    """
    given_up = np.zeros(len(task.queries), np.bool_)
    work = _planned(task, given_up)
    hits = np.empty((64, 3), np.uint32)
    used = 0
    for number in range(len(given_up)):
        if given_up[number]:
            continue
        before = used
        for chunk in range(len(task.cuts)):
            count = _candidates(index, task, work, (number, chunk))
            if count > 0:
                hits = _grown(hits, used, count)
                count = _verify(index, task, work, (number, chunk, count), hits[used:])
            if count < 0:
                given_up[number] = True
                used = before
                break
            used += count
            if used and task.first:
                return hits[:1], given_up
    return hits[:used], given_up


@_compiled(types.void(_WORDS, types.UniTuple(_COUNT, 4), _COLUMN, _COLUMN))
def sort_chunk(hashes: Words, cut: tuple[int, int, int, int], offsets: Numbers, entries: Numbers) -> None:
    """Sort all rows by the key of one chunk, counting keys, into `offsets` (zeros) and, unless empty, `entries`.

    `cut` is the chunk's first bit, the bits of its key, the bits after it that entries hold, and those of a row.
    """
    first, key_bits, tail_bits, id_bits = cut
    shift = np.uint64(tail_bits)
    keep = (np.uint64(1) << shift) - np.uint64(1)
    for row in range(len(hashes)):
        key = _bits(hashes, row, first, key_bits + tail_bits) >> shift
        offsets[key + np.uint64(1)] += np.uint32(1)
    for slot in range(1, len(offsets)):
        offsets[slot] += offsets[slot - 1]
    if len(entries) == 0:
        return
    for row in range(len(hashes)):
        value = _bits(hashes, row, first, key_bits + tail_bits)
        key = value >> shift
        entries[offsets[key]] = ((value & keep) << np.uint64(id_bits)) | np.uint64(row)
        offsets[key] += np.uint32(1)
    for slot in range(len(offsets) - 1, 0, -1):  # each bucket's start has become its end
        offsets[slot] = offsets[slot - 1]
    offsets[0] = 0
