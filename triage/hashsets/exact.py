"""Exact look-ups in the sorted columns of one set, whole digests compared.

A digest is kept as its first 8 bytes, a sorted integer that the processor compares at once, and the rest. Digests are
spread evenly, so the leading bits of one say nearly where it lies: the prefix table gives the few positions to look at,
and a search touches two or three lines of memory instead of one at each of 27 halvings of 100 million.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import KEY_BYTES, KEYED, Column, Columns
from triage.hashsets.record import HASH_BITS
from triage.model.digest import Digests
from triage.model.finding import MatchBy

STRONGEST_FIRST = (MatchBy.SHA256, MatchBy.SHA1, MatchBy.MD5)

_KEY_BITS = 8 * KEY_BYTES
# 8 to 16 digests to a prefix lie in a line of memory or two, and the table adds 2 % to an MD5 column. A table of twice
# the size is no faster: what it saves in halvings it loses in the cache.
_BITS_LEFT = 4
_PART = 1 << 16
# Queries taken at once: what is made of them stays in a core's cache.
_BLOCK = 1 << 15
# Batches shorter than this are answered one by one: a call of NumPy costs as much as a whole search.
_FEW = 32

_STRONGER = tuple(sum(HASH_BITS[by.value] for by in STRONGEST_FIRST[:rank]) for rank in range(len(STRONGEST_FIRST)))
"""By rank, the bits of the digests that are stronger."""

Numbers = NDArray[np.int64]


class ExactHit(NamedTuple):
    """Query number `query` is record `record`, by the strongest digest that both carry."""

    query: int
    record: int
    by: MatchBy


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactLookup:
    """Hits in the order of queries and records.

    `disputed` are queries that a weak digest joins to a record and a strong one parts from it, once for each record.
    """

    hits: tuple[ExactHit, ...]
    disputed: tuple[int, ...]


_NOTHING = ExactLookup(hits=(), disputed=())


def table_length(members: int) -> int:
    """Return how many numbers the prefix table of so many digests has: a power of two, and one."""
    return (1 << _table_bits(members)) + 1


def prefix_table(keys: Column) -> Iterator[Column]:
    """Yield the parts of the prefix table of sorted keys (u8): u4, where the digests of each prefix start.

    The prefixes are all values of so many leading bits; one number more says where the last one ends.
    """
    bits = _table_bits(len(keys))
    for start in range(0, 1 << bits, _PART):
        prefixes = np.arange(start, min(start + _PART, 1 << bits), dtype=np.uint64)
        yield keys.searchsorted(prefixes << np.uint64(_KEY_BITS - bits)).astype("<u4")
    yield np.array([len(keys)], "<u4")


def _table_bits(members: int) -> int:
    return max(members.bit_length() - _BITS_LEFT, 0)


class DigestColumn:
    """The sorted digests of one kind in a set, `width` bytes each, and the record of each.

    `columns` holds for the name, one of `KEYED`, and its `k` members, sorted by digest and then by record:
    `{name}_key` (u8, the first 8 bytes as a big-endian number), `{name}_rest` (S8, S12 or S24, the others),
    `{name}_record` (u4) and `{name}_table` (u4, see `prefix_table`).
    """

    def __init__(self, name: str, columns: Columns) -> None:
        self.width = KEYED[name]
        self._parts = np.dtype([("key", ">u8"), ("rest", f"S{self.width - KEY_BYTES}")])
        self._keys: Column = columns[f"{name}_key"]
        self._rests: Column = columns[f"{name}_rest"]
        self._records: Column = columns[f"{name}_record"]
        self._table: Column = columns[f"{name}_table"]
        self._shift = _KEY_BITS - _table_bits(len(self._keys))
        # Single queries go through views: Python reads a number from one in a third of the time it takes from an array.
        self._key_view = self._keys.data
        self._table_view = self._table.data
        self._record_view = self._records.data
        self._rest_view = self._rests.view(np.uint8).data

    def __len__(self) -> int:
        return len(self._keys)

    def member(self, position: int) -> tuple[int, bytes]:
        """Return the record and the digest at a position of the column."""
        key = int(self._keys[position]).to_bytes(KEY_BYTES)
        return int(self._records[position]), key + self._rest(position)

    def sharing(self, positions: Numbers) -> Numbers:
        """Return for each position how many members have the same first 8 bytes."""
        keys = self._keys[positions]
        return self._keys.searchsorted(keys, "right") - self._keys.searchsorted(keys, "left")

    def blocks(self) -> Iterator[Column]:
        """Yield all digests as fixed-width strings, in their order and as often as they are members."""
        for start in range(0, len(self), _PART):
            part = slice(start, start + _PART)
            joined = np.empty(len(self._keys[part]), self._parts)
            joined["key"], joined["rest"] = self._keys[part], self._rests[part]
            yield joined.view(f"S{self.width}")

    def find(self, digests: Column | Sequence[bytes]) -> tuple[Numbers, Column]:
        """Return (numbers of queries, records), one of each for every member that equals a query, by query and record.

        `digests` are an array of fixed-width strings, or raw digests; raises ValueError where one is not `width` long.
        """
        numbers, positions = self.positions(digests)
        return numbers, self._records.take(positions)

    def positions(self, digests: Column | Sequence[bytes]) -> tuple[Numbers, Numbers]:
        """Return what `find` returns, with the positions of the members in place of their records."""
        queries = self._packed(digests)
        if not len(self) or not len(queries):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if len(queries) <= _BLOCK:
            return self._find(queries)
        starts = range(0, len(queries), _BLOCK)
        found = [self._find(queries[start : start + _BLOCK]) for start in starts]
        numbers = np.concatenate([part + start for (part, _), start in zip(found, starts, strict=True)])
        return numbers, np.concatenate([positions for _, positions in found])

    def find_texts(self, texts: Sequence[str]) -> tuple[Numbers, Column]:
        """Return what `find` returns, for digests as hexadecimal text: all are parsed at once."""
        raw = bytes.fromhex("".join(texts))
        # The parser skips blanks: only with the length of every text and of the whole is each digest in its place.
        if len(raw) != self.width * len(texts) or not {2 * self.width}.issuperset(map(len, texts)):
            raise ValueError(f"a digest is not {self.width} bytes long")
        return self.find(np.frombuffer(raw, f"S{self.width}"))

    def find_one(self, digest: bytes) -> list[int]:
        """Return the record of every member that equals one digest: for few queries far faster than `find`."""
        if len(digest) != self.width:
            raise ValueError(f"a digest of {self.width} bytes is wanted, this one has {len(digest)}")
        if not len(self):
            return []
        key, keys, table = int.from_bytes(digest[:KEY_BYTES]), self._key_view, self._table_view
        prefix = key >> self._shift
        position = bisect_left(keys, key, table[prefix], table[prefix + 1])
        records = []
        while position < len(keys) and keys[position] == key:
            if self._rest(position) == digest[KEY_BYTES:]:
                records.append(self._record_view[position])
            position += 1
        return records

    def _rest(self, position: int) -> bytes:
        width = self.width - KEY_BYTES
        return bytes(self._rest_view[position * width : (position + 1) * width])

    def _packed(self, digests: Column | Sequence[bytes]) -> Column:
        kind = np.dtype(f"S{self.width}")
        if not isinstance(digests, np.ndarray):
            if any(len(digest) != self.width for digest in digests):
                raise ValueError(f"a digest is not {self.width} bytes long")
            digests = np.frombuffer(b"".join(digests), kind)
        if digests.dtype != kind:
            raise ValueError(f"digests of {self.width} bytes are wanted, these are {digests.dtype}")
        return np.ascontiguousarray(digests)

    def _find(self, queries: Column) -> tuple[Numbers, Numbers]:
        """Return the numbers of the queries of one block, and the positions of their equals."""
        parts = queries.view(self._parts)
        keys = parts["key"].astype(np.uint64)
        first = self._lower_bound(keys)
        # A position behind the last key is clipped to it: there the query is greater than every key, and equals none.
        hit = np.flatnonzero(self._keys.take(first, mode="clip") == keys)
        if not len(hit):
            return hit, hit
        numbers, positions = self._runs(hit, first[hit], keys[hit])
        # Strings strip zero bytes from their ends when compared, on both sides, which are of the same width.
        equal = self._rests.take(positions) == parts["rest"].take(numbers)
        return numbers[equal], positions[equal]

    def _lower_bound(self, keys: Column) -> Numbers:
        """Return for each query how many of the set's keys are smaller, or more than there are keys if all are."""
        prefixes = (keys >> np.uint64(self._shift)).astype(np.int64)
        first = self._table.take(prefixes, mode="clip").astype(np.int64)
        longest = int((self._table.take(prefixes + 1, mode="clip") - first).max())
        step = 1 << longest.bit_length() >> 1
        while step:
            first += step * (self._keys.take(first + (step - 1), mode="clip") < keys)
            step >>= 1
        return first

    def _runs(self, numbers: Numbers, first: Numbers, keys: Column) -> tuple[Numbers, Numbers]:
        """Return every position of a key equal to each query's, where `first` is the first; numbers repeat with it."""
        last = first + 1
        more = np.flatnonzero(self._keys.take(last, mode="clip") == keys)
        if not len(more):
            return numbers, first
        last[more] = self._keys.searchsorted(keys[more], "right")
        lengths = last - first
        offsets = np.cumsum(lengths) - lengths
        positions = np.arange(lengths.sum()) + np.repeat(first - offsets, lengths)
        return np.repeat(numbers, lengths), positions


