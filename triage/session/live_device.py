"""One device of a visit, as seen from the process that follows it."""

import atexit
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe
from multiprocessing.context import SpawnProcess

from triage.engine.plan import Profile
from triage.model.event import EndedBy, Event, Found, Met, Progress, VolumeOpened
from triage.model.evidence import SourceInfo, VolumeReport
from triage.session.device_messages import Began, Command, Ended, Gone, Halt, Nice, Pause, Refused, Report
from triage.session.device_process import run_device
from triage.session.host import now
from triage.session.order import Order

_NICE = 5  # one step of urgency
_LEAST_URGENT = 3
_FAREWELL = 2.0
_AT_ONCE = 1000


class DeviceState(StrEnum):
    """What is going on with a device.

    WAITING: nothing was started; STARTING: source, sets and case are opened; GONE: the device was taken away, and the
    run goes on when it is back; STOPPING: the run concludes; STOPPED: it can be resumed; FAILED: see `problem`.
    """

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    GONE = "gone"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens unless the examination is begun again."""
        return self in {DeviceState.STOPPED, DeviceState.FINISHED, DeviceState.FAILED}


class LiveDevice:
    """What is known of a device and its run; it changes when the visit polls, and when a person says something here.

    `problem` is one line, empty where there is none. `counts` are findings by (grade, category), `troubles_by_code`
    what kept us from knowing everything, both with those of earlier runs. `began` and `since` (when `state` was
    entered) are ISO 8601 UTC. `ended_by` is None while the run goes on, `info` (what the source is) until the source is
    open. `urgency` is 0 at first, and below 0 when others come first.
    """

    def __init__(self, order: Order) -> None:
        """Take an order; nothing is started."""
        self.reference = order.exhibit
        self.order = order
        self.state = DeviceState.WAITING
        self.problem = ""
        self.progress: Progress | None = None
        self.counts: Counter[tuple[str | None, str | None]] = Counter()
        self.troubles_by_code: Counter[str] = Counter()
        self.volumes: tuple[VolumeReport, ...] = ()
        self.resumed = False
        self.info: SourceInfo | None = None
        self.ended_by: EndedBy | None = None
        self.urgency = 0
        self.began = self.since = now()
        self._paused = False
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    @property
    def findings(self) -> int:
        """How many findings there are, those of earlier runs included."""
        return self.counts.total()

    @property
    def troubles(self) -> int:
        """How many troubles there are, those of earlier runs included."""
        return self.troubles_by_code.total()

    def start(self) -> None:
        """Start the process of the device and hand it the order; the visit does that."""
        ours, theirs = Pipe()
        arguments = {"pictures": self.order.profile is not Profile.EXACT}
        process = get_context("spawn").Process(target=run_device, args=(theirs,), kwargs=arguments)
        self._enter(DeviceState.STARTING)
        try:
            process.start()
            ours.send(self.order)
        except OSError as error:
            ours.close()
            self._fail(f"no process can be started for {self.reference}: {error.strerror}; close other programs first")
        else:
            self._process, self._connection = process, ours
            atexit.register(self.close)  # what the interpreter waits for at its end waits for this pipe to close
        finally:
            theirs.close()

    def pause(self) -> None:
        """Hand nothing new to the readers; what they hold ends in its time."""
        self._paused = True
        self._say(Pause(on=True))
        if self.state is DeviceState.RUNNING:
            self._enter(DeviceState.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused = False
        self._say(Pause(on=False))
        if self.state is DeviceState.PAUSED:
            self._enter(DeviceState.RUNNING)

    def stop(self) -> None:
        """Ask the run to conclude and end; it can be resumed later."""
        if not self.state.is_over and self.state is not DeviceState.STOPPING:
            self._say(Halt())
            self._enter(DeviceState.STOPPING)

    def more_urgent(self) -> None:
        """Give the run more of the processor, up to as much as any other. Not every system permits it."""
        self._set_urgency(self.urgency + 1)

    def less_urgent(self) -> None:
        """Let other runs come first."""
        self._set_urgency(self.urgency - 1)

    def take(self, most: int) -> list[Event]:
        """Return what the run told since the last call, of at most so many messages; the visit does that."""
        events: list[Event] = []
        progress: Progress | None = None
        for report in self._heard(most):
            match report:
                case Progress():
                    progress = self.progress = report
                case Began() | Gone() | Refused() | Ended():
                    self._turn(report)
                case _:
                    self._count(report)
                    events.append(report)
        return [*events, progress] if progress else events

    def wait(self, patience: float) -> float:
        """Wait until the process ended, so many seconds; return those that are left. The visit does that."""
        until = time.monotonic() + patience
        while self._process is not None and (left := until - time.monotonic()) > 0:
            assert self._connection is not None
            if self._connection.poll(left):
                self.take(_AT_ONCE)
        return max(0.0, until - time.monotonic())

    def close(self) -> None:
        """End the process, if it is still there, and release its pipe; calling it twice is harmless.

        The readers end with it. What it did not conclude can be resumed.
        """
        if self._process is not None:
            self._process.kill()
            self._part(_FAREWELL)
            self._fail("the run was ended before it had concluded; begin it again to resume")

    def _heard(self, most: int) -> Iterator[Report]:
        """Yield what lies in the pipe."""
        for _ in range(most):
            try:
                if self._connection is None or not self._connection.poll():
                    return
                report = self._connection.recv()
            except (EOFError, OSError):
                self._lose()
                return
            yield report

    def _turn(self, report: Began | Gone | Refused | Ended) -> None:
        match report:
            case Began():
                self.resumed, self.info, self.volumes = report.resumed, report.info, report.volumes
                self.counts = Counter(dict(report.counts))
                self.troubles_by_code = Counter(dict(report.troubles))
                self.problem = ""
                if self.state is not DeviceState.STOPPING:
                    self._enter(DeviceState.PAUSED if self._paused else DeviceState.RUNNING)
            case Gone():
                self.problem = report.text
                if self.state not in {DeviceState.GONE, DeviceState.STOPPING}:
                    self._enter(DeviceState.GONE)
            case Refused():
                self.problem = report.text
            case Ended():
                self._part()
                self.ended_by = report.by
                if report.problem:
                    self._fail(report.problem)
                else:
                    self._enter(DeviceState.FINISHED if report.by is EndedBy.END else DeviceState.STOPPED)

    def _count(self, event: Event) -> None:
        match event:
            case Found():
                self.counts[event.finding.match.grade, event.finding.match.category] += 1
            case Met():
                self.troubles_by_code[event.trouble.code.value] += 1
            case VolumeOpened():
                others = (report for report in self.volumes if report.region != event.report.region)
                self.volumes = (*others, event.report)
            case _:
                pass

    def _set_urgency(self, urgency: int) -> None:
        self.urgency = min(0, max(-_LEAST_URGENT, urgency))
        self._say(Nice(-self.urgency * _NICE))

    def _say(self, command: Command) -> None:
        """Tell the process; one that ended meanwhile is noticed when it is listened to."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.send(command)

    def _lose(self) -> None:
        """Take note that the process ended without a word."""
        assert self._process is not None
        self._process.join(_FAREWELL)
        code = self._process.exitcode
        self._part()
        self._fail(f"the process of the device ended by itself ({code}); begin it again to resume")

    def _part(self, patience: float = 0.0) -> None:
        """Release process and pipe; one that has said its last ends by itself, and nobody waits for that."""
        assert self._process is not None
        assert self._connection is not None
        atexit.unregister(self.close)
        self._connection.close()
        self._process.join(patience)
        self._process = self._connection = None

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self._enter(DeviceState.FAILED)

    def _enter(self, state: DeviceState) -> None:
        self.state, self.since = state, now()
