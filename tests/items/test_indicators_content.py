"""Files in which systems keep accounts and devices: asked only there, told in plain lines, whatever they hold."""

import plistlib
from dataclasses import replace

import pytest
from content.registry.hives import Node, account, device, sam, system
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.content.content import Content
from triage.items.indicators_content import MOST, is_asked, told_by
from triage.items.indicators_lines import LONGEST
from triage.model.address import Address
from triage.model.errors import EvidenceError
from triage.model.indication import Indication
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble, TroubleCode

SAM = Item(
    address=Address("volume", "0").child("path", "/SAM"),
    kind=ItemKind.FILE,
    path="Windows/System32/config/SAM",
    size=1,
    allocated=True,
    reference="5",
)
SYSTEM = replace(SAM, path="WINDOWS/system32/config/system")
ALICE = account("alice", "2024-05-01T10:00:00Z", 12)
STORAGE = Node({"Disk&Ven_A&Prod_B": Node({"S1&0": device("Stick", {"0065": "2024-01-02T00:00:00Z"})})})


def told(item: Item, data: bytes) -> list[Indication | Trouble]:
    return list(told_by(item, Content.of(data)))


def lines(item: Item, data: bytes) -> list[tuple[str, str, str]]:
    entries = told(item, data)
    return [(one.group, one.label, one.text) for one in entries if isinstance(one, Indication)]


def troubles(item: Item, data: bytes) -> list[tuple[TroubleCode, str]]:
    entries = told(item, data)
    return [(one.code, one.text) for one in entries if isinstance(one, Trouble)]


@pytest.mark.parametrize(
    "path",
    [
        "Windows/System32/config/SAM",
        "WINDOWS/system32/config/system",
        "WINNT/system32/config/SYSTEM",
        "Windows.old/Windows/System32/config/SAM",
        "windows.old.000/WINDOWS/System32/config/SAM",
    ],
)
def test_hives_are_asked_where_windows_keeps_them(path: str) -> None:
    assert is_asked(replace(SAM, path=path))
    assert not is_asked(replace(SAM, path=path, allocated=False))
    assert not is_asked(replace(SAM, path=path, kind=ItemKind.MEMBER))
    assert not is_asked(replace(SAM, path=f"Users/ann/{path}"))
    assert not is_asked(replace(SAM, path=f"{path}.LOG1"))


@pytest.mark.parametrize(
    "path",
    [
        "etc/passwd",
        "@/etc/passwd",
        "var/log/lastlog",
        "private/var/db/dslocal/nodes/Default/users/ann.plist",
    ],
)
def test_files_of_linux_and_macos_are_asked_where_these_keep_them(path: str) -> None:
    assert is_asked(replace(SAM, path=path))
    assert not is_asked(replace(SAM, path=path.upper()))
    assert not is_asked(replace(SAM, path=f"home/ann/{path}"))


def test_accounts_and_log_ons_of_linux_are_told_in_plain_words() -> None:
    passwd = b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann Smith,,,:/home/ann:/bin/bash\n"
    meaning = "an account of Linux; it shows not whether it was used"
    assert lines(replace(SAM, path="etc/passwd"), passwd) == [
        ("user-account", "ann (1000)", f"Account ann (1000), Ann Smith, home folder /home/ann; {meaning}.")
    ]
    record = (1_714_557_600).to_bytes(4, "little") + b"pts/0".ljust(32, b"\0") + b"192.0.2.1".ljust(256, b"\0")
    ((group, label, text),) = lines(replace(SAM, path="var/log/lastlog"), bytes(292 * 1000) + record)
    assert (group, label) == ("user-account", "account number 1000: last log-on 2024-05-01T10:00:00Z")
    assert text.startswith("Account number 1000: last log-on 2024-05-01T10:00:00Z at pts/0 from 192.0.2.1; what Linux")


def test_an_account_of_macos_is_told_in_plain_words() -> None:
    policy = plistlib.dumps({"creationTime": 1_714_557_600.5})
    told = {
        "name": ["ann"],
        "uid": ["501"],
        "realname": ["Ann Smith"],
        "home": ["/Users/ann"],
        "accountPolicyData": [policy],
    }
    place = replace(SAM, path="private/var/db/dslocal/nodes/Default/users/ann.plist")
    ((_, label, text),) = lines(place, plistlib.dumps(told, fmt=plistlib.FMT_BINARY))
    assert label == "ann (501): made 2024-05-01T10:00:00Z"
    assert text.startswith(
        "Account ann (501), Ann Smith, home folder /Users/ann, made 2024-05-01T10:00:00Z; an account"
    )


def test_what_is_no_such_file_is_a_trouble() -> None:
    assert troubles(replace(SAM, path="etc/passwd"), b"a\nann:x:1000:1000::/home/ann:\n") == [
        (TroubleCode.NOT_OPENED, "asked for accounts or devices: 1 of its lines are of no account")
    ]
    place = replace(SAM, path="private/var/db/dslocal/nodes/Default/users/ann.plist")
    for data in (b"", b"bplist00" + bytes(40), plistlib.dumps([]), plistlib.dumps({"uid": ["x"]})):
        assert [code for code, _ in troubles(place, data)] == [TroubleCode.NOT_OPENED]


