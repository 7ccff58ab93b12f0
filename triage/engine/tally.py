"""How far a run is, tier by tier, and how long the rest will take."""

from dataclasses import dataclass, field

from triage.items.order import Tier
from triage.model.event import Progress, TierProgress
from triage.store.queue import Pending, TierStanding

# What an item takes, in seconds: measured on one core. The ratios matter, for the rate is that of the run itself.
ITEM_SECONDS = 60e-6
BYTE_SECONDS = 1.2e-9
PICTURE_BYTE_SECONDS = 8e-9
SEARCH_BYTE_SECONDS = 5e-9
_SETTLED_SECONDS = 1.0  # before that a rate is noise


def cost(size: int, *, is_picture: bool) -> float:
    """Return about how many seconds of one worker an item of so many bytes takes."""
    return ITEM_SECONDS + size * (BYTE_SECONDS + PICTURE_BYTE_SECONDS * is_picture)


@dataclass(slots=True)
class _TierTally:
    items: int = 0
    bytes: int = 0
    items_done: int = 0
    bytes_done: int = 0
    cost: float = 0.0
    cost_done: float = 0.0

    def take(self, standing: TierStanding) -> None:
        self.items, self.items_done = standing.items, standing.items_done
        self.bytes, self.bytes_done = standing.bytes, standing.bytes_done
        self.cost = _cost(standing.items, standing.bytes, standing.picture_bytes)
        self.cost_done = _cost(standing.items_done, standing.bytes_done, standing.picture_bytes_done)


@dataclass(slots=True)
class Tally:
    """Counts items as they are listed and examined; `began` is when examining began, on the clock of the run."""

    began: float
    _tiers: dict[int, _TierTally] = field(default_factory=dict)
    _cost_now: float = 0.0
    _bytes_now: int = 0

    def take(self, standing: TierStanding) -> None:
        """Take how far earlier runs came."""
        self._tiers.setdefault(standing.tier, _TierTally()).take(standing)

    def listed(self, tier: int, size: int, *, is_picture: bool) -> None:
        """Count one item that has content."""
        tally = self._tier(tier)
        tally.items += 1
        tally.bytes += size
        tally.cost += cost(size, is_picture=is_picture)

    def to_search(self, size: int) -> None:
        """Count bytes of free space that are to be searched."""
        tally = self._tier(Tier.UNALLOCATED)
        tally.bytes += size
        tally.cost += size * SEARCH_BYTE_SECONDS

    def searched(self, size: int) -> None:
        """Count bytes of free space that were searched."""
        tally, spent = self._tier(Tier.UNALLOCATED), size * SEARCH_BYTE_SECONDS
        tally.bytes_done += size
        tally.cost_done += spent
        self._cost_now += spent
        self._bytes_now += size

    def done(self, pending: Pending) -> None:
        """Count an item that has its outcome now."""
        tally = self._tier(pending.tier)
        size = pending.size
        spent = cost(size, is_picture=pending.is_picture)
        tally.items_done += 1
        tally.bytes_done += size
        tally.cost_done += spent
        self._cost_now += spent
        self._bytes_now += size

    @property
    def items(self) -> int:
        """How many items are listed."""
        return sum(tally.items for tally in self._tiers.values())

    def is_done(self, tier: int) -> bool:
        """Tell whether all of a tier that is listed has its outcome."""
        tally = self._tiers[tier]
        return tally.items_done >= tally.items

    def _tier(self, tier: int) -> _TierTally:
        return self._tiers.get(tier) or self._tiers.setdefault(tier, _TierTally())

    def progress(self, now: float, *, tier: int | None, in_hand: str) -> Progress:
        """Return how far the run is at the time `now`, in seconds on its clock."""
        passed = now - self.began
        rated = passed > _SETTLED_SECONDS and self._cost_now > 0
        pace = passed / self._cost_now if rated else None
        tiers = tuple(_progress(number, tally, pace) for number, tally in sorted(self._tiers.items()))
        return Progress(
            items_done=sum(part.items_done for part in tiers),
            items_total=sum(part.items_total for part in tiers),
            bytes_done=sum(part.bytes_done for part in tiers),
            bytes_total=sum(part.bytes_total for part in tiers),
            seconds=now,
            in_hand=in_hand,
            tier="" if tier is None else Tier(tier).label,
            tiers=tiers,
            rate=self._bytes_now / passed if rated else None,
            seconds_left=None if pace is None else sum(part.seconds_left or 0.0 for part in tiers),
        )


def _progress(tier: int, tally: _TierTally, pace: float | None) -> TierProgress:
    return TierProgress(
        label=Tier(tier).label,
        items_done=tally.items_done,
        items_total=tally.items,
        bytes_done=tally.bytes_done,
        bytes_total=tally.bytes,
        seconds_left=None if pace is None else max(0.0, tally.cost - tally.cost_done) * pace,
    )


def _cost(items: int, size: int, picture_bytes: int) -> float:
    return items * ITEM_SECONDS + size * BYTE_SECONDS + picture_bytes * PICTURE_BYTE_SECONDS
