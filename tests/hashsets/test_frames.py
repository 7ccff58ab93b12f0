"""Frames of videos in a set: sealed with it, found again, and told of as candidates by the rule alone."""

from pathlib import Path

import numpy as np
import pytest

from triage.hashsets.blocks import KnownBlocks
from triage.hashsets.compile import Destination, ImportSummary, compile_records
from triage.hashsets.frames import FrameCounts, FrameIndex, KnownFrames
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder
from triage.hashsets.library import Library
from triage.hashsets.perceptual import PdqIndex
from triage.hashsets.record import Record
from triage.hashsets.sealed import BLOCKS_VERSION, FORMAT_VERSION, FRAMES_VERSION, SetMeta
from triage.hashsets.updating import update_set
from triage.model.errors import StoreError, UsageError
from triage.model.finding import MatchBy, SetKind
from triage.model.video import VideoFrame, VideoHashes

META = SetMeta(name="made", version="1", kind=SetKind.NOTABLE, date="2026-01-02")


def invented(video: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return hashes of frames, far from each other and from those of other videos."""
    return np.random.default_rng(video).integers(0, 256, (count, 32), np.uint8)


def name_of(video: int) -> bytes:
    return bytes([video]) * 32


def known(video: int, count: int) -> list[Record | KnownBlocks | KnownFrames]:
    frames = KnownFrames(name_of(video), invented(video, count), 500 * np.arange(count))
    return [frames, Record(sha256=name_of(video), size=video, category=str(video))]


def compiled(
    library: Library, records: list[Record | KnownBlocks | KnownFrames], *, with_blocks: bool = False
) -> ImportSummary:
    return compile_records(records, META, Destination(library=library), with_blocks=with_blocks)


@pytest.fixture
def opened(library: Library) -> HashSet:
    made = compiled(library, [*known(1, 10), *known(2, 6), *known(3, 1), Record(sha256=name_of(9), size=9)])
    return HashSet.open(made.path)


def asked(hashes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> VideoHashes:
    frames = [
        VideoFrame(pdq=raw.tobytes().hex(), quality=100, milliseconds=number, variants=(raw.tobytes().hex(),))
        for number, raw in enumerate(hashes)
    ]
    return VideoHashes(frames=tuple(frames), looked_at=len(frames))


def flipped(
    hashes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], bits: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    changed = np.unpackbits(hashes, axis=1)
    changed[:, 7 : 7 + bits] ^= 1
    return np.packbits(changed, axis=1)


def version_of(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[8:12], "little")


def test_every_frame_is_held_with_its_video_and_its_time(opened: HashSet) -> None:
    assert opened.header.frames == FrameCounts(videos=3, held=17)
    assert opened.counts["records"] == 4
    found = {opened.frames.member(position) for position in range(len(opened.frames))}
    labels = {opened.labels.of(record).category: record for record, _, _ in found}
    expected = {
        (labels[str(video)], 500 * number, raw.tobytes())
        for video, count in ((1, 10), (2, 6), (3, 1))
        for number, raw in enumerate(invented(video, count))
    }
    assert found == expected


def test_a_video_is_a_candidate_by_the_median_distance_of_its_frames(opened: HashSet) -> None:
    (found,) = opened.match_video(asked(flipped(invented(1, 10)[:4], 31)))
    assert (found.match.by, found.match.distance, found.match.category) == (MatchBy.PDQ, 31, "1")
    assert found.reason.startswith("4 of 4 different frames look like frames of one known video")
    assert opened.match_video(asked(flipped(invented(1, 10)[:4], 32))) == ()


def test_a_variant_of_a_frame_counts_like_the_frame(opened: HashSet) -> None:
    video = asked(invented(50, 3))
    turned = [
        VideoFrame(pdq=frame.pdq, quality=100, milliseconds=0, variants=(frame.pdq, raw.tobytes().hex()))
        for frame, raw in zip(video.frames, invented(2, 6), strict=False)
    ]
    (found,) = opened.match_video(VideoHashes(frames=tuple(turned), looked_at=3))
    assert found.match.category == "2"


def test_what_is_declined_is_not_compared(opened: HashSet) -> None:
    video = asked(invented(1, 10))
    assert opened.match_video(video)
    assert opened.match_video(VideoHashes(frames=video.frames, declined="plain")) == ()


def test_a_set_without_videos_is_the_file_that_it_was(library: Library) -> None:
    made = compiled(library, [Record(sha256=name_of(1))])
    assert version_of(made.path) == FORMAT_VERSION
    opened = HashSet.open(made.path)
    assert (opened.header.frames, opened.has_frames) == (None, False)
    assert opened.match_video(asked(invented(1, 10))) == ()


@pytest.mark.parametrize("with_blocks", [False, True])
def test_frames_and_blocks_are_told_apart(library: Library, *, with_blocks: bool) -> None:
    frames = HashSet.open(compiled(library, known(1, 10), with_blocks=with_blocks).path)
    assert version_of(frames.path) == FRAMES_VERSION
    assert (frames.header.blocks is not None, frames.header.frames) == (with_blocks, FrameCounts(videos=1, held=10))
    without = compiled(Library(library.folder / "beside"), [Record(sha256=name_of(1))], with_blocks=with_blocks)
    assert version_of(without.path) == (BLOCKS_VERSION if with_blocks else FORMAT_VERSION)


def test_the_same_videos_in_any_order_and_twice_give_the_same_file(library: Library) -> None:
    records = [*known(1, 10), *known(2, 6)]
    there = compiled(library, records).path.read_bytes()
    back = compiled(Library(library.folder / "beside"), [*reversed(records), *records]).path.read_bytes()
    assert there == back


def test_every_altered_byte_of_the_frames_is_noticed(opened: HashSet) -> None:
    content = opened.path.read_bytes()
    at = content.index(opened.frames.member(3)[2][:8][::-1])
    opened.path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(StoreError, match="not what was sealed"):
        HashSet.open(opened.path)


def test_frames_of_a_video_that_is_no_member_are_a_defect(library: Library) -> None:
    frames, _ = known(1, 3)
    with pytest.raises(StoreError, match="report this defect"):
        compiled(library, [frames, Record(sha256=name_of(2))])
    assert not library.folder.exists()


def test_a_set_that_misses_a_frame_is_not_kept(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    near = PdqIndex.near
    monkeypatch.setattr(FrameIndex, "near", lambda self, hashes, _radius=None: near(self, hashes, 30))
    with pytest.raises(StoreError, match="misses a member by frame"):
        compiled(library, known(1, 10))


def test_a_delta_cannot_change_a_set_with_frames(opened: HashSet, library: Library, tmp_path: Path) -> None:
    (tmp_path / "delta.txt").write_text(name_of(1).hex())
    order = ImportOrder(name="made", version="2", date="2026-01-03")
    with pytest.raises(UsageError, match="built from files"):
        update_set([tmp_path / "delta.txt"], order, Destination(library=library), delta=True)
    assert HashSet.open(opened.path).header.frames == FrameCounts(videos=3, held=17)
