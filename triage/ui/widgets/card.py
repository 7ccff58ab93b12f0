"""One device on the board."""

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from triage.ui.cards import rows
from triage.ui.recorded import Recorded
from triage.ui.safe import head

if TYPE_CHECKING:  # it brings the whole engine along, and the first screen must come at once
    from triage.session.live_device import LiveDevice


class DeviceCard(Widget, can_focus=True):
    """Shows as much as its size lets it; the focus is a double frame, so that it is seen without colours."""

    DEFAULT_CSS = """
    DeviceCard {
        border: solid $border-blurred; border-title-color: $foreground; border-title-style: bold;
        background: $surface; padding: 0 1; height: 100%; min-height: 4;
        &:focus { border: double $border; border-title-color: $accent; }
        &.-urgent { border: solid $error; border-title-color: $text-error; }
        &.-urgent:focus { border: double $error; }
    }
    """

    def __init__(self, reference: str) -> None:
        super().__init__()
        self.reference = reference
        self.live: LiveDevice | None = None
        self.recorded = Recorded()
        self.border_title = Content(head(reference, 40))

    def show(self, live: "LiveDevice | None", recorded: Recorded) -> None:
        """Show what is known now."""
        self.live, self.recorded = live, recorded
        self.set_class(live is not None and live.state in {"gone", "failed"}, "-urgent")
        self.refresh()

    def render(self) -> Content:
        """Return the rows that fit."""
        width, height = self.content_size
        return Content("\n").join(rows(self.live, self.recorded, width, height))
