"""What a sample of blocks without a match says of the blocks that were not read.

Of a stratum the grid and the random draw share no block (see `triage.items.block_sample`), so what the draw proves of
the blocks that are not on the grid is added to the blocks of the grid that were not read. It holds for known content
only that is in a set with hashes of blocks, begins where a block does, and is neither encrypted nor compressed; and of
it only for the blocks that such a set has. Where blocks begin at smaller steps than their size, those of one content
still begin a block apart, so that the number of them times their size is what a content can have.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import inf, log, log1p

from triage.model.blocks import BLOCK_BYTES, BlockStratum
from triage.policy.sampling import CONFIDENCES, bound, draws_needed
from triage.policy.wording import amount, counted

_TOLD = 0.99
_EXACT = 1 << 10  # factors of a product of whole numbers that is taken in a millisecond
_ROUNDED = 1e-9  # far more than the logarithms below are off


def blocks_needed(blocks: int, size: int, confidence: float) -> int:
    """Return how many of `blocks` must be drawn to meet content of `size` bytes in any place with that confidence.

    So much content is in whole blocks, wherever each of them lies. Raises ValueError for less than a block.
    """
    return min(blocks, draws_needed(max(blocks, 1), min(size // BLOCK_BYTES, max(blocks, 1)), confidence))


def quick_bound(population: int, drawn: int, confidence: float | Fraction) -> int:
    """Return what `sampling.bound` returns, or a little more, at once for any population. Raises as that does.

    The probability of a miss is the product over i < f of 1 - m / (N - i), with f the fewer and m the more of draws
    and matches. The logarithm of a factor is concave in i, so the product is at most the factor at the mean of i to
    the power f: what that excludes is excluded.
    """
    if drawn < _EXACT or population - drawn < _EXACT or not 0 < confidence < 1:
        return bound(population, drawn, confidence)
    doubt = log(1 - Fraction(str(confidence)))

    def excluded(matching: int) -> bool:
        fewer, more = sorted((matching, drawn))
        mean = population - (fewer - 1) / 2
        return (fewer * log1p(-more / mean) if more < mean else -inf) <= doubt - _ROUNDED

    possible = range(1, population - drawn + 1)
    return bisect_left(possible, True, key=excluded)


def block_bound(one: BlockStratum, confidence: float | Fraction) -> int | None:
    """Return the largest number of blocks of known files that a stratum can have, with that confidence.

    Blocks that could not be read are not among them. None where known blocks were found.
    """
    if one.leads:
        return None
    others, drawn = one.blocks - one.grid - one.drawn_unreadable, one.drawn - one.drawn_unreadable
    return one.grid - one.grid_read + quick_bound(others, drawn, confidence)


def block_bounds(strata: Iterable[BlockStratum]) -> dict[BlockStratum, Mapping[float, int] | None]:
    """Return for each stratum the largest number of known blocks by confidence: 95, 99 and 99.9 %.

    None where known blocks were found. Each bound holds by itself, not all of them together.
    """
    return {
        one: None if one.leads else {level: block_bound(one, level) or 0 for level in CONFIDENCES} for one in strata
    }


def blocks_told(strata: Iterable[BlockStratum]) -> Iterator[str]:
    """Yield what can be said of each stratum, as a clause, with 99 % confidence."""
    for one in strata:
        lost = one.grid_unreadable + one.drawn_unreadable
        parts = [f"of {counted(one.blocks, 'block')} of 4 KiB in {one.label} {_showed(one)}"]
        parts += [f"{lost:,} could not be read: not covered"] if lost else []
        parts += [f"{one.left_bytes:,} bytes make no whole block: not covered"] if one.left_bytes else []
        yield "; ".join(parts)


def _showed(one: BlockStratum) -> str:
    if one.leads:
        alone = f", {one.alone:,} of these in no finding" if one.alone else ""
        return f"{one.read:,} were read: {one.leads:,} of them are blocks of known files{alone}"
    if one.complete:
        return "all were read: none is a block of a known file"
    grid = f" and {one.grid_read:,} on a grid" if one.grid_read else ""
    if one.drawn <= one.drawn_unreadable:
        return f"none drawn at random{grid} were read: what the others hold is unknown"
    most = (block_bound(one, _TOLD) or 0) + 1
    size, _, _ = amount(most * BLOCK_BYTES).partition(" (")
    return (
        f"{one.drawn - one.drawn_unreadable:,} drawn at random{grid} showed no block of a known file; with "
        f"{_TOLD * 100:g} % confidence fewer than {most:,} ({size}) are blocks of known files"
    )
