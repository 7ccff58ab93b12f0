"""Make the pictures of the console for the README, from a case that `make demo` made.

Usage: python tests/make_screenshots.py CASE FOLDER. The real screens, 120 columns by 36 rows, in the dark theme.
"""

import asyncio
import re
import sys
from pathlib import Path

from textual.pilot import Pilot

from triage.session.view import CaseView, FindingState, Wanted
from triage.ui.app import Console

SIZE = (120, 36)
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # from the network, which no picture needs


async def shown(app: Console, folder: Path) -> None:
    """Go through the four screens and write each as SVG."""
    view = app.view
    reference = view.exhibits()[0]["reference"]
    candidate = view.findings_page(Wanted(state=FindingState.CANDIDATE), offset=0, limit=1)[0]["id"]
    async with app.run_test(size=SIZE) as pilot:
        await _write(pilot, app, folder / "board.svg")
        app.open_device(reference)
        await _write(pilot, app, folder / "device.svg")
        app.open_finding(candidate)
        await _settled(pilot)
        await pilot.press("2")  # the picture is synthetic; showing it is in the ledger of the demo's case
        await _write(pilot, app, folder / "review.svg")
        app.action_board()
        app.open_decision(reference)
        await _write(pilot, app, folder / "decision.svg")


async def _settled(pilot: Pilot[None]) -> None:
    for _ in range(3):  # what is read may have something else read
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.2)


async def _write(pilot: Pilot[None], app: Console, target: Path) -> None:
    await _settled(pilot)
    target.write_text(_FONTS.sub("", app.export_screenshot()), encoding="utf-8")  # noqa: ASYNC240 - nobody waits


def main() -> None:
    """Write the pictures into the folder named."""
    case, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    app = Console(CaseView(case).folder, actor="sam", idle=1e9)
    try:
        asyncio.run(shown(app, folder))
    finally:
        app.close()


if __name__ == "__main__":
    main()
