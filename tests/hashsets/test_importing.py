"""What categories mean in an import: asked for where files do not tell, taken from one table, and never guessed."""

import hashlib
import json
from pathlib import Path

import pytest

from triage.hashsets.compile import Destination, ImportSummary
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.library import Library
from triage.model.digest import Digests
from triage.model.errors import SourceError, UsageError
from triage.model.finding import SetKind

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"
OWN = """title = "own"
regions = ["Own"]
[categories.7]
name = "harmless"
notable = false
[categories.8]
name = "grave"
"""


def md5(number: int) -> str:
    return hashlib.md5(b"invented %d" % number).hexdigest()


def vics(path: Path, *codes: object, region: str = "Default") -> Path:
    media = [{"MD5": md5(number), "Category": code} for number, code in enumerate(codes)]
    path.write_text(json.dumps({"@odata.context": V2.format(region), "value": media}))
    return path


def table(path: Path, *codes: object) -> Path:
    path.write_text("md5,category\n" + "".join(f"{md5(100 + number)},{code}\n" for number, code in enumerate(codes)))
    return path


def imported(library: Library, *files: Path, **said: object) -> ImportSummary:
    order = ImportOrder(name="set", version="1", date="2026-01-02", **said)  # type: ignore[arg-type] # by name
    return import_set(files, order, Destination(library=library))


def refused(library: Library, match: str, *files: Path, **said: object) -> None:
    with pytest.raises(UsageError, match=match):
        imported(library, *files, **said)
    assert not library.folder.exists() or not [*library.folder.iterdir()]


def test_a_table_with_categories_needs_its_kind_for_nobody_says_what_they_mean(
    library: Library, tmp_path: Path
) -> None:
    refused(library, "--kind notable or --kind known", table(tmp_path / "a.csv", 1, 2))
    assert imported(library, table(tmp_path / "a.csv", 1, 2), kind=SetKind.KNOWN).header.meta.category_map == "none"


def test_a_list_beside_a_file_with_categories_needs_its_kind(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "list.md5"
    path.write_text(f"{md5(9)}  name\n")
    for files in ([vics(tmp_path / "a.json", 1, 2), path], [path, vics(tmp_path / "a.json", 1, 2)]):
        refused(library, "--kind notable or --kind known", *files)


@pytest.mark.parametrize(("codes", "tells"), [((1, None, None), False), ((1, None), True), ((None, None), False)])
def test_a_file_of_which_most_records_have_no_category_needs_its_kind(
    library: Library, tmp_path: Path, codes: tuple[int | None, ...], tells: bool
) -> None:
    path = vics(tmp_path / "a.json", *codes)
    if tells:
        assert imported(library, path).header.identity.kind is SetKind.NOTABLE
    else:
        refused(library, "--kind notable or --kind known", path)
        assert imported(library, path, kind=SetKind.NOTABLE).header.counts["records"] == len(codes)


def test_records_without_a_category_and_unknown_codes_are_told(library: Library, tmp_path: Path) -> None:
    (report,) = imported(library, vics(tmp_path / "a.json", 1, 2, None, "99", 99, "other")).reports
    assert report.notes == (
        "1 records have no category",
        "2 records have the category '99', which project-vic does not know",
        "1 records have the category 'other', which project-vic does not know",
    )


def test_what_is_known_and_told_of_every_record_is_not_worth_a_note(library: Library, tmp_path: Path) -> None:
    (report,) = imported(library, vics(tmp_path / "a.json", 1, 2, 3)).reports
    assert report.notes == ()


def test_a_map_that_is_named_is_that_of_every_file(library: Library, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    made = imported(
        library,
        table(tmp_path / "a.csv", 7, 8),
        vics(tmp_path / "b.json", 8, 0, region="Default"),
        vics(tmp_path / "c.json", 8, 8, 8, 7, region="Elsewhere"),
        kind=SetKind.NOTABLE,
        categories=tmp_path / "own.toml",
    )
    assert made.header.meta.category_map == "own"
    assert [sum(tally.count for tally in report.skipped.values()) for report in made.reports] == [1, 0, 1]
    opened = library.open("set")
    assert opened.match(Digests(md5=md5(100))) == (), "category 7 is harmless there"
    assert [match.category for match in opened.match(Digests(md5=md5(1)))] == ["0", "8"]


def test_files_whose_codes_mean_different_things_make_no_set(library: Library, tmp_path: Path) -> None:
    known, unknown = vics(tmp_path / "a.json", 1), vics(tmp_path / "b.json", 1, region="Elsewhere")
    for files in ([known, unknown], [unknown, known], [known, table(tmp_path / "c.csv", 1)]):
        refused(library, "categories are not those of the other files", *files, kind=SetKind.NOTABLE)


def test_files_of_two_unknown_regions_make_no_set(library: Library, tmp_path: Path) -> None:
    one, other = vics(tmp_path / "a.json", 1, region="Elsewhere"), vics(tmp_path / "b.json", 1, region="Nowhere")
    refused(library, "those of region Elsewhere, those of region Nowhere", one, other)


def test_of_many_unknown_codes_some_are_named(library: Library, tmp_path: Path) -> None:
    made = imported(library, vics(tmp_path / "a.json", *range(10, 40)))
    notes = made.reports[-1].notes
    assert len(notes) == 11
    assert "20 more categories are not known to project-vic" in notes


def test_a_file_without_categories_goes_with_any(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "list.md5"
    path.write_text(f"{md5(9)}  name\n")
    made = imported(library, vics(tmp_path / "a.json", 1), path, kind=SetKind.NOTABLE)
    assert (made.header.meta.category_map, made.header.counts["records"]) == ("project-vic", 2)


def test_what_cannot_be_a_map_is_told_before_anything_is_read(library: Library, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("title = 1\n")
    with pytest.raises(UsageError, match="no map of categories"):
        imported(library, tmp_path / "is not there", categories=tmp_path / "bad.toml")
    with pytest.raises(SourceError, match="is not there"):
        imported(library, tmp_path / "is not there", kind=SetKind.NOTABLE)
