"""Proving: a worker shows with known answers that it reads, digests and compares as it should."""

from collections.abc import Iterator
from dataclasses import dataclass

from triage.engine.messages import Reply, Request, SelfTest, SelfTested
from triage.engine.phases.phase import AT_ONCE, Work
from triage.engine.workers.pool import Lost
from triage.model.event import Event, Noted


@dataclass(slots=True)
class Proving:
    """Has the self-test made once in every run, beside the first listing."""

    work: Work
    is_awaited: bool = True
    handles: tuple[type[Request], ...] = (SelfTest,)
    _waits: bool = True
    _is_done: bool = False

    def rank(self) -> int | None:
        """Return that it comes at once."""
        return AT_ONCE if self._waits else None

    def next(self) -> Request | None:
        """Return the one request."""
        self._waits = False
        return SelfTest()

    def patience(self, _: Request) -> tuple[float, float]:
        """Return the bounds of a self-test."""
        return self.work.limits.start_seconds, self.work.limits.start_seconds

    def take(self, _: Request, reply: Reply | Lost, _seconds: float) -> Iterator[Event]:
        """Record what it showed; a worker that does not survive it has failed it."""
        match reply:
            case SelfTested():
                yield from self._record(reply.passed, reply.text)
            case Lost():
                yield from self._record(passed=False, text=reply.text)
            case _ if not self._is_done:
                yield from self._record(passed=False, text="the reader did not tell what the self-test showed")
            case _:
                pass

    def is_done(self) -> bool:
        """Tell whether it is made."""
        return self._is_done

    def _record(self, passed: bool, text: str) -> Iterator[Event]:
        self._is_done = True
        self.work.case.exhibits.record_self_test(self.work.exhibit, passed=passed, text=text)
        yield Noted(name="self-test", facts={"passed": passed, "text": text})
