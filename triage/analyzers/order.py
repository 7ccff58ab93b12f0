"""The analyzers of this version, in the order in which they run. A new one is added here and nowhere else."""

from collections.abc import Sequence

from triage.analyzers.analyzer import Analyzer, Facts
from triage.analyzers.exact import ExactMatch
from triage.analyzers.perceptual import PerceptualMatch
from triage.analyzers.video import VideoMatch
from triage.hashsets.hashset import HashSet
from triage.model.finding import Finding

ANALYZERS: tuple[Analyzer, ...] = (ExactMatch(), PerceptualMatch(), VideoMatch())


def analyze(facts: Facts, sets: Sequence[HashSet]) -> tuple[Finding, ...]:
    """Return what every analyzer finds, in their order."""
    return tuple(finding for analyzer in ANALYZERS for finding in analyzer.analyze(facts, sets))
