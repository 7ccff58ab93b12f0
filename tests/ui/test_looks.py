"""How every screen looks, at the sizes from the smallest on: what stands on them is checked first, then the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from synthetic.concluded import WHEN, concluded
from textual.pilot import Pilot
from textual.widgets import Input

from triage.model.finding import MatchBy
from triage.session import devices
from triage.session.intake import RECEIVED
from triage.store.case import Case
from triage.ui.app import Console
from ui.desk import SIZES, as_console, console, lines, painted, press, run, shown
from ui.snapshots import matches_snapshot

EXHIBIT, CANDIDATE = "A/1", 2


@dataclass(frozen=True, slots=True)
class Look:
    """How a screen is come to, and what stands on it at any size."""

    says: tuple[str, ...]
    go: Callable[[Console], None] = lambda _: None
    keys: tuple[str, ...] = ()


LOOKS = {
    "intake": Look(("Operation", "Examiner", "Found when"), keys=("f3",)),
    "intake-wrong": Look(("Operation", "! "), keys=("f3", "f7")),
    "sets": Look(("No set: nothing can match",), keys=("f4",)),
    "ledger": Look(("case.created", "Not verified"), keys=("f5",)),
    "selftest": Look(("t tries it now",), keys=("f6",)),
    "pin": Look(("Set a PIN first",), keys=("f9",)),
    "device": Look(("[1 Findings]", "? candidate"), lambda app: app.open_device(EXHIBIT)),
    "coverage": Look(("2 Coverage]", "in exactly one class"), lambda app: app.open_device(EXHIBIT), ("2",)),
    "finding": Look(("? a candidate", "No picture is shown"), lambda app: app.open_finding(CANDIDATE)),
    "judging": Look(("Confirm this candidate",), lambda app: app.open_finding(CANDIDATE), ("c",)),
    "decision": Look(("SEIZE INDICATED", "0 of "), lambda app: app.open_decision(EXHIBIT)),
    "decision-wrong": Look(("choose what becomes of it",), lambda app: app.open_decision(EXHIBIT), ("ctrl+a", "f7")),
    "documents": Look(
        ("Enter makes the document in case/documents",), lambda app: app.open_decision(EXHIBIT), ("ctrl+d",)
    ),
}


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a case in which every time is the same in every run, on a machine to which no device is connected."""
    monkeypatch.setattr(devices, "pickable_devices", list)
    folder = concluded(tmp_path / "case", MatchBy.SHA256, MatchBy.PDQ, exhibit=EXHIBIT)
    with Case.open(folder) as held:
        arrived = {"description": "black card", "write_block": "proven"}
        held.ledger.append(when=WHEN, actor="sam", action=RECEIVED, subject=EXHIBIT, payload=arrived)
    monkeypatch.chdir(tmp_path)
    return Path("case")


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", LOOKS)
def test_every_screen_says_what_it_should_and_looks_as_it_did(case: Path, name: str, size: tuple[int, int]) -> None:
    app, look = console(case), LOOKS[name]

    async def steps(pilot: Pilot[None]) -> None:
        look.go(as_console(pilot))
        await painted(pilot)
        await press(pilot, *look.keys)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        await painted(pilot)
        assert [words for words in look.says if words not in shown(app)] == []
        assert {len(line) for line in lines(app)} == {size[0]}
        assert matches_snapshot(app, f"{name}-{size[0]}x{size[1]}")

    run(app, steps, size)
