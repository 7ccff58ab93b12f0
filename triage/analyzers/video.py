"""Video matches: a video with frames that look like those of a known one. Candidates, which a person confirms."""

from collections.abc import Iterator, Sequence

from triage.analyzers.analyzer import Facts
from triage.hashsets.hashset import HashSet
from triage.model.finding import Finding, SetKind


class VideoMatch:
    """Looks the frames of a video up in every notable set that carries frames."""

    name = "video-match"
    version = "1"

    def analyze(self, facts: Facts, sets: Sequence[HashSet]) -> Iterator[Finding]:
        """Yield the nearest candidate of each set, unless the set holds the very same content."""
        if facts.video is None:
            return
        for hashset, held in zip(sets, facts.exact, strict=True):
            if held.matches or hashset.identity.kind is not SetKind.NOTABLE:
                continue
            candidates = hashset.match_video(facts.video)
            if candidates:
                yield Finding(
                    address=facts.item.address,
                    match=candidates[0].match,
                    analyzer=self.name,
                    analyzer_version=self.version,
                )
