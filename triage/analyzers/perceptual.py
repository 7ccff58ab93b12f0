"""Perceptual matches: the picture looks like a known one. Candidates, which a person confirms or rejects."""

from collections.abc import Iterator, Sequence

from triage.analyzers.analyzer import Facts
from triage.hashsets.hashset import HashSet
from triage.model.finding import Finding, SetKind


class PerceptualMatch:
    """Looks a picture's perceptual hashes up in every notable set that carries such hashes."""

    name = "perceptual-match"
    version = "2"

    def analyze(self, facts: Facts, sets: Sequence[HashSet]) -> Iterator[Finding]:
        """Yield the nearest candidate of each set, unless the set holds the very same content."""
        if facts.pictures is None or facts.pictures.declined:
            return
        for hashset, held in zip(sets, facts.exact, strict=True):
            if held.matches or hashset.identity.kind is not SetKind.NOTABLE:
                continue
            candidates = hashset.match_pictures(facts.pictures)
            if candidates:
                yield Finding(
                    address=facts.item.address, match=candidates[0], analyzer=self.name, analyzer_version=self.version
                )
