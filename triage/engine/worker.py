"""The worker process: opens the evidence for itself, carries out one request after the other, returns plain values."""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import c_int64
from multiprocessing.connection import Connection
from pathlib import Path

from triage.engine.confinement import confine
from triage.engine.examining import Examiner
from triage.engine.learning import Learner, one_line
from triage.engine.messages import (
    NOTHING,
    Alive,
    Done,
    ExamineItems,
    Failed,
    Listed,
    LookAtItems,
    Looked,
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
from triage.engine.pictures import PictureDesk
from triage.engine.trace import Trace
from triage.hashsets import multi_index
from triage.hashsets.hashset import HashSet
from triage.items.evidence import Evidence
from triage.items.fingerprint import fingerprint
from triage.items.order import Order
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.evidence import UnreadableRun
from triage.model.item import Item, Outcome
from triage.model.result import ItemResult
from triage.model.runs import ByteRun
from triage.model.trouble import Trouble
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource
from triage.store.rows import Row, item_of, listed_row, result_row

_FLUSH_SECONDS = 0.2
_ALIVE_SECONDS = 5.0
_FIRST_LISTED, _LISTED = 64, 1024
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
        self._examiner: Examiner | None = None
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
                yield from self._walked(request, evidence)
            case ExamineItems():
                yield from self._examined(request, evidence)
            case LookAtItems():
                yield from self._looked(request, evidence)

    def _walked(self, request: WalkVolume, evidence: Evidence) -> Iterator[Reply]:
        with self._trace.span("recognise"):
            yield Recognised(report=evidence.recognise(request.region))
        order = Order(seed=request.seed, removable=request.removable)
        with self._trace.span("walk"):
            yield from _listed(evidence.walk(request.region), order)

    def _looked(self, request: LookAtItems, evidence: Evidence) -> Iterator[Looked]:
        """Look at embedded pictures: a first look says where to begin and nothing else, so that trouble is no news."""
        pictures = self._tools(evidence).learner.pictures
        waiting: list[tuple[int, bool | None]] = []
        last = time.monotonic()
        for number, row in request.items:
            if time.monotonic() - last > _FLUSH_SECONDS:
                yield _seen(waiting)
                waiting, last = [], time.monotonic()
            self._in_hand.value = number
            with self._trace.span("first look", 1):
                waiting.append((number, _glimpsed(pictures, evidence, item_of(row), request.volume)))
        self._in_hand.value = NOTHING
        yield _seen(waiting)

    def _examined(self, request: ExamineItems, evidence: Evidence) -> Iterator[Reply]:
        """Report often enough that a silence means the item in hand."""
        examiner = self._tools(evidence)
        items = [(number, item_of(row)) for number, row in request.items]
        if not all(item.direct for _, item in items):
            evidence.open(request.volume)
        paths = {number: item.path for number, item in items}
        waiting: list[ItemResult] = []
        last = time.monotonic()
        for result in examiner.examine(items, request.volume, decode=request.failed is None):
            waiting.append(_as_failed(result, request.failed))
            if time.monotonic() - last > _FLUSH_SECONDS:
                # What was in hand is the item just finished: until the next one begins nothing hostile is touched.
                self._in_hand.value = NOTHING
                yield _results(waiting, in_hand=paths[result.item])
                waiting, last = [], time.monotonic()
        self._in_hand.value = NOTHING
        yield _results(waiting, in_hand="")

    def _begin(self, number: int) -> None:
        self._in_hand.value = number

    def _open(self) -> Evidence:
        if self._evidence is None:
            source = WatchedSource(open_source(Path(self._setup.source)))
            source.on_read = _at_most_every(_ALIVE_SECONDS, self._say_alive)
            self._evidence = Evidence(source, self._setup.secrets)
        return self._evidence

    def _tools(self, evidence: Evidence) -> Examiner:
        if self._examiner is None:
            sets = tuple(HashSet.open(Path(file), verify=False) for file in self._setup.set_files)
            if tuple(opened.identity for opened in sets) != self._setup.sets:
                raise StoreError(
                    "the hash-set library changed during the run; put back the sets that it began with and run the "
                    "same command again, or give another --exhibit"
                )
            setup = self._setup
            self._examiner = Examiner(Learner(evidence, sets, setup.depth, setup.limits, self._begin, self._trace))
        return self._examiner


def _verified(evidence: Evidence) -> Iterator[Verifying | Verified]:
    last = time.monotonic()
    check = evidence.verification()
    for done in check.steps():
        if time.monotonic() - last > _FLUSH_SECONDS:
            last = time.monotonic()
            yield Verifying(bytes_done=done)
    yield Verified(troubles=check.troubles())


def _results(some: list[ItemResult], in_hand: str) -> Results:
    found = ((result.item, finding) for result in some for finding in result.findings)
    return Results(rows=tuple(map(result_row, some)), found=tuple(found), in_hand=in_hand)


def _as_failed(result: ItemResult, failed: tuple[Outcome, str] | None) -> ItemResult:
    """Return a result that was had without decoding under the outcome that decoding had."""
    if failed is None or result.outcome is not Outcome.EXAMINED:
        return result
    reason = "; ".join(filter(None, (f"decoding: {failed[1]}", result.reason)))
    return result._replace(outcome=failed[0], reason=reason)


def _glimpsed(pictures: PictureDesk, evidence: Evidence, item: Item, volume: ByteRun) -> bool | None:
    try:
        return pictures.glimpse(evidence.content(item, volume))
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - hostile bytes: the item is examined in its turn all the same
        return None


def _seen(items: list[tuple[int, bool | None]]) -> Looked:
    return Looked(
        items=tuple(number for number, _ in items),
        near=tuple(number for number, near in items if near),
        pictures=sum(near is not None for _, near in items),
    )


def _listed(walk: Iterator[Item | Trouble], order: Order) -> Iterator[Listed]:
    """Tell what a walk lists, the first names soon, so that there is something to examine meanwhile."""
    rows: list[Row] = []
    waiting: list[tuple[int, int, bool]] = []
    troubles: list[Trouble] = []
    last, enough = time.monotonic(), _FIRST_LISTED
    for entry in walk:
        if isinstance(entry, Trouble):
            troubles.append(entry)
        else:
            placed = order.place(entry)
            rows.append(listed_row(entry, placed))
            if entry.has_content:
                waiting.append((int(placed.tier), entry.size, placed.draw is not None))
        if len(rows) + len(troubles) >= enough or time.monotonic() - last > _FLUSH_SECONDS:
            yield Listed(rows=tuple(rows), waiting=tuple(waiting), troubles=tuple(troubles))
            rows, waiting, troubles, last = [], [], [], time.monotonic()
            enough = min(2 * enough, _LISTED)
    yield Listed(rows=tuple(rows), waiting=tuple(waiting), troubles=tuple(troubles))


def _at_most_every(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            last = time.monotonic()
            call()

    return tick
