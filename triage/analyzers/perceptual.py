"""Perceptual matches: the picture looks like a known one. Candidates, which a person confirms or rejects."""

from collections.abc import Iterator, Sequence

from triage.analyzers.analyzer import Facts
from triage.hashsets.hashset import HashSet
from triage.model.digest import Digests
from triage.model.finding import Finding, SetKind

_NONE = Digests()


class PerceptualMatch:
    """Looks a picture's perceptual hashes up in every notable set that carries such hashes."""

    name = "perceptual-match"
    version = "1"

    def analyze(self, facts: Facts, sets: Sequence[HashSet]) -> Iterator[Finding]:
        """Yield the nearest candidate of each set, unless the set holds the very same content."""
        if facts.pictures is None or facts.pictures.declined:
            return
        for hashset in sets:
            if hashset.identity.kind is not SetKind.NOTABLE or hashset.match(facts.digests, None):
                continue
            candidates = hashset.match(_NONE, facts.pictures)
            if candidates:
                nearest = min(candidates, key=lambda match: match.distance)
                yield Finding(
                    address=facts.item.address, match=nearest, analyzer=self.name, analyzer_version=self.version
                )
