"""Runs that end before their end because a limit says so: what they say, and that they go on where they were."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from images import pictures
from suite import Demo, Triage

from triage.engine.plan import Stop
from triage.model.event import EndedBy, Event, Finished
from triage.session.examination import Examination, Order, open_case

KNOWN, UNRELATED = 20, 60
VOLATILE = {"found_at", "seconds", "id"}  # findings are numbered in the order in which they are made


@pytest.fixture(scope="module")
def exhibit(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    """Make a folder of pictures of which the first batch of a run takes a part, every fourth one a known one."""
    folder = tmp_path_factory.mktemp("many") / "exhibit"
    folder.mkdir()
    known = [path.read_bytes() for path in sorted(demo.known.iterdir())]
    others = [pictures.jpeg(pictures.scene(seed)) for seed in range(200, 206)]
    for number in range(KNOWN + UNRELATED):
        data = known[number % len(known)] if number % 4 == 0 else others[number % len(others)]
        (folder / f"{number:03}.jpg").write_bytes(data + bytes((150 << 10) - len(data) + number % 3))
    return folder


def order(exhibit: Path, case: Path, demo: Demo, **changes: Any) -> Order:
    return Order(**{"source": exhibit, "case": case, "exhibit": "A/1", "library": demo.library, **changes})


def run(wish: Order) -> tuple[Finished, Examination]:
    with Examination(wish) as examination:
        events: list[Event] = list(examination.events())
    assert isinstance(events[-1], Finished)
    return events[-1], examination


def summary(case: Path) -> dict[str, Any]:
    with open_case(case) as reader:
        return reader.queries.summary("A/1")


def reasons(told: dict[str, Any]) -> dict[str, str]:
    return {reason["code"]: reason["text"] for reason in reversed(told["recommendation"]["reasons"])}


def kept(case: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with open_case(case) as reader:
        findings = [{key: row[key] for key in row.keys() - VOLATILE} for row in reader.queries.findings()]
        return list(reader.queries.items()), findings


def last_ended_by(case: Path) -> str:
    with sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True) as database:
        (payload,) = database.execute("SELECT payload FROM custody ORDER BY sequence DESC LIMIT 1").fetchone()
    database.close()
    return str(payload)


@pytest.fixture(scope="module")
def whole(exhibit: Path, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the case of an examination that nothing stopped."""
    case = tmp_path_factory.mktemp("whole") / "case"
    finished, examination = run(order(exhibit, case, demo))
    assert (finished.by, finished.items, finished.findings) == (EndedBy.END, KNOWN + UNRELATED, KNOWN)
    assert examination.finished
    return case


