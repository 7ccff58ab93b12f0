"""MD5 and SHA-1 of many contents at once: eight advance in lockstep, each in a lane of the processor's vectors.

One digest is a serial chain that leaves most of a core idle. Eight different contents are eight chains, and the two
digests of a content, made in one pass over its bytes, are two. Full lanes make both about 6 times as fast as `hashlib`
makes one after the other, but a lane alone is no faster than `hashlib`. So a batch should hold many contents, and what
would outlast all others is better left to `hashlib`: `worth` says which.

There are eight lanes because vectors of 256 bits keep a core busy once both chains run side by side: sixteen lanes of
512 bits make hardly more in all, each at half the speed, so that a long content would hold up its batch twice as long.

`lanes_schedule` says which content is in which lane, and when; `lanes_steps` holds the algorithms (RFC 1321, FIPS
180-4), which `lanes_code` compiles for this processor. Every call compares a sample with `hashlib`. After a difference
this process makes no more digests in lanes.
"""

import hashlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import import_module
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.content.lanes_schedule import LANES, Bytes, Numbers, padding, pieces, tails

Span = tuple[int, int]
Both = tuple[str, str]  # MD5 and SHA-1, hexadecimal

NAMES = ("md5", "sha1")
COST = {"md5": 4.6, "sha1": 1.9}
"""How many times as long `hashlib` takes for a digest as full lanes take for both; from `benchmarks/digests.py`."""

_START = 800_000  # bytes that full lanes digest in the 250 us which a call takes to prepare
_SAMPLE_SHARE = 64
_MD5_WORDS = 4

_distrusted = Event()


class LanesError(Exception):
    """The lanes made a digest that `hashlib` does not make, or there are none here."""


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
        raise LanesError("this processor makes no digests in lanes")
    places = located(arena, spans)
    if len(places) == 0:
        return []
    states = _states(arena, places)
    digests = list(zip(_texts(states[:, :_MD5_WORDS], "<u4"), _texts(states[:, _MD5_WORDS:], ">u4"), strict=True))
    for number in _sample(places[:, 1] - places[:, 0]):
        content = arena[slice(*places[number])].data
        for name, made in zip(NAMES, digests[number], strict=True):
            if hashlib.new(name, content, usedforsecurity=False).hexdigest() != made:
                _distrusted.set()
                raise LanesError(f"the {name} of a content of {len(content)} bytes, made in lanes, is not of hashlib")
    return digests


def _states(arena: Bytes, places: Numbers) -> NDArray[np.uint32]:
    """Return the words of both digests of each content, of shape (n, 9); there must be at least one."""
    starts, sizes = places[:, 0], places[:, 1] - places[:, 0]
    padded = padding(tails(arena, starts, sizes), sizes)
    padded_at = padded.ctypes.data + padded.shape[1] * np.arange(len(padded))
    states: NDArray[np.uint32] = _kernel().digest(pieces(arena.ctypes.data + starts, sizes, padded_at))
    return states


def _texts(words: NDArray[np.uint32], stored: str) -> list[str]:
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
