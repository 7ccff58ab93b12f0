"""What a key does stands on the screen: at the foot what acts here, in the help everything."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from triage.session.live_device import DeviceState
from triage.ui.app import Console
from triage.ui.screens.documents import DocumentsScreen
from triage.ui.screens.help import HelpScreen
from triage.ui.screens.intake import IntakeScreen
from ui.desk import console, device, lines, progress, run, settle
from ui.examined import REFERENCE

# They move a cursor or turn a page, as anywhere; or stand elsewhere on the screen: panes in their strip, F1 for "?".
SELF_EVIDENT = {
    "up", "down", "left", "right", "j", "k", "tab", "shift+tab", "home", "end", "pageup", "pagedown", "ctrl+home",
    "ctrl+end", "ctrl+pageup", "ctrl+pagedown", "question_mark", *"12345678",
}  # fmt: skip
EVERYWHERE = {"f8", "ctrl+p"}  # in the help and in the document of the console
Go = Callable[[Console, Pilot[None]], Awaitable[None]]


def pressing(*keys: str) -> Go:
    async def go(_: Console, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)

    return go


def device_and(*keys: str) -> Go:
    async def go(app: Console, pilot: Pilot[None]) -> None:
        app.open_device(REFERENCE)
        await pilot.pause()
        await settle(pilot)
        await pilot.press(*keys)

    return go


async def a_finding(app: Console, _: Pilot[None]) -> None:
    app.open_finding(1)


async def the_decision(app: Console, _: Pilot[None]) -> None:
    app.open_decision(REFERENCE)


async def the_documents(app: Console, _: Pilot[None]) -> None:
    app.push_screen(DocumentsScreen(app.view, REFERENCE))


async def devices_of_the_form(app: Console, pilot: Pilot[None]) -> None:
    await pilot.press("f3")
    await settle(pilot)
    assert isinstance(app.screen, IntakeScreen)
    app.screen.query_one(OptionList).focus()


SCREENS: dict[str, Go] = {
    "board": pressing("f2"),
    "intake": pressing("f3"),
    "devices of the form": devices_of_the_form,
    "sets": pressing("f4"),
    "ledger": pressing("f5"),
    "self-test": pressing("f6"),
    **{f"pane {number} of a device": device_and(number) for number in "12345678"},
    "finding": a_finding,
    "decision": the_decision,
    "documents": the_documents,
}


def acting(app: Console) -> dict[str, set[str]]:
    """Return by action what a key row can say of it; of what is typed into a line, and of Enter where nothing opens,
    there is nothing to say.
    """
    said: dict[str, set[str]] = {}
    for key, active in app.screen.active_bindings.items():
        words = active.binding.description
        typed = isinstance(active.node, Input) or key in SELF_EVIDENT | EVERYWHERE
        if active.enabled and words and words != "Select" and not typed:
            said.setdefault(active.binding.action, set()).add(f"{app.get_key_display(active.binding)} {words}")
    return said


@pytest.mark.parametrize("screen", SCREENS)
def test_the_key_rows_name_what_every_key_does_at_80_columns(case: Path, screen: str) -> None:
    running = device(case, REFERENCE, DeviceState.RUNNING, progress=progress(0.5))
    app = console(case, running)

    async def steps(pilot: Pilot[None]) -> None:
        await SCREENS[screen](app, pilot)
        await pilot.pause()
        await settle(pilot)
        await pilot.pause()
        foot, wanted = " ".join(" ".join(lines(app)[-4:]).split()), acting(app)
        assert len(wanted) > 8
        assert {action: said for action, said in wanted.items() if not any(one in foot for one in said)} == {}
        below = app.screen
        await pilot.press("f1")
        assert isinstance(app.screen, HelpScreen)
        told, words = "\n".join(row.plain for row in app.screen._keys) + "\n", below.active_bindings.values()
        assert all(f" {active.binding.description}\n" in told for active in words if active.binding.description)

    run(app, steps)
