"""One volume being listed: its names into the case, as a worker tells them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from triage.engine.messages import Listed, Recognised, Reply, WalkVolume
from triage.engine.tally import Tally
from triage.engine.workers.pool import Lost
from triage.model.address import Address
from triage.model.event import Event, Met, Noted, VolumeOpened, Walking
from triage.model.evidence import Region, VolumeReport
from triage.model.indication import Indication
from triage.model.trouble import Trouble
from triage.store.case import Case
from triage.store.rows import Row


@dataclass(slots=True)
class Walk:
    """The walk of one volume. `items` are those listed so far; `repeats`: some were listed by an earlier run."""

    case: Case
    exhibit: str
    request: WalkVolume
    tally: Tally
    items: int = 0
    repeats: bool = False
    _report: VolumeReport | None = None
    _tried: bool = False

    def take(self, reply: Reply) -> Iterator[Event]:
        """Store what a worker lists."""
        match reply:
            case Recognised():
                # A walk that is begun again lists the same names in the same order: what is stored is not stored twice.
                self.items, self._report = 0, reply.report
                self.case.layout.record_volume(self.exhibit, reply.report)
                yield VolumeOpened(report=reply.report)
            case Listed():
                yield from self._store(reply)
            case _:
                pass

    def may_try_again(self, lost: Lost) -> bool:
        """Tell whether a lost walk is begun again: once where the worker died, not where it hung."""
        again = not self._tried and not lost.timed_out
        self._tried = True
        return again

    def end(self, lost: Lost | None) -> Iterator[Event]:
        """Record that the walk is over; `lost`: before its end."""
        if lost is not None:
            yield from self._ended_early(lost)
        self.case.layout.mark_walked(self.exhibit, self._region.run.offset, listed=lost is None)
        yield Noted(name="walk-ended", facts={"volume": self._region.run.offset, "items": self.items})

    def _store(self, listed: Listed) -> Iterator[Event]:
        new = self.case.journal.add_items(self.exhibit, self._region.run.offset, listed.rows, first=self.items)
        self.items += len(listed.rows)
        self.repeats = self.repeats or new < len(listed.rows)
        if not self.repeats:
            for tier, size, is_picture in listed.waiting:
                self.tally.listed(tier, size, is_picture=is_picture)
        self.case.indications.record(self.exhibit, [_told(listed.rows[number], told) for number, told in listed.told])
        yield from self._meet(listed.troubles)
        yield Walking(volume=self._region.name, items=self.items)

    def _ended_early(self, lost: Lost) -> Iterator[Event]:
        where = Address("volume", str(self._region.run.offset))
        if self._report is None:
            text = f"the file system could not be recognised: {lost.text}"
            report = VolumeReport(region=self._region, state="unsupported", text=text)
            self.case.layout.record_volume(self.exhibit, report)
        yield from self._meet((lost.trouble(where, f"listing the names of {self._region.name}"),))

    def _meet(self, troubles: tuple[Trouble, ...]) -> Iterator[Event]:
        if troubles:
            self.case.obstacles.record_troubles(self.exhibit, troubles)
        for trouble in troubles:
            yield Met(trouble=trouble)

    @property
    def _region(self) -> Region:
        return self.request.region


def _told(row: Row, indication: Indication) -> tuple[str, str, Indication]:
    address, path = row[:2]
    return cast("str", address), cast("str", path), indication
