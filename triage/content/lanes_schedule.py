"""Which lane takes which blocks of which content, and when, so that all lanes end together.

The blocks of all contents are laid end to end on one line, which is cut into as many equal parts as there are lanes
(McNaughton's wrap-around rule, 1959): no other plan ends sooner. A content on a cut is begun in the later of the two
lanes, at the start, and ended in the other, at the end: because no part is shorter than the longest content, the one
is over before the other begins.

A piece is a run of blocks that lie one after the other in memory: whole blocks of a content, or of its padding. The
last block of a content is always a piece by itself.
"""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

LANES = 8
BLOCK = 64  # bytes
PIECE = 5  # numbers that tell of a piece
_LENGTH = 8  # bytes at the end of the last block: the size of the content in bits


def padding(tails: Bytes, sizes: Numbers) -> Bytes:
    """Return what MD5 digests after the whole blocks of each content, of shape (n, 128): one block of 64 bytes or two.

    `tails` has shape (n, 64): the first `size % 64` bytes of a row are the last of the content. After them come bit 1,
    zeros, and the size in bits in 8 bytes, little-endian; SHA-1 has them big-endian.
    """
    left = sizes % BLOCK
    made = np.zeros((len(sizes), 2 * BLOCK), np.uint8)
    np.multiply(tails, np.arange(BLOCK) < left[:, None], out=made[:, :BLOCK])
    row = np.arange(len(sizes))
    made[row, left] = 0x80
    made.view("<u8")[row, _padding_blocks(sizes) * (BLOCK // _LENGTH) - 1] = sizes.astype(np.uint64) << np.uint64(3)
    return made


def tails(arena: Bytes, starts: Numbers, sizes: Numbers) -> Bytes:
    """Return 64 bytes from where the whole blocks of each content end, of shape (n, 64): zeros after the arena."""
    places = starts + sizes // BLOCK * BLOCK
    edge = np.concatenate((arena[-BLOCK:], np.zeros(BLOCK, np.uint8)))
    in_edge = places - (len(arena) + BLOCK - len(edge))
    found: Bytes = np.lib.stride_tricks.sliding_window_view(edge, BLOCK)[np.maximum(in_edge, 0)]
    before = in_edge < 0
    if before.any():
        found[before] = np.lib.stride_tricks.sliding_window_view(arena, BLOCK)[places[before]]
    return found


def pieces(starts: Numbers, sizes: Numbers, padded: Numbers, ends: NDArray[np.bool_]) -> Numbers:
    """Return all pieces of at least one content in the order in which lanes take them, of shape (m, `PIECE`).

    `starts` and `padded` are the addresses of the contents and of their padding; `ends` says whose end this is: of what
    goes on another time there are whole blocks, one at least, and no padding. Of a piece is told: how many blocks after
    the piece before it begins; its lane; its address; how far the lane goes on after a block, in bytes; the number of
    the content, counted from 1. A lane does not go on in the last block of a content. In the end every lane takes
    content 0, and stays where it is.
    """
    whole = sizes // BLOCK
    blocks = whole + _padding_blocks(sizes) * ends
    share = max(int(blocks.max()), -int(-blocks.sum() // LANES))
    lane, time = np.divmod(np.cumsum(blocks) - blocks, share)
    early = np.maximum(time + blocks - share, 0)
    cuts = np.sort(np.stack((np.zeros_like(whole), early, whole, blocks - 1, blocks), axis=1), axis=1)
    content, which = np.nonzero(np.diff(cuts))
    first, past = cuts[content, which], cuts[content, which + 1]
    lane, time, early, whole = lane[content], time[content], early[content], whole[content]
    begun = first < early
    in_padding = padded[content] + (first - whole) * BLOCK
    table = (
        np.where(begun, first, time + first - early),
        lane + begun,
        np.where(first < whole, starts[content] + first * BLOCK, in_padding),
        np.where((past == blocks[content]) & ends[content], 0, BLOCK),
        content + 1,
    )
    return _in_order(np.concatenate((np.stack(table, axis=1), _idle(share, int(blocks.sum()), int(padded[0])))))


def _padding_blocks(sizes: Numbers) -> Numbers:
    blocks: Numbers = 1 + (sizes % BLOCK + 1 + _LENGTH > BLOCK)
    return blocks


def _idle(share: int, total: int, address: int) -> Numbers:
    """Return the last piece of every lane."""
    ends = np.clip(total - share * np.arange(LANES), 0, share)
    still = np.zeros(LANES, np.int64)
    return np.stack((ends, np.arange(LANES), still + address, still, still), axis=1)


def _in_order(table: Numbers) -> Numbers:
    """Order by time, which becomes the time since the piece before; at the same time the later lane comes first.

    For a content that is as long as a lane is begun in the later lane until the very moment when the other goes on.
    """
    table = table[np.argsort(table[:, 0] * LANES - table[:, 1], kind="stable")]
    table[:, 0] = np.diff(table[:, 0], prepend=0)
    return table
