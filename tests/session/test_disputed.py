"""Digests of which a set holds the weak one with another strong one: told with the item, and no finding."""

import hashlib
from pathlib import Path

import pytest
from images import pictures
from PIL import Image

from triage.hashsets.compile import compile_records
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.finding import SetKind
from triage.session import making
from triage.session.examination import Examination, Order, open_case

DISPUTED = "a weak digest is in {} with another strong one: not the same content, or a wrong record of its publisher"


def examined(folder: Path, data: bytes, **sets: Record) -> tuple[str | None, int]:
    """Return the reason of the one file that is examined, and how many findings there are."""
    for name, record in sets.items():
        kind = SetKind.KNOWN if name.startswith("known") else SetKind.NOTABLE
        meta = SetMeta(name=name, version="1", kind=kind, date="2026-03-14")
        compile_records([record], meta, making.destination(folder / "library"))
    (folder / "source").mkdir()
    (folder / "source" / "file").write_bytes(data)
    order = Order(source=folder / "source", case=folder / "case", exhibit="A/1", library=folder / "library", jobs=1)
    with Examination(order) as examination:
        list(examination.events())
    with open_case(folder / "case") as case:
        (row,) = [row for row in case.queries.items() if row["path"] == "file"]
        assert row["outcome"] == "examined"
        return row["reason"], len(list(case.queries.findings()))


def wrong(data: bytes) -> Record:
    return Record(md5=hashlib.md5(data).digest(), sha1=bytes(range(20)))


def right(data: bytes) -> Record:
    return Record(md5=hashlib.md5(data).digest(), sha1=hashlib.sha1(data).digest())


@pytest.mark.parametrize("name", ["national", "known"])
def test_a_weak_digest_alone_is_told_and_no_finding(tmp_path: Path, name: str) -> None:
    assert examined(tmp_path, b"words", **{name: wrong(b"words")}) == (DISPUTED.format(name), 0)


def test_another_set_may_hold_the_content_all_the_same(tmp_path: Path) -> None:
    found = examined(tmp_path, b"words", one=wrong(b"words"), other=right(b"words"))
    assert found == (DISPUTED.format("one"), 1)


def test_every_reason_is_told(tmp_path: Path) -> None:
    flat = pictures.png(Image.new("RGB", (320, 240), (10, 20, 30)))
    reason, findings = examined(tmp_path, flat, known=right(flat), national=right(flat), other=wrong(flat))
    assert reason == "; ".join(
        ("flat: one colour throughout", "conflict: notable, yet known software in known", DISPUTED.format("other"))
    )
    assert findings == 1
