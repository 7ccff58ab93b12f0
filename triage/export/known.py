"""What the documents of an exhibit are made from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from triage.model.custody import CustodyEvent
from triage.model.recommendation import Reason
from triage.store.exhibits import ExhibitRecord

Row = Mapping[str, Any]


class Kind(StrEnum):
    """The documents that there are; the values are part of the names of files."""

    RECEIPT = "return-receipt"
    LABEL = "seizure-label"
    CONTINUITY = "continuity-sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One custody event of an exhibit, or several of a kind that comes in great numbers, one after another.

    `actions` counts them by action, `payload` is the JSON of the first.
    """

    first: CustodyEvent
    last: CustodyEvent
    actions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a case knows of one exhibit.

    `case` are the first 16 hexadecimal digits of the digest of the case's first custody event. `arrival` are the facts
    stated when it was received (see `session.intake.Received`), empty where none were. `decision` is the one in force
    as `triage decisions` gives it, `limitations` are those of the recommendation that it was made on. `entries` are
    all custody events of the exhibit, the oldest first, but for those of its documents; there is at least one.
    """

    case: str
    reference: str
    arrival: Mapping[str, str]
    received: str | None
    examined: ExhibitRecord | None
    decision: Row | None
    limitations: tuple[Reason, ...]
    entries: tuple[Entry, ...]

    @property
    def head(self) -> CustodyEvent:
        """Return the last event that the documents tell of."""
        return self.entries[-1].last


_IN_NUMBERS = frozenset({"candidate.confirmed", "candidate.rejected", "recommendation.renewed", "picture.revealed"})


def entries(events: Iterable[CustodyEvent]) -> tuple[Entry, ...]:
    """Return events as entries: judging ten thousand candidates is one."""
    made: list[Entry] = []
    for event in events:
        last = made[-1] if made else None
        if last is not None and event.action in _IN_NUMBERS and last.first.action in _IN_NUMBERS:
            made[-1] = replace(last, last=event, actions=Counter(last.actions) + Counter([event.action]))
        else:
            made.append(Entry(first=event, last=event, actions={event.action: 1}))
    return tuple(made)
