import hashlib
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import Tool
from synthetic.published import InMemory, placed, read

from triage.hashsets.formats.decoding import LINE_LIMIT
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text import digest_list
from triage.hashsets.formats.text.digest_list import DIGEST_LIST
from triage.hashsets.record import DIGEST_BYTES, Record
from triage.model.errors import SourceError

MD5 = hashlib.md5(b"invented").digest()
SHA1 = hashlib.sha1(b"invented").digest()
SHA256 = hashlib.sha256(b"invented").digest()

NAMES = ("plain.jpg", "with, comma.jpg", "with  blanks .jpg", "back\\slash", "new\nline", "(bra) = cket", "ü€.png")


def is_recognised(content: bytes | str) -> bool:
    return DIGEST_LIST.recognise(InMemory(content))


@pytest.mark.parametrize("value", [MD5, SHA1, SHA256], ids=["md5", "sha1", "sha256"])
@pytest.mark.parametrize(
    "form", ["{}  a name.jpg", "{} *a name.jpg", "{}", "{}\tname", "\\{}  a\\nname", "  {}  indented", "{} "]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_gnu_lines(value: bytes, form: str, end: str) -> None:
    for digits in (value.hex(), value.hex().upper()):
        line = form.format(digits) + end
        assert is_recognised(line)
        records, report = read(DIGEST_LIST, line)
        assert [field for field in records[0] if isinstance(field, bytes)] == [value]
        assert report.used == 1


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("MD5 (a (b) = c.jpg) = ", MD5, Record(md5=MD5)),
        ("SHA1 (x) = ", SHA1, Record(sha1=SHA1)),
        ("SHA256 (x) = ", SHA256, Record(sha256=SHA256)),
        ("\\SHA256 (x\\ny) = ", SHA256, Record(sha256=SHA256)),
        ("SHA2-256(x)= ", SHA256, Record(sha256=SHA256)),
    ],
)
def test_bsd_lines(label: str, value: bytes, expected: Record) -> None:
    assert is_recognised(label + value.hex())
    assert read(DIGEST_LIST, label + value.hex() + "\r\n")[0] == [expected]


def test_md5deep_lines_with_a_size() -> None:
    content = f"    669416  {MD5.hex()}  a.out\n  99999999999999999999 {SHA1.hex()}\n"
    assert is_recognised(content)
    assert read(DIGEST_LIST, content)[0] == [Record(md5=MD5, size=669416)]


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_encodings_with_and_without_a_mark(encoding: str) -> None:
    content = f"{MD5.hex()}  ß\r\n{SHA1.hex()}\r\n".encode(encoding)
    assert is_recognised(content)
    assert read(DIGEST_LIST, content)[0] == [Record(md5=MD5), Record(sha1=SHA1)]


def test_names_that_are_not_utf_8_do_no_harm() -> None:
    assert read(DIGEST_LIST, MD5.hex().encode() + b"  \xff\xfe\x80.jpg\n")[0] == [Record(md5=MD5)]


def test_bad_lines_are_counted_by_line() -> None:
    lines = [
        "# a comment", "", MD5.hex(), MD5.hex()[:-1], "g" * 32, hashlib.md5(b"").hexdigest(), "words only",
        "MD5 (x) = " + SHA1.hex(),
    ]  # fmt: skip
    records, report = read(DIGEST_LIST, "\n".join(lines))
    assert records == [Record(md5=MD5)]
    assert (report.rows, report.used) == (6, 1)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        digest_list.NO_ROW: [4, 7],
        "no usable hash in the row": [5, 8],
        "the empty file": [6],
    }


def test_what_fills_a_column_is_no_digest() -> None:
    records, report = read(DIGEST_LIST, f"{'0' * 32}  a\n{MD5.hex()}  b\nSHA1 (c) = {'f' * 40}\n7  {'0' * 64}\n")
    assert records == [Record(md5=MD5)]
    assert [tally.places for tally in report.bad_values.values()] == [[1], [3], [4]]
    assert [(reason, tally.places) for reason, tally in report.skipped.items()] == [
        ("no usable hash in the row", [1, 3, 4])
    ]


