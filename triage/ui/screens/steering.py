"""What can be done with an examination that runs, on whichever screen it is seen."""

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from triage.ui.screens.question import Question
from triage.ui.screens.room import Room

if TYPE_CHECKING:  # it brings the whole engine along
    from triage.session.live_device import LiveDevice

RUNNING: tuple[BindingType, ...] = (
    Binding("p,space", "pause", "Pause"),
    Binding("p,space", "resume", "Resume"),
    Binding("s", "stop", "Stop"),
)
URGENCY: tuple[BindingType, ...] = (
    Binding("plus,equals_sign", "urgency(1)", "Sooner", key_display="+"),
    Binding("minus", "urgency(-1)", "Later", key_display="-"),
)


class Steering(Room):
    """A screen with a device in hand, or none; its keys are those above, offered where they make sense."""

    @property
    def live(self) -> "LiveDevice | None":
        """The device in hand, as this visit has it."""
        raise NotImplementedError

    @property
    def runs(self) -> bool:
        """Whether it is being examined."""
        return self.live is not None and not self.live.state.is_over

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what makes sense for the state of the device."""
        del parameters
        paused = self.live is not None and self.live.state == "paused"
        match action:
            case "pause":
                return self.runs and not paused
            case "resume":
                return paused
            case "stop" | "urgency":
                return self.runs
            case _:
                return True

    @property
    def _in_hand(self) -> "LiveDevice":
        assert self.live is not None
        return self.live

    def action_pause(self) -> None:
        """Hand out nothing new."""
        self._in_hand.pause()
        self.renew()

    def action_resume(self) -> None:
        """Go on after a pause."""
        self._in_hand.resume()
        self.renew()

    def action_urgency(self, more: int) -> None:
        """Change which device comes first."""
        if more > 0:
            self._in_hand.more_urgent()
        else:
            self._in_hand.less_urgent()
        self.renew()

    def action_stop(self) -> None:
        """Ask whether the device is to be stopped."""
        live = self._in_hand

        def answered(sure: bool | None) -> None:
            if sure:
                live.stop()

        text = f"{live.reference} is concluded as far as it came, and can be begun again from there."
        self.app.push_screen(Question("Stop this examination?", text, yes="Stop", no="Go on"), answered)
