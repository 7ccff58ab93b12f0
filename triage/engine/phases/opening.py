"""Opening: what lies inside archives, documents, mails, thumbnail caches and disk images."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.engine.messages import Members, OpenContainers, Reply, Request
from triage.engine.phases.phase import AT_ONCE, Work
from triage.engine.workers.pool import Lost
from triage.items.order import Tier
from triage.model.event import Event, Found
from triage.model.item import Item
from triage.model.trouble import Trouble, TroubleCode
from triage.store.queue import Pending
from triage.store.rows import ITEM_WIDTH, item_of

_AHEAD = 256
_ITEMS_LONG = 3  # a member may be as slow as any item, and come behind others that are not told yet
_BATCH = 16
_BATCH_BYTES = 4 << 20
# A container may hold forty times what it takes, and a little one still much (see `Budget`).
_EXPANDS, _LEAST_EXPANDED = 40, 32 << 20
# Kinds that systems and programs ship, and that nobody keeps pictures in by chance: nearly every system has some that
# are not read or broken. Anywhere else, and of any other kind, they keep a result from being determined.
_TOLERANT = Tier.SYSTEM
_NOT_READ = frozenset(f"{kind} are not read" for kind in ("CAB archives", "WIM images", "cpio archives"))
_SHIPPED = (".cab", ".cat", ".jar", ".msi", ".msp", ".msu", ".mui", ".nupkg")


@dataclass(slots=True)
class Opening:
    """Hands out containers when their turn has come, and stores their members with their outcomes."""

    work: Work
    wanted: bool
    is_awaited: bool = False
    handles: tuple[type[Request], ...] = (OpenContainers,)
    _ready: deque[Pending] = field(default_factory=deque)
    _out: dict[int, Pending] = field(default_factory=dict)
    _alone: deque[Pending] = field(default_factory=deque)
    _died: set[int] = field(default_factory=set)

    def rank(self) -> int | None:
        """Return the rank of the next container: where it lies decides, as for items."""
        if not self.wanted:
            return None
        if self._alone:
            return AT_ONCE
        if self.work.containers_met:  # one of them may come before those at hand
            self.work.containers_met = False
            self._ready.clear()
        if not self._ready:
            without = self._out.keys()
            self._ready.extend(self.work.case.queue.containers(self.work.exhibit, _AHEAD, without=without))
        return self._ready[0].rank if self._ready else None

    def next(self) -> Request | None:
        """Return the next containers, all of one volume."""
        if self._alone:
            return self._hand_out([self._alone.popleft()])
        volume, size = self._ready[0].volume, 0
        batch: list[Pending] = []
        while self._ready and self._ready[0].volume == volume and len(batch) < _BATCH:
            size += self._ready[0].size
            if batch and size > _BATCH_BYTES:
                break
            batch.append(self._ready.popleft())
        return self._hand_out(batch)

    def patience(self, request: Request) -> tuple[float, float]:
        """Return the bounds: members are told one by one, so that the largest single one counts."""
        assert isinstance(request, OpenContainers)
        size = max(self._out[number].size for number, _ in request.items)
        limits = self.work.limits
        longest = _ITEMS_LONG * limits.item_seconds + (_LEAST_EXPANDED + _EXPANDS * size) * limits.seconds_per_byte
        return limits.item_seconds, longest

    def take(self, request: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Store members; a container that kills its worker is tried once more, alone."""
        assert isinstance(request, OpenContainers)
        match reply:
            case Members():
                yield from self._store(reply)
            case Lost():
                yield from self._after(request, reply)
            case _ if any(number in self._out for number, _ in request.items):
                yield from self._after(request, Lost(request=request, text="the reader told less than it was asked"))
            case _:
                pass

    def is_done(self) -> bool:
        """Tell whether every container that is known of is gone through."""
        if not self.wanted:
            return True
        return not self._out and not self._alone and not self.work.case.queue.containers(self.work.exhibit, 1)

    def _hand_out(self, batch: list[Pending]) -> OpenContainers:
        self._out.update((pending.number, pending) for pending in batch)
        self.work.tier = batch[0].tier
        return OpenContainers(volume=batch[0].volume, items=tuple((pending.number, pending.row) for pending in batch))

    def _store(self, members: Members) -> Iterator[Event]:
        work, container = self.work, self._out[members.container]
        item = item_of(container.row)
        troubles = [_in_place(trouble, container) for trouble in members.troubles]
        with work.case.transaction():
            new = work.case.journal.add_members(
                container.number,
                members.rows,
                members.found,
                first=members.first,
                found_at=work.clock.now(),
                seconds=work.clock.seconds(),
            )
            told = [(str(item.address), item.path, each) for each in members.told]
            work.case.indications.record(work.exhibit, told)
            met = list(work.meet(*troubles))
            if members.ended:
                work.case.journal.end_container(container.number, whole=members.whole)
        found = [pair for pair in members.found if pair[0] >= len(members.rows) - new]
        work.found += len(found)
        if found and work.siblings.of_hit(container):
            work.backlog.forget_order()
        for position, finding in found:
            yield Found(item=_item_of(members, position), finding=finding)
        yield from met
        yield work.tally.progress(work.clock.seconds(), tier=work.tier, in_hand=members.in_hand)
        if members.ended:
            del self._out[container.number]

    def _after(self, request: OpenContainers, lost: Lost) -> Iterator[Event]:
        left = [self._out.pop(number) for number, _ in request.items if number in self._out]
        culprit = next((pending for pending in left if pending.number == lost.in_hand), None)
        if culprit is None and len(left) == 1:
            culprit = left[0]
        if culprit is None:
            self._alone.extend(left)  # one of them it was
            return
        if not lost.timed_out and culprit.number not in self._died:
            self._died.add(culprit.number)
            self._alone.append(culprit)
            return
        with self.work.case.transaction():
            met = list(self.work.meet(lost.trouble(item_of(culprit.row).address, "going through the container")))
            self.work.case.journal.end_container(culprit.number, whole=False)
        yield from met


def _in_place(trouble: Trouble, container: Pending) -> Trouble:
    """Return a trouble as it weighs where its container lies; what lies in others is of no place of its own."""
    item = item_of(container.row)
    if container.tier != _TOLERANT or trouble.address != item.address:
        return trouble
    is_not_read = trouble.code is TroubleCode.UNSUPPORTED and trouble.text in _NOT_READ
    is_broken = trouble.code is TroubleCode.DAMAGED and item.path.lower().endswith(_SHIPPED)
    if not is_not_read and not is_broken:
        return trouble
    return Trouble(address=trouble.address, code=TroubleCode.NOT_OPENED, text=trouble.text)


def _item_of(members: Members, position: int) -> Item:
    return item_of(members.rows[position][:ITEM_WIDTH])
