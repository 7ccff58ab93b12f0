"""Compressed streams in pieces: one loop for every method, each decoder fed little by little and never asked for much.

Sources: deflate RFC 1951, zlib RFC 1950, gzip RFC 1952, zstd RFC 8878, the .xz and .lzma file format notes of XZ Utils.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from triage.content.members.decoding import Pieces
from triage.content.members.member import Container, damaged

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_FED = 1 << 16
_GIVEN = 1 << 18
_WINDOW_LOG_MOST = 27  # 128 MiB, as much as zstd --long uses

RAW, ZLIB, GZIP = -zlib.MAX_WBITS, zlib.MAX_WBITS, 16 + zlib.MAX_WBITS


class Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes; data not yet used is kept."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was met."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to give without more data."""

    @property
    def unused_data(self) -> bytes:
        """What came after the end of the stream."""


class Inflate:
    """zlib's decompressor under the interface of the others."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes."""
        given = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self.needs_input = not self._stream.unconsumed_tail and len(given) < max_length
        return given

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was met."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """What came after the end of the stream."""
        return self._stream.unused_data


def inflate(wbits: int) -> Callable[[], Decompressor]:
    """Return what starts a decompressor of deflate, bare, in zlib's or in gzip's wrapping."""
    return partial(Inflate, wbits)


def bunzip2() -> Decompressor:
    """Return a decompressor of bzip2."""
    return bz2.BZ2Decompressor()


def unzstd() -> Decompressor:
    """Return a decompressor of zstd whose window is bounded."""
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MOST}
    return zstd.ZstdDecompressor(options=options)


def unxz(container: Container) -> Callable[[], Decompressor]:
    """Return what starts a decompressor of .xz and .lzma files within a container's limits."""
    return partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, container.limits.dictionary)


def unlzma(filters: list[dict[str, Any]]) -> Callable[[], Decompressor]:
    """Return what starts a decompressor of bare LZMA streams behind filters, which are in the order of encoding."""
    return partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, None, filters)


def pieces(start: Callable[[], Decompressor], container: Container, offset: int, length: int) -> Pieces:
    """Yield what one stream decodes to; bytes behind its end are not looked at."""
    decompressor = start()
    for position in range(offset, offset + length, _FED):
        data = container.read(position, min(_FED, offset + length - position))
        if not data:
            return
        consumed = position - offset + len(data)
        while not decompressor.eof and (data or not decompressor.needs_input):
            given = decompressor.decompress(data, _GIVEN)
            data = b""
            if given:
                yield given, consumed
        if decompressor.eof:
            return


def all_pieces(start: Callable[[], Decompressor], container: Container) -> Pieces:
    """Yield what all streams of a file decode to, one after the other; zeros after the last one are filling.

    Raises ObstacleError where a stream ends early or is followed by other bytes.
    """
    decompressor, data, position, complete = start(), b"", 0, 0
    while True:
        if not data and (decompressor.needs_input or decompressor.eof):
            data = container.read(position, _FED)
            position += len(data)
            if not data:
                break
        if decompressor.eof:
            data = data.lstrip(b"\0")
            complete += 1
            if data:
                decompressor = start()
            continue
        try:
            given = decompressor.decompress(data, _GIVEN)
        except Exception as error:
            if complete:
                raise damaged("other bytes follow the end of the stream") from error
            raise
        data = decompressor.unused_data if decompressor.eof else b""
        if given:
            yield given, position
    if not decompressor.eof:
        raise damaged("the stream ends early")


def stored(container: Container, offset: int, length: int) -> Pieces:
    """Yield bytes that are not compressed."""
    for position in range(offset, offset + length, _GIVEN):
        data = container.read(position, min(_GIVEN, offset + length - position))
        if not data:
            return
        yield data, position - offset + len(data)
