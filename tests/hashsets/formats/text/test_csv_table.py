import csv
import hashlib
import io
import tracemalloc
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic.published import InMemory, is_digest, placed, read

from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text import table
from triage.hashsets.formats.text.csv_table import CSV_TABLE
from triage.hashsets.formats.values import NOT_YES_OR_NO
from triage.hashsets.record import Flag, Record
from triage.model.errors import SourceError

MD5 = hashlib.md5(b"invented").digest()
OTHER = hashlib.md5(b"another").digest()
SHA1 = hashlib.sha1(b"invented").digest()
SHA256 = hashlib.sha256(b"invented").digest()
PDQ = hashlib.sha256(b"picture").digest()


def is_recognised(content: str | bytes) -> bool:
    return CSV_TABLE.recognise(InMemory(content))


def found(content: str | bytes) -> tuple[list[Record], ReadReport]:
    assert is_recognised(content)
    return read(CSV_TABLE, content)


@pytest.mark.parametrize(
    "header",
    ["md5", "MD5", '"MD5 Hash"', "md5_hash", "Hash MD5", "File MD5 (hex)", "md5sum", "MD5Checksum", "\ufeffmd5"],
)
def test_md5_in_any_reasonable_spelling(header: str) -> None:
    assert found(f"Name,{header}\nx,{MD5.hex()}\n")[0] == [Record(md5=MD5)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("SHA-1", Record(sha1=SHA1)), ("sha1 value", Record(sha1=SHA1)), ("SHA_256", Record(sha256=SHA256)),
        ("SHA2-256 digest", Record(sha256=SHA256)), ("PDQ Hash", Record(pdq=PDQ)), ("pdq", Record(pdq=PDQ)),
        ("pHash", Record(phash=PDQ[:8])), ("phash_hex", Record(phash=PDQ[:8])),
        ("Perceptual Hash", Record(phash=PDQ[:8])),
    ],
)  # fmt: skip
def test_other_hashes_in_any_reasonable_spelling(header: str, expected: Record) -> None:
    value = next(field for field in expected if isinstance(field, bytes))
    assert found(f"{header};file name\n{value.hex().upper()};x\n")[0] == [expected]


ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252"
)  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, end: str) -> None:
    header = delimiter.join(["MD5", "SHA1", "File Size", "Category", "Grade", "Series", "Näme"])
    rows = [delimiter.join([MD5.hex(), SHA1.hex(), "12", "A", "trusted", "s", name]) for name in ('"x, y; z"', "ü")]
    records, report = found(end.join([header, *rows, ""]).encode(encoding))
    assert records == [Record(md5=MD5, sha1=SHA1, size=12, category="A", grade="trusted", series="s")] * 2
    assert (report.rows, report.used) == (2, 2)


def test_what_powershell_writes() -> None:
    lines = ["#TYPE Microsoft.PowerShell.Utility.FileHash", '"Algorithm","Hash","Path"']
    values = {"MD5": MD5, "SHA1": SHA1, "SHA256": SHA256, "RIPEMD160": SHA1}
    lines += [f'"{name}","{value.hex().upper()}","C:\\x"' for name, value in values.items()]
    for encoding in ("utf-16", "utf-16-le"):
        records, report = found("\r\n".join(lines).encode(encoding))
        assert records == [Record(md5=MD5), Record(sha1=SHA1), Record(sha256=SHA256)]
        assert {reason: tally.places for reason, tally in report.bad_values.items()} == {table.OTHER_ALGORITHM: [6]}
        assert report.notes == ()


