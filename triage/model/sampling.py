"""What a random sample of pictures was drawn from, and what it showed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The pictures of one tier, all told by their names, among what was listed; all but the first are numbers of them.

    `label` follows the word `in`. `pictures` are those that could be examined, done or not; `examined` those done;
    `drawn` the size of the completed random draw, all of it examined. `drawn_matches` and `matches` are the pictures
    with a digest match or a candidate that nobody rejected, in the draw and in all. `not_covered` are those that could
    not be examined (unreadable, encrypted, not decodable, crashed, timed out, over a limit), no part of `pictures`.
    Raises ValueError for numbers that cannot be true.
    """

    tier: int
    label: str
    pictures: int
    examined: int
    drawn: int
    drawn_matches: int
    matches: int
    not_covered: int = 0

    def __post_init__(self) -> None:
        """Refuse a draw that is not part of what was examined, and matches without a picture."""
        nested = 0 <= self.drawn_matches <= self.drawn <= self.examined <= self.pictures
        if not nested or not self.drawn_matches <= self.matches <= self.examined or self.not_covered < 0:
            raise ValueError(f"not a sample: {self}")
