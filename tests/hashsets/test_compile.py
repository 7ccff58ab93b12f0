import hashlib
import json
import os
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.hashsets import compile as compiling
from triage.hashsets.columns import ColumnBuilder
from triage.hashsets.compile import ImportSummary, import_set
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics import VICS
from triage.hashsets.library import Library
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


def compiled(library: Library, *paths: Path, **options: Any) -> ImportSummary:
    return import_set(paths, **{"name": "set", "version": "1", "date": "2026-01-02", "library": library, **options})


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
    seen: list[tuple[int, int]] = []
    made = compiled(library, first, second, third, progress=lambda done, total: seen.append((done, total)))
    assert [report.reader for report in made.reports] == ["vics", "text", "csv"]
    assert [report.used for report in made.reports] == [2, 2, 1]
    assert made.header.counts["records"] == 4, "a row without category says something else than one with"
    assert made.duplicates == 1
    assert made.header.meta.category_map == "none", "the files do not agree on what a code means"
    total = sum(path.stat().st_size for path in (first, second, third))
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


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
    assert not library.folder.exists()
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
        compiled(library, bad, kind=SetKind.NOTABLE, format=wanted)
    assert "\n" not in str(caught.value)
    assert not library.folder.exists()


def test_absent_files_folders_and_pipes_are_one_line(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceError, match=str(path)):
            compiled(library, path)


def test_wrong_requests_are_told_before_reading(library: Library, tmp_path: Path) -> None:
    path = vics(tmp_path / "a", {"MD5": md5(1), "Category": 1})
    with pytest.raises(UsageError, match="choose one of auto, vics, csv, text"):
        compiled(library, path, format="xml")
    with pytest.raises(UsageError, match="name a hash set"):
        compiled(library, path, name="\n")
    with pytest.raises(UsageError, match="at least one"):
        compiled(library)


def test_an_interrupt_leaves_the_library_as_it_was(library: Library, tmp_path: Path) -> None:
    kept = compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compiled(library, vics(tmp_path / "b", {"MD5": md5(2), "Category": 1}), progress=interrupt)
    assert list(library.folder.iterdir()) == [kept.path]
    assert library.open_all()[0].identity == kept.header.identity


def test_records_at_hand_need_content(library: Library) -> None:
    meta = SetMeta(name="built", version="1", kind=SetKind.NOTABLE, date="2026-01-02")
    empty = Record(md5=hashlib.md5(b"").digest())
    with pytest.raises(SourceError, match="built: no file with content"):
        compiling.compile_records([empty, Record(size=3)], meta, library)
    made = compiling.compile_records([empty, Record(md5=bytes.fromhex(md5(1)))], meta, library)
    assert (made.empty_files, made.header.counts["records"]) == (1, 1)


def test_a_full_disc_is_one_line(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        compiled(library, vics(tmp_path / "a", {"MD5": md5(1), "Category": 1}))
    assert isinstance(caught.value, DigiVanError)
    assert list(library.folder.iterdir()) == []


RECORDS = 50_000


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
    3: {"MD5": hashlib.md5(b"").hexdigest()},
    4: {"MD5": "123", "SHA1": ""},
    5: {"Category": None},
}
UNUSABLE = frozenset({1, 2, 3, 4})


def written(path: Path) -> Iterator[str]:
    yield '\ufeff{"odata.metadata":"' + V1 + '", "value" : [\r\n'
    for number in range(RECORDS):
        yield (",\r\n" if number else "") + json.dumps(trapped(number), ensure_ascii=False)
    yield "]}"
    assert path.exists()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.json"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(written(path))
    return path


def test_a_large_set_with_every_trap(library: Library, large: Path) -> None:
    made = compiled(library, large)
    report = made.reports[0]
    each = RECORDS // 100
    assert report.rows == RECORDS
    assert report.used == made.header.counts["records"] == RECORDS - 4 * each
    assert [tally.count for tally in report.skipped.values()] == [each] * 4
    assert [tally.places[0] for tally in report.skipped.values()] == [2, 3, 4, 5]
    (opened,) = library.open_all()
    hits = opened.lookup([Digests(md5=md5(number)) for number in range(RECORDS)]).hits
    assert {hit.query for hit in hits} == {n for n in range(RECORDS) if n % 100 not in UNUSABLE}
    assert opened.match(Digests(md5=md5(RECORDS))) == ()
    (match,) = opened.match(Digests(), PictureHashes(pdq=pdq(1230), quality=100))
    assert (match.by, match.distance, match.category) == (MatchBy.PDQ, 0, str(1230 % 3 + 1))


def test_reading_holds_no_more_than_a_few_chunks(large: Path) -> None:
    with large.open("rb") as stream:
        tracemalloc.start()
        try:
            count = sum(1 for _ in VICS.read(stream, ReadReport("large")))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == RECORDS - 3 * (RECORDS // 100)
    assert large.stat().st_size > 12 << 20
    assert peak < 8 << 20


def test_building_takes_about_a_hundred_bytes_a_record() -> None:
    builder = ColumnBuilder()
    tracemalloc.start()
    try:
        for number in range(20_000):
            builder.add(Record(bytes.fromhex(md5(number)), bytes.fromhex(sha1(number)), size=number, category="1"))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 20_000 * 100
