"""What is examined first, seen in runs of one worker over small exhibits."""

import hashlib
import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images import pictures
from images.ntfs import ntfs
from images.tree import File
from synthetic.photographs import photograph, with_thumbnail

from triage.engine.plan import Profile, Stop
from triage.hashsets.importing import ImportOrder
from triage.hashsets.sealed import SetMeta
from triage.model.event import EndedBy, Event, Found, Noted
from triage.model.finding import SetKind
from triage.session import making
from triage.session.examination import Examination, Order

ONE_BATCH = 5 << 20
"""More than the first batch of a run takes besides its first item, and half of what the second may."""

FIRST_HIT = Stop(findings=1)


@dataclass(frozen=True)
class Ground:
    """A folder in which one exhibit, its case and its library lie."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "source"

    def put(self, path: str, data: bytes, *, size: int | None = None) -> bytes:
        """Write one file of the exhibit, zeros after its data up to a size; return what it holds."""
        whole = data.ljust(size or 0, b"\0")
        (self.source / path).parent.mkdir(parents=True, exist_ok=True)
        (self.source / path).write_bytes(whole)
        return whole

    def know(self, *contents: bytes) -> None:
        """Make a set of digests."""
        named = self.folder / "list.md5"
        named.write_text("".join(hashlib.md5(content).hexdigest() + "\n" for content in contents))
        wish = ImportOrder(name="digests", version="1", date="2026-03-14", kind=SetKind.NOTABLE, form="text")
        place = making.destination(self.folder / "library")
        making.import_published([named], wish, place, progress=lambda *_: None)

    def know_by_appearance(self, *contents: bytes) -> None:
        """Make a set of pictures."""
        known = self.folder / "known"
        known.mkdir()
        for number, content in enumerate(contents):
            (known / str(number)).write_bytes(content)
        meta = SetMeta(name="pictures", version="1", kind=SetKind.NOTABLE, date="2026-03-14")
        making.build(known, meta, making.destination(self.folder / "library"), progress=lambda *_: None)

    def run(self, case: str = "case", **changes: Any) -> list[Event]:
        """Examine with one worker; return what happened."""
        wish = {"source": self.source, "case": self.folder / case, "library": self.folder / "library", **changes}
        with Examination(Order(exhibit="A/1", jobs=1, **wish)) as examination:
            return list(examination.events())

    def rows(self, columns: str, case: str = "case") -> Iterator[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.folder / case}/case.sqlite?mode=ro", uri=True) as database:
            yield from database.execute(f"SELECT {columns} FROM item WHERE kind = 'file' ORDER BY sequence")
        database.close()

    def reached(self) -> set[str]:
        return {path for path, outcome in self.rows("path, outcome") if outcome != "not-reached"}


def found(events: list[Event]) -> list[str]:
    return [event.item.path for event in events if isinstance(event, Found)]


def test_pictures_of_people_come_before_those_of_the_system_wherever_they_lie(tmp_path: Path) -> None:
    """The system's lie first on the disk, and the folder of people alone is more than one batch."""
    ground = Ground(tmp_path)
    known = pictures.jpeg(pictures.scene(1)).ljust(700 << 10, b"\0")
    system = [File(path=f"Windows/Web/Wallpaper/{number}.jpg", data=known) for number in range(4)]
    people = [File(path=f"Users/ann/Pictures/{number}.jpg", data=known) for number in range(7)]
    ground.source.write_bytes(ntfs([*system, *people], 12 << 20))
    ground.know(known)
    ground.run(stop=FIRST_HIT)
    reached = ground.reached()
    assert reached
    assert reached < {file.path for file in people}
    events = ground.run()
    everything = {path for path, _ in ground.rows("path, outcome")}
    assert ground.reached() == everything
    assert {*found(events), *reached} == {file.path for file in [*system, *people]}


def test_the_siblings_of_a_hit_move_up(tmp_path: Path) -> None:
    """A video is the first of its tier; what lies beside it then comes before the folder that would be next."""
    ground = Ground(tmp_path)
    names = ["a/1.bin", "a/2.bin", "z/1.bin", "z/2.bin", "z/hit.mp4"]
    contents = {name: ground.put(name, name.encode(), size=ONE_BATCH) for name in names}
    ground.know(contents["a/1.bin"], contents["z/1.bin"], contents["z/hit.mp4"])
    order = found(ground.run())
    assert order[:2] == ["z/hit.mp4", "z/1.bin"]
    assert sorted(order) == ["a/1.bin", "z/1.bin", "z/hit.mp4"]


def test_without_a_hit_nothing_moves_up(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    names = ["a/1.bin", "a/2.bin", "z/1.bin", "z/2.bin", "z/first.mp4"]
    contents = {name: ground.put(name, name.encode(), size=ONE_BATCH) for name in names}
    ground.know(contents["a/1.bin"], contents["z/1.bin"])
    assert found(ground.run()) == ["a/1.bin", "z/1.bin"]


def test_a_first_look_moves_a_picture_that_looks_known_to_the_front(tmp_path: Path) -> None:
    """It is no copy: what is known of it is its appearance, which its thumbnail shows."""
    ground = Ground(tmp_path)
    scene = photograph(7, (1200, 800))
    first = ground.put("Pictures/first.png", pictures.png(pictures.scene(1)), size=ONE_BATCH)
    ground.put("Windows/Web/old.jpg", with_thumbnail(scene), size=100 << 10)
    ground.know(first)
    plain = io.BytesIO()
    scene.save(plain, "JPEG", quality=70)
    ground.know_by_appearance(plain.getvalue())
    events = ground.run()
    assert found(events) == ["Windows/Web/old.jpg", "Pictures/first.png"]
    (told,) = (event.facts for event in events if isinstance(event, Noted) and event.name == "first-look-ended")
    assert (told["items"], told["pictures"], told["near"]) == (1, 1, 1)


def test_without_a_first_look_the_same_picture_waits_for_its_turn(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    first = ground.put("Pictures/first.png", pictures.png(pictures.scene(1)), size=ONE_BATCH)
    second = ground.put("Windows/Web/old.jpg", with_thumbnail(photograph(7, (1200, 800))), size=100 << 10)
    ground.know(first, second)
    events = ground.run(profile=Profile.EXACT)
    assert found(events) == ["Pictures/first.png", "Windows/Web/old.jpg"]
    assert not [event for event in events if isinstance(event, Noted) and event.name == "first-look-ended"]


def test_drawn_pictures_come_before_all_others_of_their_tier(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    for number in range(160):
        content = ground.put(f"Pictures/{number:03}.png", b"a picture by its name", size=64 << 10)
    ground.know(content)
    events = ground.run(stop=FIRST_HIT)
    assert getattr(events[-1], "by", None) is EndedBy.ENOUGH_FOUND
    reached = [(draw, outcome != "not-reached") for draw, outcome in ground.rows("draw, outcome")]
    drawn = [done for draw, done in reached if draw in {0, 1}]
    others = [done for draw, done in reached if draw == 2]
    assert drawn
    assert all(drawn)
    assert any(others)
    assert not all(others)


def test_drawn_are_the_same_pictures_in_every_examination_of_a_source(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    for number in range(60):
        ground.put(f"Pictures/{number:03}.png", b"%d" % number)
    for case in ("one", "two"):
        ground.run(case, profile=Profile.EXACT)
    draws = [list(ground.rows("path, draw", case)) for case in ("one", "two")]
    assert draws[0] == draws[1]
    assert {draw for _, draw in draws[0]} > {2}
