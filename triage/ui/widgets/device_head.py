"""The head of a device: what is going on with it, in three rows, and what is recommended."""

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from triage.ui.cards import rows
from triage.ui.recorded import Recorded

if TYPE_CHECKING:  # it brings the whole engine along
    from triage.session.live_device import LiveDevice

_TALL = 34  # rows of a window in which there is room for more


class DeviceHead(Widget):
    """Three rows in a small window, eight in a larger one."""

    DEFAULT_CSS = "DeviceHead { height: 3; padding: 0 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._live: LiveDevice | None = None
        self._recorded = Recorded()

    def show(self, live: "LiveDevice | None", recorded: Recorded) -> None:
        """Show what is known now."""
        self._live, self._recorded = live, recorded
        self._fit()

    def on_mount(self) -> None:
        """Take as many rows as there are to spare."""
        self._fit()

    def _fit(self) -> None:
        most = 8 if self.app.size.height >= _TALL else 3
        shown = rows(self._live, self._recorded, max(self.app.size.width - 2, 1), most)
        self.styles.height = len(shown)
        self.refresh()

    def render(self) -> Content:
        """Return the rows that fit."""
        width, height = self.content_size
        return Content("\n").join(rows(self._live, self._recorded, width, height))
