"""What decoding a video may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLimits:
    """A video of larger frames than `frame_pixels` is declined; the others end the look at it, and are totals.

    `frames` that are kept, `pixels` that are decoded, `bytes` that are read, `packets` that are looked at. The pixels
    stand for the seconds of decoding, in a measure that is the same in every run: a core decodes some 50 million a
    second in key frames and 500 million in all frames of full HD.
    """

    frame_pixels: int = 36_000_000
    frames: int = 256
    pixels: int = 1 << 31
    bytes: int = 16 << 30
    packets: int = 2_000_000


LOOKED_UP = VideoLimits()
KNOWN = VideoLimits(frames=50_000, pixels=1 << 42, bytes=1 << 42, packets=1 << 25)
"""For a video of which a set is made: hours of full HD."""
