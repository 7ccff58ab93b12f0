"""Times as text: ISO 8601 in UTC with nanoseconds, for every date that a file system can hold."""

from functools import lru_cache

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_MINUTES = 1440  # of a day
_LEADING = 1000 * _SECOND  # keeps the zeros before a second and its fraction

_DAYS_TO_EPOCH = 719_468  # from 0000-03-01 to 1970-01-01
_DAYS_IN_ERA = 146_097  # 400 Gregorian years


def utc_text(nanoseconds: int | None) -> str | None:
    """Return `2019-08-31T10:22:59.960217400Z` for nanoseconds since 1970; years past 9999 carry a sign."""
    if nanoseconds is None:
        return None
    minute, rest = divmod(nanoseconds, _MINUTE)
    digits = str(_LEADING + rest)
    return f"{_until(minute)}{digits[2:4]}.{digits[4:]}Z"


def utc_nanoseconds(text: str | None) -> int | None:
    """Return what `utc_text` was given."""
    if text is None:
        return None
    return _minute(text[:-13]) * _MINUTE + int(text[-13:-11]) * _SECOND + int(text[-10:-1])


@lru_cache(maxsize=1 << 15)  # what was copied or installed together has its times in few minutes
def _until(minute: int) -> str:
    """Return what comes before the seconds."""
    day, rest = divmod(minute, _MINUTES)
    return f"{_date(day)}T{rest // 60:02}:{rest % 60:02}:"


@lru_cache(maxsize=1 << 15)
def _minute(text: str) -> int:
    """Return the minute that `_until` wrote."""
    date, _, clock = text.partition("T")
    return _day(date) * _MINUTES + int(clock[0:2]) * 60 + int(clock[3:5])


@lru_cache(maxsize=4096)  # the times of one source fall on few days
def _date(day: int) -> str:
    """Return the proleptic Gregorian date of a day since 1970; `datetime` ends at the year 9999, NTFS at 60056."""
    era, day_of_era = divmod(day + _DAYS_TO_EPOCH, _DAYS_IN_ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    day_of_month = day_of_year - (153 * march_month + 2) // 5 + 1
    month = march_month + 3 if march_month < 10 else march_month - 9  # noqa: PLR2004 - months are counted from March
    year = era * 400 + year_of_era + (month <= 2)  # noqa: PLR2004 - January and February end the year before
    plain = 0 <= year <= 9999  # noqa: PLR2004 - the years of four digits
    return f"{year:04}-{month:02}-{day_of_month:02}" if plain else f"{year:+07}-{month:02}-{day_of_month:02}"


@lru_cache(maxsize=4096)
def _day(date: str) -> int:
    """Return the day since 1970 of a date that `_date` wrote."""
    year, month, day_of_month = int(date[:-6]), int(date[-5:-3]), int(date[-2:])
    year -= month <= 2  # noqa: PLR2004 - the year begins in March here
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day_of_month - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_IN_ERA + day_of_era - _DAYS_TO_EPOCH
