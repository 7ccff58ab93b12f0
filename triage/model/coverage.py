"""The coverage account: every byte of a source in exactly one class."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CoverageClass(StrEnum):
    """Where a byte can end; the order is the order of a report."""

    EXAMINED = "examined"
    UNALLOCATED_EXAMINED = "unallocated-examined"
    SKIPPED = "skipped"
    SKIPPED_BY_SIZE = "skipped-size-in-no-set"
    SKIPPED_KNOWN = "skipped-known-file"
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    NOT_EXAMINED = "not-examined"
    UNALLOCATED_NOT_EXAMINED = "unallocated-not-examined"
    OUTSIDE_PARTITIONS = "outside-partitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCoverage:
    """The account of one region of a source; `offset` and `length` in bytes.

    `state` and `file_system` are those of its report, None where it has none. Raises ValueError unless the classes add
    up to its length.
    """

    name: str
    offset: int
    length: int
    state: str | None
    file_system: str | None
    bytes: Mapping[CoverageClass, int]

    def __post_init__(self) -> None:
        """Hold the account to its sum."""
        _check_sum(self.bytes, self.length, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Bytes by class and items by outcome, members of other files included.

    `high_entropy` are those of the encrypted bytes that only noise tells. `regions` tile the source; there are none
    where it was not yet divided. Raises ValueError unless the classes add up to the source's size, and the regions to
    every class.
    """

    size: int
    bytes: Mapping[CoverageClass, int]
    items: Mapping[str, int]
    high_entropy: int = 0
    regions: tuple[RegionCoverage, ...] = ()

    def __post_init__(self) -> None:
        """Hold the account to its sums."""
        _check_sum(self.bytes, self.size, "the source")
        for kind, count in self.bytes.items() if self.regions else ():
            summed = sum(region.bytes[kind] for region in self.regions)
            if summed != count:
                raise ValueError(f"coverage does not add up: {summed} bytes {kind} in the regions, {count} in all")


def _check_sum(taken: Mapping[CoverageClass, int], size: int, where: str) -> None:
    summed = sum(taken.values())
    if summed != size:
        raise ValueError(f"coverage does not add up: {summed} bytes accounted for, {size} in {where}")