NSRL = '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"'
NSRL_1 = '"SHA-1","FileName","FileSize","ProductCode","OpSystemCode","MD4","MD5","CRC32","SpecialCode"'
HASHKEEPER = (
    '"file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified","time_zone",'
    '"comments","date_accessed","time_accessed"'
)
ILOOK = "V4Hash,HashSHA1,FileName,FilePath,FileSize,HashSHA256,HashSHA384,HashSHA512,CreateTime,ModTime,LastAccessTime"
ILOOK_1 = "V1Hash,HashType,SetDescription,FileName,FilePath,FileSize"
ICSE = (
    "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;"
    "Number of submissions;File Available;Media Type;Baseline"
)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (NSRL, f'"{SHA1.hex().upper()}","{MD5.hex().upper()}","CABEC7CD","a, ""b"".dll",503,1,"WIN",""',
         Record(MD5, SHA1, size=503)),
        (NSRL, f'"{SHA1.hex().upper()}","{MD5.hex().upper()}","CABEC7CD","ab.dll",503,1,"WIN",""',
         Record(MD5, SHA1, size=503)),
        (NSRL_1, f'"{SHA1.hex()}","a.dll",503,1,"WIN","{bytes(16).hex()}","{MD5.hex()}","CABEC7CD",""',
         Record(MD5, SHA1, size=503)),
        (HASHKEEPER, f'4151044,671,"acsetups.pdb",,"{MD5.hex().upper()}",91136,,,,,,', Record(MD5, size=91136)),
        (ILOOK, f"{MD5.hex()},{SHA1.hex()},a.gz,D:\\x\\,7,{SHA256.hex()},,,16.4.2008 14:29:24,,",
         Record(MD5, SHA1, SHA256, size=7)),
        (ILOOK_1, f"{MD5.hex()},x,a set,a.gz,D:\\x\\,7", Record(MD5, size=7)),
        (ICSE, f"{MD5.hex()};{SHA1.hex()};AAAA;1;y;No;TRUE;a series;3;n;image;f",
         Record(MD5, SHA1, series="a series", flags=Flag.DISTRIBUTED | Flag.OFFENDER_IDENTIFIED)),
        ("collab,signal_type,signal_str,category,tags", f"Sample Signals,pdq,{PDQ.hex()},WORTH_INVESTIGATING,",
         Record(pdq=PDQ, category="WORTH_INVESTIGATING")),
        ("hash,quality,file", f"{PDQ.hex()},100,x", Record(pdq=PDQ)),
    ],
    ids=["nsrl-quotes", "nsrl", "nsrl-1.5", "hashkeeper", "ilook-4", "ilook-1", "icse", "threatexchange", "pdq"],
)  # fmt: skip
def test_the_tables_of_publishers(header: str, row: str, expected: Record) -> None:
    records, report = found(f"{header}\r\n{row}\r\n{row}\r\n")
    assert records == [expected, expected]
    assert report.bad_values == {}
    assert report.notes == ()


def test_what_is_no_digest_and_no_flag_is_told() -> None:
    rows = [f"{ICSE}", f"{MD5.hex()};;;;perhaps;;;;;;;", "http://x;;;;;;;;;;;"]
    records, report = found("\n".join(rows))
    assert records == [Record(MD5)]
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {
        NOT_YES_OR_NO: [2],
        "MD5 is not 32 hexadecimal digits": [3],
    }
    _, report = found(f"signal_str,signal_type\n{SHA256.hex()}00,\nhttp://x,url\n{MD5.hex()},video_md5\n")
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {
        table.OTHER_LENGTH: [2],
        table.OTHER_ALGORITHM: [3],
    }


def test_bad_cells_and_rows_are_counted_by_line() -> None:
    rows = [
        "name,md5,sha1,photodna", f'"two\nlines",{MD5.hex()},,', f"x,{MD5.hex()[:-2]},{SHA1.hex()},", "short", ",,,",
        "y,,,AAAA", "z,zz,,", "# a comment",
    ]  # fmt: skip
    records, report = found("\n".join(rows))
    assert records == [Record(md5=MD5), Record(sha1=SHA1)]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no hash in the row": [5],
        "only PhotoDNA, which is licensed and not read": [7],
        "no usable hash in the row": [8],
    }
    assert [tally.places for tally in report.bad_values.values()] == [[4, 8]]


