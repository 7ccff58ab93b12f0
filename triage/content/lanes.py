"""MD5 and SHA-1 of many contents at once: eight advance in lockstep, each in a lane of the processor's vectors.

One digest is a serial chain that leaves most of a core idle. Eight different contents are eight chains, and the two
digests of a content, made in one pass over its bytes, are two. Full lanes make both about 6 times as fast as `hashlib`
makes one after the other, but a lane alone is no faster than `hashlib`. So a batch should hold many contents, and what
would outlast all others is better left to `hashlib`: `worth` says which.

There are eight lanes because vectors of 256 bits keep a core busy once both chains run side by side: sixteen lanes of
512 bits make hardly more in all, each at half the speed, so that a long content would hold up its batch twice as long.

`lanes_schedule` says which content is in which lane, and when; `lanes_steps` holds the algorithms (RFC 1321, FIPS
180-4), which `lanes_code` compiles for this processor; `lanes_windows` digests contents that do not fit into memory.
Every call compares a sample with `hashlib`. After a difference this process makes no more digests in lanes.
"""

import hashlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import import_module
from threading import Event
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from triage.content.lanes_schedule import BLOCK, LANES, Bytes, Numbers, padding, pieces, tails

Span = tuple[int, int]
Both = tuple[str, str]  # MD5 and SHA-1, hexadecimal
States = NDArray[np.uint32]

NAMES = ("md5", "sha1")
COST = {"md5": 4.6, "sha1": 1.9}
"""How many times as long `hashlib` takes for a digest as full lanes take for both; from `benchmarks/digests.py`."""

_START = 800_000  # bytes that full lanes digest in the 250 us which a call takes to prepare
_SAMPLE_SHARE = 64
_MD5_WORDS = 4
_NONE = "this processor makes no digests in lanes"

_distrusted = Event()


class LanesError(Exception):
    """The lanes made a digest that `hashlib` does not make, or there are none here."""


class Sample:
    """A content that `hashlib` digests as well."""

    def __init__(self) -> None:
        self._size = 0
        self._states = {name: hashlib.new(name, usedforsecurity=False) for name in NAMES}

    def update(self, block: memoryview) -> None:
        """Digest what comes next."""
        self._size += len(block)
        for state in self._states.values():
            state.update(block)

    def compare(self, made: Both) -> None:
        """Raise LanesError where digests made in lanes are others; then this process uses no lanes any more."""
        for (name, state), text in zip(self._states.items(), made, strict=True):
            if state.hexdigest() != text:
                _distrusted.set()
                raise LanesError(f"the {name} of a content of {self._size} bytes, made in lanes, is not of hashlib")


def available() -> bool:
    """Tell whether this processor has lanes worth using (AVX2), the kernel compiles, and no digest was ever wrong."""
    return not _distrusted.is_set() and _kernel() is not None


def warm() -> None:
    """Compile the kernel, which takes 0.2 s: processes forked afterwards have it too."""
    _kernel()


def worth(wanted: Collection[str], sizes: Numbers) -> NDArray[np.bool_]:
    """Tell for each content whether its digests are better made in a lane, so that the whole batch takes least time.

    The lanes end together, after their share of the sum, or later with the largest content, which takes as long as if
    all lanes were as full as its own. As many of the largest as is best go to `hashlib`, before the lanes begin.
    """
    alone = sum(COST[name] for name in NAMES if name in wanted)
    order = np.argsort(-sizes, kind="stable")
    ranked = sizes[order]
    ahead = np.concatenate(([0.0], np.cumsum(ranked)))
    full = ahead[-1] - ahead[:-1]
    cost = alone * ahead
    cost[:-1] += _START + np.maximum(full, LANES * ranked)
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[order[int(np.argmin(cost)) :]] = True
    return chosen


def located(arena: Bytes, spans: Sequence[Span] | Numbers) -> Numbers:
    """Return where the contents begin and end, of shape (n, 2).

    Raises ValueError for a span that is not in the arena, and for an arena that is not a row of bytes without gaps.
    """
    if arena.dtype != np.uint8 or arena.ndim != 1 or not arena.flags.c_contiguous:
        raise ValueError("the arena is not a row of bytes without gaps")
    places = np.array(spans, np.int64).reshape(-1, 2)
    starts, ends = places.T
    if ((starts < 0) | (starts > ends) | (ends > len(arena))).any():
        raise ValueError(f"a content is not within the {len(arena)} bytes of the arena")
    return places


def md5_and_sha1(arena: Bytes, spans: Sequence[Span] | Numbers) -> list[Both]:
    """Return the hexadecimal MD5 and SHA-1 of each content `arena[start:end]`, made in lanes; contents may overlap.

    `arena` is a one-dimensional array without gaps, which may be read-only. Raises ValueError as `located` does, and
    LanesError where there are no lanes, or a digest of the sample differs from that of `hashlib`.
    """
    if not available():
        raise LanesError(_NONE)
    places = located(arena, spans)
    if len(places) == 0:
        return []
    sizes = places[:, 1] - places[:, 0]
    digests = texts(advance(arena, places, begin(len(places)), sizes, np.ones(len(places), np.bool_)))
    for number in _sample(sizes):
        sample = Sample()
        sample.update(arena[slice(*places[number])].data)
        sample.compare(digests[number])
    return digests


def begin(count: int) -> States:
    """Return the words of both digests, of shape (n, 9), of contents of which nothing is digested yet.

    Raises LanesError where there are no lanes.
    """
    if not available():
        raise LanesError(_NONE)
    return cast("States", _kernel().begin(count))


def advance(arena: Bytes, places: Numbers, states: States, sizes: Numbers, ends: NDArray[np.bool_]) -> States:
    """Return the words of the digests of at least one content after what lies at its place in the arena.

    `sizes` are those of the contents as far as they are digested then. Where one ends its words become those of its
    digests. Of one that goes on whole blocks must be given, one at least, else ValueError is raised.
    """
    starts, lengths = places[:, 0], places[:, 1] - places[:, 0]
    if ((lengths % BLOCK != 0) | (lengths == 0))[~ends].any():
        raise ValueError("a content that goes on is not given in whole blocks")
    padded = padding(tails(arena, starts, lengths), sizes)
    padded_at = padded.ctypes.data + padded.shape[1] * np.arange(len(padded))
    taken = pieces(arena.ctypes.data + starts, lengths, padded_at, ends)
    return cast("States", _kernel().advance(taken, states))


def texts(states: States) -> list[Both]:
    """Return the hexadecimal digests of contents that have ended."""
    return list(zip(_texts(states[:, :_MD5_WORDS], "<u4"), _texts(states[:, _MD5_WORDS:], ">u4"), strict=True))


def _texts(words: States, stored: str) -> list[str]:
    """Return a row of words as the hexadecimal text of their bytes."""
    text, length = words.astype(stored).tobytes().hex(), 8 * words.shape[1]
    return [text[start : start + length] for start in range(0, len(text), length)]


def _sample(sizes: Numbers) -> list[int]:
    """Return the smallest content and, unless it is much of the whole, the one in the middle of the order by size."""
    order = np.argsort(sizes, kind="stable")
    smallest, middle = int(order[0]), int(order[len(order) // 2])
    return [smallest, middle] if sizes[middle] * _SAMPLE_SHARE <= sizes.sum() else [smallest]


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Compile the kernel, None where it cannot be had: a fifth of a second that most processes never spend."""
    try:
        return import_module("triage.content.lanes_code").compiled()
    except Exception:  # noqa: BLE001 - whatever the compiler cannot do here, hashlib makes the same digests
        return None
