"""Runs that are killed, stopped, or lose their workers: resumed, they end as if nothing had happened."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from suite import Demo, Triage

KILLS = 10
FILES = 900
VOLATILE = ("found_at", "seconds", "id")  # findings are numbered in the order in which they are made


@pytest.fixture(scope="module")
def exhibit(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    """Make a folder of many files, large enough for kills to fall into every phase of a run."""
    folder = tmp_path_factory.mktemp("many")
    known = sorted(demo.known.iterdir())
    for number in range(FILES):
        below = folder / f"folder {number % 12}"
        below.mkdir(exist_ok=True)
        below.joinpath(f"{number}.jpg").write_bytes(known[number % len(known)].read_bytes() + b"\0" * (number % 3))
    return folder


def words(exhibit: Path, case: Path, demo: Demo) -> list[str]:
    options = ["--case", case, "--exhibit", "A/1", "--library", demo.library, "--json", "--jobs", "2"]
    return [*map(str, ["examine", exhibit, *options])]


def start(arguments: list[str]) -> "subprocess.Popen[bytes]":
    silent = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "triage", *arguments], stdout=silent, stderr=silent)


def content(triage: Triage, case: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    items = triage("items", "--case", case, "--jsonl").rows
    found = triage("findings", "--case", case, "--jsonl").rows
    return items, [{key: row[key] for key in row if key not in VOLATILE} for row in found]


def custody(case: Path) -> list[str]:
    with sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True) as database:
        actions = [action for (action,) in database.execute("SELECT action FROM custody ORDER BY sequence")]
    database.close()
    return actions


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


def workers_of(process: int) -> list[int]:
    """Return the workers of a run: they are forked from a server that is its child."""
    return [worker for child in children(process) for worker in children(child)]


@pytest.fixture(scope="module")
def whole(triage: Triage, exhibit: Path, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the case of an examination that nothing interrupted."""
    case = tmp_path_factory.mktemp("whole") / "case"
    assert triage(*words(exhibit, case, demo)).code == 0
    return case


def test_killed_at_random_moments_it_ends_with_the_same_items_and_findings(
    triage: Triage, exhibit: Path, demo: Demo, whole: Path, tmp_path: Path
) -> None:
    chance = random.Random(20260314)
    arguments = words(exhibit, tmp_path / "case", demo)
    killed = 0
    for _ in range(KILLS):
        process = start(arguments)
        time.sleep(0.4 + chance.random() * 1.2)
        if process.poll() is None:
            process.kill()
            killed += 1
        process.wait()
    assert killed >= KILLS // 2, "the exhibit is too small for this machine: kills came too late"
    ran = triage(*arguments)
    assert ran.code == 0, ran.err
    assert content(triage, tmp_path / "case") == content(triage, whole)
    assert ran.json["coverage"] == triage(*words(exhibit, whole, demo)).json["coverage"]
    assert custody(tmp_path / "case")[-1] == "examination.finished"
    assert custody(whole) == ["case.created", "examination.planned", "examination.finished"]


def wait_for_results(case: Path) -> None:
    """Return when at least one item has its outcome."""
    for _ in range(600):
        time.sleep(0.05)
        try:
            with sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True) as database:
                (done,) = database.execute("SELECT count(*) FROM item WHERE md5 IS NOT NULL").fetchone()
            database.close()
        except sqlite3.OperationalError:
            continue
        if done:
            return
    pytest.fail("no item was examined within 30 seconds")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_person_it_says_so_and_keeps_what_it_has(
    triage: Triage, exhibit: Path, demo: Demo, tmp_path: Path, number: signal.Signals
) -> None:
    arguments = words(exhibit, tmp_path / "case", demo)
    process = start(arguments)
    wait_for_results(tmp_path / "case")
    process.send_signal(number)
    assert process.wait(timeout=30) == 5
    account = triage("coverage", "--case", tmp_path / "case", "--exhibit", "A/1", "--json").json
    assert sum(account["bytes"].values()) == account["size"]
    assert account["items"]["not-reached"] > 0
    assert custody(tmp_path / "case")[-1] == "examination.stopped"
    resumed = triage(*arguments)
    assert resumed.code == 0
    assert "resuming" in resumed.err
    assert resumed.json["coverage"]["not-examined"] == 0


def test_after_a_kill_the_account_still_adds_up(triage: Triage, exhibit: Path, demo: Demo, tmp_path: Path) -> None:
    process = start(words(exhibit, tmp_path / "case", demo))
    wait_for_results(tmp_path / "case")
    process.kill()
    process.wait()
    account = triage("coverage", "--case", tmp_path / "case", "--exhibit", "A/1", "--json").json
    assert account["state"] == "examining"
    assert sum(account["bytes"].values()) == account["size"] > 0
    assert account["bytes"]["not-examined"] > 0
    told = triage("coverage", "--case", tmp_path / "case", "--exhibit", "A/1").out
    assert "not finished" in told


def test_a_worker_that_dies_costs_nothing(
    triage: Triage, exhibit: Path, demo: Demo, whole: Path, tmp_path: Path
) -> None:
    process = start(words(exhibit, tmp_path / "case", demo))
    wait_for_results(tmp_path / "case")
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    assert process.wait(timeout=120) == 0
    assert content(triage, tmp_path / "case") == content(triage, whole)


def test_killed_it_leaves_no_worker_behind(exhibit: Path, demo: Demo, tmp_path: Path) -> None:
    process = start(words(exhibit, tmp_path / "case", demo))
    wait_for_results(tmp_path / "case")
    workers = [*children(process.pid), *workers_of(process.pid)]
    assert len(workers) > len(children(process.pid)) > 0
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{worker}/cmdline").exists() and alive(worker) for worker in workers):
            return
        time.sleep(0.05)
    pytest.fail(f"workers outlived their run: {workers}")


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
