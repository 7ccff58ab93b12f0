"""The form of an arrival: nothing that was said of one exhibit, or read from one device, is recorded for another."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from triage.session import devices, intake
from triage.session.devices import PickableDevice
from triage.session.intake import Received, receive
from triage.ui.app import Console
from triage.ui.screens.board import BoardScreen
from triage.ui.screens.intake import IntakeScreen
from triage.ui.widgets.field import Choice, Field
from ui.desk import Held, console, press, run, run_on, said, say, settle, shown


def stick(name: str, *, read_only: bool) -> PickableDevice:
    """Return a device as the system shows it."""
    return PickableDevice(
        path=Path("/dev") / name, size=1 << 30, make=f"Maker {name}", model=f"Model {name}", serial=f"SERIAL-{name}",
        read_only=read_only, removable=True, mounted=(),
    )  # fmt: skip


BLOCKED, WRITABLE = stick("synthetic1", read_only=True), stick("synthetic2", read_only=False)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Make a case with a phone of which little is said and a laptop of which all is said."""
    receive(tmp_path / "case", Received(exhibit="AB/1", description="phone", examiner="A B"))
    said_of = {"seal": "S-3", "found_where": "kitchen", "operation": "Lantern", "write_block": "hardware"}
    receive(tmp_path / "case", Received(exhibit="AB/3", description="laptop", examiner="A B", **said_of))
    return tmp_path / "case"


@pytest.fixture(autouse=True)
def _devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have two devices connected to this machine."""
    monkeypatch.setattr(devices, "pickable_devices", lambda: [BLOCKED, WRITABLE])


async def pick(pilot: Pilot[None], place: int) -> None:
    offered = pilot.app.screen.query_one(OptionList)
    offered.focus()
    offered.highlighted = place
    await press(pilot, "enter")


def from_device(app: Console) -> dict[str, str]:
    """Return what the form says of the device."""
    names = ("source", "make", "model", "serial", "write_block")
    return {name: text for name, text in said(app).items() if name in names}


def of(device: PickableDevice) -> dict[str, str]:
    block = {"write_block": "system"} if device.read_only else {}
    about = {"make": device.make, "model": device.model, "serial": device.serial}
    return {"source": str(device.path), **about, **block}


def test_an_exhibit_that_is_begun_again_has_nothing_of_what_was_typed_for_another(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f3")
        await pick(pilot, 0)
        say(app, seal="S-9", operation="Other", enough="3")
        app.screen.query_one("#choice-profile", Choice).value = "full"
        await press(pilot, "escape")
        app.open_intake("AB/1")
        await settle(pilot)
        assert isinstance(app.screen, IntakeScreen)
        assert said(app) == {"exhibit": "AB/1", "description": "phone", "examiner": "A B", "profile": "scene"}
        app.open_intake("AB/3")
        await settle(pilot)
        assert said(app)["exhibit"] == "AB/3"
        assert said(app)["seal"] == "S-3"
        assert said(app)["write_block"] == "hardware"

    run(app, steps, (120, 60))


def test_only_the_exhibit_that_is_begun_again_may_have_a_reference_that_is_taken(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        app.open_intake("AB/1")
        await settle(pilot)
        await press(pilot, "ctrl+r")
        assert "Record it so?" in shown(app)
        await press(pilot, "escape")
        say(app, exhibit="AB/3")
        await press(pilot, "ctrl+r")
        assert isinstance(app.screen, IntakeScreen)
        assert app.screen.query_one("#field-exhibit", Field).has_class("-wrong")
        await press(pilot, "escape", "f3")
        assert said(app)["exhibit"] == "AB/4"  # what was to be begun again is given up
        say(app, exhibit="AB/1", description="another phone")
        await press(pilot, "ctrl+r")
        assert app.screen.query_one("#field-exhibit", Field).has_class("-wrong")

    run(app, steps, (120, 60))


def test_another_device_that_is_picked_takes_the_place_of_the_first_with_all_that_came_from_it(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await pick(pilot, 0)
        assert from_device(app) == of(BLOCKED)
        await pick(pilot, 1)
        assert from_device(app) == of(WRITABLE)
        await pick(pilot, 0)
        assert from_device(app) == of(BLOCKED)
        app.screen.query_one("#field-source Input", Input).value = "/evidence/other.img"
        await settle(pilot)
        assert from_device(app) == {"source": "/evidence/other.img"}

    run_on(app, lambda: app.action_place("intake"), IntakeScreen, steps, (120, 60))


def test_what_a_person_said_of_a_device_stays_when_it_is_picked(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        say(app, serial="as on the label")
        app.screen.query_one("#choice-write-block", Choice).value = "hardware"
        own = {"serial": "as on the label", "write_block": "hardware"}
        for place, device in enumerate((BLOCKED, WRITABLE)):
            await pick(pilot, place)
            assert from_device(app) == {**of(device), **own}

    run_on(app, lambda: app.action_place("intake"), IntakeScreen, steps, (120, 60))


def test_what_is_recorded_and_begun_is_what_stood_in_the_form_at_the_key(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(intake.receive)
    monkeypatch.setattr(intake, "receive", held)
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        say(app, exhibit="AB/5", description="stick", source="/evidence/five.img")
        await pilot.press("f7", "y")
        await held.called()
        say(app, exhibit="AB/6", source="/evidence/six.img")
        await held.let_go(pilot)
        assert isinstance(app.screen, BoardScreen)
        assert [one.order.source for one in app.devices.values()] == [Path("/evidence/five.img")]
        assert list(app.devices) == ["AB/5"]

    run_on(app, lambda: app.action_place("intake"), IntakeScreen, steps, (120, 60))
