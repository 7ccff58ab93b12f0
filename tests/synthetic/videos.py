"""Videos of invented scenes, and altered copies of them: what people and programs do to videos that they pass on."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice

import av
import numpy as np
from images.pictures import scene
from numpy.typing import NDArray
from PIL import Image, ImageDraw

RATE = 25
SIZE = (480, 270)

Frame = NDArray[np.uint8]
Frames = Iterable[Frame]
Alteration = Callable[[list[Frame]], Frames]


def moving(seed: int, seconds: float, size: tuple[int, int] = SIZE, rate: int = RATE) -> Iterator[Frame]:
    """Yield frames, rows x columns x 3, of a camera that pans over one scene after another; a thing passes."""
    chance = np.random.default_rng(seed)
    left = round(seconds * rate)
    while left:
        length = min(left, round(rate * chance.uniform(2, 4)))
        yield from _shot(chance, length, size)
        left -= length


def still(seed: int, seconds: float, size: tuple[int, int] = SIZE, rate: int = RATE) -> Iterator[Frame]:
    """Yield frames of a camera that stands still before one scene in which something small moves."""
    chance = np.random.default_rng(seed)
    ground = scene(int(chance.integers(1 << 30)), size)
    for number in range(round(seconds * rate)):
        picture = ground.copy()
        _pass_by(picture, number / rate / 5 % 1, 0.12, (200, 160, 120))
        yield _grainy(np.asarray(picture), chance)


def encoded(
    frames: Frames, container: str = "mp4", codec: str = "libx264", rate: int = RATE, **options: object
) -> bytes:
    """Return a video file of frames of one size, encoded on one thread; `options` are those of the encoder."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, options={name: str(value) for name, value in options.items()})
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(frames):
            if not number:
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


def _shot(chance: np.random.Generator, length: int, size: tuple[int, int]) -> Iterator[Frame]:
    width, height = size
    picture = scene(int(chance.integers(1 << 30)), (width * 4 // 3, height * 4 // 3))
    begin, end = chance.uniform(0, 1, (2, 2)) * (picture.width - width, picture.height - height)
    colour = tuple(int(level) for level in chance.integers(0, 256, 3))
    side = float(chance.uniform(0.1, 0.3))
    for number in range(length):
        left, top = np.rint(begin + (end - begin) * number / length).astype(int).tolist()
        frame = picture.crop((left, top, left + width, top + height))
        _pass_by(frame, number / length, side, colour)
        yield _grainy(np.asarray(frame), chance)


def _pass_by(picture: Image.Image, share: float, side: float, colour: tuple[int, ...]) -> None:
    """Draw a disc of a share of the height that goes from the left to the right."""
    size = side * picture.height
    left, top = share * (picture.width - size), (0.5 + 0.2 * np.sin(6 * share)) * (picture.height - size)
    ImageDraw.Draw(picture).ellipse((left, top, left + size, top + size), fill=colour)


def _grainy(frame: Frame, chance: np.random.Generator) -> Frame:
    grain = chance.integers(-3, 4, frame.shape[:2], np.int16)
    noisy: Frame = np.clip(frame + grain[:, :, None], 0, 255).astype(np.uint8)
    return noisy


def _resized(frames: list[Frame], size: tuple[int, int]) -> Iterator[Frame]:
    for frame in frames:
        yield np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))


def _part(frames: list[Frame], begin: float, end: float) -> Frames:
    return frames[round(begin * len(frames)) : round(end * len(frames))]


def _grey(frames: list[Frame]) -> Iterator[Frame]:
    for frame in frames:
        yield np.asarray(Image.fromarray(frame).convert("L").convert("RGB"))


