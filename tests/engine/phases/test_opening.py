"""Containers in a run: gone through when their turn comes, once, whatever happens to workers and runs."""

from pathlib import Path

import pytest
from engine.phases import hostile
from engine.phases.exhibit import Exhibit, found, zipped
from images import pictures
from images.ntfs import ntfs
from images.tree import File

from triage.engine.messages import Request
from triage.engine.phases.opening import Opening
from triage.engine.plan import Limits, Profile
from triage.engine.workers import pool
from triage.model.event import Found, Met
from triage.session.examination import Examination

KNOWN = pictures.png(pictures.scene(1, (64, 48)))
PLAIN = b"plain words"
NOT_READ = b"MSCF" + bytes(60) + b"a cabinet"
RAR = b"Rar!\x1a\7\1\0" + bytes(60)
BROKEN_7Z = b"7z\xbc\xaf\x27\x1c\0\4" + b"\xaa" * 60
MEMBERS = 3000


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.know(KNOWN)
    return exhibit


def write(exhibit: Exhibit, files: dict[str, bytes]) -> None:
    exhibit.source.write_bytes(ntfs([File(path=path, data=data) for path, data in files.items()], 16 << 20))


def containers(exhibit: Exhibit, case: str = "case") -> dict[str, tuple[int, int]]:
    rows = exhibit.rows("SELECT path, opens, members FROM item WHERE opens ORDER BY path", case)
    return {path: (opens, members) for path, opens, members in rows}


def test_a_known_picture_in_a_zip_in_a_zip_is_found_with_its_path(exhibit: Exhibit) -> None:
    inner = zipped({"notes.txt": PLAIN, "known.png": KNOWN})
    write(exhibit, {"Users/ann/Documents/outer.zip": zipped({"a.txt": PLAIN, "inner.zip": inner})})
    events = exhibit.run(profile=Profile.SCENE)
    outer = "Users/ann/Documents/outer.zip"
    (told,) = {event.item.path: event for event in events if isinstance(event, Found)}.values()
    assert told.item.path == f"{outer}/inner.zip/known.png"
    assert str(told.item.address).endswith("!member:1!member:1")
    assert told.finding.address == told.item.address
    members = exhibit.rows("SELECT path, outcome, size FROM item WHERE kind = 'member' ORDER BY id")
    assert members == [
        (f"{outer}/a.txt", "examined", len(PLAIN)),
        (f"{outer}/inner.zip", "examined", len(inner)),
        (f"{outer}/inner.zip/notes.txt", "examined", len(PLAIN)),
        (f"{outer}/inner.zip/known.png", "examined", len(KNOWN)),
    ]
    assert containers(exhibit) == {outer: (2, 4)}
    assert exhibit.summary()["recommendation"]["verdict"] == "seize-indicated"


def test_containers_are_opened_in_the_order_of_their_tiers(exhibit: Exhibit) -> None:
    archive = zipped({"known.png": KNOWN})
    places = ["Windows/Temp/a.zip", "Data/b.docx", "Users/ann/Pictures/c.docx", "Users/ann/Documents/d.docx"]
    write(exhibit, dict.fromkeys(places, archive))
    events = exhibit.run(profile=Profile.SCENE)
    expected = [places[2], places[3], places[1], places[0]]
    assert found(events) == [f"{place}/known.png" for place in expected]


def test_no_container_is_opened_in_an_examination_by_digests_alone(exhibit: Exhibit) -> None:
    write(exhibit, {"Users/ann/a.zip": zipped({"known.png": KNOWN})})
    assert found(exhibit.run(profile=Profile.EXACT)) == []
    assert containers(exhibit) == {}


