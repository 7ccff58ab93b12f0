"""What the bytes of one content tell: which sets hold it, what it is, whether it is encrypted, what it looks like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import UNKNOWN, media_type, quick_type
from triage.content.members.zip_encryption import some_clear
from triage.content.noise import noise
from triage.content.picture import PICTURE_TYPES
from triage.content.protected import protected
from triage.content.registry.hive import SIGNATURE
from triage.engine.learning.learnt import Learnt, guarded
from triage.engine.learning.pictures import PictureDesk
from triage.engine.learning.videos import VideoDesk
from triage.engine.plan import Depth, Limits
from triage.engine.trace import Trace
from triage.hashsets.hashset import HashSet, Held
from triage.items.expansion import Reach, opens
from triage.items.indicators_content import is_asked
from triage.model.digest import Digests
from triage.model.finding import SetKind
from triage.model.item import Item, ItemKind, Outcome

_SECTOR = 512
_LEAST_CONTAINER = 256 << 10  # two headers of 64 KiB and their copies
_HIGH_ENTROPY = "high-entropy: noise throughout, possibly an encrypted container"


@dataclass(slots=True)
class Teller:
    """Tells of contents, one by one, what no reading of them in batches does.

    `pictures` and `videos` are the tools for what is compared by appearance; `alive` is called while that takes long.
    """

    sets: Sequence[HashSet]
    depth: Depth
    limits: Limits
    trace: Trace
    alive: Callable[[], None]
    pictures: PictureDesk = field(init=False)
    videos: VideoDesk = field(init=False)
    wanted: frozenset[str] = field(init=False)
    _reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        """Make the tools that belong to the others."""
        self.pictures = PictureDesk(self.sets, self.depth, self.limits)
        self.videos = VideoDesk(self.sets, self.depth, self.alive)
        self.wanted = frozenset(self.depth.digests)
        self._reach = Reach(thumbnails=self.depth.thumbnails, images=True, shadows=self.depth.shadows)

    def held(self, batch: Sequence[Digests]) -> list[list[Held]]:
        """Return for each of some contents what every set holds of it."""
        by_set = [hashset.match_digests(batch) for hashset in self.sets]
        return [[held[index] for held in by_set] for index in range(len(batch))]

    def type_of(self, head: bytes) -> str | None:
        """Return the media type by the first bytes, as far as it is looked for."""
        return media_type(head) if self.depth.all_types else quick_type(head)

    def pass_over(self, item: Item, content: Content, head: bytes) -> Learnt | None:
        """Return what the first bytes of a content tell whose size is in no set.

        None for what has more to it than its digests: a picture, a video to compare, a container to go through.
        """
        kind = self.type_of(head)
        if kind in PICTURE_TYPES:
            return None
        if encrypted := self._encrypted(item, content, head, kind):
            return encrypted._replace(media_type=kind)
        holds = self._opens(item, head, kind, content)
        if self.videos.wants(head) or (holds and not _is_hive(item, head)):
            return None
        reason = "size: no set holds a file of this size"
        return Learnt(outcome=Outcome.SKIPPED, reason=reason, media_type=kind, opens=holds)

    def tell(self, item: Item, content: Content, learnt: Learnt, *, decode: bool) -> Learnt:
        """Complete what is learnt of a content that was read: what it is, and what it looks like.

        `decode=False` leaves out what a decoder would tell.
        """
        head = content.head()
        kind = self.type_of(head)
        learnt = learnt._replace(media_type=kind)
        notable = self._named(learnt.exact, SetKind.NOTABLE)
        encrypted = self._encrypted(item, content, head, kind)
        if encrypted is not None:
            learnt = learnt._replace(outcome=encrypted.outcome, reason=encrypted.reason, opens=encrypted.opens)
            return self._with_sha256(learnt, content) if notable else learnt
        known = bool(self._named(learnt.exact, SetKind.KNOWN)) and not notable and self.depth.skip_known
        if self._opens(item, head, kind, content):
            if known:
                return learnt._replace(outcome=Outcome.SKIPPED, reason="known: not opened")
            learnt = learnt._replace(opens=True)
        is_picture = self.depth.pictures and kind in PICTURE_TYPES
        if decode and (is_picture or self.videos.wants(head, notable)):
            if known:
                return learnt._replace(outcome=Outcome.SKIPPED, reason="known: not decoded")
            learnt, near = (self._look if is_picture else self._watch)(content, learnt, notable)
            notable = notable or near
        return self._with_sha256(learnt, content) if notable else learnt

    def _look(self, content: Content, learnt: Learnt, notable: list[str]) -> tuple[Learnt, list[str]]:
        """Return what a picture looks like besides, and the notable sets that may hold such a one."""
        with self.trace.span("picture", 1, content.size):
            seen = guarded(
                lambda: self.pictures.look(content, learnt.media_type or UNKNOWN, learnt.digests, in_full=bool(notable))
            )
        if isinstance(seen, Learnt):
            return _undecoded(learnt, seen), []
        return learnt._replace(pictures=seen.hashes, reason=seen.hashes.declined), seen.near

    def _watch(self, content: Content, learnt: Learnt, notable: list[str]) -> tuple[Learnt, list[str]]:
        """Return what a video looks like besides, and the notable sets that hold such a one and not the very same."""
        with self.trace.span("video", 1, content.size):
            seen = guarded(lambda: self.videos.look(content, learnt.digests))
        if isinstance(seen, Learnt):
            return _undecoded(learnt, seen), []
        near = {name: reason for name, reason in seen.near.items() if name not in notable}
        told = [*filter(None, [seen.hindrance]), *(f"video: {reason} in {name}" for name, reason in near.items())]
        return learnt._replace(video=seen.hashes, reason="; ".join(told) or None), list(near)

    def _opens(self, item: Item, head: bytes, kind: str | None, content: Content) -> bool:
        """Tell whether an item is to be gone through; who goes through it descends to what is in its members."""
        if not self.depth.members or item.kind is ItemKind.MEMBER:
            return False
        return opens(item, kind, head, self._reach, content)

    def _encrypted(self, item: Item, content: Content, head: bytes, kind: str | None) -> Learnt | None:
        if method := item.encrypted or protected(head, item.size):
            clear = not item.encrypted and self._opens(item, head, kind, content) and some_clear(content)
            return Learnt(outcome=Outcome.ENCRYPTED, reason=f"encrypted: {method}", opens=clear)
        return Learnt(outcome=Outcome.ENCRYPTED, reason=_HIGH_ENTROPY) if _is_noise(content, head, kind) else None

    def _named(self, exact: Sequence[Held], kind: SetKind) -> list[str]:
        """Return the names of the sets of one kind that hold a content."""
        return [
            hashset.identity.name
            for hashset, held in zip(self.sets, exact, strict=True)
            if held.matches and hashset.identity.kind is kind
        ]

    def _with_sha256(self, learnt: Learnt, content: Content) -> Learnt:
        """Add the SHA-256, which goes with every finding.

        A large content is read once more for it: if its other digests are not the same then, the disk has changed, and
        what was digested first stands alone.
        """
        digests = learnt.digests
        if digests.sha256 is not None:
            return learnt
        again = digest(content, frozenset({"md5", "sha1", "sha256"}))
        same = all(getattr(digests, name) in {None, getattr(again, name)} for name in ("md5", "sha1"))
        return learnt._replace(digests=replace(digests, sha256=again.sha256)) if same else learnt


def _undecoded(learnt: Learnt, failed: Learnt) -> Learnt:
    """Return what is learnt of a content over which a decoder failed: its digests stand all the same."""
    crashed = failed.outcome is Outcome.CRASHED
    return learnt._replace(outcome=failed.outcome, reason=f"decoding: {failed.reason}" if crashed else failed.reason)


def _is_hive(item: Item, head: bytes) -> bool:
    """Tell whether a file is gone through for some keys alone, for which it needs not be read as a whole."""
    return is_asked(item) and head.startswith(SIGNATURE)


def _is_noise(content: Content, head: bytes, kind: str | None) -> bool:
    """Tell a container without a signature: noise throughout, in whole sectors, and as large as VeraCrypt makes one."""
    if kind not in {None, UNKNOWN} or content.size % _SECTOR or content.size < _LEAST_CONTAINER:
        return False
    return media_type(head) == UNKNOWN and noise(content.read_at, content.size) is not None
