"""The library as a person uses it: what it holds, how old that is, what is at odds, what is missing."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from images import pictures

from triage.hashsets.compile import compile_records
from triage.hashsets.record import Label, Record
from triage.hashsets.sealed import SetMeta
from triage.hashsets.selfcheck import check_members
from triage.model.errors import StoreError, UsageError
from triage.model.finding import SetKind
from triage.session import library, making
from triage.session.examination import Examination, Order, open_case

NOTABLE, KNOWN = SetKind.NOTABLE, SetKind.KNOWN


def put(place: Path, name: str, *records: Record, **said: object) -> SetMeta:
    meta = SetMeta(**{"name": name, "version": "1", "kind": NOTABLE, "date": days_ago(1), **said})  # type: ignore[arg-type] # by name
    compile_records(records, meta, making.destination(place))
    return meta


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def member(number: int, **said: object) -> Record:
    return Record(md5=bytes([number]) * 16, **said)  # type: ignore[arg-type] # by name


def test_a_library_without_a_notable_set_is_warned_of(tmp_path: Path) -> None:
    (text,) = library.warnings(tmp_path / "none")
    assert text.startswith(f"no notable hash set in {tmp_path / 'none'}: nothing can match")
    put(tmp_path, "software", member(1), kind=KNOWN, date=days_ago(1000))
    (text,) = library.warnings(tmp_path)
    assert "no notable hash set" in text
    put(tmp_path, "bad", member(2))
    assert library.warnings(tmp_path) == ()


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"date": days_ago(library.OLD_DAYS + 2)}, library.OLD_DAYS + 2),
        ({"date": days_ago(1), "published": days_ago(400)[:10]}, 400),
        ({"date": days_ago(400), "published": days_ago(10)[:10]}, None),
        ({"date": days_ago(library.OLD_DAYS)}, None),
    ],
)
def test_an_old_set_is_warned_of_by_the_day_it_was_published(
    tmp_path: Path, said: dict[str, object], days: int | None
) -> None:
    put(tmp_path, "set", member(1), **said)
    told = library.warnings(tmp_path)
    assert [f" {days} days old" in text and "update it" in text for text in told] == ([True] if days else [])


@pytest.mark.parametrize("date", ["in spring", "", days_ago(-5)], ids=["words", "empty", "days ahead"])
def test_a_day_that_cannot_be_is_warned_of(tmp_path: Path, date: str) -> None:
    put(tmp_path, "set", member(1), date=date)
    (text,) = library.warnings(tmp_path)
    assert "which cannot be: check its age" in text


def test_a_named_library_that_is_not_there_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert library.missing(tmp_path) is None
    assert library.missing(tmp_path / "none") == tmp_path / "none"
    monkeypatch.setenv("DIGIVAN_HOME", str(tmp_path))
    assert library.missing(None) == tmp_path / "hashsets"
    monkeypatch.delenv("DIGIVAN_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert library.missing(None) is None, "nobody named it, so nobody need be told"


def test_a_set_is_described_with_labels_names_and_conflicts(tmp_path: Path) -> None:
    put(tmp_path, "bad", member(1, category="1"), member(2, category="1", series="s"), category_map="project-vic")
    put(tmp_path, "software", member(2), member(3), kind=KNOWN, date=days_ago(30))
    told = library.describe("bad", tmp_path)
    assert told.age_days == 1
    assert told.labels == (
        (Label("1"), "child abuse material", 1),
        (Label("1", series="s"), "child abuse material", 1),
    )
    (conflict,) = told.conflicts
    assert (conflict.notable, conflict.known, conflict.count) == ("bad", "software", 1)
    assert library.describe("software", tmp_path).conflicts == told.conflicts
    assert library.describe("software", tmp_path).age_days == 30
    with pytest.raises(UsageError, match="no such hash set"):
        library.describe("other", tmp_path)


def test_a_good_set_is_described_beside_a_damaged_one(tmp_path: Path) -> None:
    put(tmp_path, "good", member(1))
    (tmp_path / "broken.hashset").write_bytes(b"not a set")
    assert library.describe("good", tmp_path).conflicts == ()
    with pytest.raises(StoreError, match="refused"):
        library.describe("broken", tmp_path)


def test_a_large_library_is_listed_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "set", member(1))
    assert [entry.verified for entry in library.listing(tmp_path)] == [True]
    monkeypatch.setattr(library, "_VERIFIED_BELOW", 10)
    assert [entry.verified for entry in library.listing(tmp_path)] == [False]


def test_every_set_is_verified_and_what_is_refused_is_told(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c"), start=1):
        put(tmp_path, name, member(number))
    path = tmp_path / "b.hashset"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert [entry.problem is None for entry in library.verify((), tmp_path)] == [True, False, True]
    assert [entry.path.stem for entry in library.verify(("c", "a"), tmp_path)] == ["c", "a"]
    with pytest.raises(UsageError, match="no such hash set"):
        list(library.verify(("a", "other"), tmp_path))


def test_a_set_that_misses_a_member_does_not_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "set", member(1))

    def missed(opened: object) -> None:
        check_members(opened)  # type: ignore[arg-type] # a set
        raise StoreError("the set misses a member")

    monkeypatch.setattr(library, "check_members", missed)
    (entry,) = library.verify((), tmp_path)
    assert entry.problem == "the set misses a member"


def test_a_set_is_removed_for_good(tmp_path: Path) -> None:
    put(tmp_path, "set", member(1))
    library.remove("set", tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="no such hash set"):
        library.remove("set", tmp_path)


def reasons(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[str | None, int]]:
    """Examine files with the library in the folder, and return the reason and the number of findings of each."""
    source = folder / "source"
    source.mkdir()
    for name, data in files.items():
        (source / name).write_bytes(data)
    order = Order(source=source, case=folder / "case", exhibit="A/1", library=folder / "library")
    with Examination(order) as examination:
        list(examination.events())
    with open_case(folder / "case") as case:
        found = [row["path"] for row in case.queries.findings()]
        return {str(row["path"]): (row["reason"], found.count(row["path"])) for row in case.queries.items()}


def md5_of(files: Sequence[bytes]) -> list[Record]:
    return [Record(md5=hashlib.md5(data).digest()) for data in files]


def test_examine_tells_what_is_both_notable_and_known(tmp_path: Path) -> None:
    files = {"both.txt": b"both", "known.txt": b"known", "notable.txt": b"notable", "neither.txt": b"neither"}
    place = tmp_path / "library"
    put(place, "bad", *md5_of([files["both.txt"], files["notable.txt"]]))
    put(place, "software", *md5_of([files["both.txt"], files["known.txt"]]), kind=KNOWN)
    put(place, "more", *md5_of([files["both.txt"]]), kind=KNOWN)
    assert reasons(tmp_path, files) == {
        "both.txt": ("conflict: notable, yet known software in more, software", 1),
        "known.txt": ("known software: software", 0),
        "notable.txt": (None, 1),
        "neither.txt": (None, 0),
    }


def test_a_conflict_is_told_of_a_picture_that_is_not_compared(tmp_path: Path) -> None:
    tiny = pictures.png(pictures.scene(1, (8, 8)))
    put(tmp_path / "library", "bad", *md5_of([tiny]))
    put(tmp_path / "library", "software", *md5_of([tiny]), kind=KNOWN)
    (told,) = reasons(tmp_path, {"icon.png": tiny}).values()
    assert told[1] == 1
    assert "conflict: notable, yet known software in software" in str(told[0])
