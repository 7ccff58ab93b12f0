from pathlib import Path

from synthetic.concluded import WHEN, concluded
from textual.pilot import Pilot

from triage.session.view import CaseView
from triage.store.case import Case
from triage.ui.app import Console
from triage.ui.screens.ledger import LedgerScreen
from triage.ui.widgets.paged import PAGE, PagedTable
from ui.desk import Steps, console, lines, press, run_on, shown

EVENTS = 2 * PAGE + 30


def opened(app: Console, steps: Steps) -> None:
    run_on(app, lambda: app.action_place("ledger"), LedgerScreen, steps)


def in_hand(app: Console) -> int:
    row = app.screen.query_one(PagedTable).row_in_hand
    assert row is not None
    return int(row["sequence"])


def test_every_event_is_come_to_from_the_newest_to_the_first_and_shown_in_full(tmp_path: Path) -> None:
    case = concluded(tmp_path / "case")
    with Case.open(case) as held:
        for number in range(EVENTS):
            held.ledger.append(when=WHEN, actor="sam", action="note", subject="A/1", payload={"number": number})
    newest = CaseView(case).timeline_count()
    assert newest > EVENTS
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert in_hand(app) == newest
        assert f"number: {EVENTS - 1}" in shown(app)
        for number in range(newest - 1, 0, -1):
            app.screen.query_one(PagedTable).action_cursor_down()
            if (newest - number) % PAGE in {0, 1}:
                await press(pilot)
                await pilot.app.workers.wait_for_complete()
                await pilot.pause()
            assert in_hand(app) == number
        await press(pilot, "home", "end")
        assert in_hand(app) == 1
        await press(pilot, "r")
        assert in_hand(app) == newest

    opened(app, steps)


def test_a_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "notes.txt").write_text("none of ours")
    app = console(tmp_path / "case")

    async def steps(_: Pilot[None]) -> None:
        assert lines(app)[1].startswith(" ! ")

    opened(app, steps)
