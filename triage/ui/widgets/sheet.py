"""A text that is laid out for the width at hand, and scrolls where it is longer than the window."""

from collections.abc import Callable

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

Layout = Callable[[int, int], list[Content]]
"""Gets columns and rows that there are; returns the rows to show, which may be more."""


class Sheet(VerticalScroll, can_focus=True):
    """Shows what a layout returns, and again whenever the window changes."""

    DEFAULT_CSS = """
    Sheet { height: 1fr; padding: 0 1; }
    Sheet > Static { height: auto; }
    """

    def __init__(self, *, name: str, waiting: str = "") -> None:
        super().__init__(Static(waiting, markup=False), id=name)
        self._layout: Layout | None = None

    def show(self, layout: Layout) -> None:
        """Show this from now on."""
        self._layout = layout
        self._lay()

    def on_resize(self) -> None:
        """Lay it out anew."""
        self._lay()

    def _lay(self) -> None:
        width, height = self.size.width - 4, self.size.height  # the edges, and a bar to scroll with
        if self._layout is not None and width > 0:
            self.query_one(Static).update(Content("\n").join(self._layout(width, height)))
