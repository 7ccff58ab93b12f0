"""What category codes mean: told by files, by region, never guessed."""

import json
from pathlib import Path

import pytest

from triage.hashsets.categories import FOLDER, CategoryMaps
from triage.hashsets.compile import Destination, ImportSummary
from triage.hashsets.hashset import HashSet
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.library import Library
from triage.hashsets.record import Label
from triage.model.errors import SourceError, StoreError, UsageError
from triage.model.finding import SetKind

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"

FORCE = """
title = "force"
regions = ["UK"]
[categories.0]
name = "not relevant"
notable = false
[categories.A]
name = "first"
notable = true
[categories.B]
name = "second"
"""


def vics(path: Path, codes: list[object], region: str) -> Path:
    media = [{"MD5": f"{number + 1:032x}", "Category": code} for number, code in enumerate(codes)]
    path.write_text(json.dumps({"@odata.context": V2.format(region), "value": media}))
    return path


def imported(library: Library, path: Path, *, kind: SetKind | None = None, named: Path | None = None) -> ImportSummary:
    order = ImportOrder(name="set", version="1", date="2026-01-02", kind=kind, categories=named)
    return import_set([path], order, Destination(library=library))


def own(library: Library, text: str, name: str = "force.toml") -> Path:
    folder = library.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_our_own_map_tells_project_vic(library: Library) -> None:
    maps = CategoryMaps.load(library.folder)
    meaning = maps.of_region("Default")
    assert meaning is not None
    assert maps.of_region("us") is maps.of_region("DEFAULT") is meaning is maps.of_name("project-vic")
    assert meaning.not_notable == {"0"}
    assert meaning.not_known == {"1", "2", "3"}
    assert [*meaning.names] == [*"012345"]
    for unknown in (None, "", "UK", "CUSTOM", "de fault"):
        assert maps.of_region(unknown) is None
    assert maps.of_name("none") is None


def test_a_force_brings_the_meaning_of_its_own_region(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "set.json", ["0", "A", "B", "0", None], "UK")
    raw = imported(Library(tmp_path / "other"), path)
    assert (raw.header.meta.category_map, raw.header.counts["records"]) == ("none", 5)
    own(library, FORCE)
    made = imported(library, path)
    assert (made.header.meta.region, made.header.meta.category_map) == ("UK", "force")
    (reason,) = made.reports[0].skipped.items()
    assert reason[0] == "category 0 (not relevant) is not notable"
    assert (reason[1].count, reason[1].places) == (2, [1, 4])
    held = {label for label, count in HashSet.open(made.path).labels.counts() if count}
    assert held == {Label("A"), Label("B"), Label()}


def test_a_set_does_not_depend_on_rows_that_were_left_out(library: Library, tmp_path: Path) -> None:
    own(library, FORCE)
    media = [{"MD5": f"{number:032x}", "Category": code} for number, code in ((1, "A"), (2, "B"), (3, "0"))]
    contents = []
    for name, some in (("with", media), ("without", media[:2])):
        path = tmp_path / name
        path.write_text(json.dumps({"@odata.context": V2.format("UK"), "value": some}))
        order = ImportOrder(name=name, version="1", date="2026-01-02")
        contents.append(import_set([path], order, Destination(library=library)).header.content)
    assert contents[0] == contents[1]


def test_a_known_set_keeps_what_is_never_notable(library: Library, tmp_path: Path) -> None:
    own(library, FORCE)
    made = imported(library, vics(tmp_path / "a", ["0", "A", "B", "A"], "uk"), kind=SetKind.KNOWN)
    assert made.header.counts["records"] == 2
    assert {reason: tally.places for reason, tally in made.reports[0].skipped.items()} == {
        "category A (first) is notable, so never merely known": [2, 4]
    }


def test_the_library_comes_before_ours_and_a_named_file_before_all(library: Library, tmp_path: Path) -> None:
    theirs = FORCE.replace('"force"', '"theirs"').replace('["UK"]', '["default"]')
    own(library, theirs)
    maps = CategoryMaps.load(library.folder)
    titles = [getattr(maps.of_region(region), "name", None) for region in ("Default", "US")]
    assert titles == ["theirs", "project-vic"]
    named = tmp_path / "named.toml"
    named.write_text(theirs.replace('"theirs"', '"named"'))
    maps = CategoryMaps.load(library.folder, named=named)
    assert getattr(maps.named, "name", None) == "named"
    made = imported(library, vics(tmp_path / "a", ["0", "A"], "Default"), named=named)
    assert made.header.meta.category_map == "named"


def test_the_later_file_name_of_a_library_comes_first(library: Library) -> None:
    own(library, FORCE.replace('"force"', '"early"'), "a.toml")
    own(library, FORCE.replace('"force"', '"late"'), "b.toml")
    (library.folder / FOLDER / "notes.txt").write_text("no map")
    assert getattr(CategoryMaps.load(library.folder).of_region("UK"), "name", None) == "late"


def test_codes_may_be_written_as_numbers_or_texts(library: Library, tmp_path: Path) -> None:
    own(library, FORCE)
    made = imported(library, vics(tmp_path / "a", [0, "0", " 0 ", "A"], "UK"))
    assert made.header.counts["records"] == 1


def test_nothing_but_what_is_not_notable_is_no_set(library: Library, tmp_path: Path) -> None:
    own(library, FORCE)
    with pytest.raises(SourceError, match=r"no usable row, of 2 read \(category 0 \(not relevant\) is not notable\)"):
        imported(library, vics(tmp_path / "a", ["0", "0"], "UK"))
    assert library.sets() == ()


BAD = {
    "not TOML": "title = ",
    "no title": FORCE.replace('title = "force"', ""),
    "empty title": FORCE.replace('"force"', '" "'),
    "title is a number": FORCE.replace('"force"', "5"),
    "no regions": FORCE.replace('regions = ["UK"]', ""),
    "regions is a text": FORCE.replace('["UK"]', '"UK"'),
    "no region in regions": FORCE.replace('["UK"]', "[]"),
    "a region is a number": FORCE.replace('["UK"]', "[1]"),
    "no categories": FORCE.partition("[categories.0]")[0],
    "categories is a list": FORCE.partition("[categories.0]")[0] + "categories = [1]",
    "a category is a text": FORCE.partition("[categories.0]")[0] + '[categories]\n0 = "x"',
    "a category has no name": FORCE.replace('name = "first"', ""),
    "notable is a text": FORCE.replace("notable = true", 'notable = "yes"'),
    "not UTF-8": "title = '\udcff'",
    "deep": "x = " + "[" * 100_000,
    "longer than any map": FORCE + "# " + "x" * (1 << 20) + "\n[categories.C]\nname = 5\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_map_is_one_line_and_nothing_is_imported(library: Library, tmp_path: Path, text: str) -> None:
    named = tmp_path / "named.toml"
    named.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"named\.toml: no map of categories") as caught:
        imported(library, vics(tmp_path / "a", ["A"], "UK"), named=named)
    assert "\n" not in str(caught.value)
    assert library.sets() == ()


def test_a_map_that_cannot_be_read_is_one_line(library: Library, tmp_path: Path) -> None:
    for named in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            CategoryMaps.load(library.folder, named=named)
    (library.folder / FOLDER / "folder.toml").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"folder\.toml: cannot be read"):
        CategoryMaps.load(library.folder)
