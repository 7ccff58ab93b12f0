from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from triage.session.reveal import Level, Revealed, reveals
from triage.session.view import CaseView
from triage.ui.app import Console
from triage.ui.screens.review import ReviewScreen
from triage.ui.widgets.paged import PagedTable
from triage.ui.widgets.picture import Picture, fitted
from ui.desk import SIZES, console, lines, press, run_on, shown

CANDIDATE, MATCH, NASTY = 2, 1, 3


def opened(app: Console, steps: Callable[[Pilot[None]], Awaitable[None]], number: int, size: tuple[int, int]) -> None:
    """Run these steps on the screen of a finding."""

    run_on(app, lambda: app.open_finding(number), ReviewScreen, steps, size)


def screen(app: Console) -> ReviewScreen:
    assert isinstance(app.screen, ReviewScreen)
    return app.screen


@pytest.mark.parametrize("size", SIZES)
def test_facts_and_siblings_are_shown_and_no_picture(case: Path, size: tuple[int, int]) -> None:
    app = console(case)

    async def steps(_: Pilot[None]) -> None:
        text = shown(app)
        for words in ("2 of exhibit ABC/1", "? a candidate", "IMG_0002.JPG", "pdq", "demo-known", "IMG_0001.JPG"):
            assert words in text
        assert "No picture is shown." in text
        assert "\\x0a" not in text
        assert "Esc Back" in text
        assert "\u2580" not in text
        assert "sam was shown 0 pictures" in text
        assert {len(line) for line in lines(app)} == {size[0]}

    opened(app, steps, CANDIDATE, size)
    assert reveals(case) == {}


def test_the_list_of_its_folder_stands_at_the_finding_in_hand(case: Path) -> None:
    app = console(case)

    def at() -> tuple[int, int]:
        row = screen(app).query_one(PagedTable).row_in_hand
        assert row is not None
        return screen(app).number, row["id"]

    async def steps(pilot: Pilot[None]) -> None:
        assert at() == (CANDIDATE, CANDIDATE)
        await press(pilot, "down", "enter")
        assert at() == (NASTY, NASTY)
        await press(pilot, "n")
        assert at() == (CANDIDATE, CANDIDATE)

    opened(app, steps, CANDIDATE, (80, 24))


def test_each_showing_needs_its_key_is_logged_and_counted_and_can_be_hidden(case: Path) -> None:
    app = console(case)
    levels: list[Level] = []

    async def steps(pilot: Pilot[None]) -> None:
        for number, key in enumerate("1234", 1):
            await press(pilot, key)
            picture = screen(app).query_one(Picture)._picture
            assert picture is not None
            levels.append(picture.level)
            assert "\u2580" in shown(app)
            assert reveals(case) == {"sam": number}
        assert "sam was shown 4 pictures" in " ".join(shown(app).split())
        await press(pilot, "0")
        assert "\u2580" not in shown(app)
        await press(pilot, "1", "f1", "escape")
        assert not screen(app).query_one(Picture).is_shown

    opened(app, steps, CANDIDATE, (120, 40))
    assert levels == list(Level)


def test_a_picture_is_hidden_when_another_finding_is_shown(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "1", "home", "enter")
        assert screen(app).number == MATCH
        assert not screen(app).query_one(Picture).is_shown
        await press(pilot, "n")
        assert screen(app).number == CANDIDATE

    opened(app, steps, CANDIDATE, (80, 24))


def test_a_candidate_is_confirmed_with_a_note_and_rejected_afterwards(case: Path) -> None:
    app, view = console(case), CaseView(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "c")
        assert "Confirm this candidate" in shown(app)
        await press(pilot, "s", "e", "e", "n", "enter")
        assert view.finding(CANDIDATE)["state"] == "confirmed"
        assert "confirmed by a person" in shown(app)
        await press(pilot, "x")
        assert "is to be rejected (it is confirmed now)" in shown(app)
        await press(pilot, "enter")
        assert view.finding(CANDIDATE)["state"] == "rejected"
        await press(pilot, "c", "escape")
        assert view.finding(CANDIDATE)["state"] == "rejected"

    opened(app, steps, CANDIDATE, (80, 24))
    events = [event for event in view.timeline("ABC/1") if event["action"].startswith("candidate.")]
    assert [(event["action"], event["facts"]["note"]) for event in events] == [
        ("candidate.rejected", None),
        ("candidate.confirmed", "seen"),
    ]


