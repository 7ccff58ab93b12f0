"""The content of one item: a bounded pass over its bytes, kept while small, local to a worker."""

import io
from collections.abc import Callable, Iterator
from typing import Self

ReadAt = Callable[[int, int], bytes]

BLOCK = 1 << 20
KEEP = 64 << 20


class Content:
    """Bytes of known size behind a `read(offset, length)`; what fits in `keep` bytes is read only once."""

    def __init__(self, read: ReadAt, size: int, *, keep: int = KEEP) -> None:
        self._read = read
        self.size = size
        self._kept: bytes | memoryview | None = None
        self._keep = keep

    @classmethod
    def of(cls, data: bytes | memoryview) -> Self:
        """Return a content that is in memory already; nothing is copied."""
        content = cls(_nothing, len(data))
        content._kept = data
        return content

    def head(self, length: int = 4096) -> bytes:
        """Return the first bytes, fewer if the content is shorter."""
        if self._kept is None and self.size <= BLOCK:
            self._load()
        return self.read_at(0, length)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset, fewer at the end."""
        if self._kept is not None:
            return bytes(self._kept[offset : offset + length])
        length = min(length, self.size - offset)
        return self._read(offset, length) if length > 0 else b""

    def blocks(self) -> Iterator[bytes | memoryview]:
        """Yield the content from start to end: in blocks of at most 1 MiB as it is read, whole where it is kept."""
        if self._kept is not None:
            yield self._kept
            return
        pieces: list[bytes] = []
        position = 0
        while position < self.size:
            block = self._read(position, min(BLOCK, self.size - position))
            if not block:
                break
            position += len(block)
            if self.size <= self._keep:
                pieces.append(block)
            yield block
        if self.size <= self._keep:
            self._kept = b"".join(pieces)

    def whole(self) -> bytes | memoryview:
        """Return all bytes, fewer where reading ends early; what is larger than `keep` is read anew each time."""
        if self._kept is None and self.size <= self._keep:
            self._load()
        return b"".join(self.blocks()) if self._kept is None else self._kept

    def _load(self) -> None:
        for _ in self.blocks():
            pass

    def open(self) -> io.BufferedIOBase:
        """Return a seekable file over the content."""
        if self._kept is None and self.size <= self._keep:
            self._load()
        if self._kept is not None:
            return io.BytesIO(self._kept)
        return io.BufferedReader(Window(self._read, self.size), BLOCK)


def _nothing(_offset: int, _length: int) -> bytes:
    return b""


class Window(io.RawIOBase):
    """A raw seekable file over a read function and a size."""

    def __init__(self, read: ReadAt, size: int) -> None:
        self._read_at = read
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset; past the end there is nothing to read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """Return the offset."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the content goes; return the number of bytes."""
        data = self._read_at(self._position, min(len(buffer), max(0, self._size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
