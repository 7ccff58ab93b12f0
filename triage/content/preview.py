"""Small pictures of pictures, for a person to look at: as little as is asked for, nothing sharp unless asked for."""

from dataclasses import dataclass

from PIL import Image, ImageFilter

from triage.content.content import Content
from triage.content.picture import upright_picture

LARGEST = 1024
"""Pixels of the longer side, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Rows from the top, of `width` pixels; a pixel is one byte of grey, or three: red, green, blue."""

    width: int
    height: int
    channels: int
    pixels: bytes

    def __post_init__(self) -> None:
        """Refuse what is no picture. Raises ValueError."""
        sized = 1 <= self.width <= LARGEST and 1 <= self.height <= LARGEST and self.channels in {1, 3}
        if not sized or len(self.pixels) != self.width * self.height * self.channels:
            raise ValueError(f"no picture: {self.width} x {self.height} x {self.channels}, {len(self.pixels)} bytes")


def preview(content: Content, media_type: str, side: int, *, colour: bool = False, blur: float = 0.0) -> Preview:
    """Return a picture in a square of so many pixels, blurred by a radius in pixels of the result.

    Raises EvidenceError with the reason where there is nothing to see, ValueError for a side over `LARGEST`, and
    MemoryError.
    """
    if not 1 <= side <= LARGEST:
        raise ValueError(f"a preview has 1 to {LARGEST} pixels a side, not {side}")
    picture = upright_picture(content, media_type)
    scale = min(1.0, side / max(picture.size))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture.convert("RGB" if colour else "L").resize(size, Image.Resampling.BOX)
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(blur))
    return Preview(width=small.width, height=small.height, channels=3 if colour else 1, pixels=small.tobytes())