@pytest.fixture(scope="module")
def enough(exhibit: Path, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the case of an examination that one finding ended."""
    case = tmp_path_factory.mktemp("enough") / "case"
    finished, examination = run(order(exhibit, case, demo, stop=Stop(findings=1)))
    assert (finished.by, examination.ended_by) == (EndedBy.ENOUGH_FOUND, EndedBy.ENOUGH_FOUND)
    assert not examination.finished
    return case


def test_enough_found_leaves_the_rest_not_reached_and_says_so(enough: Path) -> None:
    told = summary(enough)
    left = sum(row["outcome"] == "not-reached" for row in kept(enough)[0])
    assert (told["state"], told["ended_by"]) == ("stopped", "enough-found")
    assert 1 <= told["findings"] < KNOWN
    assert 0 < left < KNOWN + UNRELATED
    assert reasons(told)["stopped-early"] == (
        f"The examination did not run to its end (enough was found); {left} listed items not reached."
    )
    assert told["coverage"]["not-examined"] > 0
    assert sum(told["coverage"].values()) == told["size"]
    assert '"ended_by":"enough-found"' in last_ended_by(enough)


def test_a_run_that_was_stopped_tells_what_its_random_sample_showed(enough: Path) -> None:
    bounds = [reason["text"] for reason in summary(enough)["recommendation"]["reasons"] if reason["code"] == "bound"]
    assert bounds[0].startswith(f"Stopped early: of {KNOWN + UNRELATED} pictures in other folders ")
    assert "drawn at random" in bounds[0]


def test_an_examination_that_ran_to_its_end_tells_no_bound(whole: Path) -> None:
    told = summary(whole)
    assert (told["state"], told["ended_by"]) == ("finished", "end")
    assert not {"bound", "stopped-early"} & set(reasons(told))


def test_no_time_ends_a_run_at_once_by_its_time_limit(exhibit: Path, demo: Demo, tmp_path: Path) -> None:
    case = tmp_path / "case"
    finished, examination = run(order(exhibit, case, demo, stop=Stop(seconds=0.0)))
    assert (finished.by, examination.finished) == (EndedBy.TIME_LIMIT, False)
    told = summary(case)
    assert (told["state"], told["ended_by"], told["examined"]) == ("stopped", "time-limit", 0)
    assert "(the time limit was reached)" in reasons(told)["stopped-early"]
    assert told["recommendation"]["verdict"] == "not-determined"


def test_stopped_again_and_again_it_ends_with_the_items_and_findings_of_one_run(
    exhibit: Path, demo: Demo, whole: Path, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    runs = 0
    for limit in (0, 1, 1, None):
        stop = Stop(seconds=0.0) if limit == 0 else Stop(findings=limit)
        _, examination = run(order(exhibit, case, demo, stop=stop))
        assert examination.resumed is (runs > 0)
        runs += 1
        if examination.finished:
            break
    assert examination.ended_by is EndedBy.END
    assert runs >= 3
    assert kept(case) == kept(whole)
    told, uninterrupted = summary(case), summary(whole)
    for key in ("state", "ended_by", "coverage", "recommendation", "items", "examined", "findings"):
        assert told[key] == uninterrupted[key]


def test_enough_that_is_never_found_changes_nothing(exhibit: Path, demo: Demo, whole: Path, tmp_path: Path) -> None:
    finished, _ = run(order(exhibit, tmp_path / "case", demo, stop=Stop(findings=KNOWN + 1, seconds=3600.0)))
    assert finished.by is EndedBy.END
    assert kept(tmp_path / "case") == kept(whole)


def test_a_limit_that_is_reached_when_nothing_is_left_ends_no_run_early(demo: Demo, tmp_path: Path) -> None:
    finished, examination = run(order(demo.known, tmp_path / "case", demo, stop=Stop(findings=1)))
    assert (finished.by, finished.findings) == (EndedBy.END, len(list(demo.known.iterdir())))
    assert examination.finished
    assert summary(tmp_path / "case")["state"] == "finished"


def test_the_command_line_ends_with_5_when_enough_is_found_and_goes_on_when_repeated(
    triage: Triage, exhibit: Path, demo: Demo, whole: Path, tmp_path: Path
) -> None:
    case = tmp_path / "case"
    words = ["examine", exhibit, "--case", case, "--exhibit", "A/1", "--library", demo.library, "--jobs", 1, "--json"]
    stopped = triage(*words, "--enough", 1)
    assert stopped.code == 5
    assert stopped.err.splitlines()[-1] == ("triage: stopped because enough is found; repeat the command to go on")
    assert (stopped.json["state"], stopped.json["ended_by"]) == ("stopped", "enough-found")
    resumed = triage(*words)
    assert resumed.code == 0, resumed.err
    assert resumed.json["ended_by"] == "end"
    assert kept(case) == kept(whole)


def test_the_command_line_ends_with_5_when_the_time_is_over_and_still_writes_its_trace(
    triage: Triage, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(40):
        with (source / f"{number}.bin").open("wb") as file:
            file.truncate(64 << 20)
            file.seek(number)
            file.write(b"%d" % number)
    words = ["--case", tmp_path / "case", "--exhibit", "A/1", "--library", tmp_path / "library", "--json"]
    trace = tmp_path / "trace.json"
    stopped = triage("examine", source, *words, "--jobs", 1, "--time-limit", "1s", "--profile-run", trace)
    assert stopped.code == 5
    assert "stopped because the time limit is reached" in stopped.err
    told = stopped.json
    assert (told["state"], told["ended_by"]) == ("stopped", "time-limit")
    assert told["examined"] < 40
    assert "(the time limit was reached)" in reasons(told)["stopped-early"]
    assert 1 <= told["seconds"] < 20
    assert "walk" in {event["name"] for event in json.loads(trace.read_text())["traceEvents"]}
