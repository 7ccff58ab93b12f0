"""Sets made of videos at hand: an altered copy is a candidate, what cannot be compared is counted."""

from pathlib import Path

import numpy as np
import pytest
from synthetic.videos import Frame, encoded, moving

from triage.content.content import Content
from triage.content.video import hash_video
from triage.hashsets.compile import ImportSummary
from triage.hashsets.frames import FrameCounts
from triage.hashsets.hashset import HashSet
from triage.hashsets.sealed import SetMeta
from triage.model.finding import MatchBy, SetKind
from triage.session import making

SMALL = (192, 108)
META = SetMeta(name="mine", version="1", kind=SetKind.NOTABLE, date="2026-01-02")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "one.mp4").write_bytes(video(1))
    (folder / "two.avi").write_bytes(encoded(moving(2, 3, SMALL), "avi", "mpeg4", b=1_500_000))
    (folder / "black.mp4").write_bytes(encoded([np.zeros((108, 192, 3), np.uint8)] * 25, preset="ultrafast"))
    (folder / "cut.mp4").write_bytes(video(3)[:9000])
    (folder / "text.txt").write_text("words")
    return folder


def video(seed: int, begin: int = 0) -> bytes:
    return encoded(list(moving(seed, 3, SMALL))[begin:], preset="ultrafast", crf=26)


def built(files: Path, **parts: bool) -> ImportSummary:
    place = making.destination(files.parent / "library")
    return making.build(files, META, place, progress=lambda *_: None, **parts)


def test_an_altered_copy_of_a_video_is_a_candidate(files: Path) -> None:
    summary = built(files)
    opened = HashSet.open(summary.path)
    assert opened.header.frames == FrameCounts(videos=2, held=len(opened.frames))
    copy: list[Frame] = [np.ascontiguousarray(frame[:, ::-1]) for frame in list(moving(1, 3, SMALL))[20:]]
    hashes = hash_video(Content.of(encoded(copy, "asf", "wmv2", b=1_000_000)))
    (found,) = opened.match_video(hashes)
    assert found.match.by is MatchBy.PDQ
    assert 0 < found.match.distance <= 31
    assert found.reason.endswith(f"by {found.match.distance} bits or fewer")
    assert opened.match_video(hash_video(Content.of(video(5)))) == ()


def test_videos_that_cannot_be_compared_are_counted(files: Path) -> None:
    assert set(built(files).notes) == {
        "1 videos found by their digests only, not by appearance: plain",
        "1 videos found by their digests only, not by appearance: cannot be decoded",
    }


def test_without_videos_the_set_has_their_digests_alone(files: Path) -> None:
    header = built(files, videos=False).header
    assert (header.frames, header.counts["records"]) == (None, 5)
