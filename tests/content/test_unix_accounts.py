"""Accounts of Linux and macOS: those that a person may have."""

import plistlib

import pytest

from triage.content.content import Content
from triage.content.members.member import ObstacleError
from triage.content.unix_accounts import Account, LogOn, lastlog, macos_user, passwd

PASSWD = """root:x:0:0:root:/root:/bin/bash
# a remark
+::::::
ann:x:1000:1000:Ann Smith,,,:/home/ann:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
béa:x:1001:1001::/home/bea:
"""


def test_accounts_of_persons_are_told_and_those_of_the_system_are_not() -> None:
    assert list(passwd(Content.of(PASSWD.encode()))) == [
        Account("ann", 1000, "Ann Smith", "/home/ann"),
        Account("béa", 1001, "", "/home/bea"),
    ]


@pytest.mark.parametrize("line", ["ann", "ann:x:a:1::/:", "ann:x:99999999999:1::/:", "ann:x:1000:1::/:::"])
def test_a_line_of_no_account_is_counted_behind_the_others(line: str) -> None:
    told = passwd(Content.of(f"{line}\n{PASSWD}".encode()))
    assert [next(told).name, next(told).name] == ["ann", "béa"]
    with pytest.raises(ObstacleError, match="1 of its lines"):
        next(told)


def test_a_file_larger_than_any_is_refused_or_read_in_part() -> None:
    with pytest.raises(ObstacleError):
        list(passwd(Content(lambda _offset, length: bytes(length), 1 << 40, keep=0)))
    with pytest.raises(ObstacleError, match="only its first"):
        list(lastlog(Content(lambda _offset, length: bytes(length), 1 << 40, keep=0)))


def test_log_ons_are_told_by_the_number_of_their_account() -> None:
    record = (1_714_557_600).to_bytes(4, "little") + b"tty1".ljust(32, b"\0") + bytes(256)
    held = bytearray(292 * 70_000)
    held[:292] = held[292 * 69_999 :] = record
    assert list(lastlog(Content.of(bytes(held) + b"\1" * 291))) == [
        LogOn(0, "2024-05-01T10:00:00Z", "tty1", ""),
        LogOn(69_999, "2024-05-01T10:00:00Z", "tty1", ""),
    ]


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_an_account_of_macos_is_told_without_what_is_not_recorded(form: plistlib.PlistFormat) -> None:
    told = plistlib.dumps({"name": ["ann", "also"], "uid": ["501"], "accountPolicyData": []}, fmt=form)
    assert list(macos_user(Content.of(told))) == [Account("ann", 501, "", "")]
    for number in ("-2", "0", "248"):
        assert list(macos_user(Content.of(plistlib.dumps({"name": ["_x"], "uid": [number]}, fmt=form)))) == []
