"""What a delta does to each member: which hashes it keeps, which it gets, which record counts, and what is told."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.hashsets import hashset
from triage.hashsets.compile import Changes, Destination, ImportSummary
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.library import Library
from triage.hashsets.updating import update_set
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import StoreError, UsageError
from triage.model.finding import MatchBy, SetKind

V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"
MEMBERS = range(6)


def md5(number: int) -> str:
    return hashlib.md5(b"invented %d" % number).hexdigest()


def sha1(number: int) -> str:
    return hashlib.sha1(b"invented %d" % number).hexdigest()


def pdq(number: int) -> str:
    return hashlib.sha256(b"picture %d" % number).hexdigest()


def looks(number: int) -> dict[str, object]:
    return {"AlternativeHashes": [{"HashName": "PDQ", "HashValue": pdq(number)}]}


def vics(path: Path, *media: dict[str, object], region: str = "Default") -> Path:
    path.write_text(json.dumps({"@odata.context": V2.format(region), "value": media}))
    return path


def order(version: str, **said: object) -> ImportOrder:
    return ImportOrder(name="set", version=version, date="2026-01-02", **said)  # type: ignore[arg-type] # by name


@pytest.fixture(params=[2, 1 << 22], ids=["many batches", "one batch"])
def base(library: Library, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Make version 1: six members of category 1, each with MD5, SHA-1 and PDQ."""
    monkeypatch.setattr(hashset, "_BATCH", request.param)
    media: list[dict[str, object]] = [
        {"MD5": md5(number), "SHA1": sha1(number), "Category": 1} | looks(number) for number in MEMBERS
    ]
    import_set([vics(tmp_path / "base.json", *media)], order("1"), Destination(library=library))
    return library


def updated(library: Library, *files: Path, **said: object) -> ImportSummary:
    return update_set(files, order("2", **said), Destination(library=library), delta=True)


def category(library: Library, digests: Digests, pictures: PictureHashes | None = None) -> list[str | None]:
    return [match.category for match in library.open("set", verify=True).match(digests, pictures)]


def test_a_member_that_changes_keeps_the_hashes_the_delta_does_not_name(base: Library, tmp_path: Path) -> None:
    made = updated(base, vics(tmp_path / "delta.json", {"MD5": md5(3), "Category": 2}))
    for digests in (Digests(md5=md5(3)), Digests(sha1=sha1(3)), Digests(md5=md5(3), sha1=sha1(3))):
        assert category(base, digests) == ["2"]
    (match,) = base.open("set").match(Digests(), PictureHashes(pdq=pdq(3)))
    assert (match.by, match.distance, match.category) == (MatchBy.PDQ, 0, "2")
    for number in {*MEMBERS} - {3}:
        assert category(base, Digests(md5=md5(number), sha1=sha1(number))) == ["1"]
        assert category(base, Digests(), PictureHashes(pdq=pdq(number))) == ["1"]
    assert (made.header.counts["records"], made.changes) == (6, Changes(changed=1, removed=0, unmet=0))


def test_a_delta_that_names_another_hash_means_the_same_member(base: Library, tmp_path: Path) -> None:
    delta = vics(tmp_path / "delta.json", {"SHA1": sha1(0), "Category": 2}, {"SHA1": sha1(1), "Category": 0})
    made = updated(base, delta)
    assert category(base, Digests(md5=md5(0))) == ["2"]
    assert category(base, Digests(md5=md5(1))) == category(base, Digests(), PictureHashes(pdq=pdq(1))) == []
    assert (made.header.counts["records"], made.changes) == (5, Changes(changed=1, removed=1, unmet=0))


def test_a_record_of_a_perceptual_hash_alone_means_the_member_that_has_it(base: Library, tmp_path: Path) -> None:
    near = (int(pdq(2), 16) ^ 1).to_bytes(32).hex()
    beside: dict[str, object] = {"AlternativeHashes": [{"HashName": "PDQ", "HashValue": near}], "Category": 2}
    made = updated(base, vics(tmp_path / "delta.json", looks(0) | {"Category": 2}, looks(1) | {"Category": 0}, beside))
    assert [category(base, Digests(md5=md5(number))) for number in (0, 1, 2)] == [["2"], [], ["1"]]
    assert made.changes == Changes(changed=1, removed=1, unmet=0), "what is near is another picture"
    assert (made.header.counts["records"], made.header.counts["pdq"]) == (6, 6)


def test_a_member_gets_the_hashes_that_it_lacked(library: Library, tmp_path: Path) -> None:
    import_set([vics(tmp_path / "a.json", {"MD5": md5(1), "Category": 1})], order("1"), Destination(library=library))
    made = updated(library, vics(tmp_path / "b.json", {"MD5": md5(1), "SHA1": sha1(1), "Category": 2} | looks(1)))
    assert category(library, Digests(sha1=sha1(1))) == ["2"]
    assert category(library, Digests(), PictureHashes(pdq=pdq(1))) == ["2"]
    assert made.header.counts == {"records": 1, "variants": 0, "md5": 1, "sha1": 1, "sha256": 0, "pdq": 1, "phash": 0}


def test_a_hash_stays_though_a_later_record_does_not_name_it(library: Library, tmp_path: Path) -> None:
    import_set([vics(tmp_path / "a.json", {"MD5": md5(1), "Category": 1})], order("1"), Destination(library=library))
    said: dict[str, object] = {"MD5": md5(1), "Category": 2}
    updated(library, vics(tmp_path / "b.json", said | looks(1), said))
    assert category(library, Digests(), PictureHashes(pdq=pdq(1))) == ["2"]


