"""Accounts of Linux and macOS, from the files in which these keep them.

Sources: passwd(5); `struct lastlog` of the GNU C library (32-bit seconds since 1970, 32 bytes of a line, 256 of a host,
little endian, the record of a number at 292 times that); what macOS writes for Directory Services.
"""

import plistlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from triage.content.content import Content
from triage.content.members.member import ObstacleError, damaged
from triage.model.trouble import TroubleCode

FIRST_OF_LINUX, FIRST_OF_MACOS = 1000, 501
"""Smaller numbers are of accounts that come with the system."""

_NOBODY = 65_534
_MOST_TEXT, _MOST_RECORDS = 1 << 20, 64 << 20
_FIELDS, _DIGITS = 7, 10
_RECORD, _LINE, _HOST = 292, 4, 36
_BATCH = 4096


class Account(NamedTuple):
    """An account that a person may have: what is recorded of it; `made` is ISO 8601 UTC, None where it is not told."""

    name: str
    number: int
    person: str
    home: str
    made: str | None = None


class LogOn(NamedTuple):
    """The last log-on of the account with a number: ISO 8601 UTC, the terminal, and the machine it came from."""

    number: int
    when: str
    line: str
    host: str


def passwd(content: Content) -> Iterator[Account]:
    """Yield the accounts of `/etc/passwd`. Raises EvidenceError, its subclass ObstacleError too, for lines of none."""
    strange = 0
    for line in _whole(content).decode("utf-8", "replace").splitlines():
        if not line or line[0] in "#+-":  # remarks, and entries that stand for those of a network
            continue
        fields = line.split(":")
        if len(fields) != _FIELDS or not fields[2].isdecimal() or len(fields[2]) > _DIGITS:
            strange += 1
        elif FIRST_OF_LINUX <= int(fields[2]) != _NOBODY:
            yield Account(fields[0], int(fields[2]), fields[4].partition(",")[0], fields[5])
    if strange:
        raise damaged(f"{strange} of its lines are of no account")


def lastlog(content: Content) -> Iterator[LogOn]:
    """Yield the log-ons of `/var/log/lastlog`. Raises EvidenceError likewise."""
    size = _RECORD * _BATCH
    for offset in range(0, min(content.size, _MOST_RECORDS), size):
        data = content.read_at(offset, size)
        for at in range(0, len(data) - _RECORD + 1, _RECORD) if any(data) else ():
            seconds = int.from_bytes(data[at : at + 4], "little")
            if seconds:
                line, host = data[at + _LINE : at + _HOST], data[at + _HOST : at + _RECORD]
                yield LogOn((offset + at) // _RECORD, _utc(seconds) or "", _text(line), _text(host))
    if content.size > _MOST_RECORDS:
        raise ObstacleError(TroubleCode.LIMIT, f"only its first {_MOST_RECORDS} bytes are looked at")


def macos_user(content: Content) -> Iterator[Account]:
    """Yield the account of a property list of Directory Services. Raises EvidenceError, and others of plistlib."""
    told = plistlib.loads(_whole(content))
    number = _first(told, "uid")
    if not isinstance(number, str) or not number.lstrip("-").isdecimal():
        raise damaged("the property list is of no account")
    if int(number) >= FIRST_OF_MACOS:
        policy = _first(told, "accountPolicyData")
        made = plistlib.loads(policy).get("creationTime") if isinstance(policy, bytes) else None
        name, person, home = (str(_first(told, key) or "") for key in ("name", "realname", "home"))
        yield Account(name, int(number), person, home, _utc(made) if isinstance(made, int | float) else None)


def _first(told: object, key: str) -> object:
    """Return the first of the values that a property list has for a key."""
    values = told.get(key) if isinstance(told, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def _whole(content: Content) -> bytes:
    if content.size > _MOST_TEXT:
        raise ObstacleError(TroubleCode.LIMIT, f"{content.size} bytes are more than any such file has")
    return content.read_at(0, content.size)


def _text(stored: bytes) -> str:
    return stored.partition(b"\0")[0].decode("utf-8", "replace")


def _utc(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None
