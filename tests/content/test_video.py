"""Frames of videos of every format, whole, damaged and hostile; what is left out is counted, and nothing is printed."""

import io
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import pytest
from suite import Corpus
from synthetic.videos import Frame, encoded, first, moving, still

from triage.content import film
from triage.content.content import Content
from triage.content.film import Film
from triage.content.mediatype import media_type
from triage.content.pdq import pdq
from triage.content.video import hash_known_video, hash_video
from triage.content.video_limits import KNOWN, LOOKED_UP, VideoLimits
from triage.content.video_type import HEAD, VIDEO_TYPES, video_type
from triage.model.errors import EvidenceError
from triage.model.video import VideoHashes

SMALL = (192, 108)
SECONDS = 3.0
FORMATS = {
    "mp4": ("libx264", "video/mp4"),
    "mov": ("libx264", "video/quicktime"),
    "3gp": ("mpeg4", "video/3gpp"),
    "avi": ("mpeg4", "video/x-msvideo"),
    "matroska": ("libx264", "video/x-matroska"),
    "webm": ("libvpx", "video/x-matroska"),
    "asf": ("wmv2", "video/x-ms-asf"),
    "mpeg": ("mpeg1video", "video/mpeg"),
    "vob": ("mpeg2video", "video/mpeg"),
    "mpegts": ("mpeg2video", "video/mp2t"),
    "flv": ("flv", "video/x-flv"),
    "mpeg1video": ("mpeg1video", "video/mpeg"),
}


@lru_cache
def frames() -> list[Frame]:
    return list(moving(1, SECONDS, SMALL))


@lru_cache
def video(container: str = "mp4", **options: int) -> bytes:
    codec = FORMATS[container][0]
    good = {"preset": "ultrafast"} if codec == "libx264" else {"b": 1_500_000}
    return encoded(frames(), container, codec, **good, **options)


def looked_up(data: bytes, limits: VideoLimits = LOOKED_UP) -> VideoHashes:
    return hash_video(Content.of(data), limits)


def distance(left: str, right: bytes) -> int:
    return (int(left, 16) ^ int.from_bytes(right)).bit_count()


@pytest.mark.parametrize("container", FORMATS)
def test_every_format_gives_its_frames_and_says_what_it_is(container: str) -> None:
    data = video(container)
    assert video_type(data[:HEAD]) == FORMATS[container][1]
    assert FORMATS[container][1] in VIDEO_TYPES
    hashes = looked_up(data)
    assert (hashes.declined, hashes.cut, hashes.damaged, hashes.plain) == (None, None, False, 0)
    assert hashes.looked_at == len(hashes.frames) + hashes.alike >= 3
    for frame in hashes.frames:
        at = round(frame.milliseconds / 40)
        shown = frames()[max(0, at - 2) : at + 3]  # a stream alone has no times: they are counted
        assert min(distance(frame.pdq, pdq(one).hash) for one in shown) <= 20
        assert frame.variants[0] == frame.pdq
        assert len(frame.variants) in {8, 16}


def test_libmagic_agrees_where_it_knows_a_video() -> None:
    said = {container: media_type(video(container)[:4096]) for container in FORMATS}
    assert set(said.values()) - VIDEO_TYPES == {"application/octet-stream"}
    assert [container for container, name in said.items() if name not in VIDEO_TYPES] == ["mpegts"]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"G",
        b"G" * 3,
        b"RIFF....WAVE",
        b"RIFF....WEBP",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypM4A ",
        b"OggS\0",
        b"Graphics are described in plain text" * 20,
        b"\xff\xd8\xff\xe0",
    ],
)
def test_what_is_no_video_is_not_taken_for_one(head: bytes) -> None:
    assert video_type(head) is None


def test_a_transport_stream_of_a_disc_is_known_by_its_longer_packets() -> None:
    packets = b"".join(b"\1\2\3\4G" + bytes(187) for _ in range(8))
    assert video_type(packets[:HEAD]) == "video/mp2t"
    assert video_type(packets[: 192 * 3]) is None


def test_key_frames_are_those_of_the_full_decode() -> None:
    data = video(g=10)
    with Film(io.BytesIO(data), len(data), KNOWN) as whole:
        decoded = {round(1000 * one.seconds): one.grey for one in whole.frames(0)}
    with Film(io.BytesIO(data), len(data), LOOKED_UP) as sparse:
        keys = {round(1000 * one.seconds): one.grey for one in sparse.key_frames(0.1)}
    assert len(decoded) == len(frames())
    assert set(range(0, 3000, 400)) <= keys.keys() <= decoded.keys()
    for time, grey in keys.items():
        assert distance(pdq(grey[:, :, None]).hash.hex(), pdq(decoded[time][:, :, None]).hash) <= 2


