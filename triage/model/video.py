"""Perceptual hashes of a video: those of some of its frames."""

from dataclasses import dataclass

FEWEST_FRAMES = 3
"""Videos with fewer different frames are not compared: one picture alone never makes two videos alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """One frame as it is stored in the video: unlike a player, nothing here turns it upright.

    `pdq`: 64 hexadecimal digits (256 bits); `quality`: 0 to 100; `milliseconds` from the start of the video.
    `variants`, the hashes to compare: the eight turns and mirrors, the frame as it is first, and where there are
    borders the eight of the picture inside them; of a known video only the first of each eight. Where the frame as a
    whole is not comparable they are of the picture inside its borders alone.
    """

    pdq: str
    quality: int
    milliseconds: int
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoHashes:
    """What of a video can be compared: frames of which no two are alike, in the order of the video.

    `seconds` is how long the video says it is, None where it does not; `looked_at` are the frames that were hashed, of
    which `plain` were left out as flat or of low quality and `alike` because they look like one that was kept.
    `declined` says why the video is not to be compared, `cut` which limit ended the look at it; `damaged`: not all of
    it could be decoded.
    """

    frames: tuple[VideoFrame, ...] = ()
    seconds: float | None = None
    looked_at: int = 0
    plain: int = 0
    alike: int = 0
    declined: str | None = None
    cut: str | None = None
    damaged: bool = False
