import hashlib
import io
import json
from typing import Any

import pytest

from triage.hashsets.formats import READERS
from triage.hashsets.formats.json_stream import CHUNK_BYTES
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics import VICS
from triage.hashsets.record import Record
from triage.model.errors import SourceError

V1 = {"odata.metadata": "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"}
MD5 = hashlib.md5(b"invented").hexdigest()
SHA1 = hashlib.sha1(b"invented").hexdigest()
SHA256 = hashlib.sha256(b"invented").hexdigest()
PDQ = hashlib.sha256(b"picture").hexdigest()


def context(region: str, of: str = "Media") -> dict[str, str]:
    base = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml"
    return {"@odata.context": f"{base}/{region}/$metadata#{of}"}


def read(content: bytes | str | dict[str, Any]) -> tuple[list[Record], ReadReport]:
    if isinstance(content, dict):
        content = json.dumps(content)
    data = content.encode() if isinstance(content, str) else content
    report = ReadReport("set.json", unit="record")
    assert VICS.recognise(data[:65536])
    return list(VICS.read(io.BytesIO(data), report)), report


def media(**members: Any) -> tuple[list[Record], ReadReport]:
    return read(V1 | {"value": [members]})


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_a_1_x_set_is_of_the_default_region(version: str) -> None:
    envelope = {"odata.metadata": f"http://github.com/ICMEC/ProjectVic/DataModels/{version}.xml#Media"}
    records, report = read(envelope | {"value": [{"MediaID": 1, "odata.id": "x", "Category": 1, "MD5": MD5}]})
    assert records == [Record(md5=bytes.fromhex(MD5), category="1")]
    assert report.region == "Default"


@pytest.mark.parametrize("region", ["Default", "US", "UK", "CUSTOM", "Narnia"])
def test_every_region_of_2_0_is_read_and_named(region: str) -> None:
    records, report = read(context(region) | {"value": [{"Category": 2, "SHA1": SHA1}]})
    assert records == [Record(sha1=bytes.fromhex(SHA1), category="2")]
    assert report.region == region


def test_a_case_file_holds_its_media_inside() -> None:
    cases = [
        {"CaseID": "a", "Notes": {"Media": 1}, "Media": [{"MD5": MD5, "Category": 1}, {"MD5": MD5, "Category": 2}]},
        {"CaseID": "b", "Media": []},
        {"CaseID": "c", "CaseNumber": "7", "Media": [{"SHA1": SHA1}], "After": [1, {"MD5": MD5}]},
    ]
    records, report = read(context("US", "Cases") | {"value": cases})
    assert [record.category for record in records] == ["1", "2", None]
    assert (report.rows, report.used) == (3, 3)


@pytest.mark.parametrize("content", [{"Media": [{"MD5": MD5}]}, {"value": [{"Media": [{"MD5": MD5}], "MD5": ""}]}])
def test_media_beside_other_shapes_are_found(content: dict[str, Any]) -> None:
    records, _ = read(content)
    assert [record.md5 for record in records] == [bytes.fromhex(MD5)]


def test_a_bare_array_and_cases_behind_media_are_read() -> None:
    records, _ = read(json.dumps([{"MD5": MD5}, {"CaseID": 1, "Media": [{"SHA1": SHA1}]}, {"MD5": MD5}]))
    assert [record.sha1 is None for record in records] == [True, False, True]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(encoding: str) -> None:
    content = json.dumps(V1 | {"value": [{"MD5": MD5.upper(), "Comments": "ß\n日本"}]}, ensure_ascii=False)
    records, _ = read(content.encode(encoding))
    assert records[0].md5 == bytes.fromhex(MD5)


@pytest.mark.parametrize(
    ("category", "expected"),
    [(0, "0"), (2, "2"), ("3", "3"), (" 04 ", "4"), ("A", "A"), ("", None), (None, None), (True, None), ([1], None)],
)
def test_category_in_every_type(category: object, expected: str | None) -> None:
    records, report = media(MD5=MD5, Category=category)
    assert records[0].category == expected
    assert bool(report.bad_values) == isinstance(category, bool | list)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (12, 12),
        ("12", 12),
        (" 7 ", 7),
        ("", None),
        (None, None),
        (-1, None),
        ("9" * 40, None),
        (1e3, None),
        (False, None),
    ],
)
def test_size_in_every_type(size: object, expected: int | None) -> None:
    assert media(MD5=MD5, MediaSize=size)[0][0].size == expected


@pytest.mark.parametrize(
    ("series", "expected"), [("s", "s"), (7, "7"), ({"b": 1, "a": "x"}, '{"a": "x", "b": 1}'), ("", None)]
)
def test_series_in_every_type(series: object, expected: str | None) -> None:
    assert media(MD5=MD5, Series=series, Tags={"x": 1})[0][0].series == expected


def test_alternative_hashes_are_used_under_any_spelling() -> None:
    names = {"PDQ": PDQ, "SHA-256": SHA256.upper(), "pHash": PDQ[:16], "md5": MD5, "Sha1": SHA1, "Ssdeep": "3:a:b"}
    alternatives = [{"HashName": name, "HashValue": value} for name, value in names.items()]
    records, report = media(SHA1="", AlternativeHashes=[*alternatives, None, 4])
    expected = [bytes.fromhex(value) for value in (MD5, SHA1, SHA256, PDQ, PDQ[:16])]
    assert list(records[0][:5]) == expected
    assert not report.bad_values


