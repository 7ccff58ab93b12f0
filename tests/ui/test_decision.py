from functools import partial
from pathlib import Path

import pytest
from synthetic.concluded import concluded
from textual.pilot import Pilot
from textual.widgets import Static

from triage.model.decision import Decided, Statement
from triage.model.recommendation import Reason, Recommendation, Verdict
from triage.session import documents
from triage.session.view import CaseView
from triage.store.case import Case
from triage.ui.app import Console
from triage.ui.screens.decision import DecisionScreen
from triage.ui.screens.documents import FOLDER, DocumentsScreen
from triage.ui.statement import lacking
from triage.ui.widgets.acknowledging import Tick
from triage.ui.widgets.field import Choice, Field
from ui.desk import SIZES, Held, Steps, console, lines, painted, press, run_on, say, shown
from ui.examined import REFERENCE


def opened(app: Console, steps: Steps, reference: str, size: tuple[int, int] = (80, 24)) -> None:
    """Run these steps on the form of a decision."""
    run_on(app, partial(app.open_decision, reference), DecisionScreen, steps, size)


async def choose(pilot: Pilot[None], verdict: Decided) -> None:
    choice = pilot.app.screen.query_one(Choice)
    choice.focus()
    while choice.value != verdict.value:
        await press(pilot, "right")


def wrong(app: Console) -> dict[str, str]:
    """Return what the form says is wrong, by field."""
    fields = [field for field in app.screen.query(Field) if field.has_class("-wrong")]
    return {field.field: str(field.query_one(".wrong", Static).content) for field in fields}


@pytest.mark.parametrize("size", SIZES)
def test_the_recommendation_is_in_words_with_every_reason_and_fits(case: Path, size: tuple[int, int]) -> None:
    app = console(case)
    recommended = CaseView(case).recommendation(REFERENCE)
    assert recommended is not None

    async def steps(_: Pilot[None]) -> None:
        assert "Recommended: ! SEIZE INDICATED" in shown(app)
        told = str(app.screen.query_one("#recommended", Static).content)
        told += " ".join(str(tick.render()) for tick in app.screen.query(Tick))
        assert all(f"({reason['code']})" in told and reason["text"] in told for reason in recommended["reasons"])
        assert {len(line) for line in lines(app)} == {size[0]}

    opened(app, steps, REFERENCE, size)


