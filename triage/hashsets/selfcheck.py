"""The self-check of a set just built: its own members must be found, exactly and with bits flipped."""

from collections.abc import Iterable

import numpy as np

from triage.hashsets.hashset import HashSet
from triage.hashsets.perceptual import PDQ_RADIUS, PerceptualIndex
from triage.hashsets.record import DIGEST_BYTES, EMPTY_DIGESTS, PDQ_BYTES, PHASH_BYTES
from triage.hashsets.sample import Hashes
from triage.model.digest import Digests
from triage.model.errors import StoreError

_DIGESTS = 256
_MOST_HITS = 1 << 16
_ALONE = 32  # of them asked one by one, too, which is another way through the index
_PICTURES = 8
_SEED = 31


def check_members(opened: HashSet, sample: Iterable[Hashes] = ()) -> None:
    """Look a sample of a set's members up, and one of the records it was made of; raises StoreError if one is missed.

    A set that misses a member in silence is the worst defect a search can have. The members are the same each time:
    256 of each digest, and of blocks; of perceptual hashes 8 for every number of flipped bits up to the radius.
    """
    generator = np.random.default_rng(_SEED)
    _check_digests(opened, generator)
    _check_blocks(opened, generator)
    _check_near(opened.pdq, 8 * PDQ_BYTES, PDQ_RADIUS, "pdq", generator)
    _check_near(opened.frames, 8 * PDQ_BYTES, PDQ_RADIUS, "frame", generator)
    _check_near(opened.phash, 8 * PHASH_BYTES, opened.header.meta.phash_radius, "phash", generator)
    _check_sample(opened, sample)
    _check_empty_file(opened)


def _check_empty_file(opened: HashSet) -> None:
    """Every device holds empty files: a set that holds them, too, would make a finding of each."""
    for name, empty in EMPTY_DIGESTS.items():
        if opened.exact.lookup((Digests(**{name: empty.hex()}),)).hits:
            raise StoreError("the set just built holds the empty file: it was not kept: report this defect")


def _check_sample(opened: HashSet, sample: Iterable[Hashes]) -> None:
    left = _MOST_HITS
    for hashes in sample:
        if left <= 0:
            return
        digests = {name: raw.hex() for name, raw in hashes.items() if name in DIGEST_BYTES}
        found = opened.exact.lookup((Digests(**digests),))
        if digests and not found.hits:
            raise _failed(" and ".join(digests))
        left -= len(found.hits) + len(found.disputed)
        for name, index in (("pdq", opened.pdq), ("phash", opened.phash)):
            if name in hashes and not index.near([hashes[name]], 0):
                raise _failed(name)


def _check_digests(opened: HashSet, generator: np.random.Generator) -> None:
    for by, column in opened.exact.columns.items():
        if not len(column):
            continue
        positions = generator.integers(0, len(column), _DIGESTS)
        # A set of one digest over and over must not fill the memory.
        positions = positions[: 1 + int(np.searchsorted(np.cumsum(column.sharing(positions)), _MOST_HITS))]
        members = [column.member(int(position)) for position in positions]
        batch = [Digests(**{by.value: raw.hex()}) for _, raw in members]
        together = {(hit.query, hit.record) for hit in opened.exact.lookup(batch).hits}
        alone = {(n, hit.record) for n, one in enumerate(batch[:_ALONE]) for hit in opened.exact.lookup((one,)).hits}
        for query, (record, _) in enumerate(members):
            if (query, record) not in together or (query < _ALONE and (query, record) not in alone):
                raise _failed(by.value)


def _check_blocks(opened: HashSet, generator: np.random.Generator) -> None:
    if not opened.has_blocks:
        return
    members = [opened.blocks.member(int(one)) for one in generator.integers(0, len(opened.blocks), _DIGESTS)]
    raw = np.frombuffer(b"".join(digest for _, _, digest in members), np.uint8)
    hits = opened.match_blocks(raw.reshape(len(members), -1))
    found = set(zip(*(column.tolist() for column in hits), strict=True))
    if any((query, record, index) not in found for query, (record, index, _) in enumerate(members)):
        raise _failed("block")


def _check_near(index: PerceptualIndex, bits: int, radius: int, name: str, generator: np.random.Generator) -> None:
    if not len(index):
        return
    for flips in range(radius + 1):
        for position in generator.integers(0, len(index), _PICTURES):
            record, raw = index.hash_at(int(position))
            mask = sum(1 << int(bit) for bit in generator.choice(bits, flips, replace=False))
            query = (int.from_bytes(raw) ^ mask).to_bytes(bits // 8)
            distances = {near.record: near.distance for near in index.near([query], radius)}
            if distances.get(record, radius + 1) > flips:
                raise _failed(name)


def _failed(name: str) -> StoreError:
    return StoreError(f"the set just built misses a member by {name}: it was not kept: report this defect")
