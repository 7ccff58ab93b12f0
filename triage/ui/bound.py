"""How the bound of a sample of blocks shrank with every block that was read, drawn with block characters.

The grid is read first, then the random draw (see `triage.items.block_sample`); as no block matched up to now, none had
matched at any moment before, so the bound of every moment follows from how many were read by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import log10
from typing import Any

from textual.content import Content

from triage.model.blocks import BLOCK_BYTES, BlockStratum
from triage.policy.block_bounds import block_bound, blocks_told
from triage.policy.sampling import CONFIDENCES
from triage.ui.safe import safe
from triage.ui.symbols import size, symbol

POINTS = 60
_SIGNS = ("full", "half", "light")  # of the confidences, the least first
_GUTTER = 10  # columns of the labels beside the plot
_WIDEST = 100
_LEAST, _TALLEST = 5, 12  # rows of a plot
_FIELDS = [field.name for field in fields(BlockStratum)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinking:
    """The bounds of one part of a device: `points` are (blocks read, bytes by confidence), none where known blocks are.

    `told` is the clause that says what the sample showed.
    """

    stratum: BlockStratum
    points: tuple[tuple[int, tuple[int, ...]], ...]
    told: str


def shrinking(rows: Sequence[Mapping[str, Any]]) -> list[Shrinking]:
    """Return the curves of strata as `CaseView.strata` gives them; takes up to a second: not for the event loop."""
    strata = [BlockStratum(**{name: row[name] for name in _FIELDS}) for row in rows]
    return [
        Shrinking(stratum=one, points=_points(one), told=told)
        for one, told in zip(strata, blocks_told(strata), strict=True)
    ]


def _points(one: BlockStratum) -> tuple[tuple[int, tuple[int, ...]], ...]:
    read = one.grid_read + one.drawn
    if one.leads or not read:
        return ()
    places = sorted({round(read * step / POINTS) for step in range(POINTS + 1)})
    return tuple((place, _bounds(one, place)) for place in places)


def _bounds(one: BlockStratum, read: int) -> tuple[int, ...]:
    grid = min(read, one.grid_read)
    drawn = read - grid
    then = replace(
        one,
        grid_read=grid,
        drawn=drawn,
        grid_unreadable=min(one.grid_unreadable, grid),
        drawn_unreadable=min(one.drawn_unreadable, drawn),
    )
    return tuple((block_bound(then, level) or 0) * BLOCK_BYTES for level in CONFIDENCES)


def told(curves: Sequence[Shrinking], width: int, height: int) -> list[Content]:
    """Return what the samples showed, each with its plot."""
    if not curves:
        return [Content("No block has been sampled so far; the profile full does that once all names are listed.")]
    rows: list[Content] = []
    tall = max(_LEAST, min(_TALLEST, height // len(curves) - 6))
    for curve in curves:
        rows += [Content.styled(f"In {safe(curve.stratum.label)}", "bold"), *plot(curve, width, tall)]
        rows += [Content(safe(f"{curve.told[0].upper()}{curve.told[1:]}.")), Content("")]
    return rows


def plot(curve: Shrinking, width: int, height: int) -> list[Content]:
    """Return the plot: upward the bytes that could be known content (logarithmic), to the right the blocks read."""
    if not curve.points:
        return []
    columns = max(min(width, _WIDEST) - _GUTTER - 2, 10)
    highest = max(max(bytes_) for _, bytes_ in curve.points)
    lowest = BLOCK_BYTES / 4
    read = curve.points[-1][0]
    moments = [_at(curve, read * x / (columns - 1)) for x in range(columns)]
    heights = [[_height(of, lowest, highest, height) for of in bounds] for bounds in moments]
    rows = [Content.styled(f"{'at most':>{_GUTTER}}", "$text-muted")]
    for level in range(height, 0, -1):
        label = size(lowest * (highest / lowest) ** (level / height)) if level in {height, height // 2 + 1} else ""
        drawn = "".join(_sign(column, level) for column in heights)
        rows.append(Content.assemble((f"{label:>{_GUTTER}} \u2502", "$text-muted"), (drawn, "$accent")))
    end = f"{read:,} blocks read"
    rows.append(Content.styled(f"{'0':>{_GUTTER}} \u2514{chr(0x2500) * columns}", "$text-muted"))
    rows.append(Content.styled(f"{'':{_GUTTER + 2}}0{end:>{columns - 1}}", "$text-muted"))
    return [*rows, _legend(curve)]


def _legend(curve: Shrinking) -> Content:
    now = zip(_SIGNS, CONFIDENCES, curve.points[-1][1], strict=True)
    parts = [f"{symbol(sign)} {level * 100:g} %: {size(most)}" for sign, level, most in now]
    return Content(f"{'':{_GUTTER + 2}}{'   '.join(parts)}")


def _at(curve: Shrinking, read: float) -> tuple[int, ...]:
    """Return the bounds after so many blocks: those of the last point up to there."""
    return [bounds for place, bounds in curve.points if place <= read + 0.5][-1]


def _height(of: float, lowest: float, highest: float, rows: int) -> int:
    if of <= lowest or highest <= lowest:
        return 0
    return max(1, round(rows * log10(of / lowest) / log10(highest / lowest)))


def _sign(column: Sequence[int], level: int) -> str:
    return next((symbol(sign) for sign, high in zip(_SIGNS, column, strict=True) if level <= high), " ")
