"""Blocks of 4 KiB: their digests, many at once, and which of them say nothing of where they are from.

The digest of a block is its MD5, all 16 bytes. Lanes make it in half the time of anything else (see `lanes`), and it is
what `hashdb` and published lists of block hashes hold. Two blocks of one MD5 can be forged, but one that meets a given
block cannot, and no finding rests on one block.

A block that many unrelated files have is no trace of one of them. Left out are blocks, after Garfinkel and McCarrin
("Hash-based carving", Digital Investigation 14, 2015, S95-S105), that

- hold one word of 4 bytes more than 256 times of 1,024 (all one byte, and other patterns),
- are a ramp: more than half of their words are the word before plus one, whichever byte of a word comes first,
- are white space in 3 of 4 bytes,

and blocks with fewer than 16 different bytes or words.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from triage.content import lanes
from triage.content.lanes import LanesError
from triage.model.blocks import BLOCK_BYTES, BLOCK_DIGEST_BYTES

_AT_ONCE = 256  # blocks, whose words stay in a core's cache
_MOST_OF_ONE_WORD = BLOCK_BYTES // 16
_MOST_OF_A_RAMP = BLOCK_BYTES // 8
_MOST_WHITE = 3 * BLOCK_BYTES // 4
_LEAST_DIFFERENT = 16
_FEW = 64  # blocks: with fewer the lanes are not worth their start
_BEGINNING = 256  # bytes: what has many different ones there need not be counted in full
_SPACE, _TAB, _RETURN = np.frombuffer(b" \t\r", np.uint8)  # from tab to return all are white space

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


def block_digests(blocks: Bytes) -> Bytes:
    """Return the MD5 of each block, of shape (n, 16), for blocks of shape (n, 4096) without gaps in memory.

    Raises ValueError for another shape.
    """
    _check(blocks)
    if len(blocks) >= _FEW and lanes.available():
        starts = np.arange(0, blocks.size, BLOCK_BYTES)
        try:
            made = lanes.md5_and_sha1(blocks.reshape(-1), np.stack((starts, starts + BLOCK_BYTES), axis=1))
        except LanesError:  # a difference: from now on lanes are not available
            return block_digests(blocks)
        return _of(bytes.fromhex("".join([md5 for md5, _ in made])))
    return _of(b"".join([hashlib.md5(block.data, usedforsecurity=False).digest() for block in blocks]))


def telling(blocks: Bytes) -> Flags:
    """Tell for each block, of shape (n, 4096), whether it says where it is from; see above. Raises ValueError."""
    _check(blocks)
    parts = [_telling(blocks[start : start + _AT_ONCE]) for start in range(0, len(blocks), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0, np.bool_)


def _telling(blocks: Bytes) -> Flags:
    words = blocks.view("<u4")
    said = ~(_is_ramp(words) | _is_ramp(words.byteswap()))
    ordered = np.sort(words, axis=1)
    said &= np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1) + 1 >= _LEAST_DIFFERENT
    said &= ~(ordered[:, _MOST_OF_ONE_WORD:] == ordered[:, :-_MOST_OF_ONE_WORD]).any(axis=1)
    said &= np.count_nonzero((blocks == _SPACE) | (blocks - _TAB <= _RETURN - _TAB), axis=1) < _MOST_WHITE
    poor = np.flatnonzero(_different(blocks[:, :_BEGINNING]) < _LEAST_DIFFERENT)
    said[poor] &= _different(blocks[poor]) >= _LEAST_DIFFERENT
    return said


def _is_ramp(words: NDArray[np.uint32]) -> Flags:
    return np.asarray(np.count_nonzero(np.diff(words, axis=1) == 1, axis=1) > _MOST_OF_A_RAMP)


def _different(rows: Bytes) -> NDArray[np.int64]:
    """Return how many different bytes each row has."""
    first = np.arange(len(rows), dtype=np.int64)[:, None] << 8
    counts = np.bincount((rows + first).ravel(), minlength=len(rows) << 8).reshape(-1, 256)
    return np.asarray(np.count_nonzero(counts, axis=1), np.int64)


def _of(raw: bytes) -> Bytes:
    return np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_DIGEST_BYTES)


def _check(blocks: Bytes) -> None:
    if blocks.dtype != np.uint8 or blocks.shape[1:] != (BLOCK_BYTES,) or not blocks.flags.c_contiguous:
        raise ValueError(f"not blocks of {BLOCK_BYTES} bytes, one after the other")
