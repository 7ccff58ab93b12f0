"""Pictures in a worker: decoded as far as the sets need it, equal ones once, and a first look at embedded ones."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from triage.content.content import Content
from triage.content.estimate import estimate_picture
from triage.content.glimpse import glimpse
from triage.content.picture import PictureLimits, hash_picture
from triage.engine.plan import Depth, Limits
from triage.hashsets.hashset import HashSet
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import SetKind

_REMEMBERED = 8192


@dataclass(frozen=True, slots=True)
class Seen:
    """The hashes of a picture, and the names of the notable sets that may hold one that looks like it."""

    hashes: PictureHashes
    near: list[str]


@dataclass(slots=True)
class PictureDesk:
    """Hashes pictures for one worker."""

    sets: Sequence[HashSet]
    depth: Depth
    limits: Limits
    _notable: list[HashSet] = field(init=False)
    _seen: "OrderedDict[Digests, Seen]" = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Only notable sets are compared by appearance."""
        self._notable = [
            hashset
            for hashset in self.sets
            if hashset.identity.kind is SetKind.NOTABLE and (hashset.has_pdq or hashset.has_phash)
        ]

    def look(self, content: Content, media_type: str, digests: Digests, *, in_full: bool) -> Seen:
        """Return what a picture looks like; one with the same digests is decoded once.

        `in_full`: the picture is a finding already, so that its hashes are those of the full decode. Raises
        EvidenceError, MemoryError, and whatever a decoder makes of hostile bytes.
        """
        seen = self._seen.get(digests)
        if seen is None or (in_full and seen.hashes.scale > 1):
            seen = self._look(content, media_type, in_full=in_full or not self.depth.estimates)
            if digests != Digests():
                self._seen[digests] = seen
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        return seen

    def _look(self, content: Content, media_type: str, *, in_full: bool) -> Seen:
        limits = PictureLimits(pixels=self.limits.pixels)
        if not in_full:
            estimated = estimate_picture(content, media_type, limits)
            if estimated is not None and not self._near(estimated):
                return Seen(estimated, [])
        hashes = hash_picture(content, media_type, limits)
        return Seen(hashes, self._near(hashes))

    def glimpse(self, content: Content) -> bool | None:
        """Tell whether the picture embedded in a content looks like one of a notable set; None where there is none."""
        embedded = glimpse(content)
        return None if embedded is None else bool(self._near(embedded))

    def _near(self, hashes: PictureHashes) -> list[str]:
        return [hashset.identity.name for hashset in self._notable if hashset.may_match(hashes)]