LINE = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(
            ["", "", "", "\\", " ", "12  ", "        12  ", "1234567890  ", " " * 12, "      1 12  ", "        -1  "]
        ),
        st.sampled_from([MD5, SHA1, SHA256, hashlib.md5(b"").digest(), MD5[:-1], bytes(20)]).map(bytes.hex),
        st.sampled_from(["  ", " *", "\t", "", " ", "x", ","]),
        st.text(string.ascii_letters + " \t\\\"',;#\x0b\xa0é", max_size=6),
    ),
    st.text("#mD5 ()=0123456789abcdef", max_size=40),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["MD5 (", "SHA1 (", "SHA256 (", "\\MD5 (", "md5(", "SHA-1 (", "SHA2-256 ("]),
        st.text("a ()=", max_size=4),
        st.sampled_from([") = ", ")= ", ") =", " = "]),
        st.sampled_from([MD5, SHA1, SHA256, hashlib.sha1(b"").digest()]).map(bytes.hex),
    ),
)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_is_read_in_bulk_is_what_is_read_line_by_line(lines: list[str], end: str, ends: bool) -> None:
    content = end.join(lines) + end * ends
    report = ReadReport("set.txt")
    batches = placed(DIGEST_LIST.read(InMemory(content), report))
    alone = ReadReport("set.txt")
    expected = []
    for alone.place, line in enumerate(content.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        record = digest_list._record(line.strip(" \t"), alone)
        if record is not None:
            expected.append((alone.place, record))
    assert batches == expected
    assert report.lines() == alone.lines()


@given(st.lists(st.sampled_from([MD5, SHA1, SHA256]), max_size=20), st.text(string.printable, max_size=20))
def test_every_listed_digest_is_read(values: list[bytes], name: str) -> None:
    name = name.replace("\n", " ").replace("\r", " ")
    records, _ = read(DIGEST_LIST, "".join(f"{value.hex()}  {name}\n" for value in values))
    assert [next(field for field in record if field) for record in records] == values


@pytest.mark.parametrize(
    "command",
    [
        ["md5sum"], ["md5sum", "--binary"], ["md5sum", "--tag"], ["sha1sum"], ["sha1sum", "--tag"], ["sha256sum"],
        ["sha256sum", "--tag"], ["cksum", "--algorithm=sha256", "--untagged"], ["md5deep"], ["md5deep", "-z"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_real_tools_write_is_read(command: list[str], tool: Tool, tmp_path: Path) -> None:
    contents = {name: f"invented {name}".encode() for name in NAMES if name != "new\nline" or "deep" not in command[0]}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    made = subprocess.run([tool(command[0]), *command[1:], *contents], cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / "list").write_bytes(made.stdout)
    report = ReadReport("list")
    records = [record for _, record in placed(DIGEST_LIST.read(Published(tmp_path / "list"), report))]
    name = next(name for name in DIGEST_BYTES if name.removeprefix("sha") in " ".join(command))
    digests = {hashlib.new(name, content).digest() for content in contents.values()}
    assert {next(field for field in record if isinstance(field, bytes)) for record in records} == digests
    sizes = {len(content) for content in contents.values()} if "-z" in command else {None}
    assert {record.size for record in records} == sizes


def test_a_line_without_an_end_and_a_binary_file_are_one_line() -> None:
    with pytest.raises(SourceError, match=r"set\.txt: a line of more than"):
        read(DIGEST_LIST, b"a" * (LINE_LIMIT + 5))
    with pytest.raises(SourceError, match=r"NUL byte.* at line 2"):
        read(DIGEST_LIST, MD5.hex().encode() + b"\nabc\0def\n")


def test_other_texts_are_not_recognised() -> None:
    for content in (b"", b"dear reader\n", b"%%%% HASHDEEP-1.0\n", b"a" * 32 + b"z", b"<html>"):
        assert not is_recognised(content)


def test_bare_64_digits_are_noted_once() -> None:
    assert len(read(DIGEST_LIST, f"{SHA256.hex()}\n{SHA256.hex()}\n")[1].notes) == 1
    for end in ("\n", " \n"):
        content = f"{SHA256.hex()}  name{end}{MD5.hex()}  {'x' * 30}{end}{MD5.hex()}{end}"
        assert read(DIGEST_LIST, content)[1].notes == ()