@pytest.mark.parametrize(
    ("content", "used", "told"),
    [
        (f'md5,name\n{MD5.hex()},"never closed\n{OTHER.hex()},x\n', [MD5, OTHER], {table.QUOTES: [2]}),
        (f'md5,name\n{MD5.hex()},"never closed\n{OTHER.hex()},x"\n', [MD5, OTHER], {table.QUOTES: [2]}),
        (f'md5,name\n{MD5.hex()},"a"b"\n{OTHER.hex()},5" disk\n', [MD5, OTHER], {table.QUOTES: [2]}),
        (f'name,md5\n"never closed,{MD5.hex()}\n"x",{OTHER.hex()}\n', [MD5, OTHER], {table.QUOTES: [2]}),
        (f'md5,name\n{MD5.hex()},"ends', [MD5], {table.QUOTES: [2]}),
        (f'md5,name\n{OTHER.hex()},""\n{MD5.hex()},"one\n\ntwo, ""x""\nthree"\n', [OTHER, MD5], {}),
    ],
)
def test_a_quote_too_many_costs_no_other_row(content: str, used: list[bytes], told: dict[str, list[int]]) -> None:
    records, report = found(content)
    assert [record.md5 for record in records] == used
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == told
    assert report.rows == len(used)


def test_a_row_whose_columns_cannot_be_told_is_skipped() -> None:
    records, report = found(f'name,md5,size\n"a "x, y" b",{MD5.hex()},3\nx,{MD5.hex()},3\n')
    assert records == [Record(md5=MD5, size=3)]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {table.NO_ROW: [2]}


def test_a_cell_of_any_length_below_a_line_is_no_trouble() -> None:
    records, report = found(f'md5,name\n{MD5.hex()},"{"x" * 200_000}"\n')
    assert records == [Record(md5=MD5)]
    assert report.bad_values == {}


def test_a_cell_too_many_costs_the_size_and_the_labels_only() -> None:
    rows = ["md5,name,size,category", f"{MD5.hex()},a, b,7,1", f"{OTHER.hex()},a,7,1,,"]
    records, report = found("\n".join(rows))
    assert records == [Record(MD5), Record(OTHER, size=7, category="1")]
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {table.SURPLUS: [2]}


@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20).filter(is_digest), st.text(max_size=12)), max_size=12))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[bytes, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["name", "SHA-1"])
    writer.writerows([name.replace("\0", "").encode("utf-8", "replace").decode(), value.hex()] for value, name in rows)
    assert [record.sha1 for record in found(file.getvalue())[0]] == [value for value, _ in rows]


NAMES = st.text(st.sampled_from('"\n\r,;#ab é'), max_size=10)
ROW = st.tuples(NAMES, st.none() | st.just(MD5.hex()), NAMES, st.sampled_from([SHA1.hex(), ""]), NAMES)


