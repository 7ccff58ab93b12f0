"""The chunks of an EWF set: a zlib stream, or raw bytes and their Adler-32; each proves itself.

A zlib stream ends with the Adler-32 of what it inflates to (RFC 1950), so no chunk has to be trusted.

libdeflate, several times as fast, goes first; zlib judges what it refuses, and says why. libdeflate reads the two
reserved length codes, 286 and 287, as 258 where zlib gives up: such bytes too have proved themselves by their Adler-32.
"""

import zlib

import deflate

CHECKSUM = 4
"""Bytes of the Adler-32 behind a raw chunk, little-endian."""


class BadChunk(Exception):  # noqa: N818 - a finding about the evidence, not an error of the program
    """The bytes of one chunk cannot be had; the text says why."""


def most_bytes(chunk_size: int) -> int:
    """Return how long a stored chunk can be at most: deflate adds little to what it cannot compress."""
    return chunk_size + chunk_size // 64 + 1024


def decode(raw: bytes, size: int, chunk_size: int, *, compressed: bool) -> bytes | bytearray:
    """Return the `size` bytes of a stored chunk. Raises BadChunk where it does not prove itself.

    The last chunk of a disk is shorter than `chunk_size`; some writers fill it up.
    """
    quick = inflated(raw, size, chunk_size) if compressed else None
    if quick is not None:
        return quick
    data = _inflate(raw, chunk_size)[0] if compressed else _checked(raw, size)
    if len(data) < size:
        raise BadChunk(f"a chunk inflates to {len(data)} of {size} bytes")
    return data[:size]


def inflated(raw: bytes | memoryview, size: int, chunk_size: int) -> bytearray | None:
    """Return the `size` bytes of a sound zlib stream, quickly; None where `decode` has to judge."""
    try:
        data = deflate.zlib_decompress(raw, chunk_size)
    except deflate.DeflateError:
        return None
    del data[size:]
    return data if len(data) == size else None


def measure(raw: bytes, size: int, chunk_size: int) -> tuple[int, bool] | None:
    """Return the length of the stored chunk at the start of `raw` and whether it is compressed; None for no chunk."""
    if len(raw) >= size + CHECKSUM and _sum_holds(raw, size):
        return size + CHECKSUM, False
    try:
        data, length = _inflate(raw, chunk_size)
    except BadChunk:
        return None
    return (length, True) if len(data) in {size, chunk_size} else None


def _inflate(raw: bytes, most: int) -> tuple[bytes, int]:
    """Return what a zlib stream inflates to, `most` bytes at most, and the length of the stream.

    Asking for exactly `most` bytes spares a copy; the end of the stream is then met by asking for one more.
    """
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(raw, most)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise BadChunk("a compressed chunk does not inflate or its checksum is wrong") from error
    if more or not stream.eof:
        raise BadChunk("a compressed chunk has no end")
    return data, len(raw) - len(stream.unused_data)


def _checked(raw: bytes, size: int) -> bytes:
    """Return the raw bytes whose checksum holds: `size` of them, or all that were stored."""
    for length in (size, len(raw) - CHECKSUM):
        if size <= length <= len(raw) - CHECKSUM and _sum_holds(raw, length):
            return raw[:length]
    raise BadChunk("the checksum of a chunk is wrong")


def _sum_holds(raw: bytes, length: int) -> bool:
    return deflate.adler32(memoryview(raw)[:length]) == int.from_bytes(raw[length : length + CHECKSUM], "little")
