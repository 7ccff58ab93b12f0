"""Borders of a picture: frames, letterbox and pillarbox bars, banners. What is inside them, to be hashed on its own.

A side's border is a run of lines from the edge on which nearly every pixel has one tone. It may drift a little (a
slight gradient) and be interrupted by lines where most pixels still have it: a line of text or a logo on a banner. Each
side is judged over the whole length of the picture, so that bars above and below do not lay bare a plain wall on the
left.

A picture that is itself plain at an edge (sky, a white ground) has a border in this sense. That costs nothing but a
second hash: what is inside never takes the place of the whole.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[int, int, int, int]
"""Left, upper, right, lower, as Pillow has them: the last two are outside."""

_SAMPLES = 256  # lines, and pixels of a line, that are looked at: a border of a hundredth of the side covers two
_TOLERANCE = 12  # grey levels; JPEG at quality 30 moves a plain area by less
_DRIFT = 20  # grey levels from the tone at the edge
_PLAIN = 0.97  # share of a line that has the tone
_LETTERED = 0.4  # share that is left on a line of text
_LETTERING = 0.15  # of the side: text may go on so long until the next plain line
_RINGING = 8  # pixels: a JPEG block on the edge of the border is not plain
_STRONGEST = 32  # grey levels that count in a step: a few strong pixels are not an edge
_LEAST_TRIMMED = 1 / 128  # of the side: the window of PDQ's filter, which sees nothing narrower
_LEAST_KEPT = 0.15  # of the side; a 21:9 film on an upright telephone keeps 0.2

# What a border may look like in the means of blocks of pixels: wider bounds than those above.
_MEANS_TOLERANCE = 16
_MEANS_PLAIN = 0.93
_MEANS_LETTERED = 0.33
_MEANS_AT_ONCE = 8  # lines: of most pictures the first few tell
_MEANS_DEEPEST = 0.17  # of the side: further in no first plain line is looked for

Luma = NDArray[np.int16]


def inner_box(picture: Image.Image) -> Box | None:
    """Return what is inside the borders of an RGB picture, to the pixel where they end sharply; None without borders.

    At least 15 % of each side stays: a small thing on a plain ground is a picture, not a bordered one.
    """
    width, height = picture.size
    small = _luma(picture, (0, 0, width, height))
    left, right = _border(picture, small, columns=True, far=False), _border(picture, small, columns=True, far=True)
    top, bottom = _border(picture, small, columns=False, far=False), _border(picture, small, columns=False, far=True)
    shares = (left + right) / width, (top + bottom) / height
    if max(shares) < _LEAST_TRIMMED or max(shares) > 1 - _LEAST_KEPT:
        return None
    return left, top, width - right, height - bottom


def may_have_borders(luma: NDArray[np.float32]) -> bool:
    """Tell whether `inner_box` may find borders in the picture of which these are the means of blocks of pixels.

    Few pictures without borders are taken for such that may have some; one with borders never is for one without.
    """
    return any(_may_be_plain(side) for side in (luma, luma[::-1], luma.T, luma.T[::-1]))


def _may_be_plain(lines: NDArray[np.float32]) -> bool:
    """Tell whether a line along one side may be the first plain one, with all before it lettered."""
    some = lines[: int(_MEANS_DEEPEST * len(lines)) + 1, :: max(1, lines.shape[1] // _SAMPLES)]
    tone = _middle(some[len(lines) // (2 * _SAMPLES)])  # the line that is the first of those looked at in the picture
    for start in range(0, len(some), _MEANS_AT_ONCE):
        shares = (np.abs(some[start : start + _MEANS_AT_ONCE] - tone) <= _MEANS_TOLERANCE).mean(axis=1)
        for share in shares.tolist():
            if share < _MEANS_LETTERED or share >= _MEANS_PLAIN:
                return bool(share >= _MEANS_PLAIN)
    return False


def _middle(line: NDArray[np.float32]) -> float:
    """Return the median."""
    ordered = np.sort(line)
    return float(ordered[(len(line) - 1) // 2] + ordered[len(line) // 2]) / 2


def _border(picture: Image.Image, small: Luma, *, columns: bool, far: bool) -> int:
    """Return how many pixels the border of one side is wide, from the picture and a small copy of it."""
    length = picture.width if columns else picture.height
    lines = _from_edge(small, columns=columns, far=far)
    depth = _depth(lines)
    if depth in {0, len(lines)}:
        return length * (depth > 0)
    inside, outside = (int((line + 0.5) * length / len(lines)) for line in (depth - 1, depth))
    first, last = max(0, inside - 1), min(outside + 1 + _RINGING, length)  # from the far side samples lie one earlier
    span = (length - last, length - first) if far else (first, last)
    box = (span[0], 0, span[1], picture.height) if columns else (0, span[0], picture.width, span[1])
    return first + _step(_from_edge(_luma(picture, box), columns=columns, far=far))


def _luma(picture: Image.Image, box: Box) -> Luma:
    """Return a part of the picture in grey levels, with at most so many samples a side: the rest is never looked at."""
    size = min(box[2] - box[0], _SAMPLES), min(box[3] - box[1], _SAMPLES)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST, box).convert("L")).astype(np.int16)


def _from_edge(luma: Luma, *, columns: bool, far: bool) -> Luma:
    """Return the lines along one side, the one at the edge first."""
    lines = luma.T if columns else luma
    return lines[::-1] if far else lines


def _depth(lines: Luma) -> int:
    """Return how many lines the border takes."""
    edge = tone = _tone(lines[0])
    depth = 0
    for number, line in enumerate(lines):
        share = np.count_nonzero(np.abs(line - tone) <= _TOLERANCE) / len(line)
        if share >= _PLAIN:
            depth = number + 1
            tone = min(max(_tone(line), edge - _DRIFT), edge + _DRIFT)
        elif share < _LETTERED or number - depth >= _LETTERING * len(lines):
            break
    return depth


def _tone(line: Luma) -> int:
    return int(np.partition(line, len(line) // 2)[len(line) // 2])


def _step(lines: Luma) -> int:
    """Return the line before which the tone of the first one ends: where most pixels leave it at once."""
    away = np.minimum(np.abs(lines - _tone(lines[0])), _STRONGEST).mean(axis=1)
    return int(np.argmax(np.diff(away))) + 1
