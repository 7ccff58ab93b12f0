"""Digests: of one content in a pass over its blocks, and of many contents in memory at once."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content import lanes
from triage.content.content import Content
from triage.content.lanes import Both, LanesError, Span
from triage.model.digest import Digests

ALGORITHMS = frozenset({"md5", "sha1", "sha256"})


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

    `arena` is a one-dimensional array without gaps, which may be read-only; nothing of it is copied but the last bytes
    of contents. MD5 and SHA-1 are made in lanes (see `lanes`) where that is faster, all else by `hashlib`. Where a
    digest of the sample made in lanes is not that of `hashlib`, all digests of the call are made by `hashlib`, and so
    is every later one of this process: a wrong digest is never returned for the sake of speed.

    Raises ValueError for an algorithm that is not one of `ALGORITHMS`, and for a span that is not in the arena.
    """
    _check(wanted)
    in_lanes = _in_lanes(arena, lanes.located(arena, spans), wanted)
    return [_digested(arena, span, wanted, in_lanes.get(number)) for number, span in enumerate(spans)]


def _in_lanes(arena: NDArray[np.uint8], places: NDArray[np.int64], wanted: frozenset[str]) -> dict[int, Both]:
    """Return the digests made in lanes, by the number of the content."""
    chosen = np.flatnonzero(lanes.worth(wanted, places[:, 1] - places[:, 0]))
    if len(chosen) == 0 or not lanes.available():
        return {}
    try:
        made = lanes.md5_and_sha1(arena, places[chosen])
    except LanesError:  # a difference: from now on lanes are not available
        return {}
    return dict(zip(chosen.tolist(), made, strict=True))


def _digested(arena: NDArray[np.uint8], span: Span, wanted: frozenset[str], in_lanes: Both | None) -> Digested:
    made = {name: text for name, text in zip(lanes.NAMES, in_lanes or (), strict=False) if name in wanted}
    if len(made) < len(wanted):
        content = arena[slice(*span)].data
        for name in wanted - made.keys():
            made[name] = hashlib.new(name, content, usedforsecurity=False).hexdigest()
    return Digested(Digests(**made), in_lanes is not None)


def _check(wanted: frozenset[str]) -> None:
    if not wanted <= ALGORITHMS:
        raise ValueError(f"no such digest: {', '.join(sorted(wanted - ALGORITHMS))}")
