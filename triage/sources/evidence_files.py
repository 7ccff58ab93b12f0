"""The files of one source: the only place that opens and reads them, and it can do nothing else with them."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path


class EvidenceFiles:
    """Files opened read-only at their first read, at most `limit` at a time (a set can have thousands)."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._handles: OrderedDict[Path, int] = OrderedDict()

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Return bytes of a file, short at its end or before a place that cannot be read.

        Raises OSError when not even the first byte can be read.
        """
        handle = self.handle(path)
        pieces: list[bytes] = []
        left = length
        while left > 0:
            try:
                piece = os.pread(handle, left, offset + length - left)
            except OSError:
                if not pieces:
                    raise
                break
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_into(self, path: Path, offset: int, buffers: Sequence[memoryview]) -> int:
        """Fill buffers, at most 1,024, one after the other with bytes of a file, and return how many came at once.

        They can be fewer than asked for without an end or a bad place behind them: the system has a limit of 2 GiB.
        Raises OSError when not even the first byte can be read.
        """
        return os.preadv(self.handle(path), buffers, offset)

    def size(self, path: Path) -> int:
        """Return where a file or block device ends. Raises OSError."""
        return os.lseek(self.handle(path), 0, os.SEEK_END)

    def close(self) -> None:
        """Close every file; reading opens them again."""
        while self._handles:
            os.close(self._handles.popitem()[1])

    def handle(self, path: Path) -> int:
        """Return the descriptor of a file, good until another file is read. Raises OSError."""
        handle = self._handles.get(path)
        if handle is not None:
            self._handles.move_to_end(path)
            return handle
        while len(self._handles) >= self._limit:
            os.close(self._handles.popitem(last=False)[1])
        handle = self._handles[path] = os.open(path, os.O_RDONLY)
        return handle
