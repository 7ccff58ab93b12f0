"""Workers that are the real ones but for one place: there evidence makes them die, or hang."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from ctypes import c_int64
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from triage.engine.messages import Members, OpenContainers, Searched, SearchSpace, Setup
from triage.engine.tasks import opening, searching
from triage.engine.tasks.tools import Tools
from triage.engine.workers import worker
from triage.engine.workers.server import context
from triage.items import expansion
from triage.items.block_search import BlockSearch
from triage.model.selftest import Check, SelfTest
from triage.sources.watched import WatchedSource

Target = Callable[[Connection, Setup, c_int64], None]

DEADLY, HANGING = "deadly.zip", "hanging.zip"
PLACE = b"A deadly place. "
FAILED = SelfTest(checks=(Check(name="digests", passed=False, text="the digest of known bytes was another"),))


def make(kind: str) -> Callable[..., Any]:
    """Return what makes workers in place of `worker_process`."""

    def made(connection: Connection, setup: Setup, in_hand: c_int64) -> Any:
        return context().Process(target=_TARGETS[kind], args=(connection, setup, in_hand), daemon=True)

    return made


def _put(place: object, name: str, value: object) -> None:
    setattr(place, name, value)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def of_containers(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Die of some containers in their middle, and hang on others."""

    def fragile(*words: Any) -> Iterator[Any]:
        name = words[1].path.rpartition("/")[2]
        for number, entry in enumerate(expansion.expand(*words)):
            if number and name == DEADLY:
                _die()
            while number and name == HANGING:
                time.sleep(1)
            yield entry

    _put(opening, "expand", fragile)
    worker.work(connection, setup, in_hand)


def of_places(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Die of reading some bytes."""
    read_at = WatchedSource.read_at

    def fragile(self: WatchedSource, offset: int, length: int) -> bytes:
        data = read_at(self, offset, length)
        if PLACE in data:
            _die()
        return data

    _put(WatchedSource, "read_at", fragile)
    worker.work(connection, setup, in_hand)


def of_blocks(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Die of comparing blocks."""
    _put(BlockSearch, "compare", lambda *_: _die())
    worker.work(connection, setup, in_hand)


def of_answers(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Give wrong answers, which the self-test is to notice."""
    _put(worker, "self_test", lambda: FAILED)
    worker.work(connection, setup, in_hand)


def of_test(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Die of the self-test."""
    _put(worker, "self_test", _die)
    worker.work(connection, setup, in_hand)


def _members(change: Callable[[Members], Iterator[Members]]) -> Target:
    """Return a worker whose replies about containers are changed."""
    opened = opening.opened

    def target(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
        def lying(request: OpenContainers, tools: Tools) -> Iterator[Members]:
            for reply in opened(request, tools):
                yield from change(reply)

        _put(worker, "opened", lying)
        worker.work(connection, setup, in_hand)

    return target


def _strangers(reply: Members) -> Iterator[Members]:
    """Tell of a member that lies in no container."""
    rows = tuple(("volume:0!path:/stranger", "stranger", *row[2:]) for row in reply.rows)
    yield replace(reply, rows=rows, found=())


def _repeats(reply: Members) -> Iterator[Members]:
    """Go on telling of a container that has ended."""
    yield replace(reply, rows=(), found=(), ended=False)
    yield replace(reply, rows=(), found=(), ended=False, first=-1)


def _leaps(reply: Members) -> Iterator[Members]:
    """Leave members out."""
    yield replace(reply, first=reply.first + 1000)


def _silence(_reply: Members) -> Iterator[Members]:
    """Say nothing."""
    yield from ()


def strangers(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Tell of members of nothing."""
    _members(_strangers)(connection, setup, in_hand)


def repeats(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Tell of containers without an end."""
    _members(_repeats)(connection, setup, in_hand)


def leaps(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Tell of the last members first."""
    _members(_leaps)(connection, setup, in_hand)


def silence(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Tell of no member."""
    _members(_silence)(connection, setup, in_hand)


def twice(connection: Connection, setup: Setup, in_hand: c_int64) -> None:
    """Tell twice of all bytes that were searched."""

    def lying(request: SearchSpace, tools: Tools) -> Iterator[Searched]:
        for reply in searching.searched(request, tools):
            yield from (reply, reply)

    _put(worker, "searched", lying)
    worker.work(connection, setup, in_hand)


_TARGETS: dict[str, Target] = {
    "containers": of_containers,
    "places": of_places,
    "blocks": of_blocks,
    "answers": of_answers,
    "test": of_test,
    "strangers": strangers,
    "repeats": repeats,
    "leaps": leaps,
    "silence": silence,
    "twice": twice,
}