def test_a_judgement_is_of_the_finding_that_was_asked_about_whatever_comes_meanwhile(case: Path) -> None:
    app, view = console(case), CaseView(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "c")
        review = next(one for one in app.screen_stack if isinstance(one, ReviewScreen))
        review.go_to(MATCH)
        assert review.check_action("judge", (True,)) is False
        await press(pilot, "enter")
        assert view.finding(CANDIDATE)["state"] == "confirmed"
        assert "a match: the digest" in shown(app)

    opened(app, steps, CANDIDATE, (80, 24))


def test_a_case_that_cannot_be_read_any_more_is_told_by_every_key(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        (case / "case.sqlite").write_text("no case")
        for key in ("n", "1"):
            app.clear_notifications()
            await press(pilot, key)
            assert app.screen is screen(app)
            assert "case" in " ".join(one.message for one in app._notifications) + shown(app)

    opened(app, steps, CANDIDATE, (120, 40))


def test_a_judgement_without_a_name_is_refused_at_the_field(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "x")
        app.screen.query_one("#field-examiner Input", Input).value = "--"
        await press(pilot, "enter")
        assert "the examiner's name has no letter or digit" in shown(app)
        await press(pilot, "escape")

    opened(app, steps, CANDIDATE, (80, 24))
    assert CaseView(case).finding(CANDIDATE)["confirmed"] is None


def test_a_digest_match_is_not_offered_for_judging(case: Path) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        assert "Confirm" not in shown(app)
        await press(pilot, "c")
        assert screen(app).number == MATCH

    opened(app, steps, MATCH, (80, 24))


@pytest.mark.parametrize("size", SIZES)
def test_a_name_meant_to_do_harm_is_text_on_every_part_of_the_screen(case: Path, size: tuple[int, int]) -> None:
    app = console(case)

    async def steps(pilot: Pilot[None]) -> None:
        text = shown(app)
        assert "[red]\\u202egpj" in text
        assert not set(text) & {"\x1b", "\u202e", "\u2066"}
        assert {len(line) for line in lines(app)} == {size[0]}
        await press(pilot, "n")
        assert screen(app).query_one(PagedTable).total == 3

    opened(app, steps, NASTY, size)


def test_a_source_that_is_gone_is_told_and_counts_for_nobody(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(case)
    source = CaseView(case).source("ABC/1").files[0]
    monkeypatch.setattr("triage.ui.screens.review.reveal", _away(Path(source)))

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "1")
        assert "gone.img" in str(screen(app).query_one("#said", Static).content)
        assert not screen(app).query_one(Picture).is_shown

    opened(app, steps, CANDIDATE, (120, 40))
    assert reveals(case) == {}


def _away(source: Path) -> Callable[..., Revealed]:
    from triage.session.reveal import reveal  # noqa: PLC0415 - the real one, with another place for the source

    def away(folder: Path, number: int, **given: object) -> Revealed:
        return reveal(folder, number, **{**given, "source": source.with_name("gone.img")})  # type: ignore[arg-type]

    return away


def test_a_picture_keeps_its_shape_and_is_never_made_larger() -> None:
    picture = Revealed(finding=1, level=Level.SMALL, width=64, height=32, channels=1, pixels=bytes(64 * 32))
    assert fitted(picture, 200, 200) == (64, 32)
    assert fitted(picture, 16, 200) == (16, 8)
    assert fitted(picture, 200, 2) == (4, 2)
