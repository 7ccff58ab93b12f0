"""The pictures of a video, decoded by FFmpeg through PyAV: key frames some way apart, or all of them.

FFmpeg meets bytes of unknown make here and nowhere else. It is given a file object and never a name, and only the
containers and decoders listed below: some of its others open further files or the network. It decodes on one thread.

Importing this module takes a quarter of a second.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from triage.content.video_limits import VideoLimits
from triage.model.errors import EvidenceError

_CONTAINERS = "mov,avi,matroska,asf,mpeg,mpegvideo,mpegts,flv"
_DECODERS = (
    "h264,hevc,libdav1d,av1,vp8,vp9,vp6,vp6f,vp6a,mpeg1video,mpeg2video,mpegvideo,mpeg4,h263,h263i,h263p,flv,svq1,svq3,"
    "msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,mjpeg,mjpegb,rv30,rv40,cinepak,indeo3,indeo4,indeo5,dvvideo,prores,"
    "dnxhd,huffyuv,ffvhuff,ffv1,rawvideo,rpza,qtrle,msvideo1,msrle"
)
_READ_AT_ONCE = 1 << 18
_WORTH_A_SEEK = 8 << 20  # bytes that are not read then
_ENDS_EARLY = 0.05  # of the length: the last packet of a whole video ends at it
_LEAST_EARLY = 1.0
_FRAMES_A_SECOND = 25  # where the container does not tell

Grey = NDArray[np.uint8]


class FilmError(Exception):
    """The video cannot be decoded; the message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One frame in grey, rows x columns of 0 to 255 whatever range the video uses, and its time in seconds."""

    grey: Grey
    seconds: float


class _Tape:
    """The file as FFmpeg reads it: where it fails, or was read too much of, it ends, and that is remembered.

    An exception raised into FFmpeg would be printed and lost.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.left = limit
        self.error: EvidenceError | None = None
        self._file = file

    def read(self, size: int) -> bytes:
        if self.left <= 0:
            return b""
        try:
            data = self._file.read(size)
        except EvidenceError as error:
            self.error = error
            return b""
        self.left -= len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class Film:
    """One video, opened: iterate `key_frames` or `frames` once. Use as a context manager.

    Raises FilmError for what cannot be opened, EvidenceError where the file cannot be read. `seconds`: how long it says
    it is; `damaged`: something of it could not be decoded; `cut`: the limit that ended it, both told so far.
    """

    def __init__(self, file: BinaryIO, size: int, limits: VideoLimits) -> None:
        self.damaged = False
        self.cut: str | None = None
        self._size = size
        self._limits = limits
        self._pixels = limits.pixels
        self._packets = 0
        self._last = 0.0
        self._to_grey = VideoReformatter()
        self._tape = _Tape(file, limits.bytes)
        self._container = self._opened()
        try:
            self._prepare()
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._container.close()

    def key_frames(self, apart: float) -> Iterator[Still]:
        """Yield the key frames that lie at least so many seconds apart; each is decoded by itself."""
        self._decoder.skip_frame = "NONKEY"
        # Deblocking takes a tenth of the time of a key frame and moves no bit of its hash; others are decoded from it.
        self._decoder.options = {**self._decoder.options, "skip_loop_filter": "all"}
        wanted = 0.0
        for packet in self._all_packets():
            seconds = self._time_of(packet)
            if not packet.is_keyframe or seconds < wanted:
                continue
            # Without the end a decoder may hold a frame back, to put it in order with others.
            for frame in chain(self._decoded(packet), self._decoded(None)):
                yield from self._grey(frame, seconds)
                break
            self._decoder.flush_buffers()
            wanted = seconds + apart
            self._skip_to(wanted, apart)
        self._judge_end()

    def frames(self, apart: float) -> Iterator[Still]:
        """Decode all frames and yield those that lie at least so many seconds apart."""
        wanted = 0.0
        for packet in self._all_packets(flush=True):
            sent = self._last if packet is None else self._time_of(packet)
            for frame in self._decoded(packet):
                seconds = sent if frame.pts is None else max(0.0, float(frame.pts * self._base) - self._begin)
                if seconds >= wanted:
                    yield from self._grey(frame, seconds)
                    wanted = seconds + apart
        self._judge_end()

    def _opened(self) -> InputContainer:
        options = {"format_whitelist": _CONTAINERS, "codec_whitelist": _DECODERS}
        try:
            return av.open(self._tape, "r", container_options=options, buffer_size=_READ_AT_ONCE)
        except (FFmpegError, ValueError, OverflowError, AssertionError) as error:
            if self._tape.error is not None:
                raise self._tape.error from error
            raise FilmError(f"cannot be decoded: {_reason(error)}") from error

    def _prepare(self) -> None:
        if not self._container.streams.video:
            raise FilmError("no video in it")
        self._stream = self._container.streams.best("video") or self._container.streams.video[0]
        self._decoder = cast("Any", self._stream.codec_context)
        if self._decoder is None or self._decoder.codec.name not in _DECODERS.split(","):
            raise FilmError(f"no decoder for {'its video' if self._decoder is None else self._decoder.name}")
        if self._decoder.width * self._decoder.height > self._limits.frame_pixels:
            raise FilmError(f"limit: frames of more than {self._limits.frame_pixels} pixels")
        self._decoder.options = {"max_pixels": str(self._limits.frame_pixels)}
        self._decoder.thread_count = 1
        self._base = self._stream.time_base or Fraction(1, av.time_base)
        self._begin = float((self._stream.start_time or 0) * self._base)
        self.seconds = self._length()

    def _length(self) -> float | None:
        stream, container = self._stream.duration, self._container.duration
        if stream is not None and stream > 0:
            return float(stream * self._base)
        return container / av.time_base if container is not None and container > 0 else None

    def _all_packets(self, *, flush: bool = False) -> Iterator[Any]:
        """Yield the packets of the video as far as the limits go, and None at the end where the decoder is to flush."""
        packets = self._container.demux(self._stream)
        while True:
            if self._packets >= self._limits.packets:
                self.cut = f"limit: more than {self._limits.packets} packets"
            elif self._pixels <= 0:
                self.cut = f"limit: more than {self._limits.pixels} pixels decoded"
            if self.cut is not None:
                return
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.damaged = True
                packet = None
            self._judge_reading()
            if packet is None or not packet.size:
                break
            self._packets += 1
            self.damaged |= packet.is_corrupt
            yield packet
        if flush:
            yield None

    def _judge_reading(self) -> None:
        if self._tape.error is not None:
            raise self._tape.error
        if self._tape.left <= 0:
            self.cut = f"limit: more than {self._limits.bytes} bytes read"

    def _time_of(self, packet: Any) -> float:
        """Return the seconds from the start of the video, by the number of the packet where it does not tell."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None:
            rate = self._stream.average_rate
            self._last = self._packets / (float(rate) if rate else _FRAMES_A_SECOND)
        else:
            self._last = max(0.0, float(stamp * self._base) - self._begin)
        return self._last

    def _decoded(self, packet: Any) -> Iterator[Any]:
        """Yield what comes of a packet, or of the end; errors are passed over and remembered."""
        try:
            frames = self._decoder.decode(packet)
        except MemoryError:
            raise
        except (FFmpegError, ValueError, OverflowError):
            self.damaged |= packet is not None
            return
        for frame in frames:
            self._pixels -= max(1, frame.width * frame.height)
            self.damaged |= frame.is_corrupt
            yield frame

    def _grey(self, frame: Any, seconds: float) -> Iterator[Still]:
        try:
            grey = self._to_grey.reformat(frame, format="gray", dst_color_range="JPEG", threads=1).to_ndarray()
        except (FFmpegError, ValueError, OverflowError):
            self.damaged = True
        else:
            yield Still(grey.astype(np.uint8, copy=False), seconds)

    def _skip_to(self, seconds: float, apart: float) -> None:
        """Go on from a later time where that saves much reading and the container can."""
        if not self.seconds or self._size / self.seconds * apart < _WORTH_A_SEEK or seconds >= self.seconds:
            return
        try:
            self._container.seek(round((seconds + self._begin) * av.time_base), backward=False)
        except (FFmpegError, OverflowError):
            return  # reading goes on where it was
        self._judge_reading()

    def _judge_end(self) -> None:
        whole = self.seconds or 0.0
        self.damaged |= self.cut is None and self._last < whole - max(_LEAST_EARLY, _ENDS_EARLY * whole)


def _reason(error: Exception) -> str:
    """Return one line that is the same in every run."""
    text = error.strerror if isinstance(error, FFmpegError) else None
    return ascii(text)[1:-1][:200] if text else type(error).__name__
