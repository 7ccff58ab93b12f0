"""The slow way of examining, as the measure of the fast one: each item by itself, read through its file system.

No byte runs, no lanes, no reduced decodes, no rule that leaves work out, no cache: `hashlib` and the full decode.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from triage.analyzers.analyzer import Facts
from triage.analyzers.order import analyze
from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import UNKNOWN, media_type, quick_type
from triage.content.noise import noise
from triage.content.picture import PICTURE_TYPES, PictureLimits, hash_picture
from triage.content.protected import protected
from triage.engine.plan import Limits
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.recognition import recognise
from triage.hashsets.hashset import HashSet
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import EvidenceError
from triage.model.finding import Finding
from triage.model.item import Item, Outcome
from triage.model.runs import ByteRun, intersect, merge, total
from triage.sources.watched import WatchedSource
from triage.volumes.volume import Volume

_DIGESTS = frozenset({"md5", "sha1", "sha256"})


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the slow way tells of an item."""

    outcome: Outcome
    reason: str | None = None
    digests: Digests = field(default_factory=Digests)
    media_type: str | None = None
    pictures: PictureHashes | None = None
    findings: tuple[Finding, ...] = ()


@dataclass
class SlowExaminer:
    """Examines the items of one source one by one; `all_types` as in the plan."""

    source: WatchedSource
    sets: Sequence[HashSet]
    limits: Limits
    all_types: bool
    opened: dict[ByteRun, FileSystem] = field(default_factory=dict)

    def examine(self, item: Item, volume: ByteRun) -> Told:
        """Return what the bytes of one item tell."""
        if item.unlocated:
            return Told(outcome=Outcome.UNREADABLE, reason=item.unlocated)
        stored = total(item.runs)
        if item.size - stored > self.limits.hole_bytes and stored * 64 < item.size:
            return Told(outcome=Outcome.SKIPPED, reason=f"limit: sparse file, {stored} of {item.size} bytes stored")
        filesystem = self._filesystem(volume)
        content = Content(lambda offset, length: filesystem.read_at(item, offset, length), item.size)
        self.source.touched = False
        try:
            head = content.head()
            digests = digest(content, _DIGESTS)
        except EvidenceError as error:
            return Told(outcome=Outcome.UNREADABLE, reason=str(error))
        if reason := self._unreadable(item):
            return Told(outcome=Outcome.UNREADABLE, reason=reason)
        return self._judge(item, content, head, digests)

    def _judge(self, item: Item, content: Content, head: bytes, digests: Digests) -> Told:
        kind = media_type(head) if self.all_types else quick_type(head)
        outcome, reason, pictures = Outcome.EXAMINED, None, None
        if method := item.encrypted or protected(head, item.size):
            outcome, reason = Outcome.ENCRYPTED, f"encrypted: {method}"
        elif _is_noise(content, head, kind):
            outcome, reason = Outcome.ENCRYPTED, "high-entropy: noise throughout, possibly an encrypted container"
        elif kind in PICTURE_TYPES:
            pictures = hash_picture(content, kind or UNKNOWN, PictureLimits(pixels=self.limits.pixels))
            reason = pictures.declined
        exact = [hashset.match_digests((digests,))[0] for hashset in self.sets]
        facts = Facts(item=item, digests=digests, exact=exact, media_type=kind, pictures=pictures)
        return Told(
            outcome=outcome,
            reason=reason,
            digests=digests,
            media_type=kind,
            pictures=pictures,
            findings=analyze(facts, self.sets),
        )

    def _filesystem(self, volume: ByteRun) -> FileSystem:
        if volume not in self.opened:
            found = recognise(Volume(self.source, volume)).filesystem
            assert found is not None
            self.opened[volume] = found
        return self.opened[volume]

    def _unreadable(self, item: Item) -> str | None:
        if not item.runs:
            return "part of the content could not be read" if self.source.touched else None
        bad = merge(run.run for run in self.source.unreadable_runs())
        lost = total(intersect(merge(item.runs), bad))
        return f"{lost} of {item.size} bytes could not be read" if lost else None


def _is_noise(content: Content, head: bytes, kind: str | None) -> bool:
    if kind not in {None, UNKNOWN} or content.size % 512 or content.size < 256 << 10:
        return False
    return media_type(head) == UNKNOWN and noise(content.read_at, content.size) is not None


def hashes_of(pictures: PictureHashes) -> Iterator[tuple[str, str, str]]:
    """Yield each comparable hash with the bits of it that are unknown, and which kind it is."""
    for kind, variants, unknown in (
        ("pdq", pictures.pdq_variants, pictures.pdq_unknown),
        ("phash", pictures.phash_variants, pictures.phash_unknown),
    ):
        masks = unknown or ("0" * len(variants[0]),) * len(variants) if variants else ()
        for variant, mask in zip(variants, masks, strict=True):
            yield kind, variant, mask
