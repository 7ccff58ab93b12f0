"""The self-check of a set just built: its own members must be found, exactly and with bits flipped."""

from pathlib import Path

import numpy as np

from triage.hashsets.hashset import HashSet
from triage.hashsets.perceptual import PDQ_RADIUS
from triage.hashsets.record import PDQ_BYTES
from triage.model.digest import Digests
from triage.model.errors import StoreError

_SAMPLE = 256
_SEED = 31


def check_members(path: Path) -> None:
    """Open the set, verify it, and look a sample of its members up; raises StoreError if one is missed.

    A set that misses a member in silence is the worst defect a search can have. The sample is the same each time.
    """
    opened = HashSet.open(path)
    generator = np.random.default_rng(_SEED)
    _check_digests(opened, generator)
    _check_pdq(opened, generator)


def _check_digests(opened: HashSet, generator: np.random.Generator) -> None:
    for by, column in opened.exact.columns.items():
        if not len(column):
            continue
        members = [column.member(int(position)) for position in generator.integers(0, len(column), _SAMPLE)]
        batch = [Digests(**{by.value: raw.hex()}) for _, raw in members]
        found = {(hit.query, hit.record) for hit in opened.exact.lookup(batch).hits}
        if any((query, record) not in found for query, (record, _) in enumerate(members)):
            raise _failed(by.value)


def _check_pdq(opened: HashSet, generator: np.random.Generator) -> None:
    if not opened.has_pdq:
        return
    for flips in range(PDQ_RADIUS + 1):
        record, raw = opened.pdq.hash_at(int(generator.integers(0, len(opened.pdq))))
        mask = sum(1 << int(bit) for bit in generator.choice(8 * PDQ_BYTES, flips, replace=False))
        query = (int.from_bytes(raw) ^ mask).to_bytes(PDQ_BYTES)
        distances = {near.record: near.distance for near in opened.pdq.near([query])}
        if distances.get(record, PDQ_RADIUS + 1) > flips:
            raise _failed("pdq")


def _failed(name: str) -> StoreError:
    return StoreError(f"the set just built misses a member by {name}: it was not kept: report this defect")
