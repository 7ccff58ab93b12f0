"""Digest matches: the item's bytes are those of a known file."""

from collections.abc import Iterator, Sequence

from triage.analyzers.analyzer import Facts
from triage.hashsets.hashset import HashSet
from triage.model.finding import Finding, SetKind


class ExactMatch:
    """Tells which notable sets hold the very content of an item."""

    name = "exact-match"
    version = "1"

    def analyze(self, facts: Facts, sets: Sequence[HashSet]) -> Iterator[Finding]:
        """Yield one finding for each set that holds the content."""
        for hashset, held in zip(sets, facts.exact, strict=True):
            if hashset.identity.kind is SetKind.NOTABLE:
                for match in held.matches:
                    yield Finding(
                        address=facts.item.address, match=match, analyzer=self.name, analyzer_version=self.version
                    )
