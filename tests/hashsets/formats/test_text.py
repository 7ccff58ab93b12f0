import hashlib
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.hashsets.formats.decoding import LINE_LIMIT
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text import TEXT
from triage.hashsets.record import Record
from triage.model.errors import SourceError

MD5 = hashlib.md5(b"invented").digest()
SHA1 = hashlib.sha1(b"invented").digest()
SHA256 = hashlib.sha256(b"invented").digest()


def read(content: bytes) -> tuple[list[Record], ReadReport]:
    report = ReadReport("list.txt")
    return list(TEXT.read(io.BytesIO(content), report)), report


@pytest.mark.parametrize("value", [MD5, SHA1, SHA256], ids=["md5", "sha1", "sha256"])
@pytest.mark.parametrize(
    "form", ["{}  a name.jpg", "{} *a name.jpg", "{}", "{}\tname", "\\{}  a\\nname", "  {}  indented"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_gnu_lines(value: bytes, form: str, end: str) -> None:
    for text in (value.hex(), value.hex().upper()):
        line = (form.format(text) + end).encode()
        assert TEXT.recognise(line)
        records, report = read(line)
        assert [field for field in records[0] if field is not None] == [value]
        assert report.used == 1


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("MD5 (a (b) = c.jpg) = ", MD5, Record(md5=MD5)),
        ("SHA1 (x) = ", SHA1, Record(sha1=SHA1)),
        ("SHA256 (x) = ", SHA256, Record(sha256=SHA256)),
        ("SHA2-256(x)= ", SHA256, Record(sha256=SHA256)),
    ],
)
def test_bsd_lines(label: str, value: bytes, expected: Record) -> None:
    assert TEXT.recognise((label + value.hex()).encode())
    assert read((label + value.hex() + "\r\n").encode())[0] == [expected]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(encoding: str) -> None:
    content = f"{MD5.hex()}  ß\r\n{SHA1.hex()}\r\n".encode(encoding)
    assert TEXT.recognise(content)
    assert read(content)[0] == [Record(md5=MD5), Record(sha1=SHA1)]


def test_names_that_are_not_utf_8_do_no_harm() -> None:
    assert read(MD5.hex().encode() + b"  \xff\xfe\x80.jpg\n")[0] == [Record(md5=MD5)]


def test_bad_lines_are_counted_by_line() -> None:
    lines = [
        "# a comment", "", MD5.hex(), MD5.hex()[:-1], "g" * 32, hashlib.md5(b"").hexdigest(), "words only",
        "MD5 (x) = " + SHA1.hex(),
    ]  # fmt: skip
    records, report = read("\n".join(lines).encode())
    assert records == [Record(md5=MD5)]
    assert (report.rows, report.used) == (6, 1)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "not a line of 32, 40 or 64 hexadecimal digits and a name": [4, 7],
        "no usable hash in the row": [5, 8],
        "the empty file": [6],
    }


@given(st.lists(st.sampled_from([MD5, SHA1, SHA256]), max_size=20), st.text(string.printable, max_size=20))
def test_every_listed_digest_is_read(values: list[bytes], name: str) -> None:
    name = name.replace("\n", " ").replace("\r", " ").replace("\v", " ").replace("\f", " ")
    records, _ = read("".join(f"{value.hex()}  {name}\n" for value in values).encode())
    assert [next(field for field in record if field) for record in records] == values


def test_a_line_without_an_end_and_a_binary_file_are_one_line() -> None:
    with pytest.raises(SourceError, match=r"list\.txt: a line of more than"):
        read(b"a" * (LINE_LIMIT + 5))
    with pytest.raises(SourceError, match=r"NUL byte.* at line 2"):
        read(MD5.hex().encode() + b"\nabc\0def\n")


def test_other_texts_are_not_recognised() -> None:
    for content in (b"", b"dear reader\n", b"%%%% HASHDEEP-1.0\n", b"a" * 32 + b"z", b"<html>"):
        assert not TEXT.recognise(content)


def test_bare_64_digits_are_noted_once() -> None:
    assert len(read(f"{SHA256.hex()}\n{SHA256.hex()}\n".encode())[1].notes) == 1
    assert read(f"{SHA256.hex()}  name\n{MD5.hex()}\n".encode())[1].notes == ()
