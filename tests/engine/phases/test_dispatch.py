"""What holds for all phases of a run: it can be held, and no answer of a worker that lies hurts it."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine.phases import hostile
from engine.phases.exhibit import Exhibit, found, zipped
from images import pictures

from triage.engine.plan import Profile
from triage.engine.workers import pool
from triage.model.event import Event, Finished, Met, Noted, Progress
from triage.session.examination import Examination

KNOWN = pictures.png(pictures.scene(1, (64, 48)))


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    exhibit = Exhibit(tmp_path)
    exhibit.source.mkdir()
    exhibit.know(KNOWN)
    for number in range(30):
        (exhibit.source / f"{number}.zip").write_bytes(zipped({"known.png": KNOWN, "a.txt": b"%d" % number}))
    return exhibit


def done(exhibit: Exhibit) -> tuple[int, ...]:
    """Return how much a case holds."""
    parts = ("item", "item WHERE outcome <> 'not-reached'", "item WHERE opens = 2", "finding")
    return tuple(exhibit.rows(f"SELECT count(*) FROM {part}")[0][0] for part in parts)


class Switch:
    """What holds a run while it is on."""

    on = False

    def __call__(self) -> bool:
        return self.on


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_held_begins_nothing_says_how_far_it_is_and_goes_on(exhibit: Exhibit, jobs: int) -> None:
    held = Switch()
    with Examination(exhibit.order(jobs=jobs, profile=Profile.SCENE), hold=held) as examination:
        events = examination.events()
        before: list[Event] = [next(events) for _ in range(8)]
        held.on = True
        waiting = [next(events)]
        while examination._pool.busy:
            waiting.append(next(events))
        standing = done(exhibit)
        while not isinstance(waiting[-1], Progress):  # of the last reply there may be more to tell
            waiting.append(next(events))
        still = [next(events) for _ in range(3)]
        assert {type(event) for event in still} == {Progress}
        assert done(exhibit) == standing
        held.on = False
        rest = list(events)
    assert isinstance(rest[-1], Finished)
    assert len(found([*before, *waiting, *still, *rest])) == 30
    exhibit.run("whole", profile=Profile.SCENE)
    assert exhibit.kept() == exhibit.kept("whole")


def test_a_run_that_is_held_can_be_closed_and_taken_up_again(exhibit: Exhibit) -> None:
    held = Switch()
    held.on = True
    with Examination(exhibit.order(profile=Profile.SCENE), hold=held) as examination:
        events = examination.events()
        for event in events:
            if isinstance(event, Progress):
                break
        events.close()
    assert exhibit.summary()["state"] == "stopped"
    assert len(found(exhibit.run(profile=Profile.SCENE))) == 30
    assert exhibit.summary()["state"] == "finished"


@pytest.mark.parametrize("kind", ["strangers", "repeats", "leaps", "silence"])
def test_a_worker_that_lies_about_containers_costs_them_and_nothing_else(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(pool, "worker_process", hostile.make(kind))
    for path in sorted(exhibit.source.iterdir())[3:]:
        path.unlink()
    (exhibit.source / "known.png").write_bytes(KNOWN)
    events = exhibit.run(profile=Profile.SCENE)
    assert "known.png" in found(events)
    assert {event.trouble.code.value for event in events if isinstance(event, Met)} == {"crashed"}
    assert exhibit.rows("SELECT count(*) FROM item WHERE opens = 3") == [(3,)]
    assert exhibit.rows("SELECT count(*) FROM item WHERE path LIKE '%stranger%'") == [(0,)]
    assert exhibit.summary()["state"] == "finished"


def test_a_worker_that_tells_of_free_space_twice_is_not_believed_twice(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = replace(exhibit, folder=exhibit.folder / "image")
    image.folder.mkdir()
    image.know(KNOWN)
    image.source.write_bytes(bytes(1 << 20) + KNOWN + bytes(1 << 20))
    monkeypatch.setattr(pool, "worker_process", hostile.make("twice"))
    events = image.run()
    assert len([event for event in events if isinstance(event, Noted) and event.name == "worker-lost"]) >= 1
    assert set(found(events)) == {f"carved/{1 << 20}.png"}
    assert image.rows("SELECT count(*) FROM item WHERE kind = 'carved'") == [(1,)]
    assert image.summary()["state"] == "finished"
