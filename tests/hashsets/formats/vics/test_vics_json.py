import hashlib
import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from synthetic.published import InMemory, placed

from triage.hashsets.formats import READERS
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.vics.json_stream import CHUNK_BYTES, VALUE_LIMIT
from triage.hashsets.formats.vics.vics_json import VICS, read_vics
from triage.hashsets.record import Flag, Record
from triage.model.errors import SourceError

V1 = {"odata.metadata": "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"}
MD5 = hashlib.md5(b"invented").hexdigest()
SHA1 = hashlib.sha1(b"invented").hexdigest()
SHA256 = hashlib.sha256(b"invented").hexdigest()
PDQ = hashlib.sha256(b"picture").hexdigest()


def context(region: str, of: str = "Media") -> dict[str, str]:
    base = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml"
    return {"@odata.context": f"{base}/{region}/$metadata#{of}"}


def read(content: bytes | str | dict[str, Any], chunk: int = CHUNK_BYTES) -> tuple[list[Record], ReadReport]:
    published = InMemory(json.dumps(content) if isinstance(content, dict) else content)
    report = ReadReport("set.json", unit="record")
    assert VICS.recognise(published)
    return [record for _, record in placed(read_vics(published, report, chunk=chunk))], report


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


@pytest.mark.parametrize(
    "content",
    [
        {"Data": {"Notes": {}, "Cases": [{"CaseID": 1, "Found": {"Media": [{"MD5": MD5}]}}]}},
        {"value": {"Media": {"MD5": MD5}}},
        {"value": [{"Case": {"Case": {"Media": [{"MD5": MD5}]}}, "Victims": [{"MD5": SHA1}], "MediaID": 0}]},
    ],
)
def test_media_nested_under_other_members_are_found(content: dict[str, Any]) -> None:
    records, _ = read(content)
    assert [record.md5 for record in records] == [bytes.fromhex(MD5)]


@pytest.mark.parametrize("region", ["UK", "Default"])
@pytest.mark.parametrize("chunk", [500, CHUNK_BYTES])
def test_a_region_named_behind_the_records_is_known_before_the_first_of_them(region: str, chunk: int) -> None:
    many = [{"MD5": f"{number:032x}", "Category": 1} for number in range(1, 20_000)]
    published = InMemory(json.dumps({"value": many, "Counts": {"Media": 9}} | context(region)))
    report = ReadReport("set.json", unit="record")
    regions = [report.region for batch in read_vics(published, report, chunk=chunk) if len(batch)]
    assert regions == [region] * 3
    assert (report.rows, report.place, report.notes) == (19_999, 19_999, ())


def test_of_two_regions_the_first_counts_and_the_other_is_noted() -> None:
    records, report = read(
        json.dumps(context("US"))[:-1] + f',"value":[{{"MD5":"{MD5}"}}],' + json.dumps(context("UK"))[1:]
    )
    assert (len(records), report.region) == (1, "US")
    assert "second region" in report.notes[0]


def test_a_region_named_inside_a_record_is_not_that_of_the_file() -> None:
    assert read({"value": [{"MD5": MD5} | context("UK")]})[1].region is None


