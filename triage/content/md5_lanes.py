"""MD5 and SHA-1 of many contents at once: sixteen advance in lockstep, each in a lane of the processor's vectors.

One digest is a serial chain that leaves most of a core idle; sixteen different contents are sixteen chains. All lanes
together make MD5 about 7 times and SHA-1 (against the SHA instructions) about 2.6 times as fast as `hashlib` does, but
one lane alone is slower than `hashlib`. So a batch should hold many contents, and its few largest are better left to
`hashlib`: `worth` says which.

Every call compares a sample with `hashlib`. After a difference this process makes no more digests in lanes.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
Sizes = NDArray[np.int64]

SPEEDUP = {"md5": 7.5, "sha1": 2.7}
"""How many times as fast all lanes are as `hashlib`; from `benchmarks/digests.py`, AVX-512 and SHA instructions."""

_LANES = 16
_START = 64 << 10  # bytes that `hashlib` digests in the 50 us to 80 us which a call of the kernel takes to prepare
_LOOK_AHEAD = 8 * _LANES  # among more contents than this none decides alone when the last lane ends
_SAMPLE_SHARE = 64
_WORDS = {"md5": 4, "sha1": 5}
_STORED = {"md5": "<u4", "sha1": ">u4"}

_distrusted = Event()


class LanesError(Exception):
    """The lanes made a digest that `hashlib` does not make, or there are none here."""


def available() -> bool:
    """Tell whether this processor has lanes worth using (AVX2), the kernel compiles, and no digest was ever wrong."""
    return not _distrusted.is_set() and _kernel() is not None


def warm() -> None:
    """Load the kernel, or compile it, which takes seconds, and keep the machine code where numba finds a folder."""
    _kernel()


def worth(name: str, sizes: Sizes) -> NDArray[np.bool_]:
    """Tell for each content whether its digest is better made in a lane, so that the whole batch takes least time.

    Lanes that take the contents largest first end at the latest of: the share of the sum, and for each content as
    many of its size as must share its lane. Each of the largest can go to `hashlib` instead: at most as many as there
    are lanes can be larger than their share.
    """
    order = np.argsort(-sizes, kind="stable")
    ahead = np.concatenate(([0], np.cumsum(sizes[order], dtype=np.float64)))
    cuts = min(len(sizes), _LANES)
    ranked = np.concatenate((sizes[order][: cuts + _LOOK_AHEAD], np.zeros(cuts + _LOOK_AHEAD, np.int64)))
    windows = np.lib.stride_tricks.sliding_window_view(ranked, _LOOK_AHEAD)[: cuts + 1]
    longest = (windows * (1 + np.arange(_LOOK_AHEAD) // _LANES)).max(axis=1)
    in_lanes = np.maximum(ahead[-1] - ahead[: cuts + 1], _LANES * longest)
    cost = ahead[: cuts + 1] + in_lanes / SPEEDUP[name] + _START
    cut = int(np.argmin(cost)) if cost.min() < ahead[-1] else len(sizes)
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[order[cut:]] = True
    return chosen


def md5_many(arena: NDArray[np.uint8], spans: Sequence[Span]) -> list[str]:
    """Return the hexadecimal MD5 of each content `arena[start:end]`, all made in lanes; contents may overlap.

    `arena` is a one-dimensional array without gaps, which may be read-only. Raises ValueError for a span that is not
    in the arena, and LanesError where there are no lanes, or a digest of the sample differs from that of `hashlib`.
    """
    return _digests("md5", arena, spans)


def sha1_many(arena: NDArray[np.uint8], spans: Sequence[Span]) -> list[str]:
    """Return the hexadecimal SHA-1 of each content; all else as `md5_many`."""
    return _digests("sha1", arena, spans)


def sizes_of(arena: NDArray[np.uint8], spans: Sequence[Span]) -> Sizes:
    """Return the sizes of the contents. Raises ValueError for a span that is not in the arena."""
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
    if ((starts < 0) | (starts > ends) | (ends > len(arena))).any():
        raise ValueError(f"a content is not within the {len(arena)} bytes of the arena")
    sizes: Sizes = ends - starts
    return sizes


def _digests(name: str, arena: NDArray[np.uint8], spans: Sequence[Span]) -> list[str]:
    if not available():
        raise LanesError("this processor makes no digests in lanes")
    sizes = sizes_of(arena, spans)
    order = np.argsort(-sizes, kind="stable")
    starts, ends = np.ascontiguousarray(np.array(spans, np.int64).reshape(-1, 2)[order].T)
    states = np.empty((len(order), max(_WORDS.values())), np.uint32)
    _kernel().digest_all(_read_only(arena), starts, ends, name == "sha1", states)
    raw = np.empty((len(order), _WORDS[name]), _STORED[name])
    raw[order] = states[:, : _WORDS[name]]
    digests = [row.tobytes().hex() for row in raw]
    for number in _sample(sizes, order):
        start, end = spans[number]
        if hashlib.new(name, arena[start:end].data, usedforsecurity=False).hexdigest() != digests[number]:
            _distrusted.set()
            raise LanesError(f"the {name} of a content of {end - start} bytes, made in lanes, is not that of hashlib")
    return digests


def _sample(sizes: Sizes, order: NDArray[np.int64]) -> list[int]:
    """Return the smallest content and, unless it is much of the whole, the one in the middle of the order by size."""
    if len(order) == 0:
        return []
    smallest, middle = int(order[-1]), int(order[len(order) // 2])
    return [smallest, middle] if sizes[middle] * _SAMPLE_SHARE <= sizes.sum() else [smallest]


def _read_only(arena: NDArray[np.uint8]) -> NDArray[np.uint8]:
    view = arena.view()
    view.flags.writeable = False
    return view


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Import the compiled loop, None where it cannot be had: half a second that most processes never spend."""
    try:
        if import_module("llvmlite.binding").get_host_cpu_features().get("avx2"):
            return import_module("triage.content.md5_lanes_kernel")
    except Exception:  # noqa: BLE001 - whatever the compiler cannot do here, hashlib makes the same digests
        return None
    return None
