"""Published files compiled: what is kept, what is refused, and that nothing is left of what failed."""

import hashlib
import json
import os
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from triage.hashsets.compile import Destination, ImportSummary, compile_records
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics import VICS
from triage.hashsets.importing import ImportOrder, import_set
from triage.hashsets.library import Library
from triage.hashsets.protection.signing import Signer, generate_key
from triage.hashsets.record import Record
from triage.hashsets.sealed import SetMeta
from triage.model.digest import Digests, PictureHashes
from triage.model.errors import DigiVanError, SourceError, StoreError, UsageError
from triage.model.finding import MatchBy, SetKind

V1 = "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"
V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"


def md5(number: int) -> str:
    return hashlib.md5(b"invented %d" % number).hexdigest()


def sha1(number: int) -> str:
    return hashlib.sha1(b"invented %d" % number).hexdigest()


def pdq(number: int) -> str:
    return hashlib.sha256(b"picture %d" % number).hexdigest()


def compiled(library: Library, *paths: Path, shelf: dict[str, Any] | None = None, **said: Any) -> ImportSummary:
    order = ImportOrder(**{"name": "set", "version": "1", "date": "2026-01-02", **said})
    return import_set(paths, order, Destination(library=library, **(shelf or {})))


def is_untouched(library: Library) -> bool:
    """Tell whether a library that held nothing still holds nothing."""
    return not library.folder.exists() or not list(library.folder.iterdir())


def vics(path: Path, *media: object, region: str | None = None) -> Path:
    envelope = {"odata.metadata": V1} if region is None else {"@odata.context": V2.format(region)}
    path.write_text(json.dumps(envelope | {"value": media}))
    return path


def test_several_files_of_several_formats_become_one_set(library: Library, tmp_path: Path) -> None:
    first = vics(tmp_path / "a.bin", {"MD5": md5(1), "Category": 1}, {"MD5": md5(1), "Category": 1, "MediaID": 9})
    second = tmp_path / "b.json"
    second.write_text(f"{md5(2)}  name\n{md5(1)}\nnonsense\n")
    third = tmp_path / "c"
    third.write_text(f"SHA1;Category\n{sha1(3)};A\n")
    seen: list[tuple[str, int, int]] = []
    order = ImportOrder(name="set", version="1", date="2026-01-02", kind=SetKind.NOTABLE)
    with pytest.raises(UsageError, match="categories are not those of the other files"):
        import_set([first, second, third], order, Destination(library=library))
    third.write_text(f"SHA1;Name\n{sha1(3)};A\n")
    made = import_set([first, second, third], order, Destination(library=library), progress=lambda *at: seen.append(at))
    assert [report.reader for report in made.reports] == ["vics", "text", "csv"]
    assert [report.used for report in made.reports] == [2, 2, 1]
    assert made.header.counts["records"] == 4, "a row without category says something else than one with"
    assert made.duplicates == 1
    assert made.header.meta.category_map == "project-vic"
    total = sum(path.stat().st_size for path in (first, second, third))
    read = [at[1:] for at in seen if at[0] == "reading"]
    assert read[-1] == (total, total)
    assert read == sorted(read)
    assert [*dict.fromkeys(at[0] for at in seen)] == ["reading", "sealing", "checking"]


@pytest.mark.parametrize("region", [None, "Default", "US"])
def test_category_0_of_a_known_region_is_not_notable(library: Library, tmp_path: Path, region: str | None) -> None:
    path = vics(
        tmp_path / "a", *({"MD5": md5(code), "Category": code} for code in range(6)), {"MD5": md5(9)}, region=region
    )
    made = compiled(library, path)
    assert made.header.meta.kind is SetKind.NOTABLE
    assert made.header.meta.category_map == "project-vic"
    assert made.header.counts["records"] == 6
    (reason,) = made.reports[0].skipped.items()
    assert reason[0] == "category 0 (non-pertinent) is not notable"
    assert reason[1].places == [1]
    (opened,) = library.open_all()
    assert opened.match(Digests(md5=md5(0))) == ()
    assert [opened.match(Digests(md5=md5(code)))[0].category for code in (1, 2, 3, 4, 5, 9)] == [*"12345", None]


@pytest.mark.parametrize("region", ["UK", "CUSTOM", "Narnia"])
def test_codes_of_an_unknown_region_are_kept_raw_and_flagged(library: Library, tmp_path: Path, region: str) -> None:
    made = compiled(library, vics(tmp_path / "a", *({"MD5": md5(n), "Category": n} for n in range(3)), region=region))
    assert (made.header.meta.region, made.header.meta.category_map) == (region, "none")
    (opened,) = library.open_all()
    assert [opened.match(Digests(md5=md5(number)))[0].category for number in range(3)] == ["0", "1", "2"]


