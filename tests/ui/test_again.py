"""An examination that stopped before its end, because enough was found or a person said so, and is begun again."""

import asyncio
from pathlib import Path

import pytest
from suite import Demo
from textual.pilot import Pilot

from triage.model.event import EndedBy
from triage.session.live_device import DeviceState
from triage.session.view import CaseView
from triage.ui.app import Console
from triage.ui.arrival import unusable
from triage.ui.screens.intake import IntakeScreen
from triage.ui.widgets.field import Choice, Field
from ui.desk import WAIT, press, run, say, settle, shown
from ui.examined import card


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "card.img").write_bytes(card())
    return tmp_path / "card.img"


def desk(folder: Path, demo: Demo) -> Console:
    return Console(folder / "case", actor="sam", library=demo.library, idle=3600.0)


async def until(app: Console, reference: str, *states: DeviceState) -> None:
    for _ in range(int(WAIT / 0.05)):
        if reference in app.devices and app.devices[reference].state in states:
            return
        await asyncio.sleep(0.05)
    raise AssertionError([(device.state, device.problem) for device in app.devices.values()])


def test_enough_found_stops_a_device_and_begun_again_it_goes_to_the_end(
    tmp_path: Path, source: Path, demo: Demo
) -> None:
    app = desk(tmp_path, demo)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f3")
        say(app, examiner="Sam Brown", description="black card", source=str(source), enough="none")
        await press(pilot, "f7")
        assert "Write a whole number" in shown(app)
        say(app, enough="1")
        await press(pilot, "f7", "y")
        await until(app, "SB/1", DeviceState.STOPPED, DeviceState.FINISHED, DeviceState.FAILED)
        assert app.devices["SB/1"].ended_by is EndedBy.ENOUGH_FOUND
        await settle(pilot)
        app.look()
        await settle(pilot)
        assert "enough found: stopped, can be resumed" in shown(app)
        await press(pilot, "b")
        await until(app, "SB/1", DeviceState.FINISHED, DeviceState.FAILED)
        assert app.devices["SB/1"].resumed

    run(app, steps, (120, 40))
    (exhibit,) = CaseView(tmp_path / "case").exhibits()
    assert exhibit["state"] == "finished"


def test_what_an_earlier_visit_began_is_begun_again_with_its_own_depth(
    tmp_path: Path, source: Path, demo: Demo
) -> None:
    first = desk(tmp_path, demo)

    async def begun(pilot: Pilot[None]) -> None:
        await press(pilot, "f3")
        say(first, examiner="Sam Brown", description="black card", source=str(source), enough="1")
        first.screen.query_one("#choice-profile", Choice).value = "full"
        await press(pilot, "f7", "y")
        await until(first, "SB/1", DeviceState.STOPPED)

    run(first, begun)
    again = desk(tmp_path, demo)

    async def resumed(pilot: Pilot[None]) -> None:
        await press(pilot, "b")
        assert isinstance(again.screen, IntakeScreen)
        said = {field.field: field.value for field in again.screen.query(Field)}
        assert said["exhibit"] == "SB/1"
        assert (said["description"], said["source"], said["enough"]) == ("black card", str(source), "")
        assert again.screen.query_one("#choice-profile", Choice).value == "full"
        await press(pilot, "f7", "y")
        await until(again, "SB/1", DeviceState.FINISHED, DeviceState.FAILED)
        assert again.devices["SB/1"].problem == ""
        assert again.devices["SB/1"].resumed

    run(again, resumed)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("", False), ("1", False), ("20", False), ("0", True), ("-1", True), ("x", True), ("²", True), ("9" * 40, True)],
)
def test_what_is_enough_is_a_number_from_one_on(text: str, wrong: bool) -> None:
    assert bool(unusable(text)) is wrong
