"""When an item is looked at."""

from typing import NamedTuple


class Placed(NamedTuple):
    """The place of an item in the order of looking.

    `tier` and `rank`: the lower, the earlier; the tier is for good, the rank may fall while a run goes on. `draw` is
    the class of the random sample that a picture belongs to, None for what is no picture by its name. `look`: the item
    is worth a first look, at a picture embedded in it.
    """

    tier: int
    rank: int
    draw: int | None = None
    look: bool = False
