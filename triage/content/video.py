"""Perceptual hashes of a video: of few frames where it is looked up, of many where it is known.

A video that is looked up gives its key frames, which cost a fraction of what all frames do. Where an encoder puts them
is its own affair, so a known video is decoded whole and hashed densely: then a key frame of a copy, wherever it is, has
a known frame close by. Whatever is wrong with the video is said in the result.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any, BinaryIO, cast

from triage.content.content import Content
from triage.content.frame_hashes import TINY, Selection
from triage.content.video_limits import KNOWN, LOOKED_UP, VideoLimits
from triage.model.video import FEWEST_FRAMES, VideoHashes

_FEW_KEY_FRAMES = 8  # a video with fewer is decoded whole: it is short, or has an encoder that saves them
_APART = 16  # bits, at least, between any two frames that are kept
_STEP = 1.0  # seconds from one key frame to the next, at least
_STEP_WHOLE = 0.25
_STEP_KNOWN = 0.03  # every frame, or every other one of 60 a second

_Frames = Callable[[Any], Iterator[Any]]


def hash_video(content: Content, limits: VideoLimits = LOOKED_UP) -> VideoHashes:
    """Return the hashes of frames spread over a video, by which it is looked up.

    Raises EvidenceError when the content cannot be read, and MemoryError.
    """
    selection = Selection(_APART, turned=True)

    def spread(film: Any, least: float) -> float:
        room = limits.frames - len(selection.frames) - 1
        return max(least, float(film.seconds or 0.0) / max(1, room))

    hashes = _hashed(content, limits, lambda film: film.key_frames(spread(film, _STEP)), selection)
    if not hashes.declined and not hashes.cut and hashes.looked_at < _FEW_KEY_FRAMES:
        # Besides, not instead: a limit may end this before the end of the video.
        hashes = _hashed(content, limits, lambda film: film.frames(spread(film, _STEP_WHOLE)), selection)
    return _comparable(hashes)


def hash_known_video(content: Content, limits: VideoLimits = KNOWN) -> VideoHashes:
    """Return the hashes of as many frames as it takes to find any part of a known video again; raises likewise."""
    selection = Selection(_APART, turned=False)
    return _comparable(_hashed(content, limits, lambda film: film.frames(_STEP_KNOWN), selection))


def _hashed(content: Content, limits: VideoLimits, frames: _Frames, selection: Selection) -> VideoHashes:
    module = _film()
    try:
        with module.Film(cast("BinaryIO", content.open()), content.size, limits) as film:
            cut = _select(frames(film), selection, limits)
            return VideoHashes(
                frames=tuple(sorted(selection.frames, key=lambda frame: frame.milliseconds)),
                seconds=film.seconds,
                looked_at=selection.looked_at,
                plain=selection.plain,
                alike=selection.alike,
                cut=film.cut or cut,
                damaged=film.damaged,
            )
    except module.FilmError as reason:
        return VideoHashes(declined=str(reason))


def _select(stills: Iterator[Any], selection: Selection, limits: VideoLimits) -> str | None:
    """Hash frames until there are enough; return the limit that ended it, if one did."""
    for still in stills:
        if min(still.grey.shape) < TINY:
            raise _film().FilmError(f"tiny: {still.grey.shape[1]} x {still.grey.shape[0]} pixels")
        if len(selection.frames) == limits.frames:
            return f"limit: more than {limits.frames} frames"
        selection.take(still.grey, still.seconds)
    return None


def _comparable(hashes: VideoHashes) -> VideoHashes:
    """Say why a video is not to be compared; what there is of frames is kept for the record."""
    if hashes.declined:
        return hashes
    if not hashes.looked_at:
        return replace(hashes, declined="cannot be decoded: no frame")
    if not hashes.frames or (len(hashes.frames) < FEWEST_FRAMES and 2 * hashes.plain > hashes.looked_at):
        return replace(hashes, declined=f"plain: {hashes.plain} of {hashes.looked_at} frames")
    return hashes


def _film() -> Any:
    """Import what decodes: a quarter of a second that a process without a video never spends."""
    return import_module("triage.content.film")