def test_an_envelope_without_records_has_no_row() -> None:
    for content in ("{}", "[]", '{"value":[]}', '{"value":[{}]}', '{"value":[{"Media":[]}]}'):
        records, report = read(content)
        assert (records, report.rows) == ([], 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(encoding: str) -> None:
    content = json.dumps(V1 | {"value": [{"MD5": MD5.upper(), "Comments": "ß\n日本"}]}, ensure_ascii=False)
    records, _ = read(content.encode(encoding))
    assert records[0].md5 == bytes.fromhex(MD5)


@pytest.mark.parametrize(
    ("category", "expected"),
    [(0, "0"), (2, "2"), ("3", "3"), (" 04 ", "4"), ("A", "A"), ("", None), (None, None), (True, None), ([1], None),
     (1.0, "1"), (-0.0, "0"), (1.5, None), (1e300, None)],
)  # fmt: skip
def test_category_in_every_type(category: object, expected: str | None) -> None:
    records, report = media(MD5=MD5, Category=category)
    assert records[0].category == expected
    assert bool(report.bad_values) == (expected is None and category not in ("", None))


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


@pytest.mark.parametrize("yes", [True, "true", "True", " TRUE ", 1, 1.0, "1", "yes"])
@pytest.mark.parametrize("no", [False, "false", 0, "0", None, "", "no"])
def test_a_flag_says_yes_in_every_type(yes: object, no: object) -> None:
    members = {"VictimIdentified": yes, "OffenderIdentified": no, "IsDistributed": yes, "IsSuspected": no}
    records, report = media(MD5=MD5, **members, SelfGenerated=no, IsPrecategorized=yes)
    assert records[0].flags == Flag.VICTIM_IDENTIFIED | Flag.DISTRIBUTED | Flag.PRECATEGORIZED
    assert not report.bad_values


@pytest.mark.parametrize("value", ["perhaps", 2, 1.5, [True], {"a": 1}])
def test_a_flag_that_says_neither_is_no_flag_and_counted(value: object) -> None:
    records, report = media(MD5=MD5, IsSuspected=value, SelfGenerated=True)
    assert records[0].flags == Flag.SELF_GENERATED
    assert [tally.places for tally in report.bad_values.values()] == [[1]]


def test_alternative_hashes_are_used_under_any_spelling() -> None:
    names = {"PDQ": PDQ, "SHA-256": SHA256.upper(), "pHash": PDQ[:16], "md5": MD5, "Sha1": SHA1, "Ssdeep": "3:a:b"}
    alternatives = [{"HashName": name, "HashValue": value} for name, value in names.items()]
    records, report = media(SHA1="", AlternativeHashes=[*alternatives, None, 4])
    expected = [bytes.fromhex(value) for value in (MD5, SHA1, SHA256, PDQ, PDQ[:16])]
    assert list(records[0][:5]) == expected
    assert not report.bad_values


def alternatives(*pairs: tuple[str, object]) -> list[dict[str, object]]:
    return [{"HashName": name, "HashValue": value} for name, value in pairs]


def test_the_first_good_value_of_each_hash_counts_and_every_other_one_is_a_record_of_its_own() -> None:
    other, third = hashlib.md5(b"another").hexdigest(), hashlib.md5(b"a third").hexdigest()
    pictures = [hashlib.sha256(b"picture %d" % number).hexdigest() for number in range(3)]
    records, report = read(
        V1
        | {
            "value": [
                {"MD5": MD5, "SHA1": SHA1, "MediaSize": 7, "Category": 2, "IsDistributed": True, "AlternativeHashes":
                 alternatives(("MD5", other), ("md5", MD5.upper()), ("SHA-1", "0" * 40), ("MD-5", third),
                              ("PDQ", pictures[0]), ("PDQ", pictures[1]), ("pdq", "0" * 64), ("PDQ", pictures[2]))},
                {"MD5": "N/A", "Category": 1, "AlternativeHashes": alternatives(("MD5", other))},
                {"MD5": "N/A", "AlternativeHashes": alternatives(("MD5", "x")), "MediaFiles": [{"MD5": third}]},
            ]
        }
    )  # fmt: skip
    told = Record(size=7, category="2", flags=Flag.DISTRIBUTED)
    assert records[0] == told._replace(md5=bytes.fromhex(MD5), sha1=bytes.fromhex(SHA1), pdq=bytes.fromhex(pictures[0]))
    assert records[-2:] == [Record(md5=bytes.fromhex(other), category="1"), Record(md5=bytes.fromhex(third))]
    assert records[1:-2] == [
        *(told._replace(md5=bytes.fromhex(value)) for value in (other, third)),
        *(told._replace(pdq=bytes.fromhex(value)) for value in pictures[1:]),
    ]
    assert (report.rows, report.used) == (3, 3)
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {
        "SHA-1 of zeros or of ones alone, which is no file's": [1],
        "PDQ of a blank picture": [1],
        "MD5 is not 32 hexadecimal digits": [2, 3, 3],
    }


def test_the_empty_file_does_not_cost_the_other_values_of_a_record() -> None:
    empty = hashlib.md5(b"").hexdigest()
    records, report = media(MD5=empty, AlternativeHashes=alternatives(("MD5", MD5)))
    assert records == [Record(md5=bytes.fromhex(MD5))]
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {"the empty file": [1]}


def test_a_record_of_very_many_hashes_is_read_in_their_number() -> None:
    values = [f"{number:032x}" for number in range(1, 5_001)]
    records, report = media(AlternativeHashes=alternatives(*(("MD5", value) for value in values)))
    assert [record.md5 for record in records] == [bytes.fromhex(value) for value in values]
    assert (report.rows, report.used) == (1, 1)


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
        ({"MD5": hashlib.md5(b"").hexdigest(), "SHA1": hashlib.sha1(b"").hexdigest()}, "empty file"),
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
    assert report.lines()[1] == "  1 value dropped: SHA-1 is not 40 hexadecimal digits (record 1)"


def test_only_the_first_places_of_a_reason_are_kept() -> None:
    _, report = read(V1 | {"value": [{"MediaID": number} for number in range(100)]})
    (tally,) = report.skipped.values()
    assert (tally.count, tally.places) == (100, [1, 2, 3, 4, 5])
    assert report.lines()[1] == "  100 skipped: no hash in the row (record 1, 2, 3, 4, 5, ...)"


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


@pytest.mark.parametrize("digits", [20, 400, 5000, 100_000])
def test_a_number_of_very_many_digits_is_one_bad_value(digits: int) -> None:
    many = [{"MD5": MD5}, {"MD5": MD5}, "@", {"MD5": MD5}]
    content = json.dumps({"value": many}).replace(
        '"@"', f'{{"MD5":"{MD5}","MediaSize":{"9" * digits},"Width":-{"9" * digits}}}'
    )
    records, report = read(content)
    assert records == [Record(md5=bytes.fromhex(MD5))] * 4
    assert [tally.places for tally in report.bad_values.values()] == [[3]]


def test_a_file_cut_anywhere_is_one_line_the_same_whatever_is_read_at_a_time() -> None:
    content = json.dumps(V1 | {"value": [{"MD5": MD5, "Comments": "\u00e9\\n", "MediaSize": 1.5e3}] * 4}).encode()
    for keep in range(1, len(content)):
        told = set()
        for chunk in (10, CHUNK_BYTES):
            with pytest.raises(SourceError, match=r"set\.json: .*JSON") as caught:
                read(content[:keep], chunk)
            told.add(str(caught.value))
        assert len(told) == 1


def test_a_broken_file_says_which_record_it_was_read_to() -> None:
    content = json.dumps([{"MD5": MD5, "Category": number} for number in range(30_000)])
    with pytest.raises(SourceError, match="at record 20000: nothing was imported"):
        read(content.replace('"Category": 20000', '"Category": NaN'))


class Endless(io.RawIOBase):
    """A text that goes on for ever, as far as anyone reads."""

    def __init__(self, start: bytes, unit: bytes) -> None:
        self.given = 0
        self._rest = start
        self._unit = unit * (CHUNK_BYTES // len(unit))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed allows any buffer
        while len(self._rest) < len(buffer):
            self._rest += self._unit
        buffer[:] = self._rest[: len(buffer)]
        self._rest = self._rest[len(buffer) :]
        self.given += len(buffer)
        return len(buffer)


class Unending(InMemory):
    """A published file of an endless text."""

    def __init__(self, start: bytes, unit: bytes) -> None:
        super().__init__(start + 100 * unit)
        self.__dict__["opened"] = []
        self.__dict__["text"] = (start, unit)

    @property
    def given(self) -> int:
        return sum(stream.given for stream in self.__dict__["opened"])

    def open(self) -> BinaryIO:
        stream = Endless(*self.__dict__["text"])
        self.__dict__["opened"].append(stream)
        return io.BufferedReader(stream)


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        (b'{"value":[{"MD5":"', b"a"),
        (b'{"value":[{"MD5":"a"},{"MD5":"', b"\\u0061"),
        (b'{"', "日".encode()),
        (b'[{"MediaSize":', b"9"),
        (b'[{"MD5":"a"},{"Exif":[', b'"%s",' % (b"x" * 100)),
    ],
    ids=["string", "escapes", "name", "number", "array"],
)
def test_one_value_without_an_end_is_given_up_on(start: bytes, unit: bytes) -> None:
    published = Unending(start, unit)
    with pytest.raises(SourceError, match="one value of more than"):
        list(VICS.read(published, ReadReport("endless.json")))
    assert 0 < published.given < 64 << 20


