"""The items of one exhibit, counted for its conclusion."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from triage.items.order import DRAWS, Tier
from triage.model.coverage import CoverageClass
from triage.model.item import ItemKind, Outcome
from triage.model.sampling import Stratum
from triage.policy.account import class_of
from triage.policy.sampling import DrawClass, stratum
from triage.store.journal import AccountedItems, DrawnItems
from triage.store.spans import Spans, merge

HIGH_ENTROPY = "high-entropy"
"""The code in the reason of an item that only noise tells to be encrypted."""

BLOCKS = "blocks"
"""The code in the reason of an item that is a run of blocks of a known file, and no file by itself."""

_FILES = frozenset({ItemKind.FILE, ItemKind.STREAM, ItemKind.MEMBER, ItemKind.CARVED})
RULES = frozenset({"size", "known"})
"""The codes of rules that know what they leave out: it is known not to match."""

_UNSEEN = frozenset({"cannot be decoded", "limit"})
_INCOMPARABLE = frozenset({"tiny", "flat", "low quality"})
_NO_FRAMES = frozenset({"tiny", "plain", "no video in it"})
_NO_DECODER = "no decoder"
_CODED = frozenset({Outcome.EXAMINED, Outcome.SKIPPED, Outcome.ENCRYPTED})  # other reasons are those of libraries
_CODE = re.compile(r"[a-z]+(?:[ -][a-z]+){0,5}")
_CODES = 100
_OTHERS = "other"


@dataclass(slots=True)
class ItemTally:
    """Items by outcome and by rule; `claims` are their spans by the class of their outcome, `noise` those of noise.

    `rules` counts items by outcome and by the code of their reason, None without one; the first hundred codes.
    `pictures` are the allocated ones that were decoded to be compared, or could not be; the numbers behind it are of
    these, and of allocated videos. `undecoded` are items skipped for another reason than a rule or a limit,
    `deleted_undecodable` pictures and videos that are not allocated and could not be decoded, or only in part.
    """

    items: Counter[str] = field(default_factory=lambda: Counter({outcome.value: 0 for outcome in Outcome}))
    rules: Counter[tuple[Outcome, str | None]] = field(default_factory=Counter)
    claims: defaultdict[CoverageClass, list[Spans]] = field(default_factory=lambda: defaultdict(list))
    noise: list[Spans] = field(default_factory=list)
    examined: Counter[ItemKind] = field(default_factory=Counter)
    limited: int = 0
    undecoded: int = 0
    high_entropy: int = 0
    pictures: int = 0
    undecodable: int = 0
    damaged: int = 0
    incomparable: int = 0
    undecodable_videos: int = 0
    incomparable_videos: int = 0
    deleted_undecodable: int = 0

    @classmethod
    def of(cls, accounted: Iterable[AccountedItems]) -> Self:
        """Return the tally of all items of an exhibit."""
        tally = cls()
        for some in accounted:
            tally._add(some)
        return tally

    @property
    def files(self) -> int:
        """Examined items that have content."""
        return sum(self.examined[kind] for kind in _FILES)

    def _add(self, some: AccountedItems) -> None:
        self.items[some.outcome.value] += some.items
        self._add_rule(some)
        spans = merge([some.spans])
        if some.outcome is Outcome.ENCRYPTED and some.code == HIGH_ENTROPY:
            self.high_entropy += some.items
            self.noise.append(spans)
        else:
            self.claims[class_of(some.outcome, allocated=some.allocated, code=some.code)].append(spans)
        if some.outcome is Outcome.EXAMINED and some.code != BLOCKS:
            self.examined[some.kind] += some.items
        if some.code == "limit":
            self.limited += some.items
        elif some.outcome is Outcome.SKIPPED and some.code not in RULES:
            self.undecoded += some.items
        # What is deleted is often another file's bytes by now: that it cannot be decoded tells nothing.
        if some.allocated and some.damaged is not None:
            self._add_pictures(some)
        elif some.allocated and some.outcome is Outcome.EXAMINED:
            self._add_videos(some)
        elif some.outcome is Outcome.EXAMINED and _is_undecodable(some):
            self.deleted_undecodable += some.items

    def _add_rule(self, some: AccountedItems) -> None:
        code = some.code if some.outcome in _CODED and _CODE.fullmatch(some.code) else None
        known = (some.outcome, code) in self.rules or len(self.rules) < _CODES
        self.rules[some.outcome, code if known else _OTHERS] += some.items

    def _add_pictures(self, some: AccountedItems) -> None:
        self.pictures += some.items
        if some.code == "cannot be decoded":
            self.undecodable += some.items
        elif some.damaged:
            self.damaged += some.items
        elif some.code in _INCOMPARABLE:
            self.incomparable += some.items

    def _add_videos(self, some: AccountedItems) -> None:
        if _is_undecodable(some):
            self.undecodable_videos += some.items
        elif some.code in _NO_FRAMES:
            self.incomparable_videos += some.items


def _is_undecodable(some: AccountedItems) -> bool:
    return some.damaged is True or some.code in {"cannot be decoded", "damaged"} or some.code.startswith(_NO_DECODER)


def strata_of(drawn: Iterable[DrawnItems]) -> tuple[Stratum, ...]:
    """Return what the random samples of the pictures of each tier showed so far."""
    classes: defaultdict[int, dict[int, DrawClass]] = defaultdict(lambda: {draw: DrawClass() for draw in DRAWS})
    for some in drawn:
        before = classes[some.tier][some.draw]
        known = some.outcome is Outcome.EXAMINED and some.code not in _UNSEEN
        known = known or (some.outcome is Outcome.SKIPPED and some.code in RULES)
        lost = not known and some.outcome is not Outcome.NOT_REACHED
        classes[some.tier][some.draw] = DrawClass(
            pictures=before.pictures + some.items,
            examined=before.examined + some.items * known,
            not_covered=before.not_covered + some.items * lost,
            matches=before.matches + some.matches * known,
        )
    return tuple(stratum(tier, Tier(tier).label, list(drawn.values())) for tier, drawn in sorted(classes.items()))
