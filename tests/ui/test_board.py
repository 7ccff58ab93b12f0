from pathlib import Path

import pytest
from synthetic.concluded import concluded
from textual.pilot import Pilot

from triage.model.coverage import CoverageClass
from triage.model.errors import StoreError
from triage.model.finding import MatchBy
from triage.session.live_device import DeviceState, LiveDevice
from triage.session.view import CaseView
from triage.ui.cards import legend, rows
from triage.ui.recorded import Recorded
from triage.ui.screens.board import BoardScreen
from triage.ui.screens.device import DeviceScreen
from triage.ui.widgets.card import DeviceCard
from ui.desk import SIZES, console, device, lines, painted, progress, run, shown
from ui.snapshots import matches_snapshot


def eight(case: Path) -> list[LiveDevice]:
    """Return a device in every state that a person meets."""
    running = device(case, "AB/1", DeviceState.RUNNING, progress=progress(0.42))
    running.counts["trusted", "A"] = 3
    running.troubles_by_code["unreadable"] = 2
    return [
        running,
        device(case, "AB/2", DeviceState.PAUSED, progress=progress(0.7)),
        device(case, "AB/3", DeviceState.GONE, progress=progress(0.1)),
        device(case, "AB/4", DeviceState.FINISHED),
        device(case, "AB/5", DeviceState.FAILED, problem="absent.img does not exist; check the path"),
        device(case, "AB/6", DeviceState.STARTING),
        device(case, "AB/7", DeviceState.STOPPED),
        device(case, "AB/8", DeviceState.STOPPING, urgency=-1),
    ]


@pytest.mark.parametrize("size", SIZES)
def test_eight_devices_are_seen_at_once_with_their_states_in_words(tmp_path: Path, size: tuple[int, int]) -> None:
    app = console(tmp_path / "case", *eight(tmp_path))

    async def steps(_: Pilot[None]) -> None:
        cards = list(app.screen.query(DeviceCard))
        text = shown(app)
        words = "running", "paused", "device gone", "examined to the end", "failed", "starting", "stopped", "stopping"
        assert [card.reference for card in cards] == [f"AB/{number}" for number in range(1, 9)]
        assert all(app.screen.region.contains_region(card.region) for card in cards)
        assert all(word in text for word in words)
        assert "3 findings" in text
        assert "! AB/3: device gone" in lines(app)[1]
        assert {len(line) for line in lines(app)} == {size[0]}

    run(app, steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_the_board_looks_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(Path("case"), *eight(tmp_path))

    async def steps(_: Pilot[None]) -> None:
        assert matches_snapshot(app, f"board-{size[0]}x{size[1]}")

    run(app, steps, size)


def test_no_device_is_told_in_words_with_the_next_step(tmp_path: Path) -> None:
    app = console(tmp_path / "case")

    async def steps(_: Pilot[None]) -> None:
        assert "No device yet." in shown(app)
        assert "Pause" not in lines(app)[-2]

    run(app, steps)


def test_keys_act_on_the_card_with_the_focus_and_only_those_that_make_sense_are_offered(tmp_path: Path) -> None:
    first, second, *_ = eight(tmp_path)
    app = console(tmp_path / "case", first, second)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        assert first.state is DeviceState.PAUSED
        await pilot.pause()
        assert "p Resume" in lines(app)[-2]
        await pilot.press("p", "right", "p")
        assert (first.state, second.state) == (DeviceState.RUNNING, DeviceState.RUNNING)
        await pilot.press("minus")
        assert (first.urgency, second.urgency) == (0, -1)
        await pilot.press("plus")
        assert second.urgency == 0

    run(app, steps)


def test_stopping_asks_and_goes_on_where_the_answer_is_no(tmp_path: Path) -> None:
    first = eight(tmp_path)[0]
    app = console(tmp_path / "case", first)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("s")
        assert "Stop this examination?" in shown(app)
        await pilot.press("enter")  # the focus is on the harmless answer
        assert first.state == "running"
        await pilot.press("s", "y")
        assert first.state == "stopping"

    run(app, steps)


def test_what_is_over_can_be_begun_again_but_not_paused(tmp_path: Path) -> None:
    stopped = device(tmp_path, "AB/7", DeviceState.STOPPED)
    app = console(tmp_path / "case", stopped)

    async def steps(pilot: Pilot[None]) -> None:
        assert "b Begin again" in lines(app)[-2]
        assert "Pause" not in lines(app)[-2]
        await pilot.press("p")
        assert stopped.state is DeviceState.STOPPED

    run(app, steps)


def test_a_bell_rings_when_a_device_goes_or_ends_and_once_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = eight(tmp_path)[0]
    app = console(tmp_path / "case", first)
    rung: list[str] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(first.state.value))

    async def steps(_: Pilot[None]) -> None:
        for state in (DeviceState.RUNNING, DeviceState.GONE, DeviceState.GONE, DeviceState.RUNNING):
            first.state = state
            app.look()
        first.state = DeviceState.FINISHED
        app.look()
        app.look()

    run(app, steps)
    assert rung == ["gone", "finished"]


