"""Volumes that say nothing of themselves: all one byte, or all noise.

Noise is told by two figures. Shannon entropy in bits a byte: 512 random bytes measure 7.59 on the average and in two
million tries never below 7.4 (the limit is 7.3); most of what is neither encrypted nor compressed does not reach it.
Chi-square over all bytes sampled, 255 degrees of freedom: about 255 for noise of any size, thousands for what
compressors leave behind. Sectors of one repeated byte are left out: a freshly made encrypted container need not have
filled its room.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from triage.model.runs import ByteRun
from triage.sources.source import EvidenceSource

_SECTOR = 512
_PIECE = 4096
_SAMPLES = 256
_LEAST_SIZE = 64 * 2**10
_LEAST_NOISE = 4 * _SECTOR
_LEAST_SECTOR_ENTROPY = 7.3
_MOST_CHI_SQUARE = 400.0
_HEADER_PLACES = (65536, -131072, -65536)
_READ_FULLY = 64 * 2**20
_BLOCK = 2**20
_BLANK_SAMPLES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Blankness:
    """Whether a volume is all one byte (`fill`: 0x00, or 0xFF as erased flash memory has), and how far that is known.

    `fill` is None where other bytes were found or something could not be read. `bytes_read` of `size` were looked
    at; `text` says so.
    """

    fill: int | None
    bytes_read: int
    size: int

    @property
    def blank(self) -> bool:
        """Tell whether every byte looked at is the same."""
        return self.fill is not None

    @property
    def complete(self) -> bool:
        """Tell whether every byte was looked at."""
        return self.bytes_read == self.size

    @property
    def text(self) -> str:
        """One line for a person."""
        if self.fill is None:
            return "not blank"
        if self.complete:
            return f"all {self.size} bytes are 0x{self.fill:02x}"
        return f"{self.bytes_read} of {self.size} bytes sampled, all 0x{self.fill:02x}; the others were not looked at"


def is_blank(volume: EvidenceSource) -> Blankness:
    """Return whether a volume is blank: read to the end up to 64 MiB, beyond that sampled evenly, ends included.

    What cannot be read comes as zeros and is never taken for blank.
    """
    size = volume.info.size
    fill: int | None = None
    done = 0
    for run in _blank_runs(size):
        data = volume.read_at(run.offset, run.length)
        done += len(data)
        fill = data[0] if fill is None else fill
        if fill not in (0x00, 0xFF) or data.count(fill) != len(data):
            return Blankness(fill=None, bytes_read=done, size=size)
    if volume.unreadable_runs():
        fill = None
    return Blankness(fill=fill, bytes_read=done, size=size)


def high_entropy(volume: EvidenceSource) -> float | None:
    """Return the entropy in bits a byte (0 to 8) of a volume that is noise throughout, else None.

    To be asked only where no file system and no signature was found. Up to 256 blocks of 4 KiB, spread evenly over
    the volume and always the same, are looked at, and the places where VeraCrypt keeps its headers. The first sector
    must be noise (headers of archives, pictures and file systems are not), and so must every other that is not one
    byte repeated. What answers is encrypted without a header (VeraCrypt, TrueCrypt, a LUKS volume whose header is
    elsewhere) or wiped with random data: nothing can tell these apart. Less than 64 KiB are not judged.
    """
    size = volume.info.size
    if size < _LEAST_SIZE or not _substance(volume.read_at(0, _SECTOR)):
        return None
    counts: Counter[int] = Counter()
    places = [run.offset for run in _spread(size, _PIECE, _SAMPLES)]
    places.extend(place % size for place in _HEADER_PLACES)
    for place in dict.fromkeys(places):
        for sector in _substance(volume.read_at(place, min(_PIECE, size - place))):
            seen = Counter(sector)
            if _entropy(seen) < _LEAST_SECTOR_ENTROPY:
                return None
            counts.update(seen)
    if counts.total() < _LEAST_NOISE or _chi_square(counts) > _MOST_CHI_SQUARE:
        return None
    return _entropy(counts)


def _blank_runs(size: int) -> Iterator[ByteRun]:
    if size <= _READ_FULLY:
        for start in range(0, size, _BLOCK):
            yield ByteRun(start, min(_BLOCK, size - start))
    else:
        yield from _spread(size, _PIECE, _BLANK_SAMPLES)


def _spread(size: int, length: int, count: int) -> Iterator[ByteRun]:
    """Return up to `count` blocks of a volume, evenly spread, the first and the last whole one among them."""
    blocks = size // length
    chosen = min(blocks, count)
    for index in range(chosen):
        yield ByteRun((index * (blocks - 1) // max(1, chosen - 1)) * length, length)


def _substance(data: bytes) -> list[bytes]:
    """Return the whole sectors that are not one byte repeated."""
    sectors = (data[start : start + _SECTOR] for start in range(0, len(data) - _SECTOR + 1, _SECTOR))
    return [sector for sector in sectors if sector.count(sector[0]) != _SECTOR]


def _entropy(counts: Counter[int]) -> float:
    total = counts.total()
    return -sum(count / total * math.log2(count / total) for count in counts.values())


def _chi_square(counts: Counter[int]) -> float:
    expected = counts.total() / 256
    return sum((counts[value] - expected) ** 2 for value in range(256)) / expected