def test_key_frames_of_a_long_video_are_spread_over_all_of_it() -> None:
    hashes = looked_up(video(g=2), VideoLimits(frames=9))
    assert hashes.cut is None
    assert hashes.frames[-1].milliseconds >= 2000


def test_a_video_of_few_key_frames_is_decoded_whole() -> None:
    assert looked_up(video(g=250)).looked_at in range(10, 18)
    assert hash_known_video(Content.of(video())).looked_at == len(frames())


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p"])
def test_the_range_of_the_video_is_brought_to_that_of_a_picture(pixels: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as output:
        stream = output.add_stream("mjpeg" if pixels == "yuvj420p" else "mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
        half = np.zeros((64, 64, 3), np.uint8)
        half[:32] = 255
        output.mux(stream.encode(av.VideoFrame.from_ndarray(half, format="rgb24")))
        output.mux(stream.encode(None))
    data = file.getvalue()
    with Film(io.BytesIO(data), len(data), LOOKED_UP) as opened:
        (one,) = opened.frames(0)
    assert one.grey[:24].min() >= 250
    assert one.grey[40:].max() <= 5


def test_flat_and_plain_frames_are_left_out_and_counted() -> None:
    black, ramp = np.zeros((108, 192, 3), np.uint8), np.empty((108, 192, 3), np.uint8)
    ramp[:] = np.linspace(100, 130, 192)[None, :, None]
    data = encoded([*[black] * 25, *[ramp] * 25, *frames()[:25]], preset="ultrafast")
    hashes = looked_up(data)
    assert hashes.plain >= 6
    assert hashes.looked_at == len(hashes.frames) + hashes.plain + hashes.alike
    assert min(frame.milliseconds for frame in hashes.frames) >= 2000
    only = looked_up(encoded([black] * 50, preset="ultrafast"))
    assert only.declined is not None
    assert only.declined.startswith("plain: ")
    assert only.frames == ()


def test_frames_that_look_alike_are_one() -> None:
    hashes = looked_up(encoded(frames()[:1] * 75, preset="ultrafast"))
    assert (len(hashes.frames), hashes.declined) == (1, None)
    assert hashes.alike == hashes.looked_at - 1 > 5


def test_a_letterboxed_frame_is_hashed_inside_its_bars_too() -> None:
    bar = np.zeros((24, 192, 3), np.uint8)
    barred = looked_up(encoded([np.concatenate((bar, frame, bar)) for frame in frames()], preset="ultrafast"))
    for frame in barred.frames:
        shown = pdq(frames()[round(frame.milliseconds / 40)]).hash
        assert len(frame.variants) == 16
        assert distance(frame.variants[8], shown) <= 24


# The others do not say how long they are, and may be cut where a packet ends.
TELLING = {"avi", "matroska", "flv", "mpeg"}


@pytest.mark.parametrize("container", ["avi", "matroska", "flv", "mpeg", "mpegts", "asf"])
def test_a_video_cut_off_gives_what_is_there_and_says_so(container: str) -> None:
    data = video(container)
    whole, half = looked_up(data), looked_up(data[: len(data) // 2])
    assert half.damaged or container not in TELLING
    assert 2 <= len(half.frames) < len(whole.frames)
    assert half.frames[-1].milliseconds < whole.frames[-1].milliseconds - 500


def test_damage_is_passed_over_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(video("mpegts"))
    for at in np.random.default_rng(4).integers(len(data) // 4, len(data), 60).tolist():
        data[at] ^= 0x55
    hashes = looked_up(bytes(data))
    assert hashes.damaged
    assert len(hashes.frames) >= 3
    assert not any(looked_up(bytes(data[:cut])).frames for cut in range(0, 1000, 171))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("data", [b"", b"words", bytes(5000), b"\0\0\0\x18ftypisom" + bytes(900)])
def test_what_is_no_video_is_declined_in_one_line(data: bytes) -> None:
    hashes = looked_up(data)
    assert hashes.declined is not None
    assert "\n" not in hashes.declined
    assert hashes.frames == ()


def test_sound_alone_is_declined() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert looked_up(file.getvalue()).declined == "no video in it"


def test_a_list_of_files_is_not_followed(tmp_path: Path) -> None:
    """Some formats that FFmpeg knows name other files: none of them is opened."""
    for text in (
        f"ffconcat version 1.0\nfile '{tmp_path}/other.mp4'\n",
        f"#EXTM3U\n#EXTINF:3,\n{tmp_path}/other.mp4\n",
    ):
        declined = looked_up(text.encode()).declined
        assert declined is not None
        assert declined.startswith("cannot be decoded")


def test_tiny_frames_are_declined() -> None:
    tiny = [frame[:48, :64].copy() for frame in frames()[:5]]
    assert looked_up(encoded(tiny, preset="ultrafast")).declined == "tiny: 64 x 48 pixels"


def test_every_limit_ends_the_look_and_is_told() -> None:
    data = video()
    assert looked_up(data, VideoLimits(frame_pixels=1000)).declined == "limit: frames of more than 1000 pixels"
    known = Content.of(data)
    for limits, told in (
        (VideoLimits(frames=4), "limit: more than 4 frames"),
        (VideoLimits(pixels=500_000), "limit: more than 500000 pixels decoded"),
        (VideoLimits(packets=30), "limit: more than 30 packets"),
    ):
        hashes = hash_known_video(known, limits)
        assert (hashes.cut, hashes.declined, hashes.damaged) == (told, None, False)
        assert 3 <= len(hashes.frames) < 20
    stream = video("mpegts")
    assert hash_known_video(Content.of(stream), VideoLimits(bytes=20_000)).cut == "limit: more than 20000 bytes read"


def test_evidence_that_cannot_be_read_is_no_damage_of_the_video(capfd: pytest.CaptureFixture[str]) -> None:
    data = video("mpegts")

    def read(offset: int, length: int) -> bytes:
        if offset + length > len(data) // 2:
            raise EvidenceError("sector 7 is unreadable")
        return data[offset : offset + length]

    with pytest.raises(EvidenceError, match="sector 7"):
        hash_video(Content(read, len(data), keep=0))
    assert capfd.readouterr() == ("", "")


def test_what_lies_between_key_frames_is_not_read_where_that_saves_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "_WORTH_A_SEEK", 10_000)
    monkeypatch.setattr(film, "_READ_AT_ONCE", 4096)
    data = video(g=5, crf=10)
    tally = []

    def keys(apart: float, size: int) -> list[int]:
        file = Counting(data)
        with Film(file, size, LOOKED_UP) as opened:
            found = [round(1000 * one.seconds) for one in opened.key_frames(apart)]
        tally.append(file.counted)
        return found

    assert keys(1.0, len(data)) == keys(1.0, 0) == [0, 1000, 2000]
    assert tally[0] < 0.7 * tally[1]


class Counting(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    counted = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.counted += len(data)
        return data


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_it_decodes_on_one_thread() -> None:
    data = video()
    with Film(io.BytesIO(data), len(data), KNOWN) as opened:
        stills = opened.frames(0)
        next(stills)
        before = threads()
        assert sum(1 for _ in stills) == len(frames()) - 1
        assert threads() == before
    assert threads() <= before


@pytest.mark.parametrize("name", ["doorknob-hd-no-bar", "pattern-sd-grey-bar", "test-padded-dimensions"])
def test_frames_are_within_bits_of_the_published_hashes(corpus: Corpus, name: str) -> None:
    file = corpus.path(f"video/{name}.mp4")
    rows = [line.split(",") for line in file.with_suffix(".txt").read_text().split()]
    with file.open("rb") as opened, Film(opened, file.stat().st_size, KNOWN) as whole:
        hashed = [(one.seconds, pdq(one.grey[:, :, None])) for one in whole.frames(0)]
    assert len(hashed) == len(rows)
    far = []
    for (_, quality, digits, seconds), (time, ours) in zip(rows, hashed, strict=True):
        assert abs(time - float(seconds)) < 0.001
        assert abs(ours.quality - int(quality)) <= 1
        if int(quality) >= 50:
            far.append(distance(digits, ours.hash))
    assert max(far) <= 16
    assert sum(far) / len(far) <= 5.1


def test_a_still_camera_is_known_by_few_frames() -> None:
    known = hash_known_video(Content.of(encoded(first(still(2, 3, SMALL), 3), preset="ultrafast")))
    assert known.alike > len(known.frames)
