"""The lock: nothing of the case is seen behind it, and nothing but the PIN opens it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic.concluded import concluded
from textual.pilot import Pilot

from triage.model.errors import UsageError
from triage.session import intake
from triage.session.live_device import DeviceState
from triage.session.pin import Pin
from triage.session.view import CaseView
from triage.ui.app import Console
from triage.ui.screens import decision
from triage.ui.screens.board import BoardScreen
from triage.ui.screens.decision import DecisionScreen
from triage.ui.screens.intake import IntakeScreen
from triage.ui.screens.lock import LockScreen
from triage.ui.widgets.field import Choice
from ui.desk import Held, bounce, console, device, lines, painted, press, run, said, say, settle, shown

SECRET = "83517294"


async def unlock(pilot: Pilot[None]) -> None:
    await press(pilot, *SECRET, "enter")


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


def test_enter_that_bounces_is_one_try(tmp_path: Path) -> None:
    Pin("sam").set(SECRET)
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f9", *SECRET)
        await bounce(pilot)
        assert isinstance(app.screen, BoardScreen)

    run(app, steps)
    assert Pin("sam")._read()["wrong"] == 0


def test_a_pin_that_is_set_with_a_key_that_bounces_is_set_and_locks_once(tmp_path: Path) -> None:
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f9", *SECRET, "enter", *SECRET)
        await bounce(pilot)
        assert [type(one) for one in app.screen_stack] == [BoardScreen, LockScreen]

    run(app, steps)


def test_an_arrival_that_is_recorded_behind_the_lock_does_not_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pin("sam").set(SECRET)
    held = Held(intake.receive)
    monkeypatch.setattr(intake, "receive", held)
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f3")
        say(app, exhibit="AB/1", examiner="A B", description="stick")
        await pilot.press("ctrl+r", "y")
        await held.called()
        await pilot.press("f9")
        await held.let_go(pilot)
        assert isinstance(app.screen, LockScreen)
        assert "AB/1" not in shown(app)
        await unlock(pilot)
        assert isinstance(app.screen, IntakeScreen)
        assert said(app)["exhibit"] == "AB/2"  # the form is ready for the next one

    run(app, steps, (120, 40))
    assert [row["reference"] for row in CaseView(tmp_path / "case").exhibits()] == ["AB/1"]


def test_a_decision_that_is_recorded_behind_the_lock_does_not_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pin("sam").set(SECRET)
    held = Held(decision._recorded)
    monkeypatch.setattr(decision, "_recorded", held)
    case = concluded(tmp_path / "case")
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        app.open_decision("A/1")
        await painted(pilot)
        app.screen.query_one(Choice).value = "return"
        say(app, reason="nothing found")
        await pilot.press("ctrl+a", "f7")
        await held.called()
        await pilot.press("f9")
        await held.let_go(pilot)
        assert isinstance(app.screen, LockScreen)
        await unlock(pilot)
        assert isinstance(app.screen, DecisionScreen)
        assert "Decision 1 is in force: RETURN by sam" in shown(app)

    run(app, steps, (120, 40))
    assert len(CaseView(case).decisions("A/1")) == 1


def test_no_message_is_seen_over_the_lock(tmp_path: Path) -> None:
    Pin("sam").set(SECRET)
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        app.notify("AB/7 is recorded.")
        await painted(pilot)
        assert "AB/7 is recorded." in shown(app)
        await press(pilot, "f9")
        app.tell_problem(UsageError("AB/8 is in trouble"))
        await painted(pilot)
        assert "Locked" in shown(app)
        assert "AB/" not in shown(app)
        await unlock(pilot)
        assert "AB/8 is in trouble" in shown(app)

    run(app, steps)


def locked_by_hand(app: Console) -> None:
    app.action_lock()


def locked_as_nobody_is_there(app: Console) -> None:
    app.lock_if_possible()


@pytest.mark.parametrize("lock", [locked_by_hand, locked_as_nobody_is_there])
def test_a_pin_that_cannot_be_read_is_told_and_the_console_goes_on(
    tmp_path: Path, lock: Callable[[Console], None]
) -> None:
    pin = Pin("sam")
    pin.set(SECRET)
    pin._file.write_text("{")
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        app.clear_notifications()
        lock(app)
        await painted(pilot)
        assert isinstance(app.screen, BoardScreen)
        assert ["holds no PIN" in one.message for one in app._notifications] == [True]
        assert "no PIN" in lines(app)[0]

    run(app, steps)


def test_a_pin_that_is_damaged_behind_the_lock_is_told_at_its_field(tmp_path: Path) -> None:
    pin = Pin("sam")
    pin.set(SECRET)
    app = console(tmp_path / "case")

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "f9")
        pin._file.write_text("{")
        await unlock(pilot)
        assert app.locked
        assert "holds no PIN" in " ".join(shown(app).split())

    run(app, steps)
