"""Accounts: what a SAM says of each, and no less of the others where one is damaged."""

import pytest
from content.registry.hives import Node, account, hive, sam

from triage.content.content import Content
from triage.content.members.member import ObstacleError
from triage.content.registry.accounts import Account, accounts
from triage.content.registry.hive import Hive


def told(data: bytes) -> tuple[list[Account], int]:
    opened = Hive(Content.of(data))
    return list(accounts(opened)), opened.lost


def test_each_account_is_told_with_its_last_log_on() -> None:
    online = account("béa", "2024-02-29T23:59:59Z", 1)
    online.values["InternetUserName"] = "bea@example.org"
    given = {500: account("Administrator", is_disabled=True), 1001: account("alice", "2024-05-01T10:00:00Z", 12)}
    assert told(sam(given | {1002: online})) == (
        [
            Account("Administrator", 500, None, 0, is_disabled=True, online=""),
            Account("alice", 1001, "2024-05-01T10:00:00Z", 12, is_disabled=False, online=""),
            Account("béa", 1002, "2024-02-29T23:59:59Z", 1, is_disabled=False, online="bea@example.org"),
        ],
        0,
    )


def test_an_account_whose_values_are_damaged_is_counted_and_the_others_are_told() -> None:
    short, long = account("short"), account("long")
    short.values["F"] = bytes(20)
    long.values["V"] = bytes(12) + b"\xff\xff\xff\xff" * 2 + bytes(300)
    found, lost = told(sam({1001: short, 1002: account("carl"), 1003: long, 1004: Node()}))
    assert [one.name for one in found] == ["carl"]
    assert lost == 3


def test_a_time_beyond_any_calendar_is_none() -> None:
    far = account("far", "2024-05-01T10:00:00Z")
    fixed = far.values["F"]
    assert isinstance(fixed, bytes)
    far.values["F"] = fixed[:8] + b"\xff" * 8 + fixed[16:]
    assert told(sam({1001: far}))[0][0].last_logon is None


def test_a_hive_without_accounts_is_refused() -> None:
    with pytest.raises(ObstacleError, match="there are no accounts"):
        told(hive(Node({"SAM": Node()})))
