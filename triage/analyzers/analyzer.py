"""The protocol of an analyzer, and what it is given."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from triage.hashsets.hashset import HashSet, Held
from triage.model.digest import Digests, PictureHashes
from triage.model.finding import Finding
from triage.model.item import Item
from triage.model.video import VideoHashes


class Facts(NamedTuple):
    """What one pass over an item's content gave, and what each of the loaded sets, in their order, holds of it."""

    item: Item
    digests: Digests
    exact: Sequence[Held]
    media_type: str | None = None
    pictures: PictureHashes | None = None
    video: VideoHashes | None = None


class Analyzer(Protocol):
    """Turns the facts of one item into findings; keeps no state between items."""

    name: str
    version: str

    def analyze(self, facts: Facts, sets: Sequence[HashSet]) -> Iterator[Finding]:
        """Yield the findings of one item in the order of `sets`."""
