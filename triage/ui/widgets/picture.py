"""A small picture in half blocks: two pixels in every cell, one above the other."""

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from triage.session.reveal import Revealed

_UPPER = "\u2580"  # its upper half is the colour of the text, its lower half that of the ground


class HalfBlocks(Widget):
    """Shows a bitmap as large as there is room for, or nothing; it keeps no copy once it is hidden."""

    DEFAULT_CSS = "HalfBlocks { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._picture: Revealed | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a picture."""
        return self._picture is not None

    def show(self, picture: Revealed) -> None:
        """Show a picture."""
        self._picture = picture
        self.refresh()

    def hide(self) -> None:
        """Forget the picture."""
        self._picture = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        width = self.size.width
        picture = self._picture
        if picture is None:
            return Strip.blank(width, self.rich_style)
        columns, rows = fitted(picture, width, self.size.height * 2)
        left = (width - columns) // 2
        if 2 * y >= rows:
            return Strip.blank(width, self.rich_style)
        cells = [
            Segment(_UPPER, Style(color=_colour(picture, x, 2 * y, columns, rows),
                                  bgcolor=_colour(picture, x, 2 * y + 1, columns, rows)))
            for x in range(columns)
        ]  # fmt: skip
        edges = self.rich_style
        return Strip([Segment(" " * left, edges), *cells, Segment(" " * (width - left - columns), edges)], width)


def fitted(picture: Revealed, columns: int, rows: int) -> tuple[int, int]:
    """Return the size in pixels at which a picture fits, as tall as it is in truth; it is never made larger."""
    scale = min(columns / picture.width, rows / picture.height, 1.0)
    return max(1, int(picture.width * scale)), max(1, int(picture.height * scale))


def _colour(picture: Revealed, x: int, y: int, columns: int, rows: int) -> Color:
    """Return the colour of the pixel that lies at a place of the smaller picture; below its end, that of its last."""
    column = min(int((x + 0.5) * picture.width / columns), picture.width - 1)
    row = min(int((y + 0.5) * picture.height / rows), picture.height - 1)
    at = (row * picture.width + column) * picture.channels
    parts = picture.pixels[at : at + picture.channels]
    red, green, blue = parts if picture.channels > 1 else parts * 3
    return Color.from_rgb(red, green, blue)
