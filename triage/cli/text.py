"""Text for people and machines: nothing that comes from evidence reaches a terminal raw."""

import json
import re

# Controls (C0, DEL, C1), line and paragraph separators, and marks that turn the direction of text.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)  # bytes that are not UTF-8, surrogate-escaped
_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def safe(text: str) -> str:
    r"""Return text for a terminal: steering characters as `\xNN` or `\uNNNN`, bytes that are not UTF-8 as `\xNN`."""
    return _UNSAFE.sub(lambda match: _escape(ord(match[0])), text)


def _escape(code: int) -> str:
    if code in _BYTES:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits hold a byte


def json_line(value: object) -> str:
    r"""Return one line of JSON in UTF-8 without NaN; steering characters are written as `\uNNNN`.

    Of bytes that are not UTF-8 the text `\xNN` is what a reader gets.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda match: _json_escape(ord(match[0])), text)


def _json_escape(code: int) -> str:
    return f"\\{_escape(code)}" if code in _BYTES else f"\\u{code:04x}"


def place(path: str, *, allocated: bool) -> str:
    """Return where an item is, marked if it is deleted."""
    return safe(path) if allocated else f"{safe(path)} (deleted)"


def size(count: int) -> str:
    """Return a number of bytes for a person: exact below 10 KiB, else in binary units."""
    if count < 10 * _STEP:
        return f"{count:,} bytes"
    value = count / _STEP
    units = iter(_UNITS)
    unit = next(units)
    while value >= _STEP and (larger := next(units, None)):
        value, unit = value / _STEP, larger
    return f"{value:,.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a span of time for a person, as `1:02:03` or `4.2 s`."""
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
