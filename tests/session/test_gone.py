"""A device whose cable is pulled: nothing counts as unreadable for that, and the run goes on when it is back."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from suite import Demo, Tool, absent

from triage.session.examination import Order
from triage.session.view import CaseView
from triage.session.visit import LiveDevice, Visit
from triage.store.case import Case

LONG = 90.0
FILES = 1500


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, demo: Demo, tool: Tool) -> Path:
    """Make a disk image that takes some seconds."""
    folder = tmp_path_factory.mktemp("disk")
    files = folder / "files"
    files.mkdir()
    known = sorted(demo.known.iterdir())
    for number in range(FILES):
        (files / f"{number}.jpg").write_bytes(known[number % len(known)].read_bytes() + number.to_bytes(3, "big"))
    command = [tool("mke2fs"), "-q", "-t", "ext4", "-d", str(files), str(folder / "image"), "96M"]
    subprocess.run(command, check=True)
    return folder / "image"


@pytest.fixture
def device(image: Path, tool: Tool) -> Iterator[Path]:
    if os.geteuid() or not Path("/dev/loop-control").exists():
        absent("the right to make loop devices")
    command = [tool("losetup"), "--find", "--show", "--read-only", str(image)]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    yield Path(made)
    subprocess.run([tool("losetup"), "--detach", made], check=True)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    with Case.open_or_create(tmp_path / "case", when="2026-11-23T10:00:00.000000Z", actor="examiner"):
        pass
    return tmp_path / "case"


def put(image: Path, device: Path, data: bytes) -> None:
    """Let the device have these bytes from now on; none: the kernel says of it what it says of one that was pulled."""
    os.truncate(image, 0)
    image.write_bytes(data)
    subprocess.run(["losetup", "-c", str(device)], check=True)


def until(visit: Visit, live: LiveDevice, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end, (live.state, live.problem)
        visit.poll()
        time.sleep(0.01)


def test_a_device_that_is_pulled_and_put_back_is_examined_as_if_nothing_had_happened(
    image: Path, device: Path, case: Path, demo: Demo
) -> None:
    whole = image.read_bytes()
    with Visit(case, actor="A Examiner", library=demo.library) as visit:
        live = visit.begin(Order(source=device, case=case, exhibit="ABC/1"))
        until(visit, live, lambda: live.findings > 0)
        before = live.findings
        put(image, device, b"")
        until(visit, live, lambda: live.state.value == "gone")
        assert " is gone: " in live.problem
        assert not live.state.is_over
        put(image, device, bytes(len(whole)))
        until(visit, live, lambda: "is not the source" in live.problem)
        assert live.state.value == "gone"
        put(image, device, whole)
        until(visit, live, lambda: live.state.is_over)
        assert (live.state.value, live.problem) == ("finished", "")
        assert live.findings >= before
    view = CaseView(case)
    assert view.not_looked_at_by("ABC/1") == []
    assert view.troubles("ABC/1") == []
    database = sqlite3.connect(case / "case.sqlite")
    assert database.execute("SELECT count(*) FROM unreadable").fetchone() == (0,)
    items = database.execute("SELECT count(*), count(md5) FROM item WHERE path LIKE '%.jpg'").fetchone()
    database.close()
    assert items == (FILES, FILES)
    assert [row["action"] for row in view.timeline("ABC/1")][::-1][:3] == [
        "examination.planned", "examination.stopped", "examination.resumed",
    ]  # fmt: skip
