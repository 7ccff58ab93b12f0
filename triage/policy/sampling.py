"""What a random draw without a match says of the pictures that were not examined.

Drawing n of N without replacement, of which k match, shows none with the probability C(N - k, n) / C(N, n): the
hypergeometric distribution. A k for which that is at most 1 - confidence is excluded. All arithmetic is on whole
numbers, so nothing is rounded.

Draws are nested (see `triage.items.order`), and the largest completed one counts. When it is chosen to stop cannot
spoil the confidence: a larger draw shows no match only where the smaller one in it showed none.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log, perm

from triage.model.sampling import Stratum
from triage.policy.wording import counted

CONFIDENCES = (0.95, 0.99, 0.999)
_TOLD = 0.99


def bound(population: int, drawn: int, confidence: float | Fraction) -> int:
    """Return the largest number of matching pictures that a random draw without a match leaves possible.

    With that confidence (between 0 and 1) fewer than `bound + 1` of the population match.
    Raises ValueError for a draw larger than the population, and for a confidence that is none.
    """
    doubt = 1 - Fraction(str(confidence))
    if not 0 < doubt < 1 or not 0 <= drawn <= population:
        raise ValueError(f"no bound: {drawn} drawn of {population}, confidence {confidence}")
    if not drawn:
        return population

    def excluded(matching: int) -> bool:
        fewer, more = sorted((matching, drawn))  # the two change places in the formula
        return perm(population - more, fewer) * doubt.denominator <= doubt.numerator * perm(population, fewer)

    # exp(-n k / N) is never less than the probability: what it excludes is excluded
    surely = ceil(population / drawn * log(1 / doubt)) + 1
    return bisect_left(range(min(surely, population - drawn) + 1), True, key=excluded) - 1


def draws_needed(population: int, matching: int, confidence: float) -> int:
    """Return how many must be drawn to meet one of `matching`, at least one, with that confidence.

    The formula does not change when draws and matches change places. Raises ValueError as `bound` does.
    """
    if matching < 1:
        raise ValueError("no draw meets what is not there")
    return bound(population, matching, confidence) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawClass:
    """The pictures of one tier and one class of its draw, counted.

    `examined` are those of which it is known whether they match, also where a rule of sizes or of known files told;
    `matches` those of them that do; `not_covered` those of which it cannot be known.
    """

    pictures: int = 0
    examined: int = 0
    not_covered: int = 0
    matches: int = 0

    @property
    def complete(self) -> bool:
        """Whether every picture has its outcome."""
        return self.examined + self.not_covered == self.pictures


def stratum(tier: int, label: str, classes: Sequence[DrawClass]) -> Stratum:
    """Return the stratum of one tier from the classes of its draw, in their order (0, 1, 2).

    A class counts as drawn only if it and all before it are complete: what is examined of another was chosen by its
    place on the disk. Pictures that could not be examined are taken out, of those not reached too few: the population
    is then too large, which makes the bound larger, never smaller.
    """
    begun = next((index for index, one in enumerate(classes) if not one.complete), len(classes))
    drawn = classes[:begun]
    not_covered = sum(one.not_covered for one in classes)
    return Stratum(
        tier=tier,
        label=label,
        pictures=sum(one.pictures for one in classes) - not_covered,
        examined=sum(one.examined for one in classes),
        drawn=sum(one.examined for one in drawn),
        drawn_matches=sum(one.matches for one in drawn),
        matches=sum(one.matches for one in classes),
        not_covered=not_covered,
    )


def bounds(strata: Iterable[Stratum]) -> dict[Stratum, Mapping[float, int] | None]:
    """Return for each stratum the largest number of matching pictures by confidence: 95, 99 and 99.9 %.

    None where nothing was drawn or the draw itself had matches. What is known of the pictures outside the draw counts:
    those that matched, and those examined that did not. Each bound holds by itself, not all of them together.
    """
    return {one: {level: _most(one, level) for level in CONFIDENCES} if _bounded(one) else None for one in strata}


def _bounded(one: Stratum) -> bool:
    return one.drawn > 0 and not one.drawn_matches


def most_in_all(strata: Sequence[Stratum], confidence: float | Fraction) -> int | None:
    """Return the largest number of pictures of all strata together that can match, with that confidence.

    The doubt is shared out, so that all bounds hold at once. Pictures that could not be examined count as matching.
    None where nothing can be said: without a stratum, or with one that is neither bounded nor examined as a whole.
    """
    whole = [one for one in strata if one.examined == one.pictures]
    drawn = [one for one in strata if one.examined < one.pictures]
    if not strata or not all(_bounded(one) for one in drawn):
        return None
    level = 1 - (1 - Fraction(str(confidence))) / max(len(drawn), 1)
    possible = sum(one.matches for one in whole) + sum(_most(one, level) for one in drawn)
    return possible + sum(one.not_covered for one in strata)


def _most(one: Stratum, confidence: float | Fraction) -> int:
    possible = one.pictures - one.examined + one.matches
    return max(one.matches, min(possible, bound(one.pictures, one.drawn, confidence)))


def told(strata: Iterable[Stratum]) -> Iterator[str]:
    """Yield what can be said of each stratum that has a picture, as a clause, with 99 % confidence."""
    for one, largest in bounds(strata).items():
        if one.pictures:
            whole = f"of {counted(one.pictures, 'picture')} in {one.label}"
            more = f"; not covered: {one.not_covered:,} more that could not be examined" if one.not_covered else ""
            yield f"{whole} {_showed(one, largest)}{more}"
        elif one.not_covered:
            yield f"{counted(one.not_covered, 'picture')} in {one.label} could not be examined: not covered"


def _showed(one: Stratum, largest: Mapping[float, int] | None) -> str:
    if one.examined == one.pictures:
        return f"all were examined, {_matched(one.matches)}"
    if not one.drawn:
        return (
            f"{one.examined:,} were examined, {_matched(one.matches)}; no random draw was completed, so that the "
            "others are unknown"
        )
    if largest is None:
        return f"{one.drawn:,} were drawn at random and examined, {_matched(one.drawn_matches)}"
    others = f"; outside that draw {_matched(one.matches)}" if one.matches else ""
    return (
        f"{one.drawn:,} drawn at random and examined showed no match{others}; with {_TOLD * 100:g} % confidence "
        f"fewer than {largest[_TOLD] + 1:,} of the {one.pictures:,} match"
    )


def _matched(number: int) -> str:
    return f"{number:,} matched" if number else "none matched"
