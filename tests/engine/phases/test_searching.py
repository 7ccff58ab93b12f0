"""Free space in a run: pictures without a name are found in all of it, once, and examined like all else."""

from pathlib import Path

import pytest
from engine.phases import hostile
from engine.phases.exhibit import Exhibit, found
from images import pictures
from images.disk import FAT16_TYPE, LINUX_TYPE, mbr_disk
from images.fat import CLUSTER, fat16
from images.tree import File

from triage.engine.phases import searching
from triage.engine.plan import Profile
from triage.engine.workers import pool
from triage.model.event import Met
from triage.session.examination import Examination

SMALL = pictures.png(pictures.scene(1, (12, 9)))
KNOWN = [pictures.png(pictures.scene(seed, (64, 48))) for seed in range(2, 8)]
LARGE = pictures.png(pictures.scene(9, (300, 200)))
VOLUME = 1 << 20
FREE = VOLUME + (12 << 20)
assert len(SMALL) <= CLUSTER - 1024


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.know(SMALL, LARGE, *KNOWN)
    return exhibit


def disk() -> bytes:
    """Return a disk with a picture in every kind of free space, and one that is a deleted file."""
    files = [
        File(path="slack.txt", data=b"x" * 700),
        File(path="deleted.png", data=KNOWN[0], deleted=True),
        File(path="kept.png", data=KNOWN[1]),
    ]
    volume = bytearray(fat16(files, 16 << 20))
    slack = volume.index(b"x" * 700) + 1024
    volume[slack : slack + len(SMALL)] = SMALL
    free = FREE - VOLUME
    volume[free : free + len(KNOWN[2])] = KNOWN[2]
    unknown = bytearray(2 << 20)
    unknown[4096 : 4096 + len(KNOWN[3])] = KNOWN[3]
    return mbr_disk([(FAT16_TYPE, bytes(volume)), (LINUX_TYPE, bytes(unknown))], gap=bytes(512) + KNOWN[4])


def carved(exhibit: Exhibit, case: str = "case") -> list[tuple[int, int, str]]:
    """Return where carved items begin, their sizes and outcomes."""
    return exhibit.rows("SELECT position, size, outcome FROM item WHERE kind = 'carved' ORDER BY position", case)


def test_pictures_are_found_in_free_space_slack_gaps_and_unread_volumes(exhibit: Exhibit) -> None:
    data = disk()
    exhibit.source.write_bytes(data)
    events = exhibit.run()
    expected = sorted(data.index(picture) for picture in (SMALL, *KNOWN[2:5]))
    assert [position for position, _, _ in carved(exhibit)] == expected
    assert {outcome for _, _, outcome in carved(exhibit)} == {"examined"}
    assert {path for path in found(events) if path.startswith("carved/")} == {f"carved/{at}.png" for at in expected}


def test_what_a_deleted_file_holds_is_no_item_once_more(exhibit: Exhibit) -> None:
    data = disk()
    exhibit.source.write_bytes(data)
    assert found(exhibit.run()).count("deleted.png") >= 1
    assert data.index(KNOWN[0]) not in [position for position, _, _ in carved(exhibit)]


def test_what_begins_where_a_deleted_file_did_but_is_another_content_is_an_item(exhibit: Exhibit) -> None:
    volume = fat16([File(path="deleted.bin", data=KNOWN[0] + b"more", deleted=True)], 16 << 20)
    exhibit.source.write_bytes(volume)
    exhibit.run()
    assert carved(exhibit) == [(volume.index(KNOWN[0]), len(KNOWN[0]), "examined")]


def test_every_byte_of_free_space_is_searched(exhibit: Exhibit) -> None:
    exhibit.source.write_bytes(disk())
    exhibit.run()
    covered = exhibit.summary()["coverage"]
    assert covered["unallocated-not-examined"] == 0
    assert sum(covered.values()) == exhibit.source.stat().st_size
    exhibit.run("scene", profile=Profile.SCENE)
    assert exhibit.summary("scene")["coverage"]["unallocated-not-examined"] > 0
    assert carved(exhibit, "scene") == []


def test_no_file_begins_in_the_bytes_of_another_one(exhibit: Exhibit) -> None:
    """The sector in which free space begins holds the end of a file: here a picture, which is examined by its name."""
    assert len(SMALL) % 512
    exhibit.source.write_bytes(fat16([File(path="small.png", data=SMALL)], 16 << 20))
    assert set(found(exhibit.run())) == {"small.png"}
    assert carved(exhibit) == []


def test_a_file_across_the_border_of_two_pieces_is_found_once(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = 32 << 10
    monkeypatch.setattr(searching, "_PIECE", piece)
    assert len(LARGE) > piece
    data = bytearray(4 << 20)
    borders = [3 * piece - 512, 10 * piece - 1024, 20 * piece]
    for place in borders:
        data[place : place + len(LARGE)] = LARGE
    exhibit.source.write_bytes(data)
    for jobs in (1, 2):
        exhibit.run(str(jobs), jobs=jobs)
        assert carved(exhibit, str(jobs)) == [(place, len(LARGE), "examined") for place in borders]
    assert exhibit.kept("1") == exhibit.kept("2")


def test_a_search_that_is_stopped_again_and_again_ends_as_if_nothing_had_happened(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_PIECE", 1 << 20)
    monkeypatch.setattr(searching, "_BATCH_BYTES", 1 << 20)
    exhibit.source.write_bytes(disk())
    exhibit.run("whole")
    stops = seen = 0
    for _ in range(50):
        with Examination(exhibit.order("stopped")) as examination:
            if examination.finished:
                break
            events = examination.events()
            for _ in events:
                ((ends,),) = exhibit.rows("SELECT count(*) FROM searched", "stopped")
                if stops < 3 and ends > seen + 2:
                    stops, seen = stops + 1, ends
                    break
            events.close()
    assert stops == 3
    assert exhibit.kept("stopped") == exhibit.kept("whole")


def test_a_place_that_ends_workers_is_passed_over_and_what_lies_around_it_is_found(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make("places"))
    data = bytearray(8 << 20)
    places = [2 << 20, (3 << 20) - (16 << 10), (4 << 20) + 512, 7 << 20]
    for place, picture in zip(places, KNOWN, strict=False):
        data[place : place + len(picture)] = picture
    deadly = (3 << 20) + 12_345
    data[deadly : deadly + len(hostile.PLACE)] = hostile.PLACE
    exhibit.source.write_bytes(data)
    events = exhibit.run(jobs=2)
    assert [position for position, _, _ in carved(exhibit)] == places
    troubles = [event.trouble for event in events if isinstance(event, Met)]
    ((trouble, run),) = [(one, one.run) for one in troubles if one.run is not None]
    assert trouble.code == "crashed"
    assert run.offset <= deadly < run.end
    assert run.length <= 1 << 20
    assert exhibit.summary()["state"] == "finished"
    assert exhibit.rows("SELECT sum(length) FROM searched") == [(len(data) - run.length,)]
    assert exhibit.reasons()["crashed"]


def test_a_folder_has_no_free_space(exhibit: Exhibit) -> None:
    exhibit.source.mkdir()
    (exhibit.source / "known.png").write_bytes(KNOWN[0])
    assert set(found(exhibit.run())) == {"known.png"}
    assert exhibit.rows("SELECT count(*) FROM searched") == [(0,)]
    assert exhibit.summary()["state"] == "finished"