def test_a_known_set_takes_category_0_and_nothing_notable(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", *({"MD5": md5(code), "Category": code} for code in range(6)))
    made = compiled(library, path, kind=SetKind.KNOWN)
    assert made.header.identity.kind is SetKind.KNOWN
    assert made.header.counts["records"] == 3
    assert sum(tally.count for tally in made.reports[0].skipped.values()) == 3


def test_a_set_without_categories_needs_its_kind(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", {"MD5": md5(1)}, {"MD5": md5(2), "Category": None})
    with pytest.raises(UsageError, match="--kind"):
        compiled(library, path)
    assert is_untouched(library)
    made = compiled(library, path, kind=SetKind.KNOWN)
    assert (made.header.identity.kind, made.header.meta.category_map) == (SetKind.KNOWN, "absent")


def test_only_category_0_is_no_notable_set(library: Library, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no usable row, of 1 read \(category 0"):
        compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 0}))


HOSTILE = {
    "empty": b"",
    "blank": b" \n\n",
    "zip named json": b"PK\x03\x04" + bytes(100),
    "gzip": b"\x1f\x8b\x08abc",
    "sqlite": b"SQLite format 3\0" + bytes(100),
    "nul bytes": bytes(1000),
    "prose": b"dear reader,\nnothing here\n",
    "html": b"<html><body>404</body></html>",
    "wrong lengths": f"md5\n{md5(1)[:-1]}\nxyz\n".encode(),
    "only the empty file": hashlib.md5(b"").hexdigest().encode() + b"  x\n",
    "json of something else": b'{"name": "x", "items": [1, 2, 3]}',
    "a json number": b"[1]",
    "no media": json.dumps({"odata.metadata": V1, "value": []}).encode(),
    "photodna only": json.dumps({"value": [{"MediaID": 1, "PhotoDNA": "A" * 192}]}).encode(),
    "truncated": json.dumps({"value": [{"MD5": md5(1), "Category": 1}] * 9}).encode()[:-20],
    "nan": b'{"value": [{"MD5": NaN}]}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"value":' * 100_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("wanted", ["auto", "vics", "text", "csv"])
def test_a_wrong_file_is_one_line_and_leaves_nothing(
    library: Library, tmp_path: Path, content: bytes, wanted: str
) -> None:
    good = tmp_path / "good.json"
    vics(good, {"MD5": md5(1), "Category": 1})
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    with pytest.raises(SourceError, match=r"bad\.json") as caught:
        compiled(library, bad, kind=SetKind.NOTABLE, form=wanted)
    assert "\n" not in str(caught.value)
    assert is_untouched(library)


def test_absent_files_folders_and_pipes_are_one_line(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceError, match=str(path)):
            compiled(library, path)


def test_wrong_requests_are_told_before_reading(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", {"MD5": md5(1), "Category": 1})
    with pytest.raises(UsageError, match="choose one of auto, "):
        compiled(library, path, form="xml")
    with pytest.raises(UsageError, match="name a hash set"):
        compiled(library, path, name="\n")
    with pytest.raises(UsageError, match="at least one"):
        compiled(library)


@pytest.mark.parametrize("step", ["reading", "sealing", "checking"])
def test_an_interrupt_leaves_the_library_as_it_was(library: Library, tmp_path: Path, step: str) -> None:
    kept = compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))

    def interrupt(now: str, _done: int, _total: int) -> None:
        if now == step:
            raise KeyboardInterrupt

    order = ImportOrder(name="set", version="2", date="2026-01-02")
    path = vics(tmp_path / "b", {"MD5": md5(2), "Category": 1})
    with pytest.raises(KeyboardInterrupt):
        import_set([path], order, Destination(library=library), progress=interrupt)
    assert list(library.folder.iterdir()) == [kept.path]
    assert library.open_all()[0].identity == kept.header.identity


def test_a_version_that_findings_cite_does_not_change_unasked(library: Library, tmp_path: Path) -> None:
    first = compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))
    again = compiled(library, tmp_path / "a", date="2026-03-04", origin="another file")
    assert again.unchanged
    assert (again.header, again.replaced) == (first.header, None)
    vics(tmp_path / "a", {"MD5": md5(2), "Category": 1})
    with pytest.raises(UsageError, match=r"version 1 is in the library with other members.*--replace"):
        compiled(library, tmp_path / "a")
    assert library.open("set").identity == first.header.identity
    replaced = compiled(library, tmp_path / "a", shelf={"replacing": True})
    assert replaced.replaced is not None
    assert replaced.replaced.identity == first.header.identity
    assert library.open("set").identity == replaced.header.identity != first.header.identity
    assert list(library.folder.iterdir()) == [replaced.path]


