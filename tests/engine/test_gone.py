"""A source that is taken away while it is examined: nothing is recorded as unreadable, and the run goes on later."""

import os
from pathlib import Path
from typing import Any

import pytest
from images.fat import fat16
from images.tree import File

from triage.model.errors import SourceGoneError
from triage.model.event import Noted
from triage.session.examination import Examination, Order, open_case

SIZE = 16 << 20
FILES = [File(path=f"DCIM/{number:03}.bin", data=bytes([number]) * (60 << 10)) for number in range(100)]


def result(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any], tuple[object, ...]]:
    with open_case(folder / "case") as reader:
        summary = reader.queries.summary("A/1")
        return list(reader.queries.items()), summary["coverage"], reader.obstacles.unreadable("A/1")


def cut_when_listed(wish: Order) -> None:
    """Examine a source that loses most of its bytes before the first content is read."""
    is_held = False
    with Examination(wish, hold=lambda: is_held) as examination:
        for event in examination.events():
            if isinstance(event, Noted) and event.name == "walk-began":
                is_held = True
            elif isinstance(event, Noted) and event.name == "walk-ended":
                os.truncate(wish.source, 1 << 20)
                is_held = False


def test_what_could_not_be_read_since_is_read_when_it_is_back(tmp_path: Path) -> None:
    whole = fat16(FILES, SIZE)
    alone, pulled = tmp_path / "alone", tmp_path / "pulled"
    for folder in (alone, pulled):
        folder.mkdir()
        (folder / "stick.img").write_bytes(whole)
    with Examination(Order(source=alone / "stick.img", case=alone / "case", exhibit="A/1")) as examination:
        list(examination.events())
    wish = Order(source=pulled / "stick.img", case=pulled / "case", exhibit="A/1", jobs=2)
    with pytest.raises(SourceGoneError, match="is gone"):
        cut_when_listed(wish)
    assert result(pulled)[2] == ()
    wish.source.write_bytes(whole)
    with Examination(wish) as examination:
        list(examination.events())
        assert examination.finished
    assert result(pulled) == result(alone)