def test_a_value_too_long_is_refused_whatever_is_read_at_a_time() -> None:
    for chunk in (CHUNK_BYTES, 100 * CHUNK_BYTES):
        for length, step in ((VALUE_LIMIT - 20, "used"), (VALUE_LIMIT, "refused")):
            content = f'{{"value":[{{"MD5":"{MD5}"}},{{"MD5":"{"a" * (length)}"}}]}}'
            if step == "used":
                assert read(content, chunk)[1].rows == 2
            else:
                with pytest.raises(SourceError, match="one value of more than"):
                    read(content, chunk)


def test_a_file_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        list(VICS.read(Published(tmp_path / "gone.json"), ReadReport("gone.json")))


def test_a_digest_of_the_empty_file_beside_another_is_dropped_alone() -> None:
    (record,), report = media(MD5=MD5, SHA1=hashlib.sha1(b"").hexdigest())
    assert (record.md5, record.sha1) == (bytes.fromhex(MD5), None)
    assert [*report.bad_values] == ["the empty file"]


def test_vics_is_asked_before_all_texts_and_takes_only_json() -> None:
    texts = [reader for reader in READERS if not reader.binary]
    assert READERS.index(VICS) < READERS.index(texts[0])
    assert not VICS.recognise(InMemory(MD5))
    assert not VICS.recognise(InMemory("md5,sha1\n"))
