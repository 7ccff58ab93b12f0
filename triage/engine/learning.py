"""What the bytes of contents tell: read once, digested together, looked up together, compared by appearance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from triage.content.content import Content
from triage.content.digesting import Digested, digest, digest_many, digest_side_by_side
from triage.content.lanes_windows import Fill
from triage.content.mediatype import UNKNOWN, media_type, quick_type
from triage.content.noise import noise
from triage.content.picture import PICTURE_TYPES
from triage.content.protected import protected
from triage.engine.messages import NOTHING
from triage.engine.pictures import PictureDesk
from triage.engine.plan import Depth, Limits
from triage.engine.trace import Trace
from triage.hashsets.hashset import HashSet, Held
from triage.items.evidence import Evidence
from triage.items.loading import LARGEST, NOBODY, Loaded, Loader
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import EvidenceError, StoreError
from triage.model.finding import SetKind
from triage.model.item import Item, Outcome
from triage.model.result import NO_DIGESTS
from triage.model.runs import ByteRun

Numbered = tuple[int, Item]

_SECTOR = 512
_LEAST_CONTAINER = 256 << 10  # two headers of 64 KiB and their copies
_GATED = 1 << 20  # a smaller content is read as quickly as its first bytes are
_LONGEST = 300
_BUFFER = 64 << 20  # the lanes of digests are kept busy, and one long file does not outlast the others by much
_SHARE = 16  # of the memory of a worker
_LARGE = 8 << 20  # of contents beyond, fewer than lanes come to a buffer
_FEW = 2  # not worth lanes of their own, if they come with others


class Learnt(NamedTuple):
    """What the bytes of a content told, whatever its name. `exact`: what each set holds of it, in their order."""

    outcome: Outcome
    reason: str | None = None
    digests: Digests = NO_DIGESTS
    digest_way: str | None = None
    media_type: str | None = None
    pictures: PictureHashes | None = None
    exact: Sequence[Held] = ()


@dataclass(slots=True)
class Learner:
    """Learns of contents of one source, in batches; `begin` is told the number of an item before its bytes are touched.

    `pictures` are the tools for what is compared by appearance.
    """

    evidence: Evidence
    sets: Sequence[HashSet]
    depth: Depth
    limits: Limits
    begin: Callable[[int], None]
    trace: Trace
    pictures: PictureDesk = field(init=False)
    _loader: Loader = field(init=False)
    _wanted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Make the tools that belong to the others."""
        self._loader = Loader(self.evidence, min(_BUFFER, self.limits.worker_bytes // _SHARE))
        self.pictures = PictureDesk(self.sets, self.depth, self.limits)
        self._wanted = frozenset(self.depth.digests)

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
                assert learnt is not None
                yield item, learnt

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
        head = self.evidence.content(item, volume).head
        told = self._guarded(number, lambda: Learnt(outcome=Outcome.EXAMINED, media_type=self._type(head())))
        return told is not None and told.outcome is Outcome.EXAMINED and told.media_type not in PICTURE_TYPES

    def _guarded(self, number: int, learn: Callable[[], Learnt | None]) -> Learnt | None:
        """Return what is learnt of one item, whatever the libraries below raise over its hostile bytes."""
        self.begin(number)
        try:
            return learn()
        except StoreError:
            raise
        except EvidenceError as error:
            return Learnt(outcome=Outcome.UNREADABLE, reason=str(error))
        except Exception as error:  # noqa: BLE001
            return Learnt(outcome=Outcome.CRASHED, reason=one_line(error))

    def _size_matters(self, item: Item) -> bool:
        """Tell whether a content must be read because of its size: unless no notable set can hold it."""
        if not self.depth.skip_sizes or item.size <= _GATED:
            return True
        sizes = [hashset.sizes for hashset in self.sets if hashset.identity.kind is SetKind.NOTABLE and hashset.needs]
        return not sizes or any(held is None or item.size in held for held in sizes)

    def _skip(self, item: Item, volume: ByteRun) -> Learnt | None:
        """Return what the first bytes of a content tell that is in no set; None for a picture, which is compared."""
        self.evidence.source.touched = False
        content = self.evidence.content(item, volume)
        head = content.head()
        if reason := self._unreadable(item):
            return Learnt(outcome=Outcome.UNREADABLE, reason=reason)
        kind = self._type(head)
        if kind in PICTURE_TYPES:
            return None
        if encrypted := self._encrypted(item, content, head, kind):
            return encrypted._replace(media_type=kind)
        return Learnt(outcome=Outcome.SKIPPED, reason="size: no set holds a file of this size", media_type=kind)

    def _learn_alone(self, item: Item, volume: ByteRun, *, decode: bool) -> Learnt:
        """Learn of a content too large for the buffer that only its file system can read."""
        self.evidence.source.touched = False
        content = self.evidence.content(item, volume)
        with self.trace.span("digest alone", 1, item.size):
            digested = Digested(digest(content, self._wanted), in_lanes=False)
        return self._learn_digested(item, content, digested, decode=decode)

    def _learn_side_by_side(
        self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool
    ) -> Iterator[tuple[Item, Learnt]]:
        """Learn of direct contents of any size: each window is read in the name of its item."""
        failed: dict[int, Learnt] = {}
        contents = [(self._filler(number, item, failed), item.size) for number, item in items]
        digesting = digest_side_by_side(contents, self._loader.arena, self._wanted)
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

        def guarded(offset: int, window: memoryview) -> bool:
            trouble = self._guarded(number, partial(fill, offset, window))
            if trouble is not None:
                failed[number] = trouble
            return trouble is None

        return guarded

    def _learn_digested(self, item: Item, content: Content, digested: Digested, *, decode: bool) -> Learnt:
        """Learn of one content that is read, and no longer in memory."""
        if reason := self._unreadable(item):
            return Learnt(outcome=Outcome.UNREADABLE, reason=reason)
        digests, in_lanes = digested
        way = digest_way(item, in_lanes=in_lanes) if self._wanted else None
        learnt = Learnt(outcome=Outcome.EXAMINED, digests=digests, digest_way=way, exact=self._held([digests])[0])
        return self._tell(item, content, learnt, decode=decode)

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
            made = digest_many(arena, [(loaded.start, loaded.end) for loaded in group], self._wanted)
        with self.trace.span("look up", len(group)):
            held = self._held([digested.digests for digested in made])
        for loaded, digested, exact in zip(group, made, held, strict=True):
            number, item = items[loaded.index]
            if reason := self._unreadable_runs(item):
                yield item, Learnt(outcome=Outcome.UNREADABLE, reason=reason)
                continue
            way = digest_way(item, in_lanes=digested.in_lanes) if self._wanted else None
            learnt = Learnt(outcome=Outcome.EXAMINED, digests=digested.digests, digest_way=way, exact=exact)
            content = Content.of(arena.data[loaded.start : loaded.end])
            told = self._guarded(number, partial(self._tell, item, content, learnt, decode=decode))
            assert told is not None
            yield item, told

    def _held(self, batch: Sequence[Digests]) -> list[list[Held]]:
        """Return for each of the contents what every set holds of it."""
        by_set = [hashset.match_digests(batch) for hashset in self.sets]
        return [[held[index] for held in by_set] for index in range(len(batch))]

    def _tell(self, item: Item, content: Content, learnt: Learnt, *, decode: bool) -> Learnt:
        """Complete what is learnt of a content that was read: what it is, and what it looks like."""
        head = content.head()
        kind = self._type(head)
        learnt = learnt._replace(media_type=kind)
        notable = _matches(self.sets, learnt.exact, SetKind.NOTABLE)
        if encrypted := self._encrypted(item, content, head, kind):
            learnt = learnt._replace(outcome=encrypted.outcome, reason=encrypted.reason)
        elif self.depth.pictures and decode and kind in PICTURE_TYPES:
            known = _matches(self.sets, learnt.exact, SetKind.KNOWN)
            if known and not notable and self.depth.skip_known:
                return learnt._replace(outcome=Outcome.SKIPPED, reason="known: not decoded")
            learnt, near = self._look(content, learnt, exact=bool(notable))
            notable = notable or near
        return learnt._replace(digests=_with_sha256(learnt.digests, content)) if notable else learnt

    def _look(self, content: Content, learnt: Learnt, *, exact: bool) -> tuple[Learnt, list[str]]:
        """Return what a picture looks like besides, and the notable sets that may hold such a one."""
        try:
            with self.trace.span("picture", 1, content.size):
                seen = self.pictures.look(content, learnt.media_type or UNKNOWN, learnt.digests, in_full=exact)
        except EvidenceError as error:
            return learnt._replace(outcome=Outcome.UNREADABLE, reason=str(error)), []
        except Exception as error:  # noqa: BLE001 - a decoder failed on hostile bytes: the digests stand all the same
            return learnt._replace(outcome=Outcome.CRASHED, reason=f"decoding: {one_line(error)}"), []
        return learnt._replace(pictures=seen.hashes, reason=seen.hashes.declined), seen.near

    def _type(self, head: bytes) -> str | None:
        return media_type(head) if self.depth.all_types else quick_type(head)

    def _encrypted(self, item: Item, content: Content, head: bytes, kind: str | None) -> Learnt | None:
        method = item.encrypted or protected(head, item.size) or _unmarked(content, head, kind)
        return Learnt(outcome=Outcome.ENCRYPTED, reason=f"encrypted: {method}") if method else None

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


def one_line(error: Exception) -> str:
    """Return what was raised, on one line that is not too long."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]


def _with_sha256(digests: Digests, content: Content) -> Digests:
    """Return digests with the SHA-256, which goes with every finding.

    A large content is read once more for it: if its other digests are not the same then, the disk has changed, and what
    was digested first stands alone.
    """
    if digests.sha256 is not None:
        return digests
    again = digest(content, frozenset({"md5", "sha1", "sha256"}))
    same = all(getattr(digests, name) in {None, getattr(again, name)} for name in ("md5", "sha1"))
    return replace(digests, sha256=again.sha256) if same else digests


def _matches(sets: Sequence[HashSet], exact: Sequence[Held], kind: SetKind) -> list[str]:
    """Return the names of the sets of one kind that hold a content."""
    return [
        hashset.identity.name
        for hashset, held in zip(sets, exact, strict=True)
        if held.matches and hashset.identity.kind is kind
    ]


def _unmarked(content: Content, head: bytes, kind: str | None) -> str | None:
    """Tell a container without a signature: noise throughout, in whole sectors, and as large as VeraCrypt makes one."""
    if kind not in {None, UNKNOWN} or content.size % _SECTOR or content.size < _LEAST_CONTAINER:
        return None
    if media_type(head) != UNKNOWN or noise(content.read_at, content.size) is None:
        return None
    return "possibly, without a signature (noise throughout)"
