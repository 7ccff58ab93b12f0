"""Times as Windows keeps them: ticks of 100 ns since 1601, UTC."""

from datetime import UTC, datetime, timedelta

_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)


def utc(ticks: int) -> str | None:
    """Return a FILETIME as ISO 8601 to the second; None for zero, which means none, and for one beyond any calendar."""
    if not ticks:
        return None
    try:
        return (_BEGIN + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return None


def stored(data: bytes | None) -> str | None:
    """Return the time that the eight bytes of a value are, likewise; None for any other value."""
    return utc(int.from_bytes(data, "little")) if data is not None and len(data) == 8 else None  # noqa: PLR2004
