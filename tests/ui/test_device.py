from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from synthetic.concluded import concluded
from textual.pilot import Pilot
from textual.widgets import DataTable

from triage.model.blocks import BlockStratum
from triage.model.coverage import Coverage, CoverageClass
from triage.model.finding import MatchBy
from triage.session.live_device import DeviceState
from triage.session.view import FindingState, Sort
from triage.store.case import Case
from triage.ui.app import Console
from triage.ui.bound import shrinking
from triage.ui.screens.device import DeviceScreen
from triage.ui.screens.review import ReviewScreen
from triage.ui.widgets.findings_pane import FindingsPane
from triage.ui.widgets.paged import PAGE, PagedTable
from ui.desk import SIZES, console, device, lines, painted, press, progress, run_on, shown
from ui.examined import HOSTILE, REFERENCE, SAMPLE

Steps = Callable[[Pilot[None]], Awaitable[None]]
PANES = ("Findings", "Coverage", "Not looked at", "Trouble", "Volumes", "Hints", "Sample", "Timeline")


def opened(app: Console, steps: Steps, size: tuple[int, int] = (80, 24), reference: str = REFERENCE) -> None:
    """Run these steps on the screen of a device."""

    run_on(app, lambda: app.open_device(reference), DeviceScreen, steps, size)


def table(app: Console) -> PagedTable:
    return app.screen.query_one("#table-findings", PagedTable)


@pytest.mark.parametrize("size", SIZES)
def test_every_pane_opens_by_its_figure_and_fits(case: Path, size: tuple[int, int]) -> None:
    app = console(case)
    words = (
        "IMG_0001.JPG",
        "free space, not looked at",
        "examined",
        "No trouble",
        "fat16",
        "hint",
        "250,000 blocks",
        "examination.finished",
    )

    async def steps(pilot: Pilot[None]) -> None:
        for number, said in enumerate(words, 1):
            await press(pilot, str(number))
            if number == 7:
                await press(pilot, "end")
            assert said in shown(app).replace("\n", " "), number
            assert {len(line) for line in lines(app)} == {size[0]}
        await press(pilot, "left")
        assert "[7 " in shown(app)
        await press(pilot, "right", "right")
        assert "[1 Findings]" in shown(app)

    opened(app, steps, size)


def test_findings_are_sorted_turned_round_narrowed_and_searched(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        pane = app.screen.query_one(FindingsPane)
        assert [row["id"] for row in table(app).rows_shown] == [1, 2, 3, 4]
        await press(pilot, "r")
        assert [row["id"] for row in table(app).rows_shown] == [4, 3, 2, 1]
        await press(pilot, "r", *["o"] * 6)
        paths = [row["path"] for row in table(app).rows_shown]
        assert (pane.sort, paths) == (Sort.PATH, sorted(paths))
        await press(pilot, "t", "t")
        assert pane.wanted.state is FindingState.CANDIDATE
        assert [row["match"] for row in table(app).rows_shown] == ["pdq"]
        assert "state candidate only" in shown(app)
        await press(pilot, "t", "t", "t", "slash", *"0003", "enter")
        assert [row["path"] for row in table(app).rows_shown] == ["DCIM/101SYNTH/IMG_0003.JPG"]
        assert "1 finding, rows 1 to 1" in shown(app)
        await press(pilot, "slash", "escape")
        assert table(app).total == 4

    opened(app, steps)


def test_the_cursor_goes_on_from_page_to_page_and_only_one_page_is_held(tmp_path: Path) -> None:
    many = 2 * PAGE + 30
    case = concluded(tmp_path / "case", *[MatchBy.PDQ] * many, files=many)
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "end")
        assert (table(app).offset_shown, table(app).total, len(table(app).rows_shown)) == (many - PAGE, many, PAGE)
        assert table(app).row_in_hand is table(app).rows_shown[-1]
        await press(pilot, "home")
        table(app).move_cursor(row=PAGE - 1)
        await press(pilot, "down")
        assert (table(app).offset_shown, table(app).cursor_row, table(app).row_count) == (PAGE, 0, PAGE)
        await press(pilot, "up")
        assert (table(app).offset_shown, table(app).cursor_row) == (0, PAGE - 1)

    opened(app, steps, reference="A/1")


def test_enter_opens_the_finding_and_f7_the_decision(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, ReviewScreen)
        assert app.screen.number == 2
        await press(pilot, "escape", "f7")
        assert "Decision on ABC/1" in lines(app)[0]

    opened(app, steps)


def test_a_running_device_is_paused_resumed_put_behind_and_stopped_after_a_question(case: Path) -> None:
    running = device(case, REFERENCE, DeviceState.RUNNING, progress=progress(0.4))
    app = console(case, running)

    async def steps(pilot: Pilot[None]) -> None:
        assert "running" in lines(app)[1]
        await press(pilot, "p")
        assert running.state is DeviceState.PAUSED
        assert "p Resume" in shown(app)
        await press(pilot, "p", "minus", "s")
        assert (running.state, running.urgency) == (DeviceState.RUNNING, -1)
        await press(pilot, "y")
        assert running.state.value == "stopping"

    opened(app, steps)


def test_a_device_without_an_examination_says_so_and_hides_nothing(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "no exhibit" in " ".join(shown(app).split())
        await press(pilot, "2")
        assert "No account is recorded yet" in shown(app)

    opened(app, steps, reference="NONE/1")


def test_names_meant_to_do_harm_are_shown_as_text(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "3", "1")
        text = shown(app)
        assert HOSTILE not in text
        assert "\\u202egpj" in text
        assert not set(text) & {"\x1b", "\u202e", "\u2066"}
        assert all(isinstance(one, DataTable) for one in app.screen.query(PagedTable))

    opened(app, steps, (200, 60))


def test_the_account_can_be_made_anew(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "a Account now" not in shown(app)
        await press(pilot, "2", "a")
        assert "Items by what became of them" in shown(app)
        assert "1 part of the device" in shown(app)

    opened(app, steps, (120, 40))


def test_the_bound_shrinks_with_every_block_that_is_read_and_a_lead_leaves_none() -> None:
    row = {name: getattr(SAMPLE, name) for name in BlockStratum.__dataclass_fields__}
    (curve,) = shrinking([{**row, "read": SAMPLE.read}])
    for confidence in range(3):
        bounds = [of[confidence] for _, of in curve.points]
        assert bounds == sorted(bounds, reverse=True)
        assert bounds[-1] < bounds[0]
    assert curve.points[-1][1] == tuple(sorted(curve.points[-1][1]))
    (with_leads,) = shrinking([{**row, "leads": 1}])
    assert with_leads.points == ()


def test_the_account_that_was_asked_for_gives_way_to_the_one_that_is_recorded(tmp_path: Path) -> None:
    case = concluded(tmp_path / "case")
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "2", "a")
        screen = app.screen
        assert isinstance(screen, DeviceScreen)
        assert screen._now["bytes"] == screen._recorded.coverage
        with Case.open(case) as opened_case:
            opened_case.exhibits.record_coverage(
                "A/1", Coverage(size=4096, bytes={CoverageClass.UNREADABLE: 4096}, items={})
            )
        screen._read_again()
        await painted(pilot)
        (unreadable,) = (line for line in lines(app) if "could not be read" in line)
        assert "4.0 KiB" in unreadable

    opened(app, steps, (120, 40), "A/1")
