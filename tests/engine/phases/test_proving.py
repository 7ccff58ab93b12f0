"""The self-test of a run: made every time, recorded in the case, and part of the recommendation."""

from pathlib import Path

import pytest
from engine.phases import hostile
from engine.phases.exhibit import Exhibit

from triage.engine.plan import Profile, Stop
from triage.engine.workers import pool
from triage.model.event import Event, Noted
from triage.store.case import Case


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.source.mkdir()
    for number in range(3):
        (exhibit.source / f"{number}.txt").write_text(str(number))
    return exhibit


def told(events: list[Event]) -> list[object]:
    return [event.facts["passed"] for event in events if isinstance(event, Noted) and event.name == "self-test"]


@pytest.mark.parametrize("profile", Profile)
def test_every_run_makes_it_once_and_records_it(exhibit: Exhibit, profile: Profile) -> None:
    assert told(exhibit.run(profile=profile)) == [True]
    ((passed, text),) = exhibit.rows("SELECT self_test, self_test_text FROM exhibit")
    assert (passed, text.startswith("self-test passed")) == (1, True)
    assert "self-test-failed" not in exhibit.reasons()


def test_a_run_that_is_taken_up_again_makes_it_again(exhibit: Exhibit) -> None:
    assert exhibit.run(stop=Stop(seconds=0.0))
    assert told(exhibit.run()) == [True]


def test_one_that_fails_keeps_the_result_from_being_determined(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make("answers"))
    assert told(exhibit.run()) == [False]
    ((passed, text),) = exhibit.rows("SELECT self_test, self_test_text FROM exhibit")
    assert (passed, "the digest of known bytes was another" in text) == (0, True)
    assert "self-test-failed" in exhibit.reasons()
    assert exhibit.summary()["recommendation"]["verdict"] == "not-determined"


def test_one_that_its_worker_does_not_survive_has_failed(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make("test"))
    assert told(exhibit.run()) == [False]
    assert "self-test-failed" in exhibit.reasons()
    assert exhibit.rows("SELECT DISTINCT outcome FROM item WHERE kind = 'file'") == [("examined",)]


def test_an_exhibit_that_was_never_run_has_none(exhibit: Exhibit) -> None:
    exhibit.run(stop=Stop(seconds=0.0))
    with Case.open_or_create(exhibit.folder / "case", when="2026", actor="examiner") as case:
        record = case.exhibits.get("A/1")
    assert record is not None
    assert (record.self_test, record.self_test_text) == (None, None)
