"""Digests that stand in a notable and in a known set: notable wins wherever files are judged, and people are told."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from triage.hashsets.exact import DigestColumn
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library
from triage.model.finding import SetKind

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Digests of one algorithm that two sets share although one is notable and the other known; some as examples."""

    notable: str
    known: str
    algorithm: str
    count: int
    examples: tuple[str, ...]


def conflicts_of(name: str, library: Library) -> tuple[Conflict, ...]:
    """Return where the set of that name is at odds with the others that can be used."""
    one = library.open(name)
    others = (HashSet.open(entry.path, verify=False) for entry in library.sets() if entry.header is not None)
    return tuple(
        conflict
        for other in others
        if other.identity.kind is not one.identity.kind
        for conflict in _between(one, other)
    )


def _between(one: HashSet, other: HashSet) -> Iterator[Conflict]:
    notable, known = (one, other) if one.identity.kind is SetKind.NOTABLE else (other, one)
    small, large = sorted((one, other), key=lambda held: held.counts["records"])
    for by, column in small.exact.columns.items():
        count, examples = _shared(column, large.exact.columns[by])
        if count:
            yield Conflict(
                notable=notable.identity.name,
                known=known.identity.name,
                algorithm=by.value,
                count=count,
                examples=examples,
            )


def _shared(small: DigestColumn, large: DigestColumn) -> tuple[int, tuple[str, ...]]:
    """Count the digests that both columns hold, each once (in a block of the column), and return the first few."""
    count, examples = 0, list[str]()
    for block in map(np.unique, small.blocks()):
        found, _ = large.find(block)
        shared = np.unique(found)
        count += len(shared)
        examples += [block[position : position + 1].tobytes().hex() for position in shared[: _SHOWN - len(examples)]]
    return count, tuple(examples)
