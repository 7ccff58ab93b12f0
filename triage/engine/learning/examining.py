"""Examining items: each ends in exactly one outcome, with its findings; hard links of a content are read once."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from triage.analyzers.analyzer import Facts
from triage.analyzers.order import analyze
from triage.engine.learning.learner import Learner, Numbered
from triage.engine.learning.learnt import Learnt
from triage.hashsets.hashset import Held
from triage.items.expansion import Expanded
from triage.model.finding import Finding, SetKind
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun, total
from triage.model.trouble import Trouble

# A sparse file is passed over only when less than this share of it is stored: NTFS compression, which also
# stores less than the size, never goes below a sixteenth.
_SPARSE_SHARE = 64
_REMEMBERED = 1024
_NOTHING = Held((), None)


@dataclass(slots=True)
class Examiner:
    """Examines the items of one source with what one learner knows of it."""

    learner: Learner
    _learnt: "OrderedDict[tuple[ByteRun, str], Learnt]" = field(default_factory=OrderedDict)

    def examine(self, items: Sequence[Numbered], volume: ByteRun, *, decode: bool = True) -> Iterator[ItemResult]:
        """Yield the result of every item, each of which has content in `volume`, in any order; else as `learn`."""
        alike: dict[str, list[Numbered]] = {}
        for number, item in items:
            if learnt := self._known_of(item, volume, decode=decode):
                yield self._result(number, item, learnt)
            else:
                alike.setdefault(item.reference, []).append((number, item))
        for first, learnt in self.learner.learn([same[0] for same in alike.values()], volume, decode=decode):
            if decode:
                self._remember((volume, first.reference), learnt)
            for number, item in alike[first.reference]:
                yield self._result(number, item, learnt)

    def examine_members(self, expanded: Iterable[Expanded | Trouble]) -> Iterator[tuple[Item, ItemResult] | Trouble]:
        """Yield the members of one container with their results, in their order; trouble passes through.

        A result's `item` is the position among the members, from 0.
        """
        position = 0
        for told in self.learner.learn_members(expanded):
            if isinstance(told, Trouble):
                yield told
                continue
            item, learnt = told
            yield item, self._result(position, item, learnt)
            position += 1

    def _known_of(self, item: Item, volume: ByteRun, *, decode: bool) -> Learnt | None:
        """Return what is known of an item without reading it now."""
        if item.unlocated:
            return Learnt(outcome=Outcome.UNREADABLE, reason=item.unlocated)
        if decode and (learnt := self._learnt.get((volume, item.reference))):
            return learnt
        if reason := self._passed_over(item):
            return Learnt(outcome=Outcome.SKIPPED, reason=reason)
        return None

    def _remember(self, key: tuple[ByteRun, str], learnt: Learnt) -> None:
        self._learnt[key] = learnt
        if len(self._learnt) > _REMEMBERED:
            self._learnt.popitem(last=False)

    def _result(self, number: int, item: Item, learnt: Learnt) -> ItemResult:
        sets, reason = self.learner.sets, learnt.reason
        facts = Facts(
            item=item,
            digests=learnt.digests,
            exact=learnt.exact or (_NOTHING,) * len(sets),
            media_type=learnt.media_type,
            pictures=learnt.pictures,
            video=learnt.video,
        )
        findings = analyze(facts, sets)
        if told := _of_sets(facts.exact, findings):
            reason = "; ".join((reason, *told) if reason else told)
        return ItemResult(
            item=number,
            outcome=learnt.outcome,
            reason=reason,
            digests=learnt.digests,
            digest_way=learnt.digest_way,
            media_type=learnt.media_type,
            pictures=learnt.pictures,
            findings=findings,
            opens=learnt.opens,
        )

    def _passed_over(self, item: Item) -> str | None:
        stored = total(item.runs)
        if item.size - stored > self.learner.limits.hole_bytes and stored * _SPARSE_SHARE < item.size:
            return f"limit: sparse file, {stored} of {item.size} bytes stored"
        return None


def _of_sets(exact: Sequence[Held], findings: Sequence[Finding]) -> list[str]:
    """Return what sets say of an item beside findings."""
    known = [held.matches[0].set.name for held in exact if held.matches and held.matches[0].set.kind is SetKind.KNOWN]
    told = [f"{'conflict: notable, yet known software in' if findings else 'known software:'} {', '.join(known)}"]
    disputed = [held.disputed.name for held in exact if held.disputed is not None]
    return told[: len(known)] + [
        f"a weak digest is in {name} with another strong one: not the same content, or a wrong record of its publisher"
        for name in disputed
    ]
