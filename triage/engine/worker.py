"""The worker process: opens the evidence for itself, carries out one request after the other, returns plain values."""

import ctypes
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import c_int64
from multiprocessing.connection import Connection
from pathlib import Path

from triage.engine.examining import Examiner
from triage.engine.messages import (
    Alive,
    Done,
    ExamineItems,
    Failed,
    Listed,
    Opened,
    OpenSource,
    Ready,
    Recognised,
    Refused,
    Reply,
    Request,
    Results,
    Setup,
    Surveyed,
    SurveySource,
    Verified,
    Verifying,
    VerifySource,
    WalkVolume,
)
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.items.fingerprint import fingerprint
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.evidence import UnreadableRun
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.trouble import Trouble
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource

_FLUSH_SECONDS = 0.2
_ALIVE_SECONDS = 5.0
_LARGE = 4 << 20
_LISTED = 500
_LONGEST = 300
_PR_SET_PDEATHSIG = 1

NOTHING = -1
"""No item is in hand."""


def work(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Answer requests until the run closes its end; the target of a worker process.

    `in_hand` is shared with the run: the number of the item being examined, so that a death can be laid to its item.
    """
    _belong_to_run(setup.limits.worker_bytes)
    desk = Desk(setup, in_hand, lambda: connection.send(Alive()))
    try:
        desk.prepare()
        connection.send(Ready())
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
        self._examiner: Examiner | None = None
        self._told: set[UnreadableRun] = set()

    def prepare(self) -> None:
        """Open the source before the time of a request runs; what goes wrong is said when a request comes."""
        with suppress(Exception):
            self._open()

    def answer(self, request: Request) -> Iterator[Reply]:
        """Yield the replies to one request; the last is always `Done`, `Refused` or `Failed`."""
        try:
            evidence = self._open()
            before = evidence.source.bytes_read
            yield from self._carry_out(request, evidence)
            yield Done(bytes_read=evidence.source.bytes_read - before, unreadable=self._fresh(evidence))
        except (SourceError, StoreError, UsageError) as error:
            yield Refused(error=type(error).__name__, text=str(error))
        except Exception as error:  # noqa: BLE001 - hostile evidence: one request is lost, the run goes on
            yield Failed(text=_one_line(error))

    def _fresh(self, evidence: Evidence) -> tuple[UnreadableRun, ...]:
        """Return the unreadable runs that were not told before."""
        fresh = tuple(run for run in evidence.source.unreadable_runs() if run not in self._told)
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
            case WalkVolume():
                yield Recognised(report=evidence.recognise(request.region))
                yield from _listed(evidence.walk(request.region))
            case ExamineItems():
                yield from self._examined(request, evidence)

    def _examined(self, request: ExamineItems, evidence: Evidence) -> Iterator[Reply]:
        """Report often enough that a silence means the item in hand."""
        examiner = self._tools(evidence)
        waiting: list[ItemResult] = []
        last = time.monotonic()
        for number, item in request.items:
            if waiting and (item.size > _LARGE or time.monotonic() - last > _FLUSH_SECONDS):
                yield Results(results=tuple(waiting), in_hand=item.path)
                waiting, last = [], time.monotonic()
            self._in_hand.value = number
            waiting.append(_guarded(examiner, number, item, request))
        self._in_hand.value = NOTHING
        yield Results(results=tuple(waiting), in_hand="")

    def _open(self) -> Evidence:
        if self._evidence is None:
            source = WatchedSource(open_source(Path(self._setup.source)))
            source.on_read = _at_most_every(_ALIVE_SECONDS, self._say_alive)
            self._evidence = Evidence(source)
        return self._evidence

    def _tools(self, evidence: Evidence) -> Examiner:
        if self._examiner is None:
            sets = tuple(HashSet.open(Path(file), verify=False) for file in self._setup.set_files)
            if tuple(opened.identity for opened in sets) != self._setup.sets:
                raise StoreError(
                    "the hash-set library changed during the run; put back the sets that it began with and run the "
                    "same command again, or give another --exhibit"
                )
            self._examiner = Examiner(evidence, sets, self._setup.digests, self._setup.pictures, self._setup.limits)
        return self._examiner


def _verified(evidence: Evidence) -> Iterator[Verifying | Verified]:
    last = time.monotonic()
    check = evidence.verification()
    for done in check.steps():
        if time.monotonic() - last > _FLUSH_SECONDS:
            last = time.monotonic()
            yield Verifying(bytes_done=done)
    yield Verified(troubles=check.troubles())


def _guarded(examiner: Examiner, number: int, item: Item, request: ExamineItems) -> ItemResult:
    # The libraries below meet hostile bytes: whatever they raise costs this item and no other.
    try:
        return examiner.examine(number, item, request.volume, decode=request.decode)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001
        return ItemResult(item=number, outcome=Outcome.CRASHED, reason=_one_line(error))


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]


def _listed(walk: Iterator[Item | Trouble]) -> Iterator[Listed]:
    items: list[Item] = []
    troubles: list[Trouble] = []
    last = time.monotonic()
    for entry in walk:
        if isinstance(entry, Trouble):
            troubles.append(entry)
        else:
            items.append(entry)
        if len(items) + len(troubles) >= _LISTED or time.monotonic() - last > _FLUSH_SECONDS:
            yield Listed(items=tuple(items), troubles=tuple(troubles))
            items, troubles, last = [], [], time.monotonic()
    yield Listed(items=tuple(items), troubles=tuple(troubles))


def _at_most_every(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            last = time.monotonic()
            call()

    return tick
