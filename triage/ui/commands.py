"""What the command palette offers: every place, every device, and what can be done with it."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.markup import escape

from triage.ui.safe import safe

if TYPE_CHECKING:
    from triage.ui.app import Console


def commands(console: "Console") -> Iterator[SystemCommand]:
    """Yield the commands; those of devices first, for they change."""
    for reference, device in console.devices.items():
        shown = escape(safe(reference, 60))  # the palette takes its commands for markup
        yield SystemCommand(
            f"Open {shown}", "All there is to see of the device", partial(console.open_device, reference)
        )
        if device.state.is_over:
            yield SystemCommand(
                f"Decide on {shown}", "Return, seize or refer", partial(console.open_decision, reference)
            )
        elif device.state == "paused":
            yield SystemCommand(f"Resume {shown}", "Go on after a pause", device.resume)
        else:
            yield SystemCommand(f"Pause {shown}", "Hand out nothing new", device.pause)
            yield SystemCommand(f"Stop {shown}", "Conclude now; it can be resumed later", device.stop)
    yield SystemCommand("Board", "All devices (F2)", console.action_board)
    yield SystemCommand("New device", "Record an arrival and examine it (F3)", partial(console.action_place, "intake"))
    yield SystemCommand(
        "Hash sets", "What the library holds, and how old it is (F4)", partial(console.action_place, "sets")
    )
    yield SystemCommand("Ledger", "Everything recorded in this case (F5)", partial(console.action_place, "ledger"))
    yield SystemCommand(
        "Self-test", "Try the software with known answers (F6)", partial(console.action_place, "selftest")
    )
    yield SystemCommand("Light or dark", "The theme for daylight or for the dark van (F8)", console.action_daylight)
    yield SystemCommand("Lock", "Hide everything until the PIN is given (F9)", console.action_lock)
    yield SystemCommand("Help", "What the screen is for and what its keys do (F1)", console.action_help)
    yield SystemCommand("Quit", "Stop what runs, to be resumed, and leave (F10)", console.action_leave)