def test_hostile_words_in_a_problem_do_no_harm_on_a_card(tmp_path: Path) -> None:
    name = "\x1b[2J\u202e[red]" + "\n" * 5 + "x" * 4000
    app = console(tmp_path / "case", device(tmp_path, "AB/5", DeviceState.FAILED, problem=name))

    async def steps(_: Pilot[None]) -> None:
        text = shown(app)
        assert "\\x1b[2J\\u202e[red]\\x0a" in text
        assert not set(text) & {"\x1b", "\u202e"}
        assert {len(line) for line in lines(app)} == {80}

    run(app, steps)


def test_little_is_never_called_nothing_and_all_but_a_little_never_all() -> None:
    shares = " ".join(legend({CoverageClass.EXAMINED: 999_999, CoverageClass.ENCRYPTED: 1}))
    assert "looked at >99.9%" in shares
    assert "closed to us <0.1%" in shares
    assert "not looked at 0.0%" in shares


@pytest.mark.parametrize(
    ("coverage", "bar"),
    [
        ({CoverageClass.EXAMINED: 1, CoverageClass.NOT_EXAMINED: 999}, "\u2588" + "\u2591" * 31),
        ({CoverageClass.EXAMINED: 999, CoverageClass.ENCRYPTED: 1}, "\u2588" * 31 + "\u2592"),
        ({CoverageClass.EXAMINED: 5}, "\u2588" * 32),
    ],
)
def test_in_the_bar_of_a_card_a_little_is_seen(coverage: dict[CoverageClass, int], bar: str) -> None:
    (_, drawn, *_) = rows(None, Recorded(coverage={kind.value: count for kind, count in coverage.items()}), 80, 12)
    assert drawn.plain.split(" ")[0] == bar


def test_what_devices_and_persons_state_reaches_a_card_as_text() -> None:
    harm = "\x1b]0;PWNED\x07\x9b2J\u202egpj\n" + "n" * 4000
    received = {"description": harm, "make": harm, "serial": harm, "write_block": harm}
    told = "".join(row.plain for row in rows(None, Recorded(row={"received": received}), 80, 12))
    assert "PWNED" in told
    assert told.isprintable()


def test_what_was_read_of_a_case_stays_when_it_cannot_be_read_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = concluded(tmp_path / "case", MatchBy.SHA256)
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "1 finding" in shown(app)
        for screen in (BoardScreen, DeviceScreen):
            assert isinstance(app.screen, screen)
            with monkeypatch.context() as damaged:
                damaged.setattr(CaseView, "exhibits", _unreadable)
                app.screen._read_at = 0.0
                for _ in range(2):  # it stays while nothing changes
                    app.look()
                    await painted(pilot)
                assert "the disk does not answer" in shown(app)
                assert "1 finding" in shown(app)
                assert "examined to the end" in shown(app)
            app.open_device("A/1")
            await painted(pilot)
        monkeypatch.setattr(CaseView, "exhibits", _unreadable)
        app.open_device("A/1")
        await painted(pilot)
        assert "the disk does not answer" in shown(app)
        assert "? not known yet" in shown(app)

    run(app, steps, (120, 40))


def _unreadable(*_: object) -> None:
    raise StoreError("the disk does not answer")


def test_what_nobody_looked_at_is_not_called_without_findings(tmp_path: Path) -> None:
    failed = device(tmp_path, "AB/2", DeviceState.FAILED, problem="absent.img does not exist")
    looked_at = Recorded(row={"state": "finished"}, coverage={"examined": 1})
    assert findings_of(None, Recorded()) == "findings not known yet"
    assert findings_of(None, Recorded(row={"state": None})) == "not looked at yet"
    assert findings_of(failed, Recorded()) == "no findings recorded"
    assert findings_of(None, looked_at) == "no findings in what was looked at"
    assert findings_of(device(tmp_path, "AB/3", DeviceState.RUNNING), Recorded()) == "no findings so far"


def findings_of(live: LiveDevice | None, recorded: Recorded) -> str:
    return rows(live, recorded, 60, 8)[2].plain
