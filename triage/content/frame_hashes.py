"""The frames of a video hashed, and of those that look alike one."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triage.content.borders import inner_box
from triage.content.crops import reduced
from triage.content.pdq import MIN_QUALITY, Pdq, pdq
from triage.model.video import VideoFrame

TINY = 50
"""Frames with a shorter side under this many pixels are not compared, as pictures are not."""

_FLAT = 1.0  # a filtered frame that spans less than one grey level has nothing to hash

Grey = NDArray[np.uint8]


class Selection:
    """Takes frames in their order and keeps one of those that look alike: within `apart` bits of one that was kept.

    A frame that is flat or of low quality, as a whole and inside its borders, is counted as `plain`. `turned`: frames
    are kept with the turns and mirrors of their hashes.
    """

    def __init__(self, apart: int, *, turned: bool) -> None:
        self.frames: list[VideoFrame] = []
        self.plain = self.alike = 0
        self._apart = apart
        self._turned = turned
        self._kept = np.empty((64, 4), np.uint64)

    @property
    def looked_at(self) -> int:
        """Frames that were taken."""
        return len(self.frames) + self.plain + self.alike

    def take(self, grey: Grey, seconds: float) -> None:
        """Hash a frame, rows x columns of 0 to 255, and keep it where it is unlike all others."""
        whole = pdq(grey[:, :, None])
        comparable = [view for view in (whole, *_inside(grey)) if view.quality >= MIN_QUALITY and view.span >= _FLAT]
        if not comparable:
            self.plain += 1
        elif self._is_like_another(comparable[0].hash):
            self.alike += 1
        else:
            hashes = [view.variants if self._turned else (view.hash,) for view in comparable]
            variants = tuple(value.hex() for value in chain.from_iterable(hashes))
            self.frames.append(
                VideoFrame(
                    pdq=whole.hash.hex(), quality=whole.quality, milliseconds=round(1000 * seconds), variants=variants
                )
            )

    def _is_like_another(self, value: bytes) -> bool:
        """Tell whether a kept frame is within the distance, and remember the hash where there is none."""
        words, kept = np.frombuffer(value, np.uint64), len(self.frames)
        if (np.bitwise_count(self._kept[:kept] ^ words).sum(axis=1) <= self._apart).any():
            return True
        if kept == len(self._kept):
            self._kept = np.concatenate((self._kept, np.empty_like(self._kept)))
        self._kept[kept] = words
        return False


def _inside(grey: Grey) -> Iterator[Pdq]:
    """Yield the hash of what is inside the borders, if there are any."""
    picture = Image.fromarray(grey)
    box = inner_box(picture)
    if box is not None and min(box[2] - box[0], box[3] - box[1]) >= TINY:
        yield pdq(np.asarray(reduced(picture, box))[:, :, None])
