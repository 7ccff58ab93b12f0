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
class Coverage:
    """Bytes by class and items by outcome. Raises ValueError unless the classes add up to the source's size."""

    size: int
    bytes: Mapping[CoverageClass, int]
    items: Mapping[str, int]

    def __post_init__(self) -> None:
        """Hold the account to its sum."""
        summed = sum(self.bytes.values())
        if summed != self.size:
            raise ValueError(f"coverage does not add up: {summed} bytes accounted for, {self.size} in the source")
