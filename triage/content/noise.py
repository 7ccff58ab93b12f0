"""Noise: bytes that are encrypted, or random, throughout, and say nothing of themselves.

Noise is told by two figures. Shannon entropy in bits a byte: 512 random bytes measure 7.59 on the average and in two
million tries never below 7.4 (the limit is 7.3); most of what is neither encrypted nor compressed does not reach it.
Chi-square over all bytes sampled, 255 degrees of freedom: about 255 for noise of any size, thousands for what
compressors leave behind. Sectors of one repeated byte are left out: a freshly made encrypted container need not have
filled its room.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triage.content.content import ReadAt
from triage.model.runs import ByteRun

Counts = NDArray[np.int64]

_SECTOR = 512
_PIECE = 4096
_SAMPLES = 256
_LEAST_SIZE = 64 * 2**10
_LEAST_NOISE = 4 * _SECTOR
_LEAST_SECTOR_ENTROPY = 7.3
_MOST_CHI_SQUARE = 400.0
_HEADER_PLACES = (65536, -131072, -65536)


def noise(read: ReadAt, size: int) -> float | None:
    """Return the entropy in bits a byte (0 to 8) of a volume or a content that is noise throughout, else None.

    To be asked only where no signature was found. Up to 256 blocks of 4 KiB, spread evenly and always the same, are
    looked at, and the places where VeraCrypt keeps its headers. The first sector must be noise (headers of archives,
    pictures and file systems are not), and so must every other that is not one byte repeated. What answers is
    encrypted without a header (VeraCrypt, TrueCrypt, a LUKS volume whose header is elsewhere) or random data: nothing
    can tell these apart. Less than 64 KiB are not judged. What `read` raises comes through.
    """
    if size < _LEAST_SIZE or not _substance(read(0, _SECTOR)):
        return None
    counts = np.zeros(256, np.int64)
    places = [run.offset for run in spread(size, _PIECE, _SAMPLES)]
    places.extend(place % size for place in _HEADER_PLACES)
    for place in dict.fromkeys(places):
        seen = _histograms(_substance(read(place, min(_PIECE, size - place))))
        if len(seen) and min(map(_entropy, seen)) < _LEAST_SECTOR_ENTROPY:
            return None
        counts += seen.sum(axis=0)
    if counts.sum() < _LEAST_NOISE or _chi_square(counts) > _MOST_CHI_SQUARE:
        return None
    return _entropy(counts)


def spread(size: int, length: int, count: int) -> Iterator[ByteRun]:
    """Return up to `count` blocks of so many bytes, evenly spread, the first and the last whole one among them."""
    blocks = size // length
    chosen = min(blocks, count)
    for index in range(chosen):
        yield ByteRun((index * (blocks - 1) // max(1, chosen - 1)) * length, length)


def _substance(data: bytes) -> list[bytes]:
    """Return the whole sectors that are not one byte repeated."""
    sectors = (data[start : start + _SECTOR] for start in range(0, len(data) - _SECTOR + 1, _SECTOR))
    return [sector for sector in sectors if sector.count(sector[0]) != _SECTOR]


def _histograms(sectors: list[bytes]) -> Counts:
    """Return how often each byte occurs in each sector: one row of 256 for each."""
    values = np.frombuffer(b"".join(sectors), np.uint8).reshape(-1, _SECTOR)
    rows = np.arange(len(values))[:, None] * 256
    return np.bincount((values + rows).ravel(), minlength=256 * len(values)).reshape(-1, 256)


def _entropy(counts: Counts) -> float:
    present = counts[counts > 0]
    share = present / present.sum()
    return float(-(share * np.log2(share)).sum())


def _chi_square(counts: Counts) -> float:
    expected = counts.sum() / 256
    return float(((counts - expected) ** 2).sum() / expected)
