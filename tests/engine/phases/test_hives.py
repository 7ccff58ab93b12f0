"""Hives and their like in a run: asked for accounts and devices wherever containers are gone through."""

import plistlib
from pathlib import Path

import pytest
from content.registry.hives import Node, account, device, sam, system
from engine.phases.exhibit import Exhibit, zipped
from images import pictures
from images.ntfs import ntfs
from images.tree import File
from suite import Triage

from triage.engine.plan import Profile
from triage.session.examination import Examination

CONFIG = "Windows/System32/config"
KNOWN = pictures.png(pictures.scene(1, (64, 48)))
LARGE = 3 << 20  # bytes: by their size alone they are in no set
ALICE = account("alice", "2024-05-01T10:00:00Z", 12)
STICK = device("SanDisk Ultra USB Device", {"0065": "2023-03-04T05:06:07Z", "0066": "2024-05-02T08:00:00Z"})
ACCOUNTS = sam({1001: ALICE, 501: account("Guest", is_disabled=True)})
DEVICES = system(Node({"Disk&Ven_SanDisk&Prod_Ultra&Rev_1.00": Node({"4C530001&0": STICK})})).ljust(LARGE, b"\0")
TOLD = [
    ("connected-device", "SanDisk Ultra USB Device, serial number 4C530001: last connected 2024-05-02T08:00:00Z"),
    ("user-account", "Guest (501): no log-on recorded"),
    ("user-account", "alice (1001): last log-on 2024-05-01T10:00:00Z"),
]


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.know(KNOWN)
    return exhibit


def write(exhibit: Exhibit, files: dict[str, bytes], *, deleted: bool = False) -> None:
    listed = [File(path=path, data=data, deleted=deleted) for path, data in files.items()]
    exhibit.source.write_bytes(ntfs(listed, 32 << 20))


def told(exhibit: Exhibit, case: str = "case") -> list[tuple[str, str]]:
    return exhibit.rows("SELECT category, label FROM indication ORDER BY 1, 2", case)


def troubles(exhibit: Exhibit) -> list[tuple[str, str]]:
    return exhibit.rows("SELECT code, text FROM trouble ORDER BY 1, 2")


@pytest.mark.parametrize("profile", [Profile.SCENE, Profile.FULL])
def test_accounts_and_devices_are_told_in_every_examination_that_opens_containers(
    exhibit: Exhibit, profile: Profile
) -> None:
    write(exhibit, {f"{CONFIG}/SAM": ACCOUNTS, f"{CONFIG}/SYSTEM": DEVICES, "Users/ann/a.txt": b"plain words"})
    exhibit.run(profile=profile)
    assert told(exhibit) == TOLD
    assert troubles(exhibit) == []
    assert exhibit.rows("SELECT DISTINCT path FROM indication WHERE category = 'user-account'") == [(f"{CONFIG}/SAM",)]
    assert exhibit.rows("SELECT opens, members FROM item WHERE opens") == [(2, 0), (2, 0)]


def test_a_large_hive_is_asked_and_not_read_as_a_whole(exhibit: Exhibit) -> None:
    write(exhibit, {f"{CONFIG}/SYSTEM": DEVICES})
    exhibit.run(profile=Profile.SCENE)
    (row,) = exhibit.rows("SELECT outcome, reason, md5 FROM item WHERE path LIKE '%SYSTEM'")
    assert row == ("skipped", "size: no set holds a file of this size", None)
    assert told(exhibit) == TOLD[:1]


def test_the_command_line_lists_them_with_their_meaning(exhibit: Exhibit, triage: Triage) -> None:
    write(exhibit, {f"{CONFIG}/SAM": ACCOUNTS, f"{CONFIG}/SYSTEM": DEVICES})
    words = ["--case", exhibit.folder / "case", "--exhibit", "A/1"]
    library = ["--library", exhibit.folder / "library"]
    triage("examine", exhibit.source, *words, *library, "--profile", "scene", "--jobs", 1, "--json")
    rows = triage("indications", *words, "--jsonl").rows
    assert [(row["group"], row["label"]) for row in rows] == TOLD
    assert rows[-1]["path"] == f"{CONFIG}/SAM"
    recorded = "what Windows recorded, by the clock of that machine."
    assert rows[-1]["text"] == f"Account alice (1001): last log-on 2024-05-01T10:00:00Z, 12 log-ons; {recorded}"