def test_nothing_is_decided_before_somebody_chooses(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "< choose >" in str(app.screen.query_one(Choice).render())
        await press(pilot, "f7")
        assert isinstance(app.screen, DecisionScreen)
        assert isinstance(app.screen.focused, Choice)
        assert "choose what becomes of it" in str(app.screen.query_one("#against", Static).content)
        assert wrong(app) == {}
        await press(pilot, "right")
        assert not app.screen.query_one("#against").has_class("-shown")
        assert set(wrong(app)) == {"reason", "power", "necessity", "practicability"}

    opened(app, steps, REFERENCE)
    assert CaseView(case).decisions(REFERENCE) == []


def test_the_ticks_are_counted(case: Path) -> None:
    app = console(case)

    def heading() -> str:
        return str(app.screen.query_one("Acknowledging > .section", Static).content)

    async def steps(pilot: Pilot[None]) -> None:
        boxes = len(app.screen.query(Tick))
        assert f"0 of {boxes} ticked" in heading()
        app.screen.query(Tick).first().focus()
        await press(pilot, "space")
        assert f"1 of {boxes} ticked" in heading()
        await press(pilot, "ctrl+a")
        assert f"{boxes} of {boxes} ticked" in heading()

    opened(app, steps, REFERENCE)


def test_a_seizure_states_power_and_necessity_and_then_has_its_documents(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await choose(pilot, Decided.SEIZE)
        await press(pilot, "f7")
        assert set(wrong(app)) == {"reason", "power", "necessity"}
        assert "the reason has no letter or digit" in wrong(app)["reason"]
        say(app, reason="digest matches", power="PACE 1984 s.19", necessity="evidence")
        await pilot.press("f7", "f7", "f7")  # a key that bounces records one decision
        await painted(pilot)
        assert isinstance(app.screen, DocumentsScreen)
        await press(pilot, "enter")
        assert [one.title for one in app.screen.documents] == ["Seizure label", "Continuity sheet"]
        (made,) = app.screen.made.values()
        assert made.parent == case / FOLDER
        assert made.read_bytes().startswith(b"%PDF")
        assert made.name in shown(app).replace("\n", "")

    opened(app, steps, REFERENCE, (120, 40))
    (decided,) = CaseView(case).decisions(REFERENCE)
    assert (decided["verdict"], decided["examiner"], decided["power"]) == ("seize", "sam", "PACE 1984 s.19")


def test_a_return_against_the_recommendation_needs_a_second_person_and_every_limitation(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await choose(pilot, Decided.RETURN)
        assert "AGAINST the recommendation" in str(app.screen.query_one("#against", Static).content)
        say(app, reason="consent withdrawn", second="Sam", second_reason="agreed")
        await press(pilot, "f7")
        assert isinstance(app.screen.focused, Tick)
        assert set(wrong(app)) == {"second"}
        await press(pilot, "space")
        assert sum(tick.ticked for tick in app.screen.query(Tick)) == 1
        await press(pilot, "ctrl+a")
        say(app, second="B Other")
        await press(pilot, "f7")
        assert isinstance(app.screen, DocumentsScreen)
        assert app.screen.documents[0].title == "Return receipt"

    opened(app, steps, REFERENCE)
    (decided,) = CaseView(case).decisions(REFERENCE)
    assert (decided["against"], decided["second"]) == (True, "B Other")
    assert decided["acknowledged"] == decided["limitations"]


def test_a_second_person_whom_the_form_does_not_ask_for_is_not_recorded(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await choose(pilot, Decided.RETURN)
        say(app, second="B Other")  # and no reason: it would be wrong, in a field that nobody sees
        await choose(pilot, Decided.SEIZE)
        say(app, reason="digest matches", power="PACE 1984 s.19", necessity="evidence")
        await press(pilot, "f7")
        assert isinstance(app.screen, DocumentsScreen)

    opened(app, steps, REFERENCE, (120, 40))
    (decided,) = CaseView(case).decisions(REFERENCE)
    assert (decided["verdict"], decided["against"], decided["second"]) == ("seize", False, None)


def test_a_document_that_cannot_be_made_is_told_even_where_the_screen_was_left(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(documents.write)
    monkeypatch.setattr(documents, "write", held)
    (case / FOLDER).write_text("in the way")
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "ctrl+d")
        await pilot.press("enter")
        await held.called()
        await pilot.press("escape")
        await held.let_go(pilot)
        assert isinstance(app.screen, DecisionScreen)
        assert FOLDER in " ".join(one.message for one in app._notifications)
        await press(pilot, "ctrl+d", "enter")
        assert isinstance(app.screen, DocumentsScreen)
        assert "! " in str(app.screen.query_one("#made", Static).content)

    opened(app, steps, REFERENCE, (120, 40))


def test_a_recommendation_that_changed_meanwhile_is_read_again_before_anything_is_recorded(tmp_path: Path) -> None:
    case = concluded(tmp_path / "case")
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await choose(pilot, Decided.RETURN)
        await press(pilot, "ctrl+a")
        say(app, reason="nothing found")
        with Case.open(case) as opened:
            changed = Recommendation(
                verdict=Verdict.NOT_DETERMINED, reasons=(Reason(code="looked-at", text="Something else."),)
            )
            opened.exhibits.record_recommendation("A/1", changed)
        await press(pilot, "f7")
        assert isinstance(app.screen, DecisionScreen)
        assert "NOT DETERMINED" in shown(app)

    opened(app, steps, "A/1")
    assert CaseView(case).decisions("A/1") == []


def test_an_exhibit_that_somebody_has_is_not_decided_on_and_that_is_said(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "! " in shown(app)
        assert not app.screen.query(Field)
        await press(pilot, "f7")
        assert isinstance(app.screen, DecisionScreen)

    with Case.open(case) as held:
        held.claim(REFERENCE)
        opened(app, steps, REFERENCE)


@pytest.mark.parametrize("verdict", Decided)
def test_what_lacks_is_told_field_by_field(verdict: Decided) -> None:
    recommendation = Recommendation(
        verdict=Verdict.RETURN_INDICATED, reasons=(Reason(code="known-material-only", text="Only known material."),)
    )
    expected = {
        Decided.RETURN: {"reason", "acknowledged"},
        Decided.SEIZE: {"reason", "power", "necessity", "second"},
        Decided.REFER: {"reason", "power", "necessity", "practicability"},
    }
    found = lacking(Statement(verdict=verdict, reason="", examiner="A Examiner"), recommendation)
    assert set(found) == expected[verdict]
