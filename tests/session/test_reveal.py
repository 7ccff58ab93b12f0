"""A picture is shown on purpose alone: as little as asked for, from the very source, with an entry in the ledger."""

import json
import shutil
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from suite import Demo

from triage.engine.plan import Profile
from triage.model.errors import SourceError, UsageError
from triage.session.examination import Examination, Order, open_case
from triage.session.reveal import Level, reveal, reveals
from triage.session.view import CaseView
from triage.store.case import Case


@pytest.fixture(scope="module")
def exhibit(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    """Make a folder of a known picture, and the same in an archive."""
    folder = tmp_path_factory.mktemp("exhibit") / "folder"
    folder.mkdir()
    picture = min(demo.known.glob("*.jpg"))
    shutil.copy(picture, folder / "a.jpg")
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.write(picture, "inside.jpg")
    return folder


@pytest.fixture(scope="module")
def case(exhibit: Path, demo: Demo) -> Path:
    folder = exhibit.parent / "case"
    with Case.open_or_create(folder, when="2026-11-23T10:00:00.000000Z", actor="examiner"):
        pass
    order = Order(source=exhibit, case=folder, exhibit="ABC/1", library=demo.library, profile=Profile.FULL)
    with Examination(order) as examination, closing(examination.events()) as events:
        for _ in events:
            pass
    return folder


def finding(case: Path, name: str) -> int:
    found = CaseView(case).findings_page(offset=0, limit=20)
    return next(int(row["id"]) for row in found if row["path"].endswith(name))


def test_a_picture_is_small_and_grey_first_and_larger_when_asked_for(case: Path) -> None:
    number = finding(case, "a.jpg")
    blurred = reveal(case, number, examiner="A Examiner")
    assert (max(blurred.width, blurred.height), blurred.channels, blurred.level) == (64, 1, Level.BLURRED)
    assert len(blurred.pixels) == blurred.width * blurred.height
    small = reveal(case, number, examiner="A Examiner", level=Level.SMALL)
    assert (small.width, small.height) == (blurred.width, blurred.height)
    assert small.pixels != blurred.pixels
    colour = reveal(case, number, examiner="B Examiner", level=Level.COLOUR)
    assert colour.channels == 3
    assert 64 < max(colour.width, colour.height) <= 512
    assert reveals(case) == reveals(case, "ABC/1") == {"A Examiner": 2, "B Examiner": 1}
    assert reveals(case, "ABC/2") == {}
    with open_case(case) as reader:
        shown = [event for event in reader.ledger.events() if event.action == "picture.revealed"]
    assert [event.subject for event in shown] == ["ABC/1"] * 3
    facts = json.loads(shown[0].payload)
    assert (facts["finding"], facts["level"], facts["examiner"]) == (number, "blurred", "A Examiner")
    assert facts["address"] == CaseView(case).finding(number)["address"]


def test_a_picture_in_an_archive_is_shown_like_one_on_the_disk(case: Path) -> None:
    plain, inside = finding(case, "a.jpg"), finding(case, "inside.jpg")
    one = reveal(case, plain, examiner="C Examiner", level=Level.LARGER)
    other = reveal(case, inside, examiner="C Examiner", level=Level.LARGER)
    assert one.pixels == other.pixels


def test_what_cannot_be_shown_is_told_and_counts_for_nobody(case: Path, exhibit: Path, tmp_path: Path) -> None:
    number = finding(case, "a.jpg")
    with pytest.raises(UsageError, match="no finding 999"):
        reveal(case, 999, examiner="D Examiner")
    with pytest.raises(UsageError, match="the examiner's name"):
        reveal(case, number, examiner=" ")
    with pytest.raises(SourceError, match="there is no such file"):
        reveal(case, number, examiner="D Examiner", source=tmp_path / "gone")
    other = tmp_path / exhibit.name
    other.mkdir()
    (other / "a.jpg").write_bytes(b"another")
    with pytest.raises(SourceError, match="is not the source that was examined"):
        reveal(case, number, examiner="D Examiner", source=other)
    assert "D Examiner" not in reveals(case)
