import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from triage.session.live_device import DeviceState
from triage.ui.screens.help import HelpScreen
from triage.ui.screens.judging import Judging
from triage.ui.screens.leaving import Leaving
from triage.ui.screens.ledger import LedgerScreen
from triage.ui.screens.question import Question
from ui.desk import SIZES, as_console, bounce, console, device, lines, painted, press, progress, run, settle, shown
from ui.snapshots import matches_snapshot

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


def test_nothing_gets_in_between_once_the_console_is_told_to_quit(tmp_path: Path) -> None:
    running = device(tmp_path, "AB/1", DeviceState.RUNNING)
    app = console(tmp_path / "case", running)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f10", "y")
        for key in ("ctrl+p", "f2", "escape", "f9"):
            await press(pilot, key)
            assert isinstance(app.screen, Leaving)
        running.state = DeviceState.STOPPED
        await asyncio.sleep(0.4)
        assert app._exit is True

    run(app, steps)


def test_an_answer_that_bounces_is_given_once(tmp_path: Path) -> None:
    app, answers = console(tmp_path / "case", device(tmp_path, "AB/1", DeviceState.RUNNING)), list[object]()

    async def steps(pilot: Pilot[None]) -> None:
        for box in (Question("Stop?", "It runs.", yes="Stop", no="Go on"), Judging("Confirm", "Finding 1", "sam")):
            await press(pilot, "f5")
            app.push_screen(box, answers.append)
            await painted(pilot)
            await bounce(pilot)
            assert isinstance(app.screen, LedgerScreen)

    run(app, steps)
    assert answers == [False, ("sam", None)]


def test_a_case_that_is_a_file_is_told_and_the_console_goes_on(tmp_path: Path) -> None:
    (tmp_path / "case").write_text("no folder")
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        assert "cannot be read: Not a directory; name another with --case" in " ".join(shown(app).split())
        for key in ("f3", "f4", "f5", "f6", "f2"):
            await press(pilot, key)
        assert app.is_running

    run(app, steps, (120, 40))


def test_a_library_that_cannot_be_read_is_not_called_empty(tmp_path: Path) -> None:
    app = console(tmp_path / "case")
    app.library = tmp_path / "library"
    app.library.write_text("no folder")

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f4")
        assert "! " in lines(app)[1]
        assert "nothing can match" not in shown(app)

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