class ExactIndex:
    """The digests of one set, and which hashes each of its `n` records carries (`present`, u1, `HASH_BITS`)."""

    def __init__(self, columns: Columns) -> None:
        self.columns = {by: DigestColumn(by.value, columns) for by in STRONGEST_FIRST}
        self._present: Column = columns["present"]
        self._present_view = self._present.data
        self._ranked = [
            (rank, HASH_BITS[by.value], attrgetter(by.value), self.columns[by])
            for rank, by in enumerate(STRONGEST_FIRST)
            if len(self.columns[by])
        ]

    def lookup(self, batch: Sequence[Digests]) -> ExactLookup:
        """Return every member that equals a query; a digest that the query or the set lacks takes no part.

        A record that a weak digest joins to a query while a stronger one, which both carry, differs is no hit but
        disputed. Raises ValueError for what is not the hexadecimal text of a digest.
        """
        if len(batch) >= _FEW:
            return self._lookup_batch(batch)
        hits: list[ExactHit] = []
        disputed: list[int] = []
        for query, digests in enumerate(batch):
            carried, best = self._best(digests)
            for record, rank in sorted(best.items()):
                if carried & self._present_view[record] & _STRONGER[rank]:
                    disputed.append(query)
                else:
                    hits.append(ExactHit(query, record, STRONGEST_FIRST[rank]))
        return ExactLookup(hits=tuple(hits), disputed=tuple(disputed)) if hits or disputed else _NOTHING

    def _best(self, digests: Digests) -> tuple[int, dict[int, int]]:
        """Return the bits of the digests that a query carries, and by record the rank of the strongest that equals."""
        carried = 0
        best: dict[int, int] = {}
        for rank, bit, text_of, column in self._ranked:
            text = text_of(digests)
            if text is not None:
                carried |= bit
                for record in column.find_one(bytes.fromhex(text)):
                    best.setdefault(record, rank)
        return carried, best

    def _lookup_batch(self, batch: Sequence[Digests]) -> ExactLookup:
        carried = np.zeros(len(batch), np.uint8)
        joined = []
        for rank, bit, text_of, column in self._ranked:
            numbers, texts = _told(list(map(text_of, batch)))
            carried[numbers] |= bit
            found, records = column.find_texts(texts)
            if len(found):
                joined.append(np.stack([numbers[found], records, np.full(len(found), rank)]))
        return self._resolved(carried, np.concatenate(joined, axis=1)) if joined else _NOTHING

    def _resolved(self, carried: Column, joined: Numbers) -> ExactLookup:
        """Return what the rows query, record and rank say: of each pair the strongest digest that equals decides."""
        joined = joined[:, np.lexsort(joined[::-1])]
        queries, records, ranks = joined[:, np.any(np.diff(joined[:2], prepend=-1), axis=0)]
        parted = (carried[queries] & self._present[records] & np.take(_STRONGER, ranks)) != 0
        by = [STRONGEST_FIRST[rank] for rank in ranks[~parted].tolist()]
        hits = starmap(ExactHit, zip(queries[~parted].tolist(), records[~parted].tolist(), by, strict=True))
        return ExactLookup(hits=tuple(hits), disputed=tuple(queries[parted].tolist()))


def _told(texts: list[str | None]) -> tuple[Numbers, list[str]]:
    """Return the numbers and the texts of the digests that are there."""
    numbers = np.flatnonzero([text is not None for text in texts]) if None in texts else np.arange(len(texts))
    return numbers, [text for text in texts if text is not None]
