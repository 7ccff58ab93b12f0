"""Digests: of one content in a pass, of many that are in memory, and of many that are not, side by side."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content import lanes, lanes_windows
from triage.content.content import Content
from triage.content.lanes import Both, LanesError, Span
from triage.content.lanes_windows import WINDOW, Fill
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
    _check(wanted)
    states = _begun(wanted)
    for block in content.blocks() if wanted else ():
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


def digest_side_by_side(
    contents: Sequence[tuple[Fill, int]], arena: NDArray[np.uint8], wanted: frozenset[str]
) -> Iterator[tuple[int, Digested | None]]:
    """Yield the number and the wanted digests of each content as it ends; None of one that is given up.

    A content is what fills its windows (see `Fill`), and its size in bytes. The windows are in `arena`, which holds at
    least one of `WINDOW` bytes, and is written anew after each digest. MD5 and SHA-1 are made in lanes where that is
    faster, all else by `hashlib`. Where a witness shows that lanes make wrong digests, the contents that have none yet
    are read anew from their start, and digested by `hashlib`.

    Raises ValueError for an algorithm that is not one of `ALGORITHMS`, and for an arena that is too small or has gaps.
    """
    _check(wanted)
    lanes.located(arena, [(0, WINDOW)])
    left = dict.fromkeys(range(len(contents)))
    sizes = np.array([size for _, size in contents], np.int64)
    chosen = np.flatnonzero(lanes.worth(wanted, sizes)).tolist() if lanes.available() else []
    passing = [_Passing(contents[number][0], wanted - {*lanes.NAMES}) for number in chosen]
    windows = [(one.fill, contents[number][1]) for number, one in zip(chosen, passing, strict=True)]
    with suppress(LanesError):  # a difference: from now on lanes are not available
        for index, made in lanes_windows.side_by_side(windows, arena):
            del left[chosen[index]]
            yield chosen[index], made and Digested(passing[index].digests(_of_lanes(made, wanted)), in_lanes=True)
    for number in left:
        yield number, _alone(*contents[number], arena.data[:WINDOW], wanted)


class _Passing:
    """A content that is digested by `hashlib` while its windows pass."""

    def __init__(self, fill: Fill, names: frozenset[str]) -> None:
        self._fill = fill
        self._states = _begun(names)

    def fill(self, offset: int, window: memoryview) -> bool:
        filled = self._fill(offset, window)
        for state in self._states.values() if filled else ():
            state.update(window)
        return filled

    def digests(self, made: dict[str, str]) -> Digests:
        """Return the digests, with those that were made elsewhere."""
        return Digests(**made, **{name: state.hexdigest() for name, state in self._states.items()})


def _alone(fill: Fill, size: int, window: memoryview, wanted: frozenset[str]) -> Digested | None:
    passing = _Passing(fill, wanted)
    for offset in range(0, size, len(window)):
        if not passing.fill(offset, window[: size - offset]):
            return None
    return Digested(passing.digests({}), in_lanes=False)


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
    made = _of_lanes(in_lanes, wanted) if in_lanes else {}
    if len(made) < len(wanted):
        content = arena[slice(*span)].data
        for name in wanted - made.keys():
            made[name] = hashlib.new(name, content, usedforsecurity=False).hexdigest()
    return Digested(Digests(**made), in_lanes is not None)


def _of_lanes(made: Both, wanted: frozenset[str]) -> dict[str, str]:
    return {name: text for name, text in zip(lanes.NAMES, made, strict=True) if name in wanted}


def _begun(names: frozenset[str]) -> "dict[str, hashlib._Hash]":
    """Return the states of digests of which nothing is digested yet.

    A published set carries MD5 and SHA-1 as names of files, not as seals, so a FIPS build must not refuse them.
    """
    return {name: hashlib.new(name, usedforsecurity=False) for name in sorted(names)}


def _check(wanted: frozenset[str]) -> None:
    if not wanted <= ALGORITHMS:
        raise ValueError(f"no such digest: {', '.join(sorted(wanted - ALGORITHMS))}")
