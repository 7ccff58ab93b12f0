"""Videos looked up, as the product hashes them, against a script that decodes all frames and hashes one a second.

Full HD videos of a moving camera are made once; each is hashed in turn on one thread, by its key frames as the product
does for a video that is looked up, whole as it does for a known one, and by the script, which hashes the colours that
PyAV gives. The frames of the script must be near to those of the known video before a time is believed. What is given
is how many seconds of video a second of the processor handles.

Usage: python benchmarks/videos.py [--folder FOLDER] [--rounds N] [--seconds S] [VIDEO...]
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import av
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from synthetic.videos import RATE, Frame, encoded, moving

from benchmarks.measuring import table
from triage.content.content import Content
from triage.content.pdq import MIN_QUALITY, pdq
from triage.content.video import hash_known_video, hash_video
from triage.model.video import VideoHashes

FULL_HD = (1920, 1080)
HALF = (960, 540)
RADIUS = 31
MADE: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "h264-key-2s.mp4": ("mp4", "libx264", {"preset": "veryfast", "g": 2 * RATE}),
    "h264-key-10s.mp4": ("mp4", "libx264", {"preset": "veryfast", "g": 10 * RATE, "sc_threshold": 0}),
    "mpeg4.avi": ("avi", "mpeg4", {"b": 6_000_000, "g": 2 * RATE}),
}


def make(folder: Path, seconds: float) -> list[Path]:
    """Return the videos, made where they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seconds:g}s-{name}" for name in MADE]
    for path, (container, codec, options) in zip(paths, MADE.values(), strict=True):
        if not path.exists():
            print(f"making {path.name}", file=sys.stderr, flush=True)
            path.write_bytes(encoded(full_hd(seconds), container, codec, RATE, **options))
    return paths


def full_hd(seconds: float) -> Iterator[Frame]:
    """Yield frames of full HD."""
    for frame in moving(1, seconds, HALF):
        yield np.asarray(Image.fromarray(frame).resize(FULL_HD, Image.Resampling.BILINEAR))


def script(path: Path) -> list[bytes]:
    """Decode every frame, and hash one a second."""
    hashes, wanted = [], 0.0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if frame.time is not None and frame.time >= wanted:
                wanted = frame.time + 1
                result = pdq(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))
                if result.quality >= MIN_QUALITY:
                    hashes.append(result.hash)
    return hashes


def check(path: Path, known: VideoHashes, theirs: list[bytes], ours: VideoHashes) -> None:
    """Exit unless every frame of the script and of the look-up is near to a frame of the known video."""
    dense = [int(value, 16) for frame in known.frames for value in frame.variants]
    asked = [int.from_bytes(one) for one in theirs] + [int(frame.variants[0], 16) for frame in ours.frames]
    far = sum(min((one ^ other).bit_count() for other in dense) > RADIUS for one in asked)
    if far or not ours.frames:
        sys.exit(f"{path.name}: {far} of {len(asked)} frames are not near to the known video")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of the processor that some work takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(path: Path, rounds: int) -> tuple[str, ...]:
    """Return the line of the table for one video."""
    content = Content.of(path.read_bytes())
    ours = hash_video(content)
    check(path, hash_known_video(content), script(path), ours)
    ways: dict[str, Callable[[], object]] = {
        "looked up": lambda: hash_video(content),
        "known": lambda: hash_known_video(content),
        "script": lambda: script(path),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            taken[name].append(timed(work))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    length = ours.seconds or 0.0
    return (
        path.name,
        f"{ours.looked_at} of {length:.0f} s",
        *(f"{length / medians[name]:.1f}" for name in ways),
        f"{medians['script'] / medians['looked up']:.1f}",
    )


def main() -> None:
    """Make the videos, run every way in turn, and print how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "digivan-bench" / "videos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=40)
    arguments = parser.parse_args()
    paths = arguments.videos or make(arguments.folder, arguments.seconds)
    headings = ("video", "frames hashed", "looked up, x realtime", "known", "script", "times as fast as the script")
    print(table(headings, (measure(path, arguments.rounds) for path in paths)))


if __name__ == "__main__":
    main()
