"""The worker process: opens the evidence for itself, carries out one request after the other, returns plain values."""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import c_int64
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from triage.engine.learning.examining import Examiner
from triage.engine.learning.learner import Learner
from triage.engine.learning.learnt import one_line
from triage.engine.messages import (
    GONE,
    Alive,
    Done,
    ExamineItems,
    Failed,
    FollowLeads,
    LookAtItems,
    OpenContainers,
    Opened,
    OpenSource,
    Ready,
    Refused,
    Reply,
    Request,
    SampleBlocks,
    SearchSpace,
    SelfTest,
    SelfTested,
    Setup,
    Surveyed,
    SurveySource,
    Verified,
    Verifying,
    VerifySource,
    WalkVolume,
)
from triage.engine.selftest.checks import self_test
from triage.engine.tasks.examining import examined
from triage.engine.tasks.listing import walked
from triage.engine.tasks.looking import looked
from triage.engine.tasks.opening import opened
from triage.engine.tasks.sampling import followed, sampled
from triage.engine.tasks.searching import searched
from triage.engine.tasks.tools import Pace, Tools
from triage.engine.trace import Trace
from triage.engine.workers.confinement import confine
from triage.hashsets import multi_index
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.items.fingerprint import fingerprint
from triage.items.indicators import Indicators
from triage.items.keywords import Keywords
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.evidence import UnreadableRun
from triage.sources.opening import open_source
from triage.sources.presence import Presence
from triage.sources.watched import WatchedSource

_ALIVE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


def work(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Answer requests until the run closes its end; the target of a worker process.

    `in_hand` is shared with the run: the number of the item being examined, so that a death can be laid to its item.
    """
    _belong_to_run(setup.limits.worker_bytes)
    desk = Desk(setup, in_hand, lambda: connection.send(Alive()))
    try:
        connection.send(Ready(confined=desk.prepare()))
        while True:
            for reply in desk.answer(connection.recv()):
                connection.send(reply)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _belong_to_run(memory: int) -> None:
    """Die with the run, leave signals of the terminal to it, and stay inside the memory allowed."""
    for ours in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ours, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Desk:
    """What one worker keeps open, and how it answers each kind of request."""

    def __init__(self, setup: Setup, in_hand: c_int64, say_alive: Callable[[], None]) -> None:
        self._setup = setup
        self._in_hand = in_hand
        self._say_alive = say_alive
        self._evidence: Evidence | None = None
        self._made: Tools | None = None
        self._told: set[UnreadableRun] = set()
        self._trace = Trace(on=setup.traced)

    def prepare(self) -> str:
        """Open the source before the time of a request runs, then give up every right but to read it; return which.

        What goes wrong in opening is said when a request comes. Opening may look for the other files of an image in
        its folder, so that everything may be read until it is done, and nothing else be done from the start.
        """
        if self._setup.searches:
            multi_index.warm()  # compiles, and keeps what it compiled: later nothing may be written
        source = Path(self._setup.source)
        confine([Path("/"), source])
        files: tuple[str, ...] = ()
        with suppress(Exception):
            files = self._open().source.info.files
        return confine([source, *map(Path, files), *map(Path, self._setup.set_files)]).text

    def answer(self, request: Request) -> Iterator[Reply]:
        """Yield the replies to one request; the last is always `Done`, `Refused` or `Failed`."""
        try:
            evidence = self._open()
            before = evidence.source.bytes_read
            yield from self._carry_out(request, evidence)
            yield Done(
                bytes_read=evidence.source.bytes_read - before,
                unreadable=self._fresh(evidence),
                worker=os.getpid(),
                spans=self._trace.taken(),
            )
        except (SourceError, StoreError, UsageError) as error:
            yield Refused(error=type(error).__name__, text=str(error))
        except Exception as error:  # noqa: BLE001 - hostile evidence: one request is lost, the run goes on
            yield Failed(text=one_line(error))

    def _fresh(self, evidence: Evidence) -> tuple[UnreadableRun, ...]:
        """Return the unreadable runs that were not told before."""
        fresh = tuple(run for run in evidence.source.unreadable_runs() if run not in self._told)
        if fresh and evidence.source.on_unreadable is not None:
            evidence.source.on_unreadable()  # some is read past the watch: partition tables, the fingerprint
        self._told.update(fresh)
        return fresh

    def _carry_out(self, request: Request, evidence: Evidence) -> Iterator[Reply]:
        match request:
            case OpenSource():
                yield Opened(info=evidence.source.info, fingerprint=fingerprint(evidence.source.inner))
            case VerifySource():
                yield from _verified(evidence)
            case SurveySource():
                survey = evidence.survey()
                yield Surveyed(regions=survey.regions, troubles=survey.troubles)
            case SelfTest():
                told = self_test()
                yield SelfTested(passed=told.passed, text=told.text)
            case _:
                yield from self._work(request, self._tools(evidence))

    def _work(self, request: Request, tools: Tools) -> Iterator[Reply]:
        match request:
            case WalkVolume():
                yield from walked(request, tools)
            case LookAtItems():
                yield from looked(request, tools)
            case ExamineItems():
                yield from examined(request, tools)
            case OpenContainers():
                yield from opened(request, tools)
            case SearchSpace():
                yield from searched(request, tools)
            case SampleBlocks():
                yield from sampled(request, tools)
            case FollowLeads():
                yield from followed(request, tools)

    def _begin(self, number: int) -> None:
        self._in_hand.value = number

    def _open(self) -> Evidence:
        if self._evidence is None:
            source = WatchedSource(open_source(Path(self._setup.source)))
            source.on_read = _at_most_every(_ALIVE_SECONDS, self._say_alive)
            source.on_unreadable = _leave_if_gone(Path(self._setup.source))
            self._evidence = Evidence(source, self._setup.secrets)
        return self._evidence

    def _tools(self, evidence: Evidence) -> Tools:
        if self._made is None:
            self._made = Tools(
                self._setup, evidence, cache(self._examiner), cache(self._indicators), self._in_hand, self._trace
            )
        return self._made

    def _indicators(self) -> Indicators:
        return Indicators(self._setup.indicators, Keywords(self._setup.keywords))

    def _examiner(self) -> Examiner:
        sets = tuple(HashSet.open(Path(file), verify=False) for file in self._setup.set_files)
        if tuple(opened.identity for opened in sets) != self._setup.sets:
            raise StoreError(
                "the hash-set library changed during the run; put back the sets that it began with and begin "
                "again, or give another reference",
                field="exhibit",
            )
        setup = self._setup
        return Examiner(Learner(self._open(), sets, setup.depth, setup.limits, self._begin, self._trace))


def _verified(evidence: Evidence) -> Iterator[Verifying | Verified]:
    pace = Pace()
    check = evidence.verification()
    for done in check.steps():
        if pace.is_due():
            yield Verifying(bytes_done=done)
    yield Verified(troubles=check.troubles())


def _leave_if_gone(path: Path) -> Callable[[], None]:
    """Return what ends this process where a source is gone: everything would be recorded as unreadable from then on.

    No guard around hostile bytes can mistake that for trouble with one item.
    """
    presence = Presence.of(path)

    def check() -> None:
        if not presence.lasts():
            os._exit(GONE)

    return check


def _at_most_every(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            last = time.monotonic()
            call()

    return tick
