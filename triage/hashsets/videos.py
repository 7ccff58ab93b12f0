"""When two videos are alike: the rule, over the frames of one that come near to frames of the other.

A video matches a known one if **at least three** of its frames, and **at least 30 %** of them, are within the radius
of PDQ of some frame of that video. No two of its frames are alike (`VideoHashes`), so no picture that two videos share,
a title or a test card, is enough.

A video of one or two different frames, as of a camera that stands still, matches only a known video whose frames are
*all* within the radius of one of its own, and if all of its own are near to one of those: then the whole of one looks
like the whole of the other.

How these numbers were found, and what they miss, is in docs/videos.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.model.video import FEWEST_FRAMES

LEAST_SHARE = 0.3
"""Of the frames of a video that must be near to those of a known one."""

Numbers = NDArray[np.uint32]


class FrameHits(NamedTuple):
    """Known frames near to one frame of a video, all (m,): row in the set, record of its video, distance in bits.

    A row is there once for each variant of the frame that it is near to.
    """

    rows: Numbers
    records: Numbers
    distances: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoCandidate:
    """A known video, by its record: so many of the frames compared are near to it, by a median distance in bits."""

    record: int
    near: int
    compared: int
    distance: int

    @property
    def reason(self) -> str:
        """One line for a person, after `because`."""
        return (
            f"{self.near} of {self.compared} different frames look like frames of one known video, "
            f"half of them by {self.distance} bits or fewer"
        )


def judged(hits: Iterable[FrameHits], frames_of: Callable[[int], int]) -> tuple[VideoCandidate, ...]:
    """Return the known videos that a video matches, by the hits of each of its frames; the best first.

    `frames_of` tells how many frames the known video of a record has. The hits of one frame at a time are in memory.
    """
    distances: defaultdict[int, list[int]] = defaultdict(list)
    rows: list[tuple[Numbers, Numbers]] = []
    compared = 0
    for compared, found in enumerate(hits, start=1):
        for record, distance in _best(found):
            distances[record].append(distance)
        if compared < FEWEST_FRAMES:
            rows.append((found.records, found.rows))
    candidates = [
        VideoCandidate(record=record, near=len(near), compared=compared, distance=median_low(near))
        for record, near in distances.items()
        if len(near) >= max(min(compared, FEWEST_FRAMES), LEAST_SHARE * compared)
    ]
    if compared < FEWEST_FRAMES:
        candidates = [one for one in candidates if _rows_near(rows, one.record) == frames_of(one.record)]
    return tuple(sorted(candidates, key=lambda one: (-one.near, one.distance, one.record)))


def _best(found: FrameHits) -> Iterable[tuple[int, int]]:
    """Return each record once, with its least distance."""
    order = np.lexsort((found.distances, found.records))
    records, first = np.unique(found.records[order], return_index=True)
    return zip(records.tolist(), found.distances[order][first].tolist(), strict=True)


def _rows_near(rows: list[tuple[Numbers, Numbers]], record: int) -> int:
    return len(np.unique(np.concatenate([some[records == record] for records, some in rows])))
