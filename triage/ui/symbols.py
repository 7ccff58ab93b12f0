"""The few signs that stand beside words, and plain texts of sizes and times.

A sign never stands alone: what it says is said in words next to it, so that it may be missing from a font.
"""

import os

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE = 60

_RICH = {"run": "\u25b6", "pause": "\u2016", "stop": "\u25a0", "done": "\u2713", "wait": "\u25cb", "busy": "\u2026"}
# The font of the Linux console holds those of code page 437.
_CONSOLE = {"run": "\u25ba", "pause": "\u2551", "stop": "\u25a0", "done": "\u221a", "wait": "\u25cb", "busy": "~"}
_SAME = {
    "warn": "!",
    "full": "\u2588",
    "dark": "\u2593",
    "half": "\u2592",
    "light": "\u2591",
    "ask": "?",
    "dot": "\u00b7",
}


def symbol(name: str) -> str:
    """Return the sign of that name, as the terminal at hand can draw it."""
    signs = _CONSOLE if os.environ.get("TERM") == "linux" else _RICH
    return _SAME.get(name) or signs[name]


def size(count: float) -> str:
    """Return a number of bytes in binary units, short enough for a card."""
    value, units = float(count), iter(_UNITS)
    unit = "bytes"
    while value >= _STEP and (larger := next(units, None)):
        value, unit = value / _STEP, larger
    return f"{count:,.0f} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"


def percent(share: float, places: int = 1) -> str:
    """Return a share so that little is never nothing, and all but a little never all."""
    least = 10.0 ** (-2 - places)
    if 0 < share < least:
        return f"<{least:.{places}%}"
    return f">{1 - least:.{places}%}" if 1 - least < share < 1 else f"{share:.{places}%}"


def duration(seconds: float) -> str:
    """Return a span of time as `1:02:03`, or `0:04` below a minute."""
    minutes, rest = divmod(max(round(seconds), 0), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 finding`, `2 findings`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
