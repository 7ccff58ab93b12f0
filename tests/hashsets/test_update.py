"""A newer version in the place of a set: whole or in what changed, and never half."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.hashsets import hashset
from triage.hashsets.compile import Destination, ImportSummary, compile_records
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.library import Library
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.hashsets.updating import update_set
from triage.model.digest import Digests
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.finding import SetKind

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"


def md5(number: int) -> str:
    return hashlib.md5(b"invented %d" % number).hexdigest()


def sha1(number: int) -> str:
    return hashlib.sha1(b"invented %d" % number).hexdigest()


def vics(path: Path, codes: dict[int, object], *, region: str = "Default", also_sha1: bool = False) -> Path:
    media = [
        {"MD5": md5(number), "Category": code} | ({"SHA1": sha1(number)} if also_sha1 else {})
        for number, code in codes.items()
    ]
    path.write_text(json.dumps({"@odata.context": V2.format(region), "value": media}))
    return path


def order(version: str, **more: object) -> ImportOrder:
    return ImportOrder(name="set", version=version, date=f"2026-01-0{version}", **more)  # type: ignore[arg-type] # by name


def updated(library: Library, path: Path, version: str = "2", *, delta: bool = True) -> ImportSummary:
    return update_set([path], order(version), Destination(library=library), delta=delta)


@pytest.fixture
def old(library: Library, tmp_path: Path) -> ImportSummary:
    """Make version 1: six members, category 1 or 2, each with MD5 and SHA-1."""
    path = vics(tmp_path / "old.json", {number: number % 2 + 1 for number in range(6)}, also_sha1=True)
    return import_set([path], order("1"), Destination(library=library))


def categories(library: Library, numbers: range) -> list[set[str | None]]:
    opened = library.open("set", verify=True)
    return [{match.category for match in opened.match(Digests(md5=md5(number)))} for number in numbers]


@pytest.mark.usefixtures("old")
def test_a_whole_update_takes_the_place_of_everything(library: Library, tmp_path: Path) -> None:
    made = updated(library, vics(tmp_path / "new.json", {5: 3, 6: 1}), delta=False)
    assert (made.replaced and made.replaced.meta.version, made.header.meta.version) == ("1", "2")
    assert categories(library, range(8)) == [set(), set(), set(), set(), set(), {"3"}, {"1"}, set()]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("block", [2, 1 << 18])
def test_a_delta_replaces_removes_and_adds(
    library: Library, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashset, "_BATCH", block)
    made = updated(library, vics(tmp_path / "delta.json", {0: 3, 1: 0, 2: "1", 7: 2}))
    assert categories(library, range(8)) == [{"3"}, set(), {"1"}, {"2"}, {"1"}, {"2"}, set(), {"2"}]
    assert made.header.counts["records"] == 6
    assert made.reports[0].skipped["category 0 (non-pertinent) is not notable"].places == [2]
    assert (made.header.meta.kind, made.header.meta.category_map, made.header.meta.region) == (
        SetKind.NOTABLE,
        "project-vic",
        "Default",
    )


@pytest.mark.usefixtures("old")
def test_a_delta_of_deltas_is_the_same_as_all_at_once(library: Library, tmp_path: Path) -> None:
    updated(library, vics(tmp_path / "a.json", {0: 3, 6: 1}, also_sha1=True))
    twice = updated(library, vics(tmp_path / "b.json", {1: 0, 6: 2}, also_sha1=True), "3")
    beside = Library(tmp_path / "beside")
    codes = {number: number % 2 + 1 for number in range(6)} | {0: 3, 6: 2}
    del codes[1]
    once = import_set(
        [vics(tmp_path / "all.json", codes, also_sha1=True)], order("3"), Destination(library=beside)  # type: ignore[arg-type] # object
    )  # fmt: skip
    assert twice.header.counts == once.header.counts
    assert twice.header.content == once.header.content


@pytest.mark.usefixtures("old")
def test_a_delta_may_only_take_away(library: Library, tmp_path: Path) -> None:
    updated(library, vics(tmp_path / "delta.json", {1: 0, 3: 0}))
    assert categories(library, range(6)) == [{"1"}, set(), {"1"}, set(), {"1"}, {"2"}]


def test_a_set_of_which_nothing_is_left_is_refused(library: Library, tmp_path: Path, old: ImportSummary) -> None:
    with pytest.raises(SourceError):
        updated(library, vics(tmp_path / "delta.json", dict.fromkeys(range(6), 0)))
    assert library.open("set").identity == old.header.identity


@pytest.mark.usefixtures("old")
def test_a_member_goes_by_whichever_hash_the_delta_names(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "delta.json"
    media = [{"SHA1": sha1(1), "Category": 0}, {"SHA1": sha1(2), "Category": 3}]
    path.write_text(json.dumps({"@odata.context": V2.format("Default"), "value": media}))
    updated(library, path)
    opened = library.open("set")
    assert opened.match(Digests(sha1=sha1(1))) == (), "what its publisher withdrew must not be found"
    assert {match.category for match in opened.match(Digests(md5=md5(2), sha1=sha1(2)))} == {"3"}


@pytest.mark.usefixtures("old")
def test_a_delta_counts_its_duplicates(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "delta.json"
    media = [{"MD5": md5(7), "Category": 1}] * 3
    path.write_text(json.dumps({"@odata.context": V2.format("Default"), "value": media}))
    assert updated(library, path).duplicates == 2


@pytest.mark.usefixtures("old")
def test_an_old_code_never_gets_the_meaning_of_another_region(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="those of the set project-vic"):
        updated(library, vics(tmp_path / "delta.json", {7: "A"}, region="UK"))
    assert library.open("set").header.meta.version == "1"


@pytest.mark.usefixtures("old")
def test_a_delta_without_categories_keeps_the_meaning(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "delta.txt"
    path.write_text(f"{md5(9)}  name\n")
    made = updated(library, path)
    assert (made.header.meta.region, made.header.meta.category_map) == ("Default", "project-vic")
    assert categories(library, range(8, 10)) == [set(), {None}]


def test_the_version_must_differ(library: Library, tmp_path: Path, old: ImportSummary) -> None:
    for delta in (False, True):
        with pytest.raises(UsageError, match=r"version 1 is in the library.*--set-version"):
            updated(library, vics(tmp_path / "new.json", {7: 1}), "1", delta=delta)
    assert library.open("set").identity == old.header.identity


def test_there_must_be_a_set(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such hash set"):
        updated(library, vics(tmp_path / "new.json", {7: 1}))
    assert library.sets() == ()


def test_the_kind_and_the_radius_stay(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(md5(1) + "\n")
    import_set([path], order("1", kind=SetKind.KNOWN, phash_radius=3), Destination(library=library))
    path.write_text(md5(2) + "\n")
    for version, delta in (("2", False), ("3", True)):
        meta = updated(library, path, version, delta=delta).header.meta
        assert (meta.kind, meta.phash_radius, meta.category_map) == (SetKind.KNOWN, 3, "absent")


def test_a_set_with_altered_copies_is_built_anew(library: Library, tmp_path: Path) -> None:
    picture, crop = bytes(range(32)), bytes(range(32, 64))
    meta = SetMeta(name="set", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    records = [Record(md5=bytes.fromhex(md5(1)), pdq=picture), Record(pdq=crop, altered=True)]
    compile_records(records, meta, Destination(library=library))
    path = tmp_path / "list"
    path.write_text(md5(2) + "\n")
    with pytest.raises(UsageError, match="was built from files: build its new version from them"):
        updated(library, path)


def test_a_delta_never_seals_damage_anew(library: Library, tmp_path: Path, old: ImportSummary) -> None:
    with old.path.open("r+b") as file:
        file.seek(-2000, 2)
        damaged = bytes(byte ^ 1 for byte in file.read(1))
        file.seek(-2000, 2)
        file.write(damaged)
    with pytest.raises(StoreError, match="its content is not what was sealed"):
        library.open("set", verify=True)
    with pytest.raises(StoreError, match="its content is not what was sealed"):
        updated(library, vics(tmp_path / "delta.json", {7: 1}))


def test_the_old_version_is_used_until_the_new_one_is_whole(
    library: Library, tmp_path: Path, old: ImportSummary
) -> None:
    steps: list[str] = []

    def look(step: str, _done: int, _whole: int) -> None:
        steps.append(step)
        assert library.open("set", verify=True).identity == old.header.identity
        assert [listing.header and listing.header.meta.version for listing in library.sets()] == ["1"]

    new = vics(tmp_path / "new.json", {7: 1})
    update_set([new], order("2"), Destination(library=library), delta=True, progress=look)
    assert {"reading", "sealing"} <= set(steps)
    assert library.open("set").identity.version == "2"


@pytest.mark.parametrize("step", ["reading", "sealing"])
@pytest.mark.parametrize("delta", [True, False])
def test_whatever_stops_an_update_the_old_version_stays(
    library: Library, tmp_path: Path, old: ImportSummary, step: str, delta: bool
) -> None:
    before = old.path.read_bytes()

    def stop(now: str, _done: int, _whole: int) -> None:
        if now == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update_set(
            [vics(tmp_path / "new.json", {7: 1})], order("2"), Destination(library=library), delta=delta, progress=stop
        )
    assert [*library.folder.iterdir()] == [old.path]
    assert old.path.read_bytes() == before


def test_a_bad_delta_changes_nothing(library: Library, tmp_path: Path, old: ImportSummary) -> None:
    (tmp_path / "bad.json").write_text('{"value": [{"MD5": "')
    with pytest.raises(SourceError, match=r"bad\.json"):
        updated(library, tmp_path / "bad.json")
    assert [*library.folder.iterdir()] == [old.path]


def test_a_set_that_is_open_stays_what_it_was(library: Library, tmp_path: Path, old: ImportSummary) -> None:
    held = HashSet.open(old.path)
    updated(library, vics(tmp_path / "new.json", {7: 1}), delta=False)
    shutil.rmtree(library.folder)
    assert held.identity.version == "1"
    assert held.match(Digests(md5=md5(3)))


@pytest.fixture(autouse=True)
def _no_workshop_is_left(library: Library) -> Iterator[None]:
    yield
    assert not [*library.folder.glob(".*")]
