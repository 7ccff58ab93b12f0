"""What the rule for videos finds and what it takes for another: copies of generated videos against known ones.

Videos of invented scenes, of a moving and of a still camera, are known; copies of each, made in every way of
`tests/synthetic/videos.py`, go through the product as files, and so do as many videos that are not known. Real videos
are known as well, and are looked up among the others.

False matches are counted among more videos besides, short and small, each looked up among all others.

Usage: python benchmarks/video_rule.py [VIDEO...] [--moving N] [--still N] [--seconds S] [--unrelated N]
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from synthetic.videos import COPIES, Copy, Frame, encoded, moving, still

from benchmarks.measuring import table
from triage.content.content import Content
from triage.content.video import hash_known_video, hash_video
from triage.hashsets.frames import FrameIndex
from triage.model.video import VideoHashes

MASTER = Copy(options={"crf": 16})
SMALL, SHORT = (192, 108), 5.0
NOT_KNOWN = 1_000_000  # added to the seeds of videos that are not known

Make = Callable[[int, float], Iterator[Frame]]
KINDS: Mapping[str, Make] = {"moving": moving, "still": still}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Known videos: the name of each, which is its record, and their frames."""

    names: list[str]
    index: FrameIndex
    frames: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One video that was looked up: the share of its frames near to the right video, and how near any wrong one came.

    `wrong` is the largest number of its frames near to one wrong video.
    """

    compared: int
    near: int
    found: bool
    mistaken: int
    wrong: int


def known_videos(videos: Mapping[str, bytes]) -> Known:
    """Return what a set holds of the videos."""
    hashed = [hash_known_video(Content.of(data)) for data in videos.values()]
    records = [record for record, video in enumerate(hashed) for frame in video.frames for _ in frame.variants]
    raw = b"".join(bytes.fromhex(value) for video in hashed for frame in video.frames for value in frame.variants)
    words = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 4)
    order = np.lexsort(words.T[::-1])
    none = np.empty(0, np.uint32)
    columns: dict[str, NDArray[Any]] = {
        "frame": words[order],
        "frame_record": np.array(records, np.uint32)[order],
        "frame_time": np.zeros(len(order), np.uint32),
        "frame_ids": none,
        "frame_offsets": none,
    }
    return Known(names=list(videos), index=FrameIndex(columns), frames=[len(video.frames) for video in hashed])


def ask(known: Known, name: str | None, data: bytes) -> tuple[VideoHashes, Asked]:
    """Look a video up; `name` is the one that it is a copy of."""
    hashes = hash_video(Content.of(data))
    right = -1 if name is None else known.names.index(name)
    found = {candidate.record for candidate in known.index.match(hashes)}
    near = [0] * len(known.names)
    for hits in known.index.hits_of(hashes):
        for record in set(hits.records.tolist()):
            near[record] += 1
    return hashes, Asked(
        compared=len(hashes.frames),
        near=near[right] if name is not None else 0,
        found=right in found,
        mistaken=len(found - {right}),
        wrong=max((count for record, count in enumerate(near) if record != right), default=0),
    )


def shares(asked: Sequence[Asked]) -> str:
    """Return the least and the median share of frames near to the right video, in per cent."""
    numbers = [100 * one.near / one.compared if one.compared else 0 for one in asked]
    return f"{min(numbers):.0f} / {statistics.median(numbers):.0f}"


def row(name: str, asked: Sequence[Asked]) -> tuple[str, ...]:
    """Return the line of a table for one way to copy."""
    frames = [one.compared for one in asked]
    return (
        name,
        f"{min(frames)} / {statistics.median(frames):.0f}",
        shares(asked),
        f"{sum(one.found for one in asked)} of {len(asked)}",
        str(sum(one.mistaken for one in asked)),
        str(max(one.wrong for one in asked)),
    )


def unrelated(number: int) -> str:
    """Return the line on so many videos, of which each is looked up among all others."""
    made = {str(seed): encoded(moving(NOT_KNOWN + seed, SHORT, SMALL), preset="veryfast") for seed in range(number)}
    known = known_videos(made)
    asked = [ask(known, name, data)[1] for name, data in made.items()]
    frames, nearest = sum(one.compared for one in asked), max(one.wrong for one in asked)
    return (
        f"{number} more videos, {number * (number - 1)} pairs, {frames} frames looked up: "
        f"{sum(one.mistaken for one in asked)} mistaken, at most {nearest} frames of one near to another"
    )


def main() -> None:
    """Make the videos, look all copies up, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--moving", type=int, default=4)
    parser.add_argument("--still", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--unrelated", type=int, default=60)
    arguments = parser.parse_args()
    made = [(f"{kind} {seed}", kind, seed) for kind in KINDS for seed in range(getattr(arguments, kind))]
    real = {path.name: path.read_bytes() for path in arguments.videos}
    frames = {name: list(KINDS[kind](seed, arguments.seconds)) for name, kind, seed in made}
    masters = {name: MASTER.of(some) for name, some in frames.items()}
    known = known_videos({**masters, **real})
    held = [known.index.frames_of(record) for record in range(len(known.names))]
    print(
        f"{len(known.names)} known videos, {sum(held)} frames: {min(held, default=0)} to {max(held, default=0)} each",
        flush=True,
    )
    asked: dict[tuple[str, str], list[Asked]] = {}
    for name, kind, seed in made:
        for copy, how in COPIES.items():
            asked.setdefault((kind, copy), []).append(ask(known, name, how.of(frames[name]))[1])
        other = MASTER.of(list(KINDS[kind](seed + NOT_KNOWN, arguments.seconds)))
        asked.setdefault((kind, "not known"), []).append(ask(known, None, other)[1])
        print(f"{name}: done", file=sys.stderr, flush=True)
    for name, data in real.items():
        asked.setdefault(("real", "as it is"), []).append(ask(known, name, data)[1])
    headings = ("copy", "frames compared", "% near", "found", "mistaken", "most frames near to a wrong one")
    print(table(headings, [row(f"{kind}: {copy}", some) for (kind, copy), some in sorted(asked.items())]))
    print(unrelated(arguments.unrelated))


if __name__ == "__main__":
    main()