def many() -> dict[str, bytes]:
    members = {f"{number:04}.txt": b"%d" % number for number in range(MEMBERS)}
    return {
        "Users/ann/Documents/large.zip": zipped(members | {"a/known.png": KNOWN, "broken.zip": b"PK\3\4" + bytes(40)}),
        "Users/ann/Documents/small.zip": zipped({"known.png": KNOWN, "a.txt": PLAIN}),
        "Users/ann/Documents/nested.zip": zipped({"inner.zip": zipped({"known.png": KNOWN})}),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Exhibit:
    """Return an exhibit that was examined without interruption."""
    exhibit = Exhibit(tmp_path_factory.mktemp("whole"))
    exhibit.know(KNOWN)
    write(exhibit, many())
    exhibit.run("whole", profile=Profile.SCENE)
    assert exhibit.rows("SELECT count(*) FROM item WHERE kind = 'member'", "whole") == [(MEMBERS + 6,)]
    return exhibit


def test_the_number_of_workers_changes_nothing(whole: Exhibit) -> None:
    whole.run("two", profile=Profile.SCENE, jobs=2)
    assert whole.kept("two") == whole.kept("whole")


def test_stopped_in_the_middle_of_a_container_and_resumed_it_ends_as_if_nothing_had_happened(whole: Exhibit) -> None:
    stops = 0
    for _ in range(100):
        with Examination(whole.order("stopped", profile=Profile.SCENE)) as examination:
            if examination.finished:
                break
            events = examination.events()
            for _ in events:
                done = whole.rows("SELECT members FROM item WHERE opens = 1 AND members > 0", "stopped")
                if done and stops < 3 and done[0][0] > stops * 900:
                    stops += 1
                    break
            events.close()
    assert stops == 3
    assert whole.kept("stopped") == whole.kept("whole")


def test_a_container_that_ends_its_worker_or_holds_it_up_costs_itself_alone(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make("containers"))
    archive = zipped({"a.txt": PLAIN, "known.png": KNOWN})
    names = ["a.zip", hostile.DEADLY, "b.zip", hostile.HANGING, "c.zip"]
    write(exhibit, {f"Users/ann/{name}": archive for name in names})
    events = exhibit.run(profile=Profile.SCENE, limits=Limits(item_seconds=1.5, seconds_per_byte=0.0))
    opened = containers(exhibit)
    for name in ("a.zip", "b.zip", "c.zip"):
        assert opened.pop(f"Users/ann/{name}") == (2, 2)
    assert {opens for opens, _ in opened.values()} == {3}
    troubles = {event.trouble.code.value: str(event.trouble.address) for event in events if isinstance(event, Met)}
    assert set(troubles) == {"crashed", "timed-out"}
    assert hostile.DEADLY in troubles["crashed"]
    assert hostile.HANGING in troubles["timed-out"]
    assert len(found(events)) == 3
    assert exhibit.summary()["state"] == "finished"
    assert exhibit.rows("SELECT DISTINCT outcome FROM item WHERE kind = 'file'") == [("examined",)]


def test_what_systems_ship_and_is_not_read_is_stated_in_their_folders_and_all_else_is_unknown(exhibit: Exhibit) -> None:
    broken = zipped({"a.txt": PLAIN})[:-30]
    files = {"Windows/a.cab": NOT_READ, "Users/ann/b.cab": NOT_READ}
    files |= {"Windows/c.jar": broken, "Users/ann/d.jar": broken, "Windows/c.zip": broken}
    files |= {"Windows/e.rar": RAR, "Windows/f.7z": BROKEN_7Z}
    write(exhibit, files)
    exhibit.run(profile=Profile.SCENE)
    rows = exhibit.rows("SELECT address, code FROM trouble")
    codes = {path: next(code for address, code in rows if address.endswith(path)) for path in files}
    assert codes.pop("Users/ann/b.cab") == "unsupported"
    assert codes.pop("Windows/e.rar") == "unsupported"
    assert [codes.pop(name) for name in ("Users/ann/d.jar", "Windows/c.zip", "Windows/f.7z")] == ["damaged"] * 3
    assert codes == dict.fromkeys(("Windows/a.cab", "Windows/c.jar"), "container-not-opened")


def test_a_member_in_a_method_that_is_not_read_leaves_the_result_open(exhibit: Exhibit) -> None:
    archive = bytearray(zipped({"known.png": KNOWN}))
    directory = archive.index(b"PK\1\2")
    archive[8:10] = archive[directory + 10 : directory + 12] = (9).to_bytes(2, "little")  # Deflate64
    write(exhibit, {"Users/ann/a.zip": bytes(archive), "Users/ann/a.txt": PLAIN})
    exhibit.run(profile=Profile.SCENE)
    told = exhibit.summary()["recommendation"]
    assert told["verdict"] == "not-determined"
    (reason,) = (reason for reason in told["reasons"] if reason["code"] == "unsupported")
    assert "1 item that could not be decoded (the compression method deflate64 is not read)" in reason["text"]


def test_a_small_container_is_given_little_more_time_than_an_item(tmp_path: Path) -> None:
    exhibit = Exhibit(tmp_path)
    exhibit.know(KNOWN)
    write(exhibit, {"Users/ann/a.zip": zipped({"known.png": KNOWN})})
    limits = Limits()
    waits: list[tuple[float, float]] = []
    patience = Opening.patience

    def noted(self: Opening, request: Request) -> tuple[float, float]:
        waits.append(patience(self, request))
        return waits[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Opening, "patience", noted)
        exhibit.run(profile=Profile.SCENE)
    ((silent, longest),) = waits
    assert silent == limits.item_seconds
    assert longest < 100
