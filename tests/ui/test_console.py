import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from triage.session.live_device import DeviceState
from triage.session.pin import Pin
from triage.ui.screens.help import HelpScreen
from triage.ui.screens.lock import LockScreen
from ui.desk import SIZES, as_console, console, device, lines, progress, run, settle, shown
from ui.snapshots import matches_snapshot

SECRET = "83517294"
FUNCTION_KEYS = "F1 Help  F2 Board  F3 Intake  F4 Sets  F5 Ledger  F6 Test  F9 Lock  F10 Quit"


@pytest.mark.parametrize("size", SIZES)
def test_every_place_opens_by_its_function_key_and_says_what_its_keys_do(tmp_path: Path, size: tuple[int, int]) -> None:
    app = console(tmp_path / "case", device(tmp_path, "AB/1", DeviceState.RUNNING, progress=progress(0.5)))
    places = {"f3": "Intake", "f4": "Hash sets", "f5": "Ledger", "f6": "Self-test", "f2": "Board"}

    async def steps(pilot: Pilot[None]) -> None:
        for key, title in places.items():
            await pilot.press(key)
            await settle(pilot)
            rows = lines(app)
            assert rows[0].startswith(f" DigiVan triage  {title}")
            assert rows[-1].strip() == FUNCTION_KEYS
            assert "no PIN, never locks: F9" in rows[0]
            assert ("Esc Back" in " ".join(rows[-3:])) is (key != "f2")
            assert {len(row) for row in rows} == {size[0]}

    run(app, steps, size)


def test_help_tells_of_the_screen_below_and_every_key_of_it(tmp_path: Path) -> None:
    app = console(tmp_path / "case", device(tmp_path, "AB/1", DeviceState.RUNNING))

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        text = shown(app)
        assert "Help: Board" in text
        for words in ("Pause", "Decide", "Sooner", "Quit", "Lock"):
            assert words in " ".join(row.plain for row in app.screen._keys)
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)

    run(app, steps, (120, 40))


def test_quitting_asks_and_a_no_leaves_everything_running(tmp_path: Path) -> None:
    running = device(tmp_path, "AB/1", DeviceState.RUNNING)
    app = console(tmp_path / "case", running)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f10")
        assert "1 examination will be stopped and concluded" in shown(app)
        await pilot.press("escape")
        assert running.state is DeviceState.RUNNING
        assert app.is_running

    run(app, steps)


def test_quitting_waits_until_every_run_put_its_work_in_order(tmp_path: Path) -> None:
    running = device(tmp_path, "AB/1", DeviceState.RUNNING)
    app = console(tmp_path / "case", running)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+q", "y")
        await pilot.pause()
        assert running.state is DeviceState.STOPPING
        assert "1 examination put their work in order" in shown(app)
        assert app._exit is False
        running.state = DeviceState.STOPPED
        await asyncio.sleep(0.4)
        assert app._exit is True

    run(app, steps)


def test_a_locked_console_shows_nothing_and_does_nothing_until_the_pin_is_given(tmp_path: Path) -> None:
    Pin("sam").set(SECRET)
    running = device(tmp_path, "AB/1", DeviceState.RUNNING)
    app = console(tmp_path / "case", running)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await settle(pilot)
        assert app.locked
        assert "1 examination going on" in shown(app)
        assert "AB/1" not in shown(app)
        await pilot.press("f2", "f10", "ctrl+q", "ctrl+p", "escape", "p", "s", "f1")
        await settle(pilot)
        assert isinstance(app.screen, LockScreen)
        assert running.state is DeviceState.RUNNING
        await pilot.press("backspace", "backspace", "backspace", *"0000", "enter")
        await settle(pilot)
        assert app.locked
        assert "not the PIN" in shown(app)

    run(app, steps)


def test_the_right_pin_opens_what_was_there(tmp_path: Path) -> None:
    Pin("sam").set(SECRET)
    app = console(tmp_path / "case", device(tmp_path, "AB/1", DeviceState.RUNNING))

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f9", *SECRET, "enter")
        await settle(pilot)
        assert not app.locked
        assert "AB/1" in shown(app)

    run(app, steps)


def test_who_has_no_pin_sets_one_before_the_console_locks(tmp_path: Path) -> None:
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f9", *SECRET, "enter", *SECRET, "enter")
        await settle(pilot)
        assert app.locked
        await pilot.press(*SECRET, "enter")
        await settle(pilot)
        assert "DigiVan triage" in lines(app)[0]
        assert "no PIN" not in lines(app)[0]

    run(app, steps)


def test_idle_time_locks_where_there_is_a_pin_and_a_key_counts_as_somebody_there(tmp_path: Path) -> None:
    app = console(tmp_path / "case", idle=60.0)

    async def steps(pilot: Pilot[None]) -> None:
        app._touched -= 61
        app.look()
        await pilot.pause()
        assert not app.locked  # nobody could open it again
        await asyncio.to_thread(Pin("sam").set, SECRET)
        app._touched -= 61
        await pilot.press("right")
        app.look()
        await pilot.pause()
        assert not app.locked
        app._touched -= 61
        app.look()
        await pilot.pause()
        assert app.locked

    run(app, steps)


def test_the_palette_finds_a_device_and_acts_on_it(tmp_path: Path) -> None:
    running = device(tmp_path, "AB/1", DeviceState.RUNNING)
    app = console(tmp_path / "case", running, device(tmp_path, "AB/[red]2", DeviceState.RUNNING))

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+p", *"pause", "space", *"red")
        await settle(pilot)
        await asyncio.sleep(0.3)
        assert "Pause AB/[red]2" in shown(app), shown(app)
        await pilot.press(*["backspace"] * 3, *"ab1")
        await settle(pilot)
        await asyncio.sleep(0.3)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert running.state is DeviceState.PAUSED

    run(app, steps, (120, 40))


@pytest.mark.parametrize("size", SIZES)
def test_help_and_questions_look_as_they_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(Path("case"), device(tmp_path, "AB/1", DeviceState.RUNNING, progress=progress(0.5)))

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("f1")
        await settle(pilot)
        assert matches_snapshot(as_console(pilot), f"help-{size[0]}x{size[1]}")
        await pilot.press("escape", "f10")
        await settle(pilot)
        assert matches_snapshot(as_console(pilot), f"quit-{size[0]}x{size[1]}")

    run(app, steps, size)
