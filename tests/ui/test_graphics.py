"""Pictures that the terminal draws: asked of a terminal that answers, drawn, and taken away again."""

import base64
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from triage.session.reveal import Level, Revealed, reveals
from triage.ui.app import Console
from triage.ui.drawing import drawn
from triage.ui.graphics import ANSWER, MOST_COLOURS, Graphics, understood
from triage.ui.widgets.picture import Picture
from ui.desk import console, lines, run, shown

KITTY, SIXEL = Graphics(kitty=True), Graphics(kitty=False)
CANDIDATE = 2
ASKED = b"\x1b[c"
_ASK = "from triage.ui.graphics import ask; print('said', ask())"
_PLACED = re.compile(r"\x1b_Ga=T,[^;]*i=(\d+)")
_SIXELS = "\x1bP0;1;0q"


def told(answer: bytes, **environment: str) -> tuple[str, bytes, float]:
    """Ask a terminal that answers so; return what was made of it, what the terminal got, and the seconds it took."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 800, 480))
    kept = {key: value for key, value in os.environ.items() if key not in {"TMUX", "NO_COLOR"}}
    settings = {**kept, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [sys.executable, "-c", _ASK], stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=settings
    ) as asking:
        os.close(slave)
        got, begun = b"", time.monotonic()
        while ASKED not in got and (piece := _read(master)):
            got, begun = got + piece, time.monotonic()
        if got:
            os.write(master, answer)
        assert asking.stdout is not None
        said = asking.stdout.read().decode().strip()
        seconds = time.monotonic() - begun
    os.close(master)
    return said, got, seconds


def _read(master: int) -> bytes:
    try:
        return os.read(master, 1024)
    except OSError:  # nobody has the other end open any more
        return b""


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (b"\x1b[?1;0;256S\x1b[?63;1;2;4;6c", Graphics(kitty=False, colours=MOST_COLOURS)),
        (b"\x1b[?1;0;16S\x1b[?63;1;2;4;6c", Graphics(kitty=False, colours=16)),
        (b"\x1b_Gi=1;OK\x1b\\\x1b[?62;c", KITTY),
        (b"\x1b_Gi=1;OK\x1b\\\x1b[?62;4;22c", Graphics(kitty=False, colours=16)),
        (b"\x1b_Gi=1;ENOTSUPPORTED\x1b\\\x1b[?62c", None),
        (b"\x1b[?64;1;2;22c", None),
        (b"\x1b[?4;1c", None),
        (b"", None),
    ],
)
def test_what_a_terminal_answers_is_understood(answer: bytes, wanted: Graphics | None) -> None:
    assert understood(answer) == wanted


def test_a_terminal_is_asked_before_the_screens_are_on() -> None:
    assert told(b"\x1b_Gi=1;OK\x1b\\\x1b[?62;c")[0] == f"said {KITTY}"
    assert told(b"\x1b[?1;0;9S\x1b[?63;4c")[0] == "said Graphics(kitty=False, colours=9)"


def test_a_terminal_that_does_not_answer_is_not_waited_for() -> None:
    said, got, seconds = told(b"")
    assert said == "said None"
    assert ASKED in got
    assert ANSWER / 2 < seconds < ANSWER + 5


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "screen"}, {"TMUX": "a,1,0"}])
def test_where_text_alone_is_wanted_nothing_is_asked(setting: dict[str, str]) -> None:
    assert told(b"\x1b[?63;4c", **setting)[:2] == ("said None", b"")


def test_kitty_gets_every_pixel_and_how_to_forget_them() -> None:
    pixels = bytes(range(256)) * 24
    picture = Revealed(finding=1, level=Level.COLOUR, width=64, height=32, channels=3, pixels=pixels)
    drawing = drawn(KITTY, picture, (64, 32), (1, 1))
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", drawing.at(2, 3))
    assert base64.b64decode("".join(payload for _, payload in pieces)) == pixels
    assert [keys[-3:] for keys, _ in pieces] == ["m=1", "m=0"]
    assert max(len(payload) for _, payload in pieces) <= 4096
    assert drawing.at(2, 3).startswith("\x1b7\x1b[4;3H")
    (number,) = _PLACED.findall(drawing.shown)
    assert drawing.gone == f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def test_sixel_says_each_pixel_once_in_the_nearest_hundredth() -> None:
    pixels = bytes(255 * (x // 8 % 2) for y in range(8) for x in range(32))
    picture = Revealed(finding=1, level=Level.SMALL, width=32, height=8, channels=1, pixels=pixels)
    drawing = drawn(SIXEL, picture, (32, 8), (1, 1))
    assert drawing.gone == ""
    assert drawing.shown.startswith(f'{_SIXELS}"1;1;32;8')
    assert grid(drawing.shown) == [[100 * (x // 8 % 2) for x in range(32)]] * 8


def grid(sixels: str) -> list[list[int]]:
    """Return the rows of a Sixel picture in hundredths of red, as a terminal reads it."""
    width, height = map(int, re.findall(r'"1;1;(\d+);(\d+)', sixels)[0])
    rows = [[-1] * width for _ in range(height)]
    colours = {number: int(red) for number, red in re.findall(r"#(\d+);2;(\d+);\d+;\d+", sixels)}
    body = re.sub(r"^.*#\d+;2;\d+;\d+;\d+", "", sixels).removesuffix("\x1b\\")
    for band, parts in enumerate(body.split("-")):
        for colour, row in re.findall(r"#(\d+)([^$]*)\$", parts):
            full = re.sub(r"!(\d+)(.)", lambda run: run[2] * int(run[1]), row)
            for x, sign in enumerate(full):
                for bit in range(6):
                    if ord(sign) - 63 >> bit & 1:
                        assert rows[6 * band + bit][x] == -1
                        rows[6 * band + bit][x] = colours[colour]
    return rows


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("graphics", [KITTY, SIXEL])
def test_a_picture_is_never_larger_than_in_half_blocks(graphics: Graphics, level: Level) -> None:
    picture = Revealed(finding=1, level=level, width=16, height=8, channels=1, pixels=bytes(128))
    drawing = drawn(graphics, picture, (100, 50), (8, 16))
    assert ("s=128,v=64" if graphics.kitty else '"1;1;128;64') in drawing.shown


async def until(pilot: Pilot[None], app: Console, wanted: Callable[[], bool]) -> None:
    """Wait for something, the screen being rendered as for a terminal, which a console without one does not do."""
    end = time.monotonic() + 30
    while not wanted() and time.monotonic() < end:
        await pilot.pause(0.05)  # a drawing that a newer one replaces is cancelled: nobody waits for it
        lines(app)
    assert wanted(), lines(app)


def opened(case: Path, graphics: Graphics, monkeypatch: pytest.MonkeyPatch) -> tuple[Console, list[str]]:
    """Return a console whose terminal draws pictures, and the list that receives what it is told."""
    monkeypatch.setattr("triage.ui.widgets.picture.cell_size", lambda: (10, 20))
    app = console(case)
    monkeypatch.setattr(app, "graphics", graphics, raising=False)
    return app, []


@pytest.mark.parametrize("graphics", [KITTY, SIXEL], ids=["kitty", "sixel"])
def test_a_picture_comes_with_its_key_alone_and_goes_from_the_terminal_too(
    case: Path, graphics: Graphics, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, written = opened(case, graphics, monkeypatch)
    begun = "\x1b_Ga=T" if graphics.kitty else _SIXELS

    async def steps(pilot: Pilot[None]) -> None:
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        app.open_finding(CANDIDATE)
        await until(pilot, app, lambda: "No picture is shown." in shown(app) and "2 of exhibit" in shown(app))
        assert begun not in "".join(written)
        for count, (key, leaving) in enumerate((("1", "0"), ("4", "f1")), 1):
            written.clear()
            await pilot.press(key)
            await until(pilot, app, lambda: begun in "".join(written))
            assert reveals(case) == {"sam": count}
            await pilot.press(leaving)
            await until(pilot, app, lambda: not (kept(written) or held(app)))
            if leaving == "f1":
                await pilot.press("escape")

    run(app, steps, (120, 40))


def held(app: Console) -> bool:
    """Tell whether any screen holds a picture."""
    return any(picture.is_shown for screen in app.screen_stack for picture in screen.query(Picture))


def kept(written: list[str]) -> set[str]:
    """Return the numbers of the pictures that Kitty still holds."""
    told = "".join(written)
    return set(_PLACED.findall(told)) - set(re.findall(r"\x1b_Ga=d,d=I,i=(\d+)", told))


def test_a_picture_that_is_shown_when_the_console_ends_is_taken_away(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, written = opened(case, KITTY, monkeypatch)

    async def steps(pilot: Pilot[None]) -> None:
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        app.open_finding(CANDIDATE)
        await until(pilot, app, lambda: "2 of exhibit" in shown(app))
        await pilot.press("1")
        await until(pilot, app, lambda: bool(kept(written)))

    run(app, steps, (120, 40))
    assert not kept(written)
