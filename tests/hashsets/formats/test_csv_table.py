import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.formats import READERS
from triage.hashsets.formats.csv_table import CSV_TABLE
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import Record
from triage.model.errors import SourceError

MD5 = hashlib.md5(b"invented").digest()
SHA1 = hashlib.sha1(b"invented").digest()
SHA256 = hashlib.sha256(b"invented").digest()
PDQ = hashlib.sha256(b"picture").digest()


def read(content: str | bytes) -> tuple[list[Record], ReadReport]:
    data = content.encode() if isinstance(content, str) else content
    report = ReadReport("table.csv")
    assert next(reader for reader in READERS if reader.recognise(data[:65536])) is CSV_TABLE
    return list(CSV_TABLE.read(io.BytesIO(data), report)), report


@pytest.mark.parametrize(
    "header", ["md5", "MD5", '"MD5 Hash"', "md5_hash", "Hash MD5", "File MD5 (hex)", "md5sum", "MD5Checksum"]
)
def test_md5_in_any_reasonable_spelling(header: str) -> None:
    assert read(f"Name,{header}\nx,{MD5.hex()}\n")[0] == [Record(md5=MD5)]


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
    assert read(f"{header};file name\n{value.hex().upper()};x\n")[0] == [expected]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, end: str) -> None:
    header = delimiter.join(["MD5", "SHA1", "File Size", "Category", "Grade", "Series", "Näme"])
    row = delimiter.join([MD5.hex(), SHA1.hex(), "12", "A", "trusted", "s", '"x, y; z"'])
    records, report = read(f"{header}{end}{row}{end}".encode(encoding))
    assert records == [Record(md5=MD5, sha1=SHA1, size=12, category="A", grade="trusted", series="s")]
    assert report.rows == 1


def test_what_powershell_writes() -> None:
    lines = ["#TYPE Microsoft.PowerShell.Utility.FileHash", '"Algorithm","Hash","Path"']
    lines += [f'"x","{value.hex().upper()}","C:\\x"' for value in (MD5, SHA1, SHA256)]
    records, _ = read("\r\n".join(lines).encode("utf-16"))
    assert records == [Record(md5=MD5), Record(sha1=SHA1), Record(sha256=SHA256)]


def test_bad_cells_and_rows_are_counted_by_line() -> None:
    rows = [
        "name,md5,sha1,photodna", f'"two\nlines",{MD5.hex()},,', f"x,{MD5.hex()[:-2]},{SHA1.hex()},", "short", ",,,",
        "y,,,AAAA", "z,zz,,",
    ]  # fmt: skip
    records, report = read("\n".join(rows))
    assert records == [Record(md5=MD5), Record(sha1=SHA1)]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no hash in the row": [5],
        "only PhotoDNA, which is licensed and not read": [7],
        "no usable hash in the row": [8],
    }
    assert [tally.places for tally in report.bad_values.values()] == [[4, 8]]


@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.text(max_size=12)), max_size=12))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[bytes, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["name", "SHA-1"])
    writer.writerows([name.replace("\0", "").encode("utf-8", "replace").decode(), value.hex()] for value, name in rows)
    assert [record.sha1 for record in read(text.getvalue())[0]] == [value for value, _ in rows]


@pytest.mark.parametrize(
    "content",
    [
        f'md5,name\n{MD5.hex()},"never closed\n{MD5.hex()},x\n',
        f'md5,name\n{MD5.hex()},"a"b\n',
        f'md5,n\n{MD5.hex()},"{"x" * 200_000}"\n',
    ],
)
def test_a_broken_table_is_one_line(content: str) -> None:
    with pytest.raises(SourceError, match=r"table\.csv: not a table: ") as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_a_binary_file_is_refused() -> None:
    with pytest.raises(SourceError, match="NUL byte"):
        list(CSV_TABLE.read(io.BytesIO(b"md5,name\n\0\0\0\n"), ReadReport("table.csv")))


def test_a_table_without_hashes_is_refused() -> None:
    assert not CSV_TABLE.recognise(b"name,size\nx,1\n")
    with pytest.raises(SourceError, match="no header"):
        list(CSV_TABLE.read(io.BytesIO(b"name,size\nx,1\n"), ReadReport("table.csv")))


def test_two_columns_of_one_name_take_the_first() -> None:
    assert read(f"md5,md5\n{MD5.hex()},junk\n")[0] == [Record(md5=MD5)]


def test_a_hash_with_a_quality_is_a_pdq() -> None:
    assert read(f"hash,quality,file\n{PDQ.hex()},100,x\n")[0] == [Record(pdq=PDQ)]


def test_64_digits_without_a_word_of_their_kind_are_noted() -> None:
    records, report = read(f"hash\n{SHA256.hex()}\n")
    assert records == [Record(sha256=SHA256)]
    assert report.notes == ("64 digits taken for SHA-256; give --format pdq for a PDQ list",)
    assert read(f"Algorithm,Hash,Path\nSHA256,{SHA256.hex()},x\n")[1].notes == ()
