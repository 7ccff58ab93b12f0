"""A small picture: drawn by the terminal itself where that can, else in half blocks, two pixels in every cell."""

import asyncio

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from triage.session.reveal import Revealed
from triage.ui.graphics import Graphics, cell_size

_UPPER = "\u2580"  # its upper half is the colour of the text, its lower half that of the ground


class Picture(Widget):
    """Shows a bitmap as large as there is room for, or nothing; neither it nor the terminal keeps a hidden one."""

    DEFAULT_CSS = "Picture { width: 1fr; height: 1fr; }"

    def __init__(self, graphics: Graphics | None = None) -> None:
        super().__init__()
        self._graphics = graphics
        self._picture: Revealed | None = None
        self._gone = ""

    @property
    def is_shown(self) -> bool:
        """Whether there is a picture."""
        return self._picture is not None

    def show(self, picture: Revealed) -> None:
        """Show a picture."""
        self._picture = picture
        self.refresh()

    def hide(self) -> None:
        """Forget the picture, and have the terminal forget it; its cells are written anew."""
        self._picture = None
        self._tell(self._gone)
        self._gone = ""
        self.refresh()

    def on_unmount(self) -> None:
        """Leave nothing behind when the screen is left or the console ends."""
        self.hide()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows of cells; where the terminal draws, empty ones, and the picture upon them afterwards."""
        if self._graphics is not None and self._picture is not None:
            self.call_after_refresh(self._draw)
        return super().render_lines(crop)

    @work(exclusive=True)
    async def _draw(self) -> None:
        """Have the terminal draw the picture, unless it is hidden by the time that it is ready."""
        from triage.ui.drawing import drawn  # noqa: PLC0415 - what makes pictures is wanted with the first one only

        picture, box, cell = self._picture, self.content_region, cell_size()
        if self._graphics is None or picture is None or not (box and all(cell)):
            return
        drawing = await asyncio.to_thread(drawn, self._graphics, picture, box.size, cell)
        if picture is self._picture and box == self.content_region:
            self._tell(self._gone + drawing.at(box.x, box.y))
            self._gone = drawing.gone

    def _tell(self, sequence: str) -> None:
        driver = self.app._driver  # noqa: SLF001 - the one way that keeps the order with what the screens write
        if sequence and driver is not None:
            driver.write(sequence)

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        width = self.size.width
        picture = self._picture
        if picture is None or self._graphics is not None:
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
