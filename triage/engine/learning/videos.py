"""Videos in a worker: decoded where a set can hold one, equal ones once, and compared with every such set."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from triage.content.content import Content
from triage.content.video import hash_video
from triage.content.video_type import VIDEO_TYPES, video_type
from triage.engine.plan import Depth
from triage.hashsets.hashset import HashSet
from triage.model.digest import Digests
from triage.model.finding import SetKind
from triage.model.video import VideoHashes

_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class SeenVideo:
    """The hashes of a video, and by the names of notable sets that hold one that looks like it how far it does."""

    hashes: VideoHashes
    near: dict[str, str]

    @property
    def hindrance(self) -> str | None:
        """What kept all of the video, or some of it, from being compared."""
        if self.hashes.declined or self.hashes.cut:
            return self.hashes.declined or self.hashes.cut
        return "damaged: not all of the video could be decoded" if self.hashes.damaged else None


@dataclass(slots=True)
class VideoDesk:
    """Hashes videos for one worker; `alive` is called with each read: decoding what is in memory may take long."""

    sets: Sequence[HashSet]
    depth: Depth
    alive: Callable[[], None]
    _notable: list[HashSet] = field(init=False)
    _seen: "OrderedDict[Digests, SeenVideo]" = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Only notable sets are compared by appearance."""
        self._notable = [
            hashset
            for hashset in self.sets
            if self.depth.videos and hashset.identity.kind is SetKind.NOTABLE and hashset.has_frames
        ]

    def wants(self, head: bytes, holders: Sequence[str] = ()) -> bool:
        """Tell by its first bytes whether a content is a video to compare: `holders`, sets by name, hold the very same.

        What a video looks like tells nothing more of a set that holds it.
        """
        return (
            any(hashset.identity.name not in holders for hashset in self._notable) and video_type(head) in VIDEO_TYPES
        )

    def look(self, content: Content, digests: Digests) -> SeenVideo:
        """Return what a video looks like; one with the same digests is decoded once.

        Raises EvidenceError, MemoryError, and whatever a decoder makes of hostile bytes.
        """
        seen = self._seen.get(digests)
        if seen is None:
            seen = self._look(content)
            if digests != Digests():
                self._seen[digests] = seen
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        return seen

    def _look(self, content: Content) -> SeenVideo:
        def read(offset: int, length: int) -> bytes:
            self.alive()
            return content.read_at(offset, length)

        hashes = hash_video(Content(read, content.size, keep=0))
        found = {hashset.identity.name: hashset.match_video(hashes) for hashset in self._notable}
        return SeenVideo(hashes, {name: matches[0].reason for name, matches in found.items() if matches})
