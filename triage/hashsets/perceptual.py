"""Perceptual look-ups: every member of one set within a radius of a picture's hashes; none can be missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from triage.hashsets import multi_index
from triage.hashsets.multi_index import Hits, Numbers, Words

# The radius that PDQ's authors recommend: unrelated pictures are 128 bits apart on average, with a deviation of 8.
PDQ_RADIUS = 31
# At 8 of 64 bits re-encoded, resized and recoloured copies are found (96 % or more of a test series), while the chance
# that two unrelated hashes come so near is 3 in 10,000,000,000.
PHASH_RADIUS = 8


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A record that came near, `distance` bits away; candidates sort by distance."""

    distance: int
    record: int


class PerceptualIndex:
    """The hashes of one kind in one set, over its columns; the subclasses name the kind.

    For the kind `pdq` the columns are `pdq`: u8 of shape (k, words), word 0 the most significant, rows sorted by word
    0, then 1 and so on; `pdq_record`: u4 of shape (k,), the record of each row; `pdq_offsets` and `pdq_ids`: the arrays
    of `multi_index`, of any shape that holds their values in order, both empty where `multi_index.plan` gives None.
    """

    name: ClassVar[str]
    words: ClassVar[int]
    radius: ClassVar[int]

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._hashes: Words = columns[self.name].reshape(-1, self.words)
        self._records: Numbers = columns[f"{self.name}_record"]
        ids, offsets = columns[f"{self.name}_ids"], columns[f"{self.name}_offsets"]
        self._indexed = offsets.size > 0
        self._ids: Numbers = ids.reshape(-1, max(1, len(self)))
        self._offsets: Numbers = offsets.reshape(len(self._ids) + 1, -1)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def is_indexed(self) -> bool:
        """Whether it is searched by the compiled loops of `multi_index`."""
        return self._indexed

    def hash_at(self, position: int) -> tuple[int, bytes]:
        """Return the record and the hash at a position of the column."""
        return int(self._records[position]), self._hashes[position].astype(">u8").tobytes()

    def near(self, hashes: Sequence[bytes], radius: int | None = None) -> list[Candidate]:
        """Return the records within `radius` bits of any of the hashes (the variants of one picture), nearest first.

        Each record has its best distance. Without a radius, the one recommended for this kind of hash.
        """
        hits = self._hits(self._as_words(hashes), self.radius if radius is None else radius)
        return _best(self._records[hits.row], hits.distance) if len(hits.row) else []

    def may_hold(self, hashes: Sequence[bytes], unknown: Sequence[bytes] = (), radius: int | None = None) -> bool:
        """Tell whether a member is within `radius` bits of any hash that one of `hashes` may stand for.

        `unknown` has a mask for each of them, in which the bits are set that may be either; empty: all bits are known.
        Raises ValueError where masks and hashes are not of the same number and lengths.
        """
        masks = unknown or [bytes(len(value)) for value in hashes]
        if list(map(len, masks)) != list(map(len, hashes)):
            raise ValueError(f"{len(hashes)} hashes and {len(masks)} masks of unknown bits do not belong together")
        asked = self._as_words(hashes), self._as_words(masks)
        within = self.radius if radius is None else radius
        if self._indexed:
            return multi_index.may_hold(self._hashes, self._offsets, self._ids, asked, within)
        return multi_index.may_hold_by_scan(self._hashes, asked, within)

    def _as_words(self, hashes: Sequence[bytes]) -> Words:
        return np.frombuffer(b"".join(hashes), ">u8").astype(np.uint64).reshape(-1, self.words)

    def _hits(self, queries: Words, radius: int) -> Hits:
        if self._indexed:
            return multi_index.search(self._hashes, self._offsets, self._ids, queries, radius)
        return multi_index.scan(self._hashes, queries, radius)


class PdqIndex(PerceptualIndex):
    """PDQ hashes, of 256 bits."""

    name, words, radius = "pdq", 4, PDQ_RADIUS


class PhashIndex(PerceptualIndex):
    """The 64-bit hashes that the library imagehash calls pHash."""

    name, words, radius = "phash", 1, PHASH_RADIUS


def _best(records: Numbers, distances: Numbers) -> list[Candidate]:
    order = np.lexsort((records, distances))
    _, first = np.unique(records[order], return_index=True)
    nearest = order[np.sort(first)]
    return [Candidate(*pair) for pair in zip(distances[nearest].tolist(), records[nearest].tolist(), strict=True)]
