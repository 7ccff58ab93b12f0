"""The frames of a set's videos: what is given to be kept, what is kept, and what a look-up finds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.columns import Column, Columns
from triage.hashsets.perceptual import PDQ_RADIUS, PerceptualIndex
from triage.hashsets.videos import FrameHits, VideoCandidate, judged
from triage.model.video import VideoHashes


class KnownFrames(NamedTuple):
    """Frames of the video whose SHA-256 (32 bytes) is `file`: PDQ of shape (n, 32), and the time of each, (n,)."""

    file: bytes
    hashes: NDArray[np.uint8]
    milliseconds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounts:
    """Videos of a set with frames to compare, and all of these frames."""

    videos: int = 0
    held: int = 0

    @property
    def text(self) -> str:
        """One line for a person."""
        return f"{self.held:,} frames of {self.videos:,} videos"

    @classmethod
    def parsed(cls, told: Mapping[str, Any]) -> Self:
        """Return what a header tells. Raises ValueError, KeyError or TypeError for what makes no sense."""
        numbers = {field.name: told[field.name] for field in fields(cls)}
        if any(type(number) is not int or number < 0 for number in numbers.values()):
            raise ValueError("a number of frames is none")
        return cls(**numbers)


class FrameIndex(PerceptualIndex):
    """PDQ hashes of the frames of known videos: `frame` and what belongs to it, as of `pdq`, and `frame_time`."""

    name, words, radius = "frame", 4, PDQ_RADIUS

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self._times: Column = columns["frame_time"]

    def match(self, video: VideoHashes) -> tuple[VideoCandidate, ...]:
        """Return the known videos that a video matches by the rule of `videos.py`, the best first."""
        if video.declined or not len(self):
            return ()
        return judged(self.hits_of(video), self.frames_of)

    def frames_of(self, record: int) -> int:
        """Return how many frames of a record are held."""
        return int(np.count_nonzero(self._records == record))

    def member(self, position: int) -> tuple[int, int, bytes]:
        """Return record, time in milliseconds and hash of one frame, by its position in the order of all."""
        record, raw = self.hash_at(position)
        return record, int(self._times[position]), raw

    def hits_of(self, video: VideoHashes) -> Iterator[FrameHits]:
        """Yield for each frame of a video the known frames near to any variant of it."""
        for frame in video.frames:
            found = self._hits(self._as_words([bytes.fromhex(variant) for variant in frame.variants]), self.radius)
            yield FrameHits(found.row, self._records[found.row], found.distance)
