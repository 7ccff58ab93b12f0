"""Whole pictures and films, and the beginnings of broken ones, in bytes that no file system accounts for.

A file is found by its signature and followed by its own structure; its length is where that ends. One that breaks off
hides nothing: every byte that it was found to have is searched once more for files inside it, such as the thumbnail of
a photograph. What a whole file holds is not looked at again, if it was proven to its last byte. But films, WebP and BMP
files are passed over in part by lengths that their heads give, and what lies there may have been overwritten: their
sectors are searched, and where a file begins in one of them the rest is searched as in a file that breaks off.

Fragments are not put together. The checksums of a PNG prove that its bytes belong together. A JPEG that goes on in
foreign bytes seldom ends well, unless these are of another JPEG; of the others the lengths are all that holds. Not
carved: TIFF and the raw files of cameras, whose parts may be anywhere, and formats that are not listed in `formats`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from triage.content.carving.formats import HEAD, format_at
from triage.content.carving.places import SECTOR, Window
from triage.content.carving.stretch import BrokenOffError, Stretch, View
from triage.content.content import ReadAt
from triage.content.mediatype import HEAD as TELLING
from triage.content.mediatype import UNKNOWN, quick_type


class Carved(NamedTuple):
    """One file. `offset` in the stretch and `length` are in bytes, `media_type` is as `mediatype` names it.

    `whole`: the structure was followed to its own end. Otherwise `reason` says why not, and `length` is up to where
    the file was sound.
    """

    offset: int
    length: int
    media_type: str
    whole: bool
    reason: str = ""


class Progress(NamedTuple):
    """How many bytes from the start have been looked at as a beginning. `reason`: why no more will be; mostly empty."""

    examined: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarvingLimits:
    """What a stretch may cost, whatever it holds.

    `found`: files. `longest`: bytes of a file. `followed`: bytes looked at to follow one candidate. `share`: bytes
    looked at to follow all of them, as a multiple of the size of the stretch, beyond what one may take.
    """

    found: int = 1_000_000
    longest: int = 16 << 30
    followed: int = 256 << 20
    share: int = 4


DEFAULT_LIMITS = CarvingLimits()


def carve(
    read: ReadAt, size: int, limits: CarvingLimits = DEFAULT_LIMITS, *, step: int = SECTOR
) -> Iterator[Carved | Progress]:
    """Yield the files that begin in a stretch, in order of offset, and after every mebibyte how far it was searched.

    A file may begin at every multiple of `step` bytes, 512 or 1; behind another in the same sector and inside a broken
    one, at any byte. `read(offset, length)` may return zeros for what is unreadable, and fewer bytes only at the end.
    At most 8 MiB are kept. The last `Progress` says less than `size` where `read` ended early, or gives the limit that
    was reached.

    Raises ValueError for another step, and whatever `read` does.
    """
    if step not in {1, SECTOR}:
        raise ValueError(f"a file cannot be looked for at every {step} bytes, only at every byte or every {SECTOR}")
    return _Carver(Stretch(read, size), limits, step).run()


class _Carver:
    def __init__(self, stretch: Stretch, limits: CarvingLimits, step: int) -> None:
        self._stretch = stretch
        self._limits = limits
        self._step = step
        self._position = 0
        self._by_sectors_until = self._finely_until = 0
        self._found = 0
        self._left = limits.share * stretch.size + limits.followed

    def run(self) -> Iterator[Carved | Progress]:
        while self._position < self._stretch.size and not self._exhausted():
            window = Window(self._stretch, self._position, self._step)
            while (start := self._next(window)) is not None:
                self._position = start
                if self._exhausted():
                    break
                if (carved := self._followed(start)) is not None:
                    self._found += 1
                    yield carved
            else:
                self._position = max(self._position, window.end)
                yield Progress(min(self._position, self._stretch.size))
        if self._position < self._stretch.size:
            yield Progress(self._position, self._exhausted())

    def _exhausted(self) -> str:
        """Return the limit of the whole stretch that was reached, if any."""
        if self._found >= self._limits.found:
            return f"no more than {self._limits.found} files are looked for"
        return "" if self._left > 0 else "the budget for following files was used up"

    def _followed(self, start: int) -> Carved | None:
        """Return the file that begins at a place, None if none does, and move on."""
        head = self._stretch.take(start, HEAD)
        form = format_at(head, 0)
        if form is None:  # a failing medium may give other bytes when it is read again
            self._position = start + 1
            return None
        view = View(self._stretch, start, longest=self._limits.longest, budget=self._limits.followed)
        reason = ""
        try:
            length = form.follow(view)
        except BrokenOffError as error:
            length, reason = view.sound, str(error)
        self._left -= view.spent
        if length:
            self._go_on(start, length, whole=not reason, proven=form.proven)
        self._position = max(self._position, start + 1)
        return Carved(start, length, self._type(start), not reason, reason) if length else None

    def _go_on(self, start: int, length: int, *, whole: bool, proven: bool) -> None:
        """Say how to look at what was found, and behind it up to the next sector at every byte."""
        end = start + length
        self._position = end if whole and proven else start + 1
        self._by_sectors_until = end if whole and not proven else 0
        self._finely_until = max(self._finely_until, -(-end // SECTOR) * SECTOR)

    def _next(self, window: Window) -> int | None:
        return window.first(self._position, self._by_sectors_until, self._finely_until)

    def _type(self, start: int) -> str:
        return quick_type(self._stretch.take(start, TELLING)) or UNKNOWN
