"""Pictures of screens, compared with those that a person has looked at.

`RENEW_SNAPSHOTS=1 pytest tests/ui` writes them anew: look at each before you keep it.
"""

import os
import re
from pathlib import Path

from triage.ui.app import Console

_FOLDER = Path(__file__).with_name("snapshots")
_CHANGING = re.compile(r"terminal-\d+|@font-face \{.*?\}\s*", re.DOTALL)


def matches_snapshot(app: Console, name: str) -> bool:
    """Tell whether the screen is the one that is kept under this name."""
    kept = _FOLDER / f"{name}.svg"
    # Numbers that differ from run to run, and fonts from the network, which no picture needs.
    picture = _CHANGING.sub(lambda found: "terminal" if found[0].startswith("t") else "", app.export_screenshot())
    if os.environ.get("RENEW_SNAPSHOTS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(picture, encoding="utf-8")
    return kept.exists() and kept.read_text(encoding="utf-8") == picture