def test_bytes_that_cannot_be_read_are_a_trouble_and_what_was_read_before_is_told() -> None:
    data = sam({1001: ALICE, 1002: account("bob")})
    lost = data.rindex("bob".encode("utf-16-le"))

    def read(offset: int, length: int) -> bytes:
        if offset <= lost < offset + length:
            raise EvidenceError("some of the bytes cannot be read")
        return data[offset : offset + length]

    first, last = told_by(SAM, Content(read, len(data), keep=0))
    assert isinstance(first, Indication)
    assert first.label.startswith("alice")
    assert isinstance(last, Trouble)
    assert last.text.endswith("keys and values cannot be read")


def test_an_account_is_told_in_plain_words() -> None:
    recorded = "what Windows recorded, by the clock of that machine."
    guest, alice = "Guest (501): no log-on recorded", "alice (1001): last log-on 2024-05-01T10:00:00Z"
    assert lines(SAM, sam({1001: ALICE, 501: account("Guest", is_disabled=True)})) == [
        ("user-account", guest, f"Account {guest}, 0 log-ons, built in, disabled; {recorded}"),
        ("user-account", alice, f"Account {alice}, 12 log-ons; {recorded}"),
    ]


def test_an_account_that_is_bound_to_one_of_microsoft_names_it() -> None:
    online = account("ann", logons=1)
    online.values["InternetUserName"] = "ann@example.org"
    ((_, _, text),) = lines(SAM, sam({1001: online}))
    assert "no log-on recorded, 1 log-on, bound to the Microsoft account ann@example.org; what" in text


def test_a_device_is_told_in_plain_words() -> None:
    recorded = "what Windows recorded, by the clock of that machine."
    seen = Node({"S1&0": device("Stick", {"0065": "2024-01-02T00:00:00Z", "0066": "2024-01-03T00:00:00Z"})})
    unseen = Node({"7&1&0": Node(values={"FriendlyName": "Reader"})})
    reader = "Reader, without a serial number, called 7&1&0 by Windows: no time but that of its entry, last written "
    reader += "2024-01-01T00:00:00Z"
    stick, last = "Stick, serial number S1", "last connected 2024-01-03T00:00:00Z"
    assert lines(SYSTEM, system(Node({"Disk&Ven_A": unseen, "Disk&Ven_B": seen}))) == [
        ("connected-device", reader, f"Device {reader}; {recorded}"),
        (
            "connected-device",
            f"{stick}: {last}",
            f"Device {stick}: first set up 2024-01-02T00:00:00Z, {last}; {recorded}",
        ),
    ]


def test_a_hive_that_was_not_written_to_its_end_says_so_in_each_line() -> None:
    (line,) = lines(SAM, sam({1001: ALICE}, is_dirty=True))
    assert line[2].endswith("later changes may be in its log files, which are not read.")


def test_what_cannot_be_read_is_one_trouble_that_weighs_nothing() -> None:
    assert [code for code, _ in troubles(SAM, bytes(8192))] == [TroubleCode.NOT_OPENED]
    assert troubles(SAM, sam({1001: ALICE, 1002: Node(), 1003: Node()})) == [
        (TroubleCode.NOT_OPENED, "asked for accounts or devices: 2 of its keys and values cannot be read")
    ]
    assert troubles(SAM, sam({1001: ALICE})) == []


def test_more_accounts_than_any_machine_has_are_cut_and_told() -> None:
    data = sam({1000 + number: account(f"a{number}") for number in range(MOST + 1)})
    assert len(lines(SAM, data)) == MOST
    ((_, text),) = troubles(SAM, data)
    assert text.endswith(f"it tells of more than {MOST}, of which the first are told")


def test_a_hostile_name_is_shown_short_and_plain() -> None:
    ((_, label, text),) = lines(SAM, sam({1001: account("\u202egpj\n\x1b[31m" + "a" * 5000, logons=1)}))
    assert label.startswith("\ufffdgpj\ufffd\ufffd[31maaa")
    assert label.isprintable()
    assert text.isprintable()
    assert len(text) < LONGEST


@settings(max_examples=100)
@given(changes=st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=40), cut=st.integers(0, 12_288))
def test_no_change_of_bytes_makes_it_fail(changes: list[tuple[int, int]], cut: int) -> None:
    for item, made in ((SAM, sam({1001: ALICE, 1002: ALICE})), (SYSTEM, system(STORAGE))):
        data = bytearray(made)
        for place, value in changes:
            data[place if place < 64 else place % 1500 + 4096] = value
        for entry in told(item, bytes(data[: max(cut, 4200)])):
            if isinstance(entry, Trouble):
                assert entry.code is TroubleCode.NOT_OPENED
            else:
                assert entry.text.isprintable()
                assert len(entry.text) <= LONGEST
