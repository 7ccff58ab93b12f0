"""Siblings of hits: what waits in a folder with findings is examined before all else."""

from collections import Counter
from dataclasses import dataclass, field

from triage.items.order import promoted
from triage.model.runs import ByteRun
from triage.store.queue import Pending, Queue

Folder = tuple[ByteRun, str]


@dataclass(slots=True)
class Siblings:
    """Counts the hits of each folder in this run, and moves what waits in it up."""

    queue: Queue
    _hits: Counter[Folder] = field(default_factory=Counter)
    _ranks: dict[Folder, int] = field(default_factory=dict)

    def of_hit(self, pending: Pending) -> bool:
        """Take note of a hit; tell whether the order changed. More hits move a folder further."""
        self._hits[pending.folder] += 1
        rank = promoted(self._hits[pending.folder])
        if self._ranks.get(pending.folder) == rank:
            return False
        self._ranks[pending.folder] = rank
        self.queue.raise_siblings(pending.number, rank)
        return True