def _letterboxed(frames: list[Frame]) -> Iterator[Frame]:
    rows, columns, _ = frames[0].shape
    bar = np.zeros((rows // 6 // 2 * 2, columns, 3), np.uint8)
    for frame in frames:
        yield np.concatenate((bar, frame, bar))


def _cropped(frames: list[Frame], share: float) -> Iterator[Frame]:
    rows, columns, _ = frames[0].shape
    down, across = (round(share * length / 4) * 2 for length in (rows, columns))
    for frame in frames:
        yield np.ascontiguousarray(frame[down : rows - down, across : columns - across])


def _with_logo(frames: list[Frame]) -> Iterator[Frame]:
    side = frames[0].shape[0] // 8
    for frame in frames:
        copy = frame.copy()
        copy[side // 2 : side + side // 2, -2 * side - side // 2 : -side // 2] = (230, 230, 40)
        yield copy


def _within_others(frames: list[Frame], share: float) -> Frames:
    """Return the frames after others of the same size, which make up the rest of the video."""
    rows, columns, _ = frames[0].shape
    return [*_others(len(frames) * (1 - share) / share / RATE, (columns, rows)), *frames]


@lru_cache
def _others(seconds: float, size: tuple[int, int]) -> list[Frame]:
    return list(moving(987_654, seconds, size))


@dataclass(frozen=True, slots=True)
class Copy:
    """How a copy is made: what is done to the frames, and how they are encoded."""

    alter: Alteration = list
    container: str = "mp4"
    codec: str = "libx264"
    rate: int = RATE
    options: Mapping[str, object] = field(default_factory=dict)

    def of(self, frames: list[Frame]) -> bytes:
        """Return the file."""
        options = {"preset": "veryfast", **self.options} if self.codec == "libx264" else self.options
        return encoded(self.alter(frames), self.container, self.codec, self.rate, **options)


COPIES: Mapping[str, Copy] = {
    "as it is": Copy(),
    "H.264, crf 32": Copy(options={"crf": 32}),
    "H.264, crf 40": Copy(options={"crf": 40}),
    "MPEG-4 in AVI, 200 kbit/s": Copy(container="avi", codec="mpeg4", options={"b": 200_000}),
    "WMV, 300 kbit/s": Copy(container="asf", codec="wmv2", options={"b": 300_000}),
    "MPEG-2 in a transport stream": Copy(container="mpegts", codec="mpeg2video", options={"b": 800_000}),
    "VP8 in WebM": Copy(
        container="webm", codec="libvpx", options={"b": 300_000, "cpu-used": 8, "deadline": "realtime"}
    ),
    "FLV": Copy(container="flv", codec="flv", options={"b": 300_000}),
    "half the size": Copy(partial(_resized, size=(SIZE[0] // 2, 134))),
    "twice the size": Copy(partial(_resized, size=(SIZE[0] * 2, SIZE[1] * 2))),
    "other proportions": Copy(partial(_resized, size=(360, 270))),
    "12 frames a second": Copy(lambda frames: frames[::2], rate=12),
    "last three quarters": Copy(partial(_part, begin=0.25, end=1)),
    "middle third": Copy(partial(_part, begin=0.33, end=0.67)),
    "letterboxed": Copy(_letterboxed),
    "mirrored": Copy(lambda frames: (np.ascontiguousarray(frame[:, ::-1]) for frame in frames)),
    "upside down": Copy(lambda frames: (np.ascontiguousarray(frame[::-1, ::-1]) for frame in frames)),
    "grey": Copy(_grey),
    "darker": Copy(lambda frames: ((frame * 0.7).astype(np.uint8) for frame in frames)),
    "cropped by 3 %": Copy(partial(_cropped, share=0.03)),
    "cropped by 10 %": Copy(partial(_cropped, share=0.10)),
    "with a logo": Copy(_with_logo),
    "after others, as long": Copy(partial(_within_others, share=0.5)),
    "after others, twice as long": Copy(partial(_within_others, share=0.34)),
    "first quarter missing, key frames every second": Copy(partial(_part, begin=0.25, end=1), options={"g": RATE}),
}
"""Every way to copy a video, by its name."""


def first(frames: Frames, seconds: float, rate: int = RATE) -> list[Frame]:
    """Return the first so many seconds."""
    return list(islice(frames, round(seconds * rate)))
