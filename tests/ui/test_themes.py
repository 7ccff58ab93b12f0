import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.color import ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot

from triage.session.live_device import DeviceState
from triage.ui.app import Console
from triage.ui.themes import THEMES
from ui.desk import console, device, lines, progress, run, settle
from ui.examined import REFERENCE

TEXT, SIGN = 4.5, 3.0  # WCAG 2.1 AA: 1.4.3 for text, 1.4.11 for what is drawn
DRAWN = set("─│┌┐└┘═║╔╗╚╝█▓▒░▁▂▃▄▅▆▇▌▔▕▏▎ ")
PLACES = ("f2", "f3", "f4", "f5", "f6", "f1", "f10", "ctrl+p")


def poor(app: Console) -> list[tuple[str, float]]:
    """Return the pieces of text on the screen that have too little contrast, each with the contrast it has."""
    found = []
    for piece in in_front(app):
        least = SIGN if set(piece.text) <= DRAWN else TEXT
        if set(piece.text) <= set("▁▂▃▄▅▆▇▌▔▕▏▎ ░"):
            continue  # the trough of a bar and the edges of a scroll bar say nothing
        contrast = contrast_of(piece)
        if contrast < least:
            found.append((piece.text, round(contrast, 2)))
    return found


def in_front(app: Console) -> list[Segment]:
    """Return the pieces of text that are not dimmed because something lies before them."""
    area = app.screen.children[0].region if app.screen.is_modal else app.screen.region
    rows = app.screen._compositor.render_strips()[area.y : area.bottom]
    return [piece for row in rows for piece in row.crop(area.x, area.right) if piece.text.strip()]


def lost(app: Console) -> list[str]:
    """Return the pieces of text that a terminal of sixteen colours would draw in the colour of their ground."""
    found = []
    for piece in in_front(app):
        assert piece.style is not None
        colours = (
            colour.downgrade(ColorSystem.STANDARD).number
            for colour in (piece.style.color, piece.style.bgcolor)
            if colour
        )
        if not set(piece.text) <= DRAWN and len(set(colours)) == 1:
            found.append(piece.text)
    return found


def contrast_of(piece: Segment) -> float:
    """Return the contrast of a piece of text with its ground."""
    style = piece.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    low, high = sorted(luminance(colour.get_truecolor()) for colour in (style.color, style.bgcolor))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: ColorTriplet) -> float:
    """Return the relative luminance as WCAG 2.1 defines it."""
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_every_piece_of_text_on_every_screen_can_be_read_in_sixteen_colours_too(tmp_path: Path, theme: str) -> None:
    failed = device(tmp_path, "AB/2", DeviceState.FAILED, problem="a cause")
    gone = device(tmp_path, "AB/3", DeviceState.GONE)
    app = console(tmp_path, device(tmp_path, "AB/1", DeviceState.RUNNING, progress=progress(0.5)), failed, gone)

    async def steps(pilot: Pilot[None]) -> None:
        app.theme = theme
        for key in PLACES:
            await pilot.press(key)
            await settle(pilot)
            assert not poor(app), key
            assert not lost(app), key
            if key in {"f1", "f10"}:
                await pilot.press("escape")

    run(app, steps, (120, 40))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_every_piece_of_text_on_the_screens_of_one_exhibit_can_be_read(case: Path, theme: str) -> None:
    app = console(case)
    rooms: tuple[tuple[Callable[[], None], tuple[str, ...]], ...] = (
        (lambda: app.open_device(REFERENCE), tuple("12345678")),
        (lambda: app.open_finding(2), ("c", "escape")),
        (lambda: app.open_decision(REFERENCE), ("tab", "f7", "ctrl+d")),
    )

    async def steps(pilot: Pilot[None]) -> None:
        app.theme = theme
        for enter, keys in rooms:
            enter()
            for key in keys:
                await pilot.pause()
                await settle(pilot)
                assert (poor(app), lost(app)) == ([], []), (app.screen, key)
                await pilot.press(key)
            await settle(pilot)
            assert (poor(app), lost(app)) == ([], []), app.screen
            app.action_board()

    run(app, steps, (120, 40))


def test_a_message_lies_at_the_top_and_leaves_the_keys_free(tmp_path: Path) -> None:
    app = console(tmp_path)

    async def steps() -> None:
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            app.notify("SB/2 is recorded.", timeout=60)
            await settle(pilot)
            await pilot.pause()
            rows = lines(app)
            assert any("SB/2 is recorded." in row for row in rows[1:4])
            assert "F1 Help" in rows[-1]
            assert "F10 Quit" in rows[-1]

    asyncio.run(steps())
    app.close()


@pytest.mark.parametrize("theme", THEMES, ids=[theme.name for theme in THEMES])
def test_no_theme_has_a_green_that_could_say_all_clear(theme: object) -> None:
    for name, text in vars(theme).items():
        if isinstance(text, str) and text.startswith("#"):
            red, green, blue = Color.parse(text).rgb
            assert green <= max(red, blue), name


def test_without_colours_the_focus_is_seen_by_its_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console(tmp_path, device(tmp_path, "AB/1", DeviceState.RUNNING), device(tmp_path, "AB/2", DeviceState.PAUSED))

    async def steps(_: Pilot[None]) -> None:
        text = "".join(piece.text for strip in app.screen._compositor.render_strips() for piece in strip)
        assert app.no_color
        assert (text.count("╔"), text.count("┌")) == (1, 1)

    run(app, steps)


def test_on_the_linux_console_only_signs_of_its_font_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    states = (DeviceState.RUNNING, DeviceState.PAUSED, DeviceState.GONE, DeviceState.FINISHED, DeviceState.STARTING)
    devices = [device(tmp_path, f"AB/{number}", state) for number, state in enumerate(states, 1)]
    app = console(tmp_path, *devices)

    async def steps(_: Pilot[None]) -> None:
        text = "".join(piece.text for strip in app.screen._compositor.render_strips() for piece in strip)
        # Its font has these in the places of control characters, where no codec looks for them.
        re.sub("[\u25ba\u25cb\u2026]", "", text).encode("cp437")

    run(app, steps)