@pytest.mark.parametrize("change", [{"kind": SetKind.KNOWN}, {"phash_radius": 3}, {"published": "2026-01-01"}])
def test_the_same_members_in_another_sense_are_another_set(
    library: Library, tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "list"
    path.write_text(md5(1) + "\n")
    compiled(library, path, kind=SetKind.NOTABLE)
    with pytest.raises(UsageError, match="--set-version"):
        compiled(library, path, **{"kind": SetKind.NOTABLE, **change})


def test_a_damaged_set_of_the_same_version_is_not_left_as_it_is(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", {"MD5": md5(1), "Category": 1})
    made = compiled(library, path)
    content = bytearray(made.path.read_bytes())
    content[192] ^= 1
    made.path.write_bytes(content)
    assert not compiled(library, path).unchanged
    assert library.open_all()[0].match(Digests(md5=md5(1)))


def test_a_set_that_lacked_a_seal_gets_one(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", {"MD5": md5(1), "Category": 1})
    compiled(library, path)
    generate_key(tmp_path / "key", tmp_path / "key.pem")
    compiled(library, path, shelf={"signer": Signer.load(tmp_path / "key")})
    (listing,) = library.sets()
    assert listing.seal is not None
    assert listing.seal.fingerprint is not None


def test_an_import_beside_a_damaged_set_is_told_as_done(library: Library, tmp_path: Path) -> None:
    library.folder.mkdir()
    library.path_of("broken").write_bytes(b"not a set")
    made = compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))
    assert made.conflicts == ()
    assert made.path.exists()


def test_records_at_hand_need_content(library: Library) -> None:
    meta = SetMeta(name="built", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    empty = Record(md5=hashlib.md5(b"").digest())
    with pytest.raises(SourceError, match="built: no file with content"):
        compile_records([empty, Record(size=3)], meta, Destination(library=library))
    made = compile_records([empty, Record(md5=bytes.fromhex(md5(1)))], meta, Destination(library=library))
    assert (made.empty_files, made.header.counts["records"]) == (1, 1)
    assert made.header.meta == replace(meta, category_map="absent")


def test_a_full_disc_is_one_line(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))
    assert isinstance(caught.value, DigiVanError)
    assert not library.folder.exists()


RECORDS = 32_000


def trapped(number: int) -> dict[str, Any]:
    """Return record `number` of a large set, with the traps of real ones spread over it."""
    chance = random.Random(number)
    upper = chance.random() < 0.5
    record: dict[str, Any] = {
        "MediaID": number,
        "Category": chance.choice([number % 3 + 1, str(number % 3 + 1)]),
        "MD5": md5(number).upper() if upper else md5(number),
        "SHA1": chance.choice([sha1(number), ""]),
        "MediaSize": chance.choice([number, str(number), None]),
        "VictimIdentified": chance.choice([True, "true", None]),
        "Series": chance.choice([None, "s", 4, {"Name": "s"}]),
        "Tags": chance.choice([None, "t", {"t": 1}]),
        "Comments": 'ß\u2028 "quoted" \\ {[',
        "MediaFiles": [{"MD5": md5(number), "FileName": f"{number}.jpg"}] * chance.randrange(3),
    }
    if number % 10 == 0:
        record["AlternativeHashes"] = [{"HashName": "PDQ", "HashValue": pdq(number)}]
    return record | TRAPS.get(number % 100, {})


TRAPS: dict[int, dict[str, Any]] = {
    1: {"Category": 0},
    2: {"MD5": "", "SHA1": None, "MediaFiles": [], "PhotoDNA": "A" * 192},
    3: {"MD5": hashlib.md5(b"").hexdigest(), "SHA1": "", "AlternativeHashes": []},
    4: {"MD5": "123", "SHA1": "", "MediaFiles": []},
    5: {"Category": None},
}
UNUSABLE = frozenset({1, 2, 3, 4})


def written(records: int) -> Iterator[str]:
    yield '\ufeff{"odata.metadata":"' + V1 + '", "value" : [\r\n'
    for number in range(records):
        yield (",\r\n" if number else "") + json.dumps(trapped(number), ensure_ascii=False)
    yield "]}"


def large_file(path: Path, records: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(written(records))
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return large_file(tmp_path_factory.mktemp("large") / "large.json", RECORDS)


def test_a_large_set_with_every_trap(library: Library, large: Path) -> None:
    made = compiled(library, large)
    report = made.reports[0]
    each = RECORDS // 100
    assert report.rows == RECORDS
    assert report.used == made.header.counts["records"] == RECORDS - 4 * each
    assert [tally.count for tally in report.skipped.values()] == [each] * 4
    assert sorted(tally.places[0] for tally in report.skipped.values()) == [2, 3, 4, 5]
    (opened,) = library.open_all()
    hits = opened.exact.lookup([Digests(md5=md5(number)) for number in range(RECORDS)]).hits
    assert {hit.query for hit in hits} == {n for n in range(RECORDS) if n % 100 not in UNUSABLE}
    assert opened.match(Digests(md5=md5(RECORDS))) == ()
    (match,) = opened.match(Digests(), PictureHashes(pdq=pdq(1230), quality=100))
    assert (match.by, match.distance, match.category) == (MatchBy.PDQ, 0, str(1230 % 3 + 1))


def test_reading_holds_as_much_of_a_large_file_as_of_half_of_it(large: Path, tmp_path: Path) -> None:
    (half, peak_of_half), (whole, peak) = map(read, (large_file(tmp_path / "half", RECORDS // 2), large))
    assert (half, whole) == tuple(records - 3 * (records // 100) for records in (RECORDS // 2, RECORDS))
    assert peak < 1.25 * peak_of_half


def read(path: Path) -> tuple[int, int]:
    """Return the records of a file, and the most bytes held while they were read."""
    tracemalloc.start()
    try:
        count = sum(len(batch) for batch in VICS.read(Published(path), ReadReport("large")))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