def test_files_of_linux_and_macos_are_asked_likewise(exhibit: Exhibit) -> None:
    users = "private/var/db/dslocal/nodes/Default/users"
    files = {
        "etc/passwd": b"ann:x:1000:1000::/home/ann:/bin/bash\nno account\n",
        "var/log/lastlog": bytes(292_000) + (1_714_557_600).to_bytes(4, "little") + bytes(288),
        f"{users}/ann.plist": plistlib.dumps({"name": ["ann"], "uid": ["501"]}),
    }
    for path, data in files.items():
        (exhibit.source / path).parent.mkdir(parents=True, exist_ok=True)
        (exhibit.source / path).write_bytes(data)
    exhibit.run(profile=Profile.SCENE)
    labels = ["account number 1000: last log-on 2024-05-01T10:00:00Z", "ann (1000)", "ann (501)"]
    assert told(exhibit) == [("user-account", label) for label in labels]
    assert troubles(exhibit) == [
        ("container-not-opened", "asked for accounts or devices: 1 of its lines are of no account")
    ]


def test_no_hive_is_asked_by_digests_alone_nor_one_that_is_deleted_or_elsewhere(exhibit: Exhibit) -> None:
    write(exhibit, {f"{CONFIG}/SAM": ACCOUNTS})
    exhibit.run("exact", profile=Profile.EXACT)
    assert told(exhibit, "exact") == []
    write(exhibit, {f"{CONFIG}/SAM": ACCOUNTS}, deleted=True)
    exhibit.run("deleted", profile=Profile.SCENE)
    assert told(exhibit, "deleted") == []
    write(exhibit, {"Users/ann/SAM": ACCOUNTS, "Users/ann/a.zip": zipped({f"{CONFIG}/SAM": ACCOUNTS})})
    exhibit.run("elsewhere", profile=Profile.SCENE)
    assert told(exhibit, "elsewhere") == []


def looping() -> bytes:
    """Return a hive whose only key is its root, and whose list of accounts can never be reached."""
    data = bytearray(ACCOUNTS)
    top = int.from_bytes(data[36:40], "little")
    keys = int.from_bytes(data[4096 + top + 32 : 4096 + top + 36], "little")
    data[4096 + keys + 8 : 4096 + keys + 12] = data[36:40]
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(8192), "it is no registry hive"),
        (b"regf" + b"\xff" * 8000, "registry hives of version 4294967295 are not read"),
        (ACCOUNTS[:4700], "there are no accounts where the registry hive keeps them"),
        (looping(), "there are no accounts where the registry hive keeps them"),
    ],
    ids=["zeros", "garbage", "truncated", "looping"],
)
def test_a_hive_that_cannot_be_read_is_stated_and_decides_nothing(exhibit: Exhibit, data: bytes, reason: str) -> None:
    write(exhibit, {f"{CONFIG}/SYSTEM": DEVICES})
    exhibit.run("without", profile=Profile.SCENE)
    write(exhibit, {f"{CONFIG}/SAM": data, f"{CONFIG}/SYSTEM": DEVICES})
    exhibit.run(profile=Profile.SCENE)
    assert told(exhibit) == TOLD[:1]
    ((code, text),) = troubles(exhibit)
    assert code == "container-not-opened"
    assert reason in text
    assert exhibit.reasons().keys() - exhibit.reasons("without").keys() == {"container-not-opened"}
    assert f"{CONFIG}/SAM" in exhibit.reasons()["container-not-opened"]
    assert exhibit.summary()["state"] == "finished"


def test_an_archive_in_the_place_of_a_hive_is_gone_through_as_any(exhibit: Exhibit) -> None:
    write(exhibit, {f"{CONFIG}/SAM": zipped({"known.png": KNOWN})})
    exhibit.run(profile=Profile.SCENE)
    assert exhibit.summary()["recommendation"]["verdict"] == "seize-indicated"
    assert troubles(exhibit) == [("container-not-opened", "asked for accounts or devices: it is no registry hive")]


def test_workers_and_interruptions_change_nothing(exhibit: Exhibit) -> None:
    files = {f"{CONFIG}/SAM": ACCOUNTS, f"{CONFIG}/SYSTEM": DEVICES, "Users/ann/a.zip": zipped({"b.txt": b"words"})}
    write(exhibit, {**files, "Windows.old/Windows/System32/config/SAM": ACCOUNTS[:4700]})
    exhibit.run("whole", profile=Profile.SCENE)
    exhibit.run("two", profile=Profile.SCENE, jobs=2)
    assert exhibit.kept("two") == exhibit.kept("whole")
    for _ in range(100):
        with Examination(exhibit.order("stopped", profile=Profile.SCENE)) as examination:
            if examination.finished:
                break
            events = examination.events()
            before = len(told(exhibit, "stopped"))
            for _ in events:
                if len(told(exhibit, "stopped")) > before:
                    break
            events.close()
    assert exhibit.kept("stopped") == exhibit.kept("whole")
    assert set(TOLD) <= set(told(exhibit, "stopped"))
