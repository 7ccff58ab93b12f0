"""Names made to do harm, on every screen of a real terminal: nothing of them reaches it that steers or turns text."""

import re
import sqlite3
import sys
from pathlib import Path

from suite import Tool

from triage.session.view import CaseView
from ui.terminal import Terminal, terminal

SIZES = ((80, 24), (120, 40), (200, 60))
MARK = "PWNED"
# Sequences of the console itself: colours, places, modes, cursor shape and questions at its start and end.
_OWN = re.compile(
    r"\x1b\]22;[a-z-]*\x07|\x1b\[[<>=?]?[\d;:]*[ $]?[A-Za-z]|\x1b[78=>]|\x1b\([B0]|"
    r"\x1b_G[^\x1b]*\x1b\\|\x1bP[^\x1b]*\x1b\\|[\r\n]|\x0f"
)
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NAMES = (
    f"\x1b]0;{MARK}\x07title.jpg",
    f"\x1b[2J\x1b[31m{MARK}.jpg",
    f"\u202egpj.{MARK}\u2066.jpg",
    f"two\nlines\r\t{MARK}.jpg",
    f"\x9b31m{MARK}\x90q.jpg",
    MARK + "n" * 4000 + ".jpg",
    f"{MARK}\udcff\udc80\udcfe.jpg",
    f"[red]{MARK}[/red][@click=app.bell].jpg",
    f"{MARK}" + "a\u0301\u0302\u0303\u0304\u0305" * 30 + "\U000e0041\ufeff.jpg",
)


def renamed(case: Path) -> None:
    """Give hostile names to the items of a case, those with findings first, as a reader of the evidence stores them."""
    with sqlite3.connect(case / "case.sqlite") as database:
        found = [row[0] for row in database.execute("SELECT DISTINCT item_id FROM finding ORDER BY 1")]
        others = [row[0] for row in database.execute("SELECT id FROM item ORDER BY 1") if row[0] not in found]
        for number, name in zip([*found, *others], [NAMES[number % len(NAMES)] for number in range(30)], strict=False):
            stored = name.encode("utf-8", "surrogateescape")
            odd = stored if MARK in name and not name.isascii() else None
            shown = stored.decode(errors="replace")
            database.execute("UPDATE item SET path = ?, path_bytes = ? WHERE id = ?", (shown, odd, number))
            database.execute("UPDATE finding SET path = ? WHERE item_id = ?", (shown, number))
        for name in NAMES:
            told = name.encode("utf-8", "surrogateescape").decode(errors="replace")
            row = (f"volume:0!path:/{told}", "unreadable", f"cannot be read: {told}")
            database.execute("INSERT INTO trouble (exhibit_id, address, code, text) VALUES (1, ?, ?, ?)", row)
    database.close()


def in_every_size(window: Terminal, *wanted: str) -> None:
    """Wait for this in a window of each size; the keys are always there, and nothing pushed them aside."""
    for size in SIZES:
        window.resize(size)
        window.wait(lambda: is_framed(window.text().splitlines()), f"the keys at the foot at {size}")
        window.until(*wanted)


def is_framed(rows: list[str]) -> bool:
    """Tell whether the title is the first row and the keys are the last, as after a change of size."""
    return bool(rows) and rows[0].startswith(" DigiVan triage") and "F10 Quit" in rows[-1]


def test_hostile_names_reach_the_terminal_as_escapes_on_every_screen(case: Path, tool: Tool) -> None:
    renamed(case)
    findings = len(CaseView(case).findings_page(offset=0, limit=100))
    words = [sys.executable, "-m", "triage", "console", "--case", str(case.absolute())]
    with terminal(tool("tmux"), words, SIZES[0], {"LANG": "C.UTF-8", "LOGNAME": "sam"}) as window:
        in_every_size(window, "triage Board", "╔═ ABC/1")
        window.press("Enter")
        in_every_size(window, "Device ABC/1", MARK)
        for pane in "2345678":
            window.type(pane)
            in_every_size(window, f"[{pane} ")
        window.type("4")
        in_every_size(window, "[4 ", MARK)
        window.type("1")
        window.until("[1 Findings]", MARK)
        window.press("Enter")
        for _ in range(findings - 1):
            in_every_size(window, "triage Finding", "State", MARK)
            window.press("Down", "Enter")
        window.press("F2")
        window.until("triage Board")
        window.type("d")
        in_every_size(window, "triage Decision on ABC/1", "Recommended")
        window.press("C-d")
        in_every_size(window, "triage Documents of ABC/1")
        window.press("F5")
        in_every_size(window, "triage Ledger")
        window.press("C-p")
        window.until("Search for commands")
        told = window.raw.read_bytes().decode("utf-8", "surrogateescape")
    assert MARK in told
    left = _OWN.sub("", told)
    assert sorted(set(_STEERING.findall(left))) == []
    assert f"31m{MARK}" not in told.replace("\\x1b[31m", "").replace("\\x9b31m", "")
