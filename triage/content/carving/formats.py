"""The formats that are carved: by what a file begins, and who follows it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from triage.content.carving import avi, bmp, gif, isobmff, jpeg, png, webp
from triage.content.carving.stretch import View

HEAD = 32
"""As many first bytes as tell a format."""


class Format(NamedTuple):
    """`head`: the first bytes as a regular expression; `follow`: returns the length of a file that is whole.

    `proven`: a whole file was looked at so closely that no other can lie in its midst.
    `mark`: two bytes of the head and where in it they are, at an even place.
    """

    mark: bytes
    at: int
    head: bytes
    follow: Callable[[View], int]
    proven: bool = False


FORMATS = (
    Format(b"\xff\xd8", 0, jpeg.HEAD, jpeg.follow, proven=True),
    Format(b"\x89P", 0, png.HEAD, png.follow, proven=True),
    Format(b"GI", 0, gif.HEAD, gif.follow, proven=True),
    Format(b"RI", 0, webp.HEAD, webp.follow),
    Format(b"RI", 0, avi.HEAD, avi.follow),
    Format(b"BM", 0, bmp.HEAD, bmp.follow),
    Format(b"ft", 4, isobmff.HEAD, isobmff.follow),
)

_HEADS = re.compile(b"|".join(b"(%b)" % one.head for one in FORMATS), re.DOTALL)


def format_at(data: bytes, offset: int) -> Format | None:
    """Return the format of a file that begins at an offset, to judge by its first bytes; None where none does."""
    match = _HEADS.match(data, offset)
    return FORMATS[match.lastindex - 1] if match is not None and match.lastindex else None