def test_the_files_of_a_record_give_the_md5_it_lacks() -> None:
    assert media(MediaID=1, MD5="", MediaFiles=[{"FileName": "x"}, {"MD5": MD5}])[0][0].md5 == bytes.fromhex(MD5)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"MediaID": 1, "PhotoDNA": "A" * 192}, "PhotoDNA"),
        ({"MediaID": 1, "AlternativeHashes": [{"HashName": "PhotoDNA", "HashValue": "0" * 288}]}, "PhotoDNA"),
        ({"MediaID": 1, "MD5": None}, "no hash"),
        ({"MD5": MD5[:-1]}, "no usable hash"),
        ({"MD5": "g" * 32}, "no usable hash"),
        ({"MD5": MD5[:15] + "  " + MD5[17:]}, "no usable hash"),
        ({"MD5": 12}, "no usable hash"),
        ({"MD5": hashlib.md5(b"").hexdigest(), "SHA1": SHA1}, "empty file"),
        ({"MediaID": 1, "AlternativeHashes": [{"HashName": "PDQ", "HashValue": "0" * 64}]}, "no usable hash"),
    ],
)
def test_a_record_that_cannot_be_used_is_counted_with_its_number(members: dict[str, Any], reason: str) -> None:
    records, report = read(V1 | {"value": [{"MD5": MD5}, members, {"MD5": MD5}, 7]})
    assert len(records) == 2
    assert (report.rows, report.used) == (4, 2)
    first, second = report.skipped.items()
    assert reason in first[0]
    assert first[1].places == [2]
    assert second == ("not a record", second[1])
    assert second[1].places == [4]


def test_a_bad_value_beside_a_good_one_is_counted_and_the_row_used() -> None:
    records, report = media(MD5=MD5, SHA1="123")
    assert records == [Record(md5=bytes.fromhex(MD5))]
    assert [(reason, tally.places) for reason, tally in report.bad_values.items()] == [
        ("SHA-1 is not 40 hexadecimal digits", [1])
    ]
    assert report.summary()[1] == ("set.json: value dropped: SHA-1 is not 40 hexadecimal digits: 1 (record 1)")


def test_only_the_first_places_of_a_reason_are_kept() -> None:
    _, report = read(V1 | {"value": [{"MediaID": number} for number in range(100)]})
    (tally,) = report.skipped.values()
    assert (tally.count, tally.places) == (100, [1, 2, 3, 4, 5])
    assert report.summary()[1].endswith("100 (record 1, 2, 3, 4, 5, ...)")


def test_values_across_the_borders_of_chunks() -> None:
    wide = {"MD5": MD5, "Comments": "x" * (CHUNK_BYTES // 3), "MediaSize": 123456}
    many = [wide | {"MediaSize": number} for number in range(10)] + [{"MD5": MD5, "Comments": "y" * 5 * CHUNK_BYTES}]
    records, _ = read(V1 | {"value": many})
    assert [record.size for record in records] == [*range(10), None]
    blank = " " * (CHUNK_BYTES - 3)
    assert read(f'{{"value":{blank}[{blank}{{"MD5":"{MD5}"}}{blank},{blank}{{"SHA1":"{SHA1}"}}]}}{blank}')[1].used == 2


@pytest.mark.parametrize("keep", [1, 10, 80, 90, 120, 150, -1, -2, -40])
def test_truncated_json_is_one_line(keep: int) -> None:
    content = json.dumps(V1 | {"value": [{"MD5": MD5, "Category": 1}] * 3})
    with pytest.raises(SourceError, match=r"set\.json: .*JSON") as caught:
        read(content[:keep])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"value":' * 100_000,
        '{"value":[' * 100_000,
        '{"value":[{"MD5":' + "[" * 100_000 + "]" * 100_000 + "}]}",
        '{"value":[{"MD5":"a"},' + "[" * 100_000 + "]" * 100_000 + "]}",
        '{"value":[{"MediaSize":NaN}]}',
        '{"value":[{"MediaSize":-Infinity}]}',
        '{"value":[{"MediaSize":' + "9" * 5000 + "}]}",
        '{"value":[{"MD5":"a"}]} more',
        '{"value":[{"MD5":"a"}{"MD5":"a"}]}',
        '{"value":[{"MD5":"a"},]}',
        '{"value":[,]}',
        '{"value" [1]}',
        "{1:2}",
        "{\x00}",
        "[1 2]",
    ],
)
def test_hostile_json_is_one_line(content: str) -> None:
    with pytest.raises(SourceError, match=r"set\.json: ") as caught:
        read(content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


class Endless(io.RawIOBase):
    """One string without an end, as far as anyone reads."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed allows any buffer
        start = b'{"value":[{"MD5":"' if self.given == 0 else b""
        buffer[:] = start + b"a" * (len(buffer) - len(start))
        self.given += len(buffer)
        return len(buffer)


def test_a_string_without_an_end_is_given_up_on() -> None:
    source = Endless()
    with pytest.raises(SourceError, match="one value of more than"):
        list(VICS.read(io.BufferedReader(source, CHUNK_BYTES), ReadReport("endless.json")))
    assert source.given < 200 << 20


def test_vics_is_asked_first_and_takes_only_json() -> None:
    assert READERS[0] is VICS
    assert not VICS.recognise(MD5.encode())
    assert not VICS.recognise(b"md5,sha1\n")
