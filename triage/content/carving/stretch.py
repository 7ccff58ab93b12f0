"""A stretch of bytes, read in blocks of which the last few are kept, and the view that one candidate has of it."""

from collections.abc import Iterator

from triage.content.content import ReadAt

BLOCK = 1 << 20
PIECE = 64 << 10
_KEPT_BLOCKS = 8
_LOOK = 256


class BrokenOffError(Exception):
    """The structure of a candidate goes no further; the message says why."""


class Stretch:
    """Contiguous bytes behind a `read(offset, length)`; never more than eight blocks of 1 MiB are in memory.

    `size` becomes less where reading ends before it. What `read` raises comes through.
    """

    def __init__(self, read: ReadAt, size: int) -> None:
        self.size = size
        self._read = read
        self._blocks: dict[int, bytes] = {}  # in order of use

    def take(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset, fewer at the end."""
        first, within = divmod(offset, BLOCK)
        if within + length <= BLOCK:
            return self._block(first)[within : within + length]
        blocks = (self._block(number) for number in range(first, (offset + length - 1) // BLOCK + 1))
        return b"".join(blocks)[within : within + length]

    def _block(self, number: int) -> bytes:
        block = self._blocks.pop(number, None)
        if block is None:
            block = self._load(number * BLOCK)
            if len(self._blocks) >= _KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = block
        return block

    def _load(self, start: int) -> bytes:
        length = min(BLOCK, self.size - start)
        if length <= 0:
            return b""
        block = self._read(start, length)
        if len(block) < length:
            self.size = start + len(block)
        return block


class View:
    """The bytes from a candidate's beginning on, with a budget for looking at them.

    A follower sets `sound` to the offset up to which it found the structure in order; 0 says that this is no beginning
    at all. Every method raises BrokenOffError where the bytes or the budget end. Where the budget ends nothing says
    that this is no file: it is sound as far as it was looked at. `spent` is what looking has cost so far: the bytes
    that were handed out, and a look at few of them counts as 256, lest small steps come cheap.
    """

    def __init__(self, stretch: Stretch, start: int, *, longest: int, budget: int) -> None:
        self.sound = 0
        self.spent = 0
        self._reached = 0
        self._stretch = stretch
        self._start = start
        self._longest = longest
        self._budget = budget

    @property
    def size(self) -> int:
        """The bytes between the beginning and the end of the stretch."""
        return self._stretch.size - self._start

    def take(self, offset: int, length: int) -> bytes:
        """Return exactly so many bytes at an offset."""
        self.reach(offset + length)
        self._reached = max(self._reached, offset + length)
        self.charge(max(length, _LOOK))
        data = self._stretch.take(self._start + offset, length)
        self.reach(offset + length)  # reading may have shown that there is less
        return data

    def piece(self, offset: int, most: int) -> bytes:
        """Return so many bytes from an offset on, fewer at the end, but at least one."""
        self.reach(offset + 1)
        return self.take(offset, min(most, self.size - offset, self._longest - offset))

    def pieces(self, offset: int, overlap: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield all bytes from an offset on in pieces with their offsets; the overlap is the next piece's beginning."""
        while True:
            yield offset, self.piece(offset, PIECE + overlap)
            offset += PIECE

    def reach(self, end: int) -> None:
        """Break off where the first `end` bytes are not all there; a stretch that ends cuts off what was sound."""
        if end > self.size:
            self.sound = self.size if self.sound else 0
            raise BrokenOffError("cut off by the end of the stretch")
        if end > self._longest:
            raise BrokenOffError(f"longer than {self._longest} bytes")

    def charge(self, cost: int) -> None:
        """Count work that was done on bytes that were handed out."""
        self.spent += cost
        if self.spent > self._budget:
            self.sound = self.sound or self._reached
            raise BrokenOffError(f"not followed to its end within a budget of {self._budget} bytes")