@given(
    st.lists(ROW, max_size=8),
    st.permutations(["name", "md5", "path", "sha1", "comment"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(",;\t|"),
)
def test_a_file_in_good_order_keeps_every_digest_whatever_its_names(
    rows: list[tuple[str | None, ...]], header: list[str], quoting: int, delimiter: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, header, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoting else csv.QUOTE_MINIMAL)
    writer.writeheader()
    writer.writerows(dict(zip(["name", "md5", "path", "sha1", "comment"], row, strict=True)) for row in rows)
    expected = [(md5, sha1) for _, md5, _, sha1, _ in rows if md5 or sha1]
    records, report = found(file.getvalue())
    assert [(record.md5, record.sha1) for record in records] == [
        (md5 and MD5, SHA1 if sha1 else None) for md5, sha1 in expected
    ]
    assert report.bad_values == {}


@pytest.mark.parametrize(
    ("row", "used", "told"),
    [
        (f'{MD5.hex()},"a\n{OTHER.hex()} b",{SHA1.hex()}', [Record(MD5, SHA1)], {}),
        (f'{MD5.hex()},"a,\n,b",{SHA1.hex()}', [Record(MD5, SHA1)], {}),
        (f'{MD5.hex()},"a\n{OTHER.hex()},b,\nc",{SHA1.hex()}', [Record(MD5, SHA1), Record(OTHER)],
         {table.QUOTES: [2], "MD5 is not 32 hexadecimal digits": [4]}),
        (f'{MD5.hex()},"a,\n{OTHER.hex()},b",', [Record(MD5), Record(OTHER)], {table.QUOTES: [2]}),
    ],
    ids=["text", "delimiters", "a row between", "a row at the end"],
)  # fmt: skip
def test_a_digest_inside_quotes_is_a_row_only_where_it_is_one_by_itself(
    row: str, used: list[Record], told: dict[str, list[int]]
) -> None:
    records, report = found(f"md5,name,sha1\n{row}\n")
    assert records == used
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == told


def test_what_fills_a_column_is_no_digest() -> None:
    rows = [f"{MD5.hex()},{'0' * 40}", f"{'f' * 32},{SHA1.hex()}", f"{'0' * 32},"]
    records, report = found("md5,sha1\n" + "\n".join(rows))
    assert records == [Record(md5=MD5), Record(sha1=SHA1)]
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {
        "SHA-1 of zeros or of ones alone, which is no file's": [2],
        "MD5 of zeros or of ones alone, which is no file's": [3, 4],
    }
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {"no usable hash in the row": [4]}


def test_a_table_does_not_tell_what_membership_means() -> None:
    assert not CSV_TABLE.categorised


VALUES = st.sampled_from(
    [MD5.hex(), SHA1.hex(), SHA256.hex().upper(), PDQ.hex()[:16], hashlib.md5(b"").hexdigest(), "", "0" * 64, "0" * 32,
     "F" * 40, "g" * 32, " " + MD5.hex(), MD5.hex()[1:], "12", "007", "9" * 19, " 7", "y", "no", "MD5", "sha1",
     "SHA256", "A", "é ", "a,b", 'a"b', "x\ny", "#"]
)  # fmt: skip
RAW = st.one_of(VALUES, VALUES.map('"{}"'.format), st.text('x",;\n \x85\r', max_size=5))
HEADERS = st.sampled_from(
    ["md5,name", "name,md5,sha1,size", "hash,size,category", "MD5,Category,Series,Is distributed", "md5",
     "hash,quality", "pdq,phash,sha256", "hash,md5,size", "algorithm,hash", "md5,photodna,grade"]
)  # fmt: skip


def without_bulk(content: str) -> tuple[list[tuple[int, Record]], ReadReport]:
    report = ReadReport("set.txt")
    with patch.object(table, "fill_plain_rows", lambda lines, *_: (np.zeros(lines.count, np.bool_), set())):
        return placed(CSV_TABLE.read(InMemory(content), report)), report


def regular(header: str, rows: list[list[str]]) -> str:
    width = header.count(",") + 1
    return "\n".join([header, *(",".join((row * width)[:width]) for row in rows)])


def irregular(header: str, rows: list[list[str]]) -> str:
    return "\n".join([header, *(",".join(row) for row in rows)])


ROWS = st.lists(st.lists(RAW, min_size=1, max_size=5), max_size=8)


@given(st.builds(regular, HEADERS, ROWS) | st.builds(irregular, HEADERS, ROWS))
def test_what_is_read_in_bulk_is_what_is_read_row_by_row(content: str) -> None:
    expected, alone = without_bulk(content)
    report = ReadReport("set.txt")
    assert placed(CSV_TABLE.read(InMemory(content), report)) == expected
    assert report.lines() == alone.lines()


@pytest.mark.parametrize(
    ("columns", "expected", "note"),
    [
        ([MD5.hex(), "a name"], Record(MD5), "column 1 for MD5"),
        (["a name", MD5.hex()], Record(MD5), "column 2 for MD5"),
        ([SHA1.hex(), MD5.hex(), "x"], Record(MD5, SHA1), "column 1 for SHA-1, column 2 for MD5"),
        (["17", SHA256.hex().upper(), MD5.hex()], Record(MD5, sha256=SHA256), "column 2 for SHA-256, column 3 for MD5"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_without_a_header_the_values_tell(columns: Sequence[str], expected: Record, note: str, delimiter: str) -> None:
    row = delimiter.join(columns)
    records, report = found(f"{row}\r\n" * 3)
    assert records == [expected] * 3
    assert report.notes == (f"no header: {note}, by their values",)


def test_a_file_that_is_named_like_a_header_is_a_row() -> None:
    records, report = found(f"{MD5.hex()},x\n{OTHER.hex()},md5\n{MD5.hex()},checksum.md5\n")
    assert [record.md5 for record in records] == [MD5, OTHER, MD5]
    assert not is_recognised(f"{MD5.hex()}  a\n{MD5.hex()}  b,md5\nMD5 (x,sha1,y) = {MD5.hex()}\n")
    assert report.used == 3


def test_the_header_may_come_after_other_lines() -> None:
    rows = ["A list of invented files", "made for a test", "", "", ",,,", '# "first_seen","sha256_hash","md5_hash"']
    assert found("\n".join([*rows, f'"x","{SHA256.hex()}","{MD5.hex()}"']))[0] == [Record(MD5, sha256=SHA256)]


def test_a_row_may_cross_the_end_of_a_block() -> None:
    comment = "x" * 100
    row = f'{MD5.hex()},"{comment}\n{comment}, {comment}\n{comment}"\n'
    records, report = found("md5,comment\n" + row * 3000)
    assert records == [Record(MD5)] * 3000
    assert (report.rows, report.used, report.place) == (3000, 3000, 9001)


def test_a_binary_file_is_refused() -> None:
    with pytest.raises(SourceError, match="NUL byte"):
        read(CSV_TABLE, b"md5,name\n\0\0\0\n")
    assert not is_recognised(bytes(range(256)) * 64)


@pytest.mark.parametrize("content", ["name,size\nx,1\n", "", "\n", "dear reader\n", "{}", "a,b,c\n" * 100])
def test_a_table_without_hashes_is_refused(content: str) -> None:
    assert not is_recognised(content)
    with pytest.raises(SourceError, match=r"no header|an empty file") as caught:
        read(CSV_TABLE, content)
    assert "\n" not in str(caught.value)


def test_a_header_alone_has_no_rows() -> None:
    records, report = found("md5,name\n")
    assert (records, report.rows) == ([], 0)


def test_two_columns_of_one_name_take_the_first() -> None:
    assert found(f"md5,md5\n{MD5.hex()},junk\n")[0] == [Record(md5=MD5)]


def test_ten_thousand_columns_are_read() -> None:
    header = ",".join(["c"] * 9_999)
    row = ",".join(["x"] * 9_999)
    assert found(f"md5,{header}\n" + f"{MD5.hex()},{row}\n" * 20)[0] == [Record(md5=MD5)] * 20


def test_64_digits_without_a_word_of_their_kind_are_noted() -> None:
    for content in (f"hash\n{SHA256.hex()}\n", f'hash\n" {SHA256.hex()}"\n'):
        records, report = found(content)
        assert records == [Record(sha256=SHA256)]
        assert report.notes == ("64 digits taken for SHA-256; give --format pdq for a PDQ list",)
    assert len(found(f"{SHA256.hex()},1,2020-07-31T18:47:52+0000\n")[1].notes) == 2
    assert found(f"Algorithm,Hash,Path\nSHA256,{SHA256.hex()},x\n")[1].notes == ()


def test_memory_stays_flat_over_a_long_file_of_bad_rows() -> None:
    content = b"md5,name\n" + (b'abc,"' + b"x" * 4000 + b"\n") * 2_500
    published = InMemory(content)
    report = ReadReport("set.txt")
    tracemalloc.start()
    assert sum(len(batch) for batch in CSV_TABLE.read(published, report)) == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.rows > 0
    assert peak < 6 << 20
