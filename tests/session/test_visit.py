"""Devices of a visit, examined in real processes: followed, paused, stopped, resumed, and none left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from suite import Demo

from triage.model.event import EndedBy, Event, Finished, Found, Progress, VolumeOpened
from triage.session.examination import Order
from triage.session.view import CaseView
from triage.session.visit import DeviceState, LiveDevice, Visit
from triage.store.case import Case, CaseReader

WHEN = "2026-11-23T10:00:00.000000Z"
LONG = 60.0
FILES = 1500


@pytest.fixture
def case(tmp_path: Path) -> Path:
    with Case.open_or_create(tmp_path / "case", when=WHEN, actor="examiner"):
        pass
    return tmp_path / "case"


@pytest.fixture
def visit(case: Path, demo: Demo) -> Iterator[Visit]:
    with Visit(case, actor="A Examiner", library=demo.library) as visit:
        yield visit


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    """Make a folder that takes some seconds."""
    folder = tmp_path_factory.mktemp("many")
    known = sorted(demo.known.iterdir())
    for number in range(FILES):
        data = known[number % len(known)].read_bytes()
        (folder / f"{number}.jpg").write_bytes(data + number.to_bytes(3, "big"))
    return folder


def order(source: Path, case: Path, exhibit: str = "ABC/1") -> Order:
    return Order(source=source, case=case, exhibit=exhibit)


def until(visit: Visit, holds: Callable[[], bool]) -> list[tuple[str, Event]]:
    """Poll until something holds; return what was told."""
    told: list[tuple[str, Event]] = []
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end, [(device.state, device.problem) for device in visit.devices.values()]
        told += visit.poll()
        time.sleep(0.01)
    return told


def over(device: LiveDevice) -> Callable[[], bool]:
    return lambda: device.state.is_over


def test_devices_are_examined_to_their_end_and_told_of_as_they_go(visit: Visit, case: Path, demo: Demo) -> None:
    missing = visit.begin(order(case.parent / "nothing.raw", case, "ABC/2"))
    device = visit.begin(order(demo.image, case))
    assert device.state is DeviceState.STARTING
    assert visit.begin(order(demo.image, case)) is device
    assert list(visit.devices) == ["ABC/2", "ABC/1"]
    told = until(visit, lambda: not visit.busy)
    assert missing.state is DeviceState.FAILED
    assert "does not exist; check the path" in missing.problem
    assert (device.state, device.ended_by, device.problem) == (DeviceState.FINISHED, EndedBy.END, "")
    assert {reference for reference, _ in told} == {"ABC/1"}
    events = [event for _, event in told]
    assert device.findings == sum(isinstance(event, Found) for event in events) == CaseView(case).findings_count()
    assert sum(isinstance(event, Finished) for event in events) == 1
    assert device.volumes == tuple(event.report for event in events if isinstance(event, VolumeOpened))
    assert device.info is not None
    assert device.info.size == demo.image.stat().st_size
    with CaseReader.open(case) as reader:
        assert {event.actor for event in reader.ledger.events() if event.subject == "ABC/1"} == {"A Examiner"}
    again = visit.begin(order(demo.image, case))
    assert again is not device
    until(visit, over(again))
    assert (again.state, again.resumed) == (DeviceState.FINISHED, True)
    assert (again.findings, again.counts, again.troubles) == (device.findings, device.counts, device.troubles)


def test_a_paused_device_hands_nothing_out_and_goes_on_where_it_was(visit: Visit, case: Path, many: Path) -> None:
    device = visit.begin(order(many, case))
    until(visit, lambda: device.findings > 0)
    device.pause()
    standing = settled(visit, device)
    assert 0 < standing < FILES
    assert device.state.value == "paused"
    device.less_urgent()
    device.less_urgent()
    device.resume()
    told = until(visit, lambda: items_done(device) > standing)
    assert device.state.value == "running"
    assert any(isinstance(event, Progress) for _, event in told)
    assert device._process is not None
    assert device._process.pid is not None
    assert (device.urgency, os.getpriority(os.PRIO_PGRP, device._process.pid)) == (-2, 14)
    for _ in range(4):
        device.more_urgent()
    assert device.urgency == 0


def items_done(device: LiveDevice) -> int:
    return device.progress.items_done if device.progress else 0


def settled(visit: Visit, device: LiveDevice) -> int:
    """Return how many items are done when there were no more for two seconds."""
    done, since = items_done(device), time.monotonic()
    end = since + LONG
    while time.monotonic() - since < 2:
        assert time.monotonic() < end
        visit.poll()
        if items_done(device) != done:
            done, since = items_done(device), time.monotonic()
        time.sleep(0.02)
    return done


def test_a_device_that_was_stopped_or_whose_process_died_is_resumed(case: Path, demo: Demo, many: Path) -> None:
    view = CaseView(case)
    with Visit(case, actor="A Examiner", library=demo.library) as visit:
        device = visit.begin(order(many, case))
        until(visit, lambda: device.findings > 0)
        device.stop()
        assert device.state is DeviceState.STOPPING
        until(visit, over(device))
        assert (device.state, device.ended_by) == (DeviceState.STOPPED, EndedBy.REQUEST)
        assert sum(view.coverage("ABC/1").values()) == view.exhibits()[0]["size"]
        assert view.recommendation("ABC/1") is not None
        before = view.findings_count()
        again = visit.begin(order(many, case))
        until(visit, lambda: again.findings > before)
        assert again.resumed
        assert again._process is not None
        assert again._process.pid is not None
        os.kill(again._process.pid, signal.SIGKILL)
        until(visit, over(again))
        assert again.state is DeviceState.FAILED
        assert "begin it again to resume" in again.problem
        before = view.findings_count()
        last = visit.begin(order(many, case))
        until(visit, lambda: last.state is DeviceState.RUNNING)
        assert (last.resumed, last.findings >= before) == (True, True)
    assert last.state is DeviceState.STOPPED
    (exhibit,) = view.exhibits()
    assert (exhibit["state"], exhibit["ended_by"]) == ("stopped", "request")


def test_a_run_whose_console_was_killed_concludes_by_itself(case: Path, demo: Demo, many: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from triage.session.examination import Order\nfrom triage.session.visit import Visit\n"
        "if __name__ == '__main__':\n"
        "    case, source, library = map(Path, sys.argv[1:])\n"
        "    visit = Visit(case, actor='A Examiner', library=library)\n"
        "    device = visit.begin(Order(source=source, case=case, exhibit='ABC/1'))\n"
        "    while not device.findings:\n        visit.poll()\n        time.sleep(0.01)\n"
        "    print(device._process.pid, flush=True)\n    time.sleep(60)\n"
    )
    script = case.parent / "console.py"
    script.write_text(program)
    words = [sys.executable, str(script), str(case), str(many), str(demo.library)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        run = int(console.stdout.readline())
        console.kill()
        console.wait()
    end = time.monotonic() + LONG
    while Path(f"/proc/{run}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    (exhibit,) = CaseView(case).exhibits()
    assert (exhibit["state"], exhibit["ended_by"]) == ("stopped", "request")
