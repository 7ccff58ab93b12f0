from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.store.times import utc_nanoseconds, utc_text

_FILETIME_FIRST = -11_644_473_600 * 10**9  # 1601-01-01
_FILETIME_LAST = _FILETIME_FIRST + (1 << 64) * 100


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1_567_246_979_960_217_400, "2019-08-31T10:22:59.960217400Z"),
        (_FILETIME_FIRST, "1601-01-01T00:00:00.000000000Z"),
        (951_782_400 * 10**9, "2000-02-29T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (253_402_300_800 * 10**9, "+010000-01-01T00:00:00.000000000Z"),
        (-62_167_219_201 * 10**9, "-000001-12-31T23:59:59.000000000Z"),
    ],
)
def test_known_times(nanoseconds: int, text: str) -> None:
    assert utc_text(nanoseconds) == text
    assert utc_nanoseconds(text) == nanoseconds


def test_a_time_that_is_not_kept_stays_unknown() -> None:
    assert utc_text(None) is None
    assert utc_nanoseconds(None) is None


@settings(deadline=None)  # a shared machine may stall
@given(st.integers(min_value=-(1 << 80), max_value=1 << 80))
def test_every_time_comes_back(nanoseconds: int) -> None:
    text = utc_text(nanoseconds)
    assert utc_nanoseconds(text) == nanoseconds


@settings(deadline=None)  # a shared machine may stall
@given(st.integers(min_value=_FILETIME_FIRST, max_value=_FILETIME_LAST))
def test_the_whole_range_of_ntfs_comes_back(nanoseconds: int) -> None:
    assert utc_nanoseconds(utc_text(nanoseconds)) == nanoseconds


@settings(deadline=None)  # a shared machine may stall
@given(st.datetimes(timezones=st.just(UTC)))
def test_agrees_with_the_standard_library(moment: datetime) -> None:
    seconds = (moment.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // (
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    )
    text = utc_text(seconds * 10**9 + moment.microsecond * 1000)
    assert text == moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "000Z"
