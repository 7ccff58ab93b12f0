"""Examining one item: one pass over its bytes, then the analyzers; always exactly one outcome."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from triage.analyzers.analyzer import Facts
from triage.analyzers.order import analyze
from triage.content.content import Content
from triage.content.digesting import digest
from triage.content.mediatype import UNKNOWN, media_type
from triage.content.noise import noise
from triage.content.picture import PICTURE_TYPES, PictureLimits, hash_picture
from triage.content.protected import protected
from triage.engine.plan import Limits
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import EvidenceError
from triage.model.finding import SetKind
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, total

# A sparse file is passed over only when less than this share of it is stored: NTFS compression, which also
# stores less than the size, never goes below a sixteenth.
_SPARSE_SHARE = 64
_REMEMBERED = 1024
_SECTOR = 512
_LEAST_CONTAINER = 256 << 10  # two headers of 64 KiB and their copies


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What the bytes of a content told, whatever its name."""

    outcome: Outcome
    reason: str | None = None
    digests: Digests = field(default_factory=Digests)
    media_type: str | None = None
    pictures: PictureHashes | None = None


@dataclass(slots=True)
class Examiner:
    """Examines the items of one source with one set of tools; hard links of a content are read once."""

    evidence: Evidence
    sets: Sequence[HashSet]
    wanted: frozenset[str]
    pictures: bool
    limits: Limits
    _learnt: "OrderedDict[tuple[ByteRun, str], Learnt]" = field(default_factory=OrderedDict)

    def examine(self, number: int, item: Item, volume: ByteRun, *, decode: bool = True) -> ItemResult:
        """Return the result of one item that has content.

        Trouble with its bytes is an outcome. `decode=False` leaves out what a decoder would tell.
        """
        if item.unlocated:
            return ItemResult(item=number, outcome=Outcome.UNREADABLE, reason=item.unlocated)
        learnt = self._recall(item, volume, decode=decode)
        facts = Facts(
            item=item,
            digests=learnt.digests,
            exact=[hashset.match_digests((learnt.digests,))[0] for hashset in self.sets],
            media_type=learnt.media_type,
            pictures=learnt.pictures,
        )
        findings = analyze(facts, self.sets)
        return ItemResult(
            item=number,
            outcome=learnt.outcome,
            reason="; ".join(filter(None, (learnt.reason, *_of_sets(facts, notable=bool(findings))))) or None,
            digests=learnt.digests,
            media_type=learnt.media_type,
            pictures=learnt.pictures,
            findings=findings,
        )

    def _recall(self, item: Item, volume: ByteRun, *, decode: bool) -> Learnt:
        if not decode:
            return self._learn(item, volume, decode=False)
        key = (volume, item.reference)
        if key not in self._learnt:
            self._learnt[key] = self._learn(item, volume, decode=True)
            if len(self._learnt) > _REMEMBERED:
                self._learnt.popitem(last=False)
        return self._learnt[key]

    def _learn(self, item: Item, volume: ByteRun, *, decode: bool) -> Learnt:
        if reason := self._passed_over(item):
            return Learnt(outcome=Outcome.SKIPPED, reason=reason)
        self.evidence.source.touched = False
        try:
            content = self.evidence.content(item, volume)
            head = content.head()
            digests = digest(content, self.wanted)
        except EvidenceError as error:
            return Learnt(outcome=Outcome.UNREADABLE, reason=str(error))
        if reason := self._unreadable(item):
            return Learnt(outcome=Outcome.UNREADABLE, reason=reason)
        kind = media_type(head)
        if method := item.encrypted or protected(head, item.size) or _unmarked(content, kind):
            return Learnt(outcome=Outcome.ENCRYPTED, reason=f"encrypted: {method}", digests=digests, media_type=kind)
        learnt = Learnt(outcome=Outcome.EXAMINED, digests=digests, media_type=kind)
        return self._look(content, learnt) if self.pictures and decode and kind in PICTURE_TYPES else learnt

    def _look(self, content: Content, learnt: Learnt) -> Learnt:
        try:
            hashes = hash_picture(content, learnt.media_type or UNKNOWN, PictureLimits(pixels=self.limits.pixels))
        except EvidenceError as error:
            return replace(learnt, outcome=Outcome.UNREADABLE, reason=str(error))
        except Exception as error:  # noqa: BLE001 - a decoder failed on hostile bytes: the digests stand all the same
            return replace(learnt, outcome=Outcome.CRASHED, reason=f"decoding: {type(error).__name__}: {error}"[:300])
        return replace(learnt, pictures=hashes, reason=hashes.declined)

    def _passed_over(self, item: Item) -> str | None:
        stored = total(item.runs)
        if item.size - stored > self.limits.hole_bytes and stored * _SPARSE_SHARE < item.size:
            return f"limit: sparse file, {stored} of {item.size} bytes stored"
        return None

    def _unreadable(self, item: Item) -> str | None:
        if item.runs:
            lost = self.evidence.unreadable_in(item)
            return f"{lost} of {item.size} bytes could not be read" if lost else None
        return "part of the content could not be read" if self.evidence.source.touched else None


def _of_sets(facts: Facts, *, notable: bool) -> Iterator[str]:
    """Yield what sets say of an item beside findings."""
    held = [found.matches[0].set for found in facts.exact if found.matches]
    if names := ", ".join(identity.name for identity in held if identity.kind is SetKind.KNOWN):
        yield f"conflict: notable, yet known software in {names}" if notable else f"known software: {names}"
    for found in facts.exact:
        if found.disputed is not None:
            yield (
                f"a weak digest is in {found.disputed.name} with another strong one: not the same content, "
                "or a wrong record of its publisher"
            )


def _unmarked(content: Content, kind: str) -> str | None:
    """Tell a container without a signature: noise throughout, in whole sectors, and as large as VeraCrypt makes one."""
    if kind != UNKNOWN or content.size % _SECTOR or content.size < _LEAST_CONTAINER:
        return None
    return None if noise(content.read_at, content.size) is None else "possibly, without a signature (noise throughout)"
