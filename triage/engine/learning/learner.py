"""Reading the contents of items in batches: each byte once, digested together, looked up together."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from triage.content.content import Content
from triage.content.digesting import Digested, digest, digest_many, digest_side_by_side
from triage.content.lanes_windows import Fill
from triage.content.picture import PICTURE_TYPES
from triage.engine.learning.learnt import Learnt, Told, guarded
from triage.engine.learning.members import learn_members
from triage.engine.learning.telling import Teller
from triage.engine.messages import NOTHING
from triage.engine.plan import Depth, Limits
from triage.engine.trace import Trace
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.items.expansion import Expanded
from triage.items.loading import LARGEST, NOBODY, Loaded, Loader
from triage.model.finding import SetKind
from triage.model.item import Item, Outcome
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble

Numbered = tuple[int, Item]

_GATED = 1 << 20  # a smaller content is read as quickly as its first bytes are
_BUFFER = 64 << 20  # the lanes of digests are kept busy, and one long file does not outlast the others by much
_SHARE = 16  # of the memory of a worker
_LARGE = 8 << 20  # of contents beyond, fewer than lanes come to a buffer
_FEW = 2  # not worth lanes of their own, if they come with others


@dataclass(slots=True)
class Learner:
    """Learns of contents of one source, in batches; `begin` is told the number of an item before its bytes are touched.

    `teller` tells what is in the bytes that were read.
    """

    evidence: Evidence
    sets: Sequence[HashSet]
    depth: Depth
    limits: Limits
    begin: Callable[[int], None]
    trace: Trace
    teller: Teller = field(init=False)
    _loader: Loader = field(init=False)

    def __post_init__(self) -> None:
        """Make the tools that belong to the others."""
        self._loader = Loader(self.evidence, min(_BUFFER, self.limits.worker_bytes // _SHARE))
        self.teller = Teller(self.sets, self.depth, self.limits, self.trace, self._say_alive)

    def learn(self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool) -> Iterator[tuple[Item, Learnt]]:
        """Yield what is learnt of each item, all in `volume`; trouble with its bytes is an outcome of an item alone.

        `decode=False` leaves out what a decoder would tell.
        """
        read: list[Numbered] = []
        for number, item in items:
            skipped = None if self._size_matters(item) else self._guarded(number, partial(self._skip, item, volume))
            if skipped is not None:
                yield item, skipped
            else:
                read.append((number, item))
        apart = self._apart(read, volume, decode=decode)
        others = [(number, item) for number, item in read if number not in apart]
        together = [(number, item) for number, item in others if item.size <= LARGEST]
        yield from self._learn_together(together, volume, decode=decode)
        yield from self._learn_side_by_side(list(apart.items()), volume, decode=decode)
        for number, item in others:
            if item.size > LARGEST:
                learnt = self._guarded(number, partial(self._learn_alone, item, volume, decode=decode))
                yield item, learnt

    def learn_members(self, expanded: Iterable[Expanded | Trouble]) -> Iterator[tuple[Item, Learnt] | Trouble]:
        """Yield what is learnt of the members of containers; see `member_learning`."""
        return learn_members(self.teller, expanded)

    def _apart(self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool) -> dict[int, Item]:
        """Return the direct items that are digested side by side, not with the others in the buffer.

        These are what does not fit there, and what is large, unless there are few or it is a picture to be decoded.
        """
        large = {number: item for number, item in items if item.direct and item.size > _LARGE}
        if self.depth.pictures and decode:
            large = {number: item for number, item in large.items() if self._is_no_picture(number, item, volume)}
        return large if len(large) > _FEW else {number: item for number, item in large.items() if item.size > LARGEST}

    def _is_no_picture(self, number: int, item: Item, volume: ByteRun) -> bool:
        """Tell whether a content needs not be whole in memory; who cannot read its first bytes does not know."""
        if item.size > LARGEST:
            return True
        content = self.evidence.content(item, volume)
        kind = self._guarded(number, lambda: self.teller.type_of(content.head()))
        return not isinstance(kind, Learnt) and kind not in PICTURE_TYPES

    def _guarded(self, number: int, learn: Callable[[], Told]) -> Told | Learnt:
        """Return what is learnt of one item, whatever the libraries below raise over its hostile bytes."""
        self.begin(number)
        return guarded(learn)

    def _size_matters(self, item: Item) -> bool:
        """Tell whether a content must be read because of its size: unless no notable set can hold it."""
        if not self.depth.skip_sizes or item.size <= _GATED:
            return True
        sizes = [hashset.sizes for hashset in self.sets if hashset.identity.kind is SetKind.NOTABLE and hashset.needs]
        return not sizes or any(held is None or item.size in held for held in sizes)

    def _skip(self, item: Item, volume: ByteRun) -> Learnt | None:
        """Return what the first bytes of a content tell that is in no set; None where it is to be read all the same."""
        self.evidence.source.touched = False
        content = self.evidence.content(item, volume)
        head = content.head()
        if reason := self._unreadable(item):
            return Learnt(outcome=Outcome.UNREADABLE, reason=reason)
        return self.teller.pass_over(item, content, head)

    def _learn_alone(self, item: Item, volume: ByteRun, *, decode: bool) -> Learnt:
        """Learn of a content too large for the buffer that only its file system can read."""
        self.evidence.source.touched = False
        content = self.evidence.content(item, volume)
        with self.trace.span("digest alone", 1, item.size):
            digested = Digested(digest(content, self.teller.wanted), in_lanes=False)
        return self._learn_digested(item, content, digested, decode=decode)

    def _learn_side_by_side(
        self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool
    ) -> Iterator[tuple[Item, Learnt]]:
        """Learn of direct contents of any size: each window is read in the name of its item."""
        failed: dict[int, Learnt] = {}
        contents = [(self._filler(number, item, failed), item.size) for number, item in items]
        digesting = digest_side_by_side(contents, self._loader.arena, self.teller.wanted)
        while True:
            with self.trace.span("digest side by side"):
                ended = next(digesting, None)
            if ended is None:
                return
            index, digested = ended
            number, item = items[index]
            learnt = failed.get(number)
            if digested is not None:
                content = self.evidence.content(item, volume)
                learnt = self._guarded(number, partial(self._learn_digested, item, content, digested, decode=decode))
            assert learnt is not None
            yield item, learnt

    def _filler(self, number: int, item: Item, failed: dict[int, Learnt]) -> Fill:
        """Return what fills windows with a content; trouble with its bytes ends it, and is kept under its number."""
        fill = self._loader.windows(item)

        def filled(offset: int, window: memoryview) -> bool:
            trouble = self._guarded(number, partial(fill, offset, window))
            if trouble is not None:
                failed[number] = trouble
            return trouble is None

        return filled

    def _learn_digested(self, item: Item, content: Content, digested: Digested, *, decode: bool) -> Learnt:
        """Learn of one content that is read, and no longer in memory."""
        if reason := self._unreadable(item):
            return Learnt(outcome=Outcome.UNREADABLE, reason=reason)
        digests, in_lanes = digested
        way = digest_way(item, in_lanes=in_lanes) if self.teller.wanted else None
        learnt = Learnt(outcome=Outcome.EXAMINED, digests=digests, digest_way=way, exact=self.teller.held([digests])[0])
        return self.teller.tell(item, content, learnt, decode=decode)

    def _learn_together(
        self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool
    ) -> Iterator[tuple[Item, Learnt]]:
        """Learn of contents that fit the buffer: read, digest and look up many at a time."""
        loading = self._loader.load([item for _, item in items], volume, partial(self._begin_loading, items))
        while True:
            with self.trace.span("read"):
                group = next(loading, None)
            if group is None:
                return
            whole = [loaded for loaded in group if loaded.failed is None]
            for loaded in group:
                if loaded.failed is not None:
                    yield items[loaded.index][1], Learnt(outcome=Outcome.UNREADABLE, reason=loaded.failed)
            yield from self._learn_loaded(items, whole, decode=decode)

    def _begin_loading(self, items: Sequence[Numbered], index: int) -> None:
        self.begin(NOTHING if index == NOBODY else items[index][0])

    def _learn_loaded(
        self, items: Sequence[Numbered], group: Sequence[Loaded], *, decode: bool
    ) -> Iterator[tuple[Item, Learnt]]:
        arena = self._loader.arena
        self.begin(NOTHING)  # digests are of all of them
        with self.trace.span("digest", len(group), sum(loaded.end - loaded.start for loaded in group)):
            made = digest_many(arena, [(loaded.start, loaded.end) for loaded in group], self.teller.wanted)
        with self.trace.span("look up", len(group)):
            held = self.teller.held([digested.digests for digested in made])
        for loaded, digested, exact in zip(group, made, held, strict=True):
            number, item = items[loaded.index]
            if reason := self._unreadable_runs(item):
                yield item, Learnt(outcome=Outcome.UNREADABLE, reason=reason)
                continue
            way = digest_way(item, in_lanes=digested.in_lanes) if self.teller.wanted else None
            learnt = Learnt(outcome=Outcome.EXAMINED, digests=digested.digests, digest_way=way, exact=exact)
            content = Content.of(arena.data[loaded.start : loaded.end])
            told = self._guarded(number, partial(self.teller.tell, item, content, learnt, decode=decode))
            yield item, told

    def _say_alive(self) -> None:
        if self.evidence.source.on_read is not None:
            self.evidence.source.on_read()

    def _unreadable(self, item: Item) -> str | None:
        if item.runs:
            return self._unreadable_runs(item)
        return "part of the content could not be read" if self.evidence.source.touched else None

    def _unreadable_runs(self, item: Item) -> str | None:
        lost = self.evidence.unreadable_in(item)
        return f"{lost} of {item.size} bytes could not be read" if lost else None


def digest_way(item: Item, *, in_lanes: bool) -> str:
    """Return how a content was read and its MD5 made; see `ItemResult`."""
    return f"{'extents' if item.direct else 'file-system'}, {'lanes' if in_lanes else 'openssl'}"
