"""Workers as the run meets them: slow to start, dead while idle, hung, heard late."""

import multiprocessing
import os
import signal
import time
from ctypes import c_int64
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import pytest
from suite import Demo, placed

from triage.engine.messages import NOTHING, Done, ExamineItems, Opened, OpenSource, Setup, SurveySource
from triage.engine.plan import Depth, Limits
from triage.engine.workers.pool import Lost, WorkerPool, _Hand
from triage.items.evidence import Evidence
from triage.model.item import Item, Outcome
from triage.sources.opening import open_source
from triage.sources.watched import WatchedSource
from triage.store.rows import ITEM_COLUMNS

COLUMNS = len(ITEM_COLUMNS.split(","))


def setup(source: Path, **limits: float) -> Setup:
    return Setup(
        source=str(source),
        set_files=(),
        sets=(),
        depth=Depth(digests=("md5",)),
        limits=Limits(**limits),  # type: ignore[arg-type]  # seconds only
    )


def test_starting_a_worker_is_not_counted_against_its_request(demo: Demo) -> None:
    pool = WorkerPool(setup(demo.image), 1)
    replies = list(pool.ask(OpenSource(), patience=0.2))
    pool.close()
    assert [type(reply) for reply in replies] == [Opened, Done]


def test_a_worker_that_never_starts_is_lost_as_such(demo: Demo) -> None:
    pool = WorkerPool(setup(demo.image, start_seconds=0.5), 1)
    hand = pool._start()
    assert hand.process.pid is not None
    os.kill(hand.process.pid, signal.SIGSTOP)
    (lost,) = pool.ask(OpenSource(), patience=60)
    pool.close()
    assert isinstance(lost, Lost)
    assert (lost.starting, lost.in_hand) == (True, None)


def test_a_worker_that_died_while_idle_costs_nothing(demo: Demo) -> None:
    pool = WorkerPool(setup(demo.image), 1)
    list(pool.ask(OpenSource(), patience=30))
    (hand,) = pool._hands
    assert hand.process.pid is not None
    os.kill(hand.process.pid, signal.SIGKILL)
    hand.process.join()
    replies = list(pool.ask(OpenSource(), patience=30))
    pool.close()
    assert [type(reply) for reply in replies] == [Opened, Done]


def test_an_answer_that_was_not_fetched_in_time_is_still_an_answer(demo: Demo) -> None:
    pool = WorkerPool(setup(demo.image), 1)
    list(pool.ask(OpenSource(), patience=30))
    pool.give(SurveySource(), patience=0.5)
    time.sleep(1.5)
    heard = []
    while pool.busy:
        heard += [reply for _, reply in pool.replies()]
    pool.close()
    assert not any(isinstance(reply, Lost) for reply in heard)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_loss_names_the_item_in_hand(tmp_path: Path, number: signal.Signals) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(20 << 30)
    evidence = Evidence(WatchedSource(open_source(tmp_path)))
    (region,) = evidence.survey().regions
    item = next(entry for entry in evidence.walk(region) if isinstance(entry, Item))
    evidence.source.close()
    item_row = placed([item])[0][:COLUMNS]
    pool = WorkerPool(setup(tmp_path), 1)
    list(pool.ask(OpenSource(), patience=30))
    pool.give(ExamineItems(volume=region.run, items=((7, item_row),)), patience=2.0)
    (hand,) = pool._hands
    for _ in range(100):
        if hand.in_hand.value == 7:
            break
        time.sleep(0.05)
    assert hand.process.pid is not None
    os.kill(hand.process.pid, number)
    losses = []
    while pool.busy:
        losses += [reply for _, reply in pool.replies()]
    pool.close()
    (lost,) = losses
    assert isinstance(lost, Lost)
    assert (lost.in_hand, lost.starting) == (7, False)
    assert lost.outcome is (Outcome.CRASHED if number == signal.SIGKILL else Outcome.TIMED_OUT)


def test_a_worker_that_says_half_a_message_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.engine.workers.pool._MESSAGE", 0.2)
    ours, theirs = Pipe()
    process = multiprocessing.get_context("fork").Process(target=_says_half, args=(theirs,))
    process.start()
    theirs.close()
    hand = _Hand(process, ours, RawValue(c_int64, NOTHING))  # type: ignore[arg-type] # started in another way
    with hand.within(), pytest.raises((EOFError, OSError)):
        ours.recv_bytes()
    process.join(5)
    assert process.exitcode == -signal.SIGKILL


def _says_half(connection: Connection) -> None:
    os.write(connection.fileno(), b"\0\0\0\x09h")
    time.sleep(60)
