"""How a reason is worded: counted things, amounts of bytes, lists."""

from collections.abc import Sequence

_UNITS = ("bytes", "kilobytes", "megabytes", "gigabytes", "terabytes")
_STEP = 1000


def counted(number: int, noun: str) -> str:
    """Return `1 item` or `1,204 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def amount(number: int) -> str:
    """Return `512 bytes`, or `1.2 gigabytes (1,234,567,890 bytes)`; units are powers of a thousand."""
    exact = counted(number, "byte")
    scaled, unit = float(number), 0
    while scaled >= _STEP and unit + 1 < len(_UNITS):
        scaled /= _STEP
        unit += 1
    return exact if unit == 0 else f"{scaled:,.1f} {_UNITS[unit]} ({exact})"


def listed(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
