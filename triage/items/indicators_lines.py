"""The lines in which contents indicate something: their groups, their length, and what may stand in them."""

ACCOUNT, DEVICE = "user-account", "connected-device"
"""The groups of what contents tell."""

LONGEST = 1000
"""Characters of a label or text, more than any has."""

_LONGEST_NAME = 120


def plain(text: str) -> str:
    """Return what evidence holds as a short line that shows what it is: no character that cannot be seen."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text[: _LONGEST_NAME + 1])
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"
