"""A whole visit, with real devices and a real case: two exhibits in, examined, quit, opened again."""

import asyncio
from pathlib import Path

import pytest
from images.fat12 import Entry, fat12_disk
from textual.pilot import Pilot

from triage.session.live_device import DeviceState
from triage.ui.app import Console
from triage.ui.widgets.field import Choice, Field
from ui.desk import WAIT, lines, run, settle, shown


@pytest.fixture
def disks(tmp_path: Path) -> list[Path]:
    made = []
    for name, content in (("one.img", b"first"), ("two.img", b"second")):
        (tmp_path / name).write_bytes(fat12_disk([Entry(name=b"NOTES   TXT", clusters=(4,), data=content)]))
        made.append(tmp_path / name)
    return made


def desk(folder: Path) -> Console:
    return Console(folder / "case", actor="sam", library=folder / "library", idle=3600.0)


async def take_in(pilot: Pilot[None], app: Console, source: Path, **said: str) -> None:
    """Fill in the form, and begin."""
    await pilot.press("f3")
    await settle(pilot)
    for name, text in said.items():
        field = app.screen.query_one(f"#field-{name.replace('_', '-')}", Field)
        field.take_focus()
        await pilot.press(*text)
        assert field.value == text
    app.screen.query_one("#field-source", Field).value = str(source)
    app.screen.query_one("#choice-profile", Choice).value = "exact"
    await pilot.press("f7")
    await settle(pilot)


async def until_over(app: Console, count: int) -> None:
    for _ in range(int(WAIT / 0.1)):
        devices = app.devices.values()
        if len(devices) == count and all(device.state.is_over for device in devices):
            return
        await asyncio.sleep(0.1)
    raise AssertionError([device.state for device in app.devices.values()])


def test_two_devices_are_taken_in_examined_and_there_when_the_case_is_opened_again(
    tmp_path: Path, disks: list[Path]
) -> None:
    app = desk(tmp_path)

    async def visit(pilot: Pilot[None]) -> None:
        await take_in(pilot, app, disks[0], examiner="Sam Brown", description="black stick")
        assert "Not stated: operation, authority, premises, seal number" in shown(app)
        await pilot.press("y")
        await settle(pilot)
        assert list(app.devices) == ["SB/1"]
        await take_in(pilot, app, disks[1], description="white stick", seal="S2")
        await pilot.press("y")
        await settle(pilot)
        assert list(app.devices) == ["SB/1", "SB/2"]  # the next number was proposed, the examiner kept
        await until_over(app, 2)
        assert [(device.state, device.problem) for device in app.devices.values()] == [(DeviceState.FINISHED, "")] * 2
        await pilot.press("f10", "y")
        await settle(pilot)

    run(app, visit, (120, 40))
    again = desk(tmp_path)

    async def reopened(pilot: Pilot[None]) -> None:
        await settle(pilot)
        text = shown(again)
        assert "SB/1" in text
        assert "white stick" in text
        assert text.count("examined to the end") == 2
        assert "not decided yet" in text
        await pilot.press("f5")
        await settle(pilot)
        assert "examination.finished" in shown(again)
        await pilot.press("v")
        await settle(pilot)
        assert "Every event is the one that was recorded" in shown(again)

    run(again, reopened, (120, 40))


def test_what_is_wrong_in_the_form_is_said_at_its_field_and_nothing_is_recorded(tmp_path: Path) -> None:
    app = desk(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f3")
        await settle(pilot)
        app.screen.query_one("#field-exhibit", Field).value = "stick"
        app.screen.query_one("#field-examiner", Field).value = "Sam Brown"
        app.screen.query_one("#field-description", Field).value = "black"
        await pilot.press("f7")
        await settle(pilot)
        assert "stick is no reference: write initials in capitals and a number" in shown(app)
        assert app.focused is not None
        assert app.focused.parent is not None
        assert app.focused.parent.parent is app.screen.query_one("#field-exhibit")
        app.screen.query_one("#field-exhibit", Field).value = "SB/1"
        await pilot.press("f7")
        await settle(pilot)
        assert "name the image or device to examine" in shown(app)
        assert not (tmp_path / "case").exists()

    run(app, steps, (120, 40))


def test_what_was_typed_is_there_after_a_look_elsewhere(tmp_path: Path) -> None:
    app = desk(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f3", *"Lantern", "tab", *"warrant")
        await settle(pilot)
        await pilot.press("f4", "f2", "f3")
        await settle(pilot)
        fields = [app.screen.query_one(f"#field-{name}", Field).value for name in ("operation", "authority")]
        assert fields == ["Lantern", "warrant"]

    run(app, steps)


def test_a_source_that_is_not_there_is_told_on_its_card(tmp_path: Path) -> None:
    app = desk(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        await take_in(pilot, app, tmp_path / "absent.img", examiner="Sam Brown", description="stick")
        await pilot.press("y")
        await settle(pilot)
        await until_over(app, 1)
        app.look()
        await settle(pilot)
        assert "! failed" in lines(app)[2]
        assert "absent.img does not exist" in " ".join(shown(app).split())

    run(app, steps, (120, 40))
