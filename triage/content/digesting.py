"""Digests: of one content in a pass over its blocks, and of many contents in memory at once."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content import md5_lanes
from triage.content.content import Content
from triage.content.md5_lanes import LanesError, Span
from triage.model.digest import Digests

ALGORITHMS = frozenset({"md5", "sha1", "sha256"})

_LANED = {"md5": md5_lanes.md5_many, "sha1": md5_lanes.sha1_many}


class Digested(NamedTuple):
    """The digests of one of many contents; `in_lanes`: at least one of them was made in lanes, not by `hashlib`."""

    digests: Digests
    in_lanes: bool


def digest(content: Content, wanted: frozenset[str] = ALGORITHMS) -> Digests:
    """Return the wanted digests of a content; the others are None.

    Raises ValueError for an algorithm that is not one of `ALGORITHMS`, and whatever the content's reader raises.
    """
    return digest_blocks(content.blocks() if wanted else (), wanted)


def digest_blocks(blocks: Iterable[bytes | memoryview], wanted: frozenset[str]) -> Digests:
    """Return the wanted digests of what the blocks are, end to end. Raises as `digest` does."""
    _check(wanted)
    # A published set carries MD5 and SHA-1 as names of files, not as seals, so a FIPS build must not refuse them.
    states = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(wanted)}
    for block in blocks:
        for state in states.values():
            state.update(block)
    return Digests(**{name: state.hexdigest() for name, state in states.items()})


def digest_many(arena: NDArray[np.uint8], spans: Sequence[Span], wanted: frozenset[str]) -> list[Digested]:
    """Return the wanted digests of each content `arena[start:end]`, in order; the others are None.

    `arena` is a one-dimensional array without gaps, which may be read-only; nothing of it is copied. MD5 and SHA-1 are
    made in lanes (see `md5_lanes`) where that is faster, all else by `hashlib`. Where a digest of the sample made in
    lanes is not that of `hashlib`, all digests of the call are made by `hashlib`, and so is every later one of this
    process: a wrong digest is never returned for the sake of speed.

    Raises ValueError for an algorithm that is not one of `ALGORITHMS`, and for a span that is not in the arena.
    """
    _check(wanted)
    sizes = md5_lanes.sizes_of(arena, spans)
    chosen = {name: md5_lanes.worth(name, sizes) for name in sorted(wanted & _LANED.keys())}
    if any(some.any() for some in chosen.values()) and md5_lanes.available():
        try:
            return _digested(arena, spans, wanted, chosen)
        except LanesError:
            pass  # a difference: from now on lanes are not available
    return _digested(arena, spans, wanted, {})


def _digested(
    arena: NDArray[np.uint8], spans: Sequence[Span], wanted: frozenset[str], chosen: dict[str, NDArray[np.bool_]]
) -> list[Digested]:
    none = np.zeros(len(spans), np.bool_)
    made = {name: _made(name, arena, spans, chosen.get(name, none)) for name in sorted(wanted)}
    in_lanes = np.logical_or.reduce([none, *chosen.values()]).tolist()
    return [
        Digested(Digests(**{name: digests[number] for name, digests in made.items()}), in_lanes[number])
        for number in range(len(spans))
    ]


def _made(name: str, arena: NDArray[np.uint8], spans: Sequence[Span], in_lanes: NDArray[np.bool_]) -> list[str]:
    """Return the digests by one algorithm, of the chosen contents made in lanes."""
    made = [""] * len(spans)
    numbers = np.flatnonzero(in_lanes).tolist()
    if numbers:
        for number, found in zip(numbers, _LANED[name](arena, [spans[number] for number in numbers]), strict=True):
            made[number] = found
    for number in np.flatnonzero(~in_lanes).tolist():
        start, end = spans[number]
        made[number] = hashlib.new(name, arena[start:end].data, usedforsecurity=False).hexdigest()
    return made


def _check(wanted: frozenset[str]) -> None:
    if not wanted <= ALGORITHMS:
        raise ValueError(f"no such digest: {', '.join(sorted(wanted - ALGORITHMS))}")