def test_no_picture_is_lost_where_several_records_mean_one_member(library: Library, tmp_path: Path) -> None:
    """One file was published with two perceptual hashes."""
    import_set([vics(tmp_path / "a.json", {"MD5": md5(1), "Category": 1})], order("1"), Destination(library=library))
    said: dict[str, object] = {"MD5": md5(1), "Category": 2}
    updated(library, vics(tmp_path / "b.json", said | looks(1), said | looks(2)))
    for number in (1, 2):
        assert category(library, Digests(), PictureHashes(pdq=pdq(number))) == ["2"], number


@pytest.mark.parametrize(
    ("codes", "apart"),
    [
        ((2, 3), False),
        ((2, 3), True),
        ((0, 3), False),
        ((0, 3), True),
        ((3, 0), False),
        ((3, 0), True),
    ],
)
def test_of_two_records_the_later_one_counts(
    base: Library, tmp_path: Path, apart: bool, codes: tuple[int, int]
) -> None:
    said: list[dict[str, object]] = [{"MD5": md5(1), "Category": code} for code in codes]
    if apart:
        files = [vics(tmp_path / f"{number}.json", one) for number, one in enumerate(said)]
    else:
        files = [vics(tmp_path / "both.json", *said)]
    updated(base, *files)
    assert category(base, Digests(md5=md5(1))) == ([] if codes[1] == 0 else ["3"])


def test_a_later_record_counts_by_whichever_hash_each_names(base: Library, tmp_path: Path) -> None:
    updated(base, vics(tmp_path / "delta.json", looks(1) | {"Category": 3}, {"MD5": md5(1), "Category": 2}))
    assert category(base, Digests(md5=md5(1))) == ["2"]


def test_removals_that_meet_nothing_are_counted(base: Library, tmp_path: Path) -> None:
    gone = [{"MD5": md5(number), "Category": 0} for number in (1, 4, 77, 78)]
    made = updated(base, vics(tmp_path / "delta.json", *gone))
    assert made.changes == Changes(changed=0, removed=2, unmet=2)
    assert made.header.counts["records"] == 4
    assert [len(category(base, Digests(md5=md5(number)))) for number in MEMBERS] == [1, 0, 1, 1, 0, 1]


def test_only_a_delta_has_changes(base: Library, tmp_path: Path) -> None:
    new = vics(tmp_path / "new.json", {"MD5": md5(1), "Category": 2})
    made = update_set([new], order("2"), Destination(library=base), delta=False)
    assert made.changes is None
    assert (made.replaced and made.replaced.counts["records"], made.header.counts["records"]) == (6, 1)


def test_codes_without_a_region_mean_what_they_mean_in_the_base(base: Library, tmp_path: Path) -> None:
    path = tmp_path / "delta.csv"
    path.write_text(f"md5,category\n{md5(1)},0\n{md5(2)},3\n")
    made = updated(base, path)
    assert [category(base, Digests(md5=md5(number))) for number in (1, 2, 3)] == [[], ["3"], ["1"]]
    assert made.reports[0].skipped["category 0 (non-pertinent) is not notable"].count == 1
    assert (made.header.meta.region, made.header.meta.category_map) == ("Default", "project-vic")


def test_a_map_that_is_named_must_be_that_of_the_base(base: Library, tmp_path: Path) -> None:
    meaning = tmp_path / "other.toml"
    meaning.write_text('title = "other"\nregions = ["x"]\n[categories.1]\nname = "a"\n')
    with pytest.raises(UsageError, match=r"categories are other.*those of the set project-vic"):
        updated(base, vics(tmp_path / "delta.json", {"MD5": md5(9), "Category": 1}), categories=meaning)
    assert base.open("set").identity.version == "1"


def test_a_delta_of_a_known_set_takes_away_what_is_notable(library: Library, tmp_path: Path) -> None:
    members = [{"MD5": md5(number), "Category": 0} for number in MEMBERS]
    known = order("1", kind=SetKind.KNOWN)
    import_set([vics(tmp_path / "a.json", *members)], known, Destination(library=library))
    made = updated(library, vics(tmp_path / "b.json", {"MD5": md5(1), "Category": 1}))
    assert made.header.identity.kind is SetKind.KNOWN
    assert (made.changes and made.changes.removed, category(library, Digests(md5=md5(1)))) == (1, [])


def test_a_delta_is_refused_where_its_base_was_replaced_meanwhile(base: Library, tmp_path: Path) -> None:
    """It would undo what another person's update has just done, and nobody would know."""
    other = vics(tmp_path / "other.json", {"MD5": md5(8), "Category": 1})
    mine = vics(tmp_path / "mine.json", {"MD5": md5(9), "Category": 1})
    steps: list[str] = []

    def meanwhile(step: str, _done: int, _whole: int) -> None:
        if not steps:
            steps.append(step)
            update_set([other], order("2"), Destination(library=base), delta=True)

    with pytest.raises(StoreError, match="another set took this place meanwhile"):
        update_set([mine], order("3"), Destination(library=base), delta=True, progress=meanwhile)
    assert base.open("set").identity.version == "2"
    assert category(base, Digests(md5=md5(8))) == ["1"]


@pytest.fixture(autouse=True)
def _no_workshop_is_left(library: Library) -> Iterator[None]:
    yield
    assert not [*library.folder.glob(".*")]
