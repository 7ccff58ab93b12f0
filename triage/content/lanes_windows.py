"""MD5 and SHA-1 of contents of any size, many side by side: window by window, their states kept in between.

In a round the next window of every open content goes through the lanes. They end together (see `lanes_schedule`), so
that nine contents keep all eight as busy as eight or sixteen. The largest are begun first, and one that ends makes room
for the next: what outlasts the others is as little as can be.

A witness goes along: the first bytes of a window of each round, digested as if they were a content, and by `hashlib`
too. It ends with every content, and is compared before the digests of that content are believed.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from triage.content.lanes import Both, Sample, States, advance, begin, located, texts
from triage.content.lanes_schedule import BLOCK, LANES, Bytes

Fill = Callable[[int, memoryview], bool]
"""Fills a window with the bytes of a content from an offset on; False where the content is given up."""

WINDOW = 1 << 20
"""Bytes of a content in one round: as many as a disk is read at one go."""

MOST_OPEN = 2 * LANES

_WITNESS = 64 * BLOCK  # bytes of a round


@dataclass(slots=True, eq=False)
class _Open:
    """A content that is being digested; its window begins at `place` in the arena."""

    number: int
    fill: Fill
    size: int
    place: int
    state: States = field(default_factory=lambda: begin(1)[0])
    done: int = 0
    length: int = 0

    @property
    def ends(self) -> bool:
        """Whether the window is the last."""
        return self.done == self.size

    def read(self, arena: Bytes, window: int) -> bool:
        """Read the next window; return whether it could be."""
        self.length = min(window, self.size - self.done)
        begins, self.done = self.done, self.done + self.length
        return self.length == 0 or self.fill(begins, arena.data[self.place : self.place + self.length])


@dataclass(slots=True, eq=False)
class _Witness:
    state: States = field(default_factory=lambda: begin(1)[0])
    sample: Sample = field(default_factory=Sample)
    size: int = 0

    def place(self, arena: Bytes, opened: Sequence[_Open]) -> tuple[int, int]:
        """Return where the bytes of this round are: in the longest window, that are whole blocks unless all end."""
        longest = max(opened, key=lambda content: content.length)
        length = min(_WITNESS, longest.length)
        self.size += length
        self.sample.update(arena.data[longest.place : longest.place + length])
        return longest.place, longest.place + length


def side_by_side(
    contents: Sequence[tuple[Fill, int]], arena: Bytes, window: int = WINDOW
) -> Iterator[tuple[int, Both | None]]:
    """Yield the number and the hexadecimal MD5 and SHA-1 of each content as it ends; None of one that is given up.

    A content is what fills its windows, and its size in bytes. They are read from start to end, each byte once, into
    `arena`, which must hold a window at least, and be left alone between two digests no more than then. Raises
    LanesError where there are no lanes, or the witness is not what `hashlib` makes of it, and ValueError for windows
    that are not whole blocks, or an arena that is too small or has gaps.
    """
    if window % BLOCK or not 0 < window <= len(arena):
        raise ValueError(f"no window of {window} bytes in an arena of {len(arena)}")
    waiting = deque(sorted(range(len(contents)), key=lambda number: -contents[number][1]))
    free = [window * slot for slot in range(min(MOST_OPEN, len(arena) // window))]
    opened: list[_Open] = []
    witness = _Witness()
    while waiting or opened:
        while waiting and free:
            number = waiting.popleft()
            opened.append(_Open(number, *contents[number], free.pop()))
        going = [content for content in opened if content.read(arena, window)]
        ended = [content for content in going if content.ends]
        if going:
            _advance(arena, going, witness, ends=bool(ended))
        if ended:
            *digests, seen = texts(np.stack([*(content.state for content in ended), witness.state]))
            witness.sample.compare(seen)
            witness = _Witness()
            yield from zip([content.number for content in ended], digests, strict=True)
        yield from ((content.number, None) for content in opened if content not in going)
        free += [content.place for content in opened if content not in going or content.ends]
        opened = [content for content in going if not content.ends]


def _advance(arena: Bytes, going: Sequence[_Open], witness: _Witness, *, ends: bool) -> None:
    """Digest the windows of a round, and what the witness has of them."""
    spans = [(content.place, content.place + content.length) for content in going]
    places = located(arena, [*spans, witness.place(arena, going)])
    states = np.stack([*(content.state for content in going), witness.state])
    sizes = np.array([*(content.done for content in going), witness.size])
    ending = np.array([*(content.ends for content in going), ends])
    *after, witness.state = advance(arena, places, states, sizes, ending)
    for content, state in zip(going, after, strict=True):
        content.state = state
