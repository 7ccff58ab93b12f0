"""Videos are compared by their frames where a set has some: candidates with a reason, and what kept one from it."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from content.members.makers import zipped
from engine.learning.grounds import Ground, found, record
from synthetic.videos import encoded, moving

from triage.content.content import Content
from triage.engine.learning.examining import Examiner
from triage.items.expansion import Expanded
from triage.model.address import Address
from triage.model.digest import Digests
from triage.model.finding import SetKind
from triage.model.item import Item, ItemKind, Outcome
from triage.model.result import ItemResult
from triage.model.trouble import Trouble

SMALL = (192, 108)


@lru_cache
def video(seed: int, crf: int = 26, seconds: float = 3) -> bytes:
    return encoded(moving(seed, seconds, SMALL), preset="ultrafast", crf=crf)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    files = tmp_path / "files"
    files.mkdir()
    (files / "one.mp4").write_bytes(video(1))
    ground = Ground(tmp_path)
    ground.know_files(files, "films")
    return ground


def test_an_altered_copy_of_a_video_is_a_candidate_with_its_reason(ground: Ground) -> None:
    files = {"copy.mp4": video(1, 32), "same.mp4": video(1), "other.mp4": video(2), "clip.txt": b"words"}
    told = ground.examine(files, videos=True)
    assert {name: found([result]) for name, result in told.items()} == {
        "copy.mp4": [("films", "pdq")],
        "same.mp4": [("films", "sha1")],
        "other.mp4": [],
        "clip.txt": [],
    }
    (finding,) = told["copy.mp4"].findings
    assert (finding.analyzer, finding.analyzer_version) == ("video-match", "1")
    reason = str(told["copy.mp4"].reason)
    assert reason.startswith("video: ")
    assert reason.endswith(f"half of them by {finding.match.distance} bits or fewer in films")
    assert told["copy.mp4"].digests.sha256 is not None
    assert (told["same.mp4"].reason, told["other.mp4"].reason) == (None, None)
    assert {result.outcome for result in told.values()} == {Outcome.EXAMINED}


def test_a_set_that_holds_the_very_video_leaves_the_others_to_tell_of_it(ground: Ground) -> None:
    copy = video(1, 32)
    ground.know(record(copy), name="digests")
    (result,) = ground.examine({"copy.mp4": copy}, videos=True).values()
    assert sorted(found([result])) == [("digests", "md5"), ("films", "pdq")]


@pytest.mark.parametrize("wanted", [True, False])
def test_without_frames_or_where_videos_are_not_wanted_none_is_decoded(tmp_path: Path, *, wanted: bool) -> None:
    ground = Ground(tmp_path)
    ground.know(record(b"a text"))
    damaged = video(1)[:4000]
    assert ground.examine({"cut.mp4": damaged}, videos=wanted)["cut.mp4"].reason is None


def test_what_cannot_be_decoded_says_so_and_keeps_its_digests(ground: Ground) -> None:
    black = encoded([np.zeros((108, 192, 3), np.uint8)] * 25, preset="ultrafast")
    film = encoded(moving(3, 3, SMALL), "avi", "mpeg4", b=1_500_000)
    files = {"cut.mp4": video(1, 32)[:4000], "black.mp4": black, "half.avi": film[: len(film) // 2]}
    told = ground.examine(files, videos=True)
    assert str(told["cut.mp4"].reason).startswith("cannot be decoded: ")
    assert str(told["black.mp4"].reason).startswith("plain: ")
    assert told["half.avi"].reason == "damaged: not all of the video could be decoded"
    assert {result.outcome for result in told.values()} == {Outcome.EXAMINED}
    assert all(result.digests.md5 for result in told.values())


def test_a_video_that_is_known_software_is_not_decoded(ground: Ground) -> None:
    tutorial = video(1, 32)
    ground.know(record(tutorial), name="software", kind=SetKind.KNOWN)
    (result,) = ground.examine({"a.mp4": tutorial}, videos=True, skip_known=True).values()
    assert (result.outcome, result.reason) == (Outcome.SKIPPED, "known: not decoded; known software: software")
    (result,) = ground.examine({"a.mp4": tutorial}, videos=True).values()
    assert found([result]) == [("films", "pdq")]


def test_a_video_of_a_size_in_no_set_is_decoded(ground: Ground) -> None:
    large = video(1, 32) + bytes((1 << 20) + 512)
    (result,) = ground.examine({"a.mp4": large}, videos=True, skip_sizes=True).values()
    assert (result.outcome, found([result])) == (Outcome.EXAMINED, [("films", "pdq")])
    (result,) = ground.examine({"a.mp4": large}, skip_sizes=True).values()
    assert result.outcome is Outcome.SKIPPED


def test_equal_videos_are_decoded_once_and_reading_one_says_that_the_worker_is_alive(ground: Ground) -> None:
    examiner = ground.examiner(videos=True)
    calls: list[None] = []
    examiner.learner.evidence.source.on_read = lambda: calls.append(None)
    desk, digests = examiner.learner.teller.videos, Digests(md5="0" * 32)
    first = desk.look(Content.of(video(1, 32)), digests)
    assert calls
    assert list(first.near) == ["films"]
    assert desk.look(Content.of(b"no video"), digests) == first
    assert desk.look(Content.of(b"no video"), Digests()).near == {}


def test_a_video_in_an_archive_is_compared_as_well(ground: Ground) -> None:
    item = Item(
        address=Address("file", "1").child("member", "0"),
        kind=ItemKind.MEMBER,
        path="a.zip/b.mp4",
        size=len(video(1, 32)),
        allocated=True,
        reference="1!member:0",
    )
    examiner = ground.examiner(videos=True, members=True)
    assert found(results(examiner, Expanded(item, Content.of(video(1, 32)), None))) == [("films", "pdq")]
    (archive,) = ground.examine({"a.zip": zipped({"b.mp4": video(1, 32)})}, videos=True, members=True).values()
    assert (archive.opens, archive.findings) == (True, ())


def results(examiner: Examiner, *expanded: Expanded) -> list[ItemResult]:
    return [told[1] for told in examiner.examine_members(expanded) if not isinstance(told, Trouble)]
