import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import Tool
from synthetic.published import InMemory, is_digest, placed, read

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text.hashdeep import HASHDEEP
from triage.hashsets.record import Record
from triage.model.errors import SourceError

MD5 = hashlib.md5(b"invented").digest()
SHA1 = hashlib.sha1(b"invented").digest()
SHA256 = hashlib.sha256(b"invented").digest()
VERSION = "%%%% HASHDEEP-1.0\n"
HEADER = f"{VERSION}%%%% size,md5,sha256,filename\n## Invoked from: /x\n## $ hashdeep -r .\n## \n"


def member(content: bytes, algorithms: list[str]) -> Record:
    md5, sha1, sha256 = (
        hashlib.new(name, content).digest() if name in algorithms else None for name in ("md5", "sha1", "sha256")
    )
    return Record(md5, sha1, sha256, size=len(content))


@pytest.mark.parametrize("algorithms", ["md5,sha256", "md5", "sha1,tiger,whirlpool", "md5,sha1,sha256"])
def test_what_hashdeep_writes_is_read(algorithms: str, tool: Tool, tmp_path: Path) -> None:
    names = ("plain.jpg", "with, comma, twice.jpg", 'with "quotes".jpg', "#hash", "ü.png", "empty")
    contents = {name: b"" if name == "empty" else f"invented {name}".encode() for name in names}
    (tmp_path / "files").mkdir()
    for name, content in contents.items():
        (tmp_path / "files" / name).write_bytes(content)
    made = subprocess.run(
        [tool("hashdeep"), "-r", "-c", algorithms, "files"], cwd=tmp_path, capture_output=True, check=True
    )
    (tmp_path / "set.txt").write_bytes(made.stdout)
    published, report = Published(tmp_path / "set.txt"), ReadReport("set.txt")
    assert HASHDEEP.recognise(published)
    expected = {member(content, algorithms.split(",")) for content in contents.values() if content}
    assert {record for _, record in placed(HASHDEEP.read(published, report))} == expected
    assert {reason: tally.count for reason, tally in report.skipped.items()} == {"the empty file": 1}
    assert report.bad_values == {}


MD5S = st.binary(min_size=16, max_size=16).filter(is_digest)
NAMES = st.text(st.characters(exclude_characters="\0\n\r", codec="utf-8"), max_size=20)


@given(st.lists(st.tuples(MD5S, st.integers(0, 1 << 61), NAMES), max_size=20))
def test_every_row_is_read_whatever_its_name(rows: list[tuple[bytes, int, str]]) -> None:
    lines = [f"{size},{md5.hex()},{SHA256.hex()},{name}\n" for md5, size, name in rows]
    records, report = read(HASHDEEP, HEADER + "".join(lines))
    assert records == [Record(md5, sha256=SHA256, size=size) for md5, size, _ in rows]
    assert (report.rows, report.bad_values, report.notes) == (len(rows), {}, ())


def test_bad_rows_are_counted_by_line() -> None:
    rows = [f"7,{MD5.hex()},{SHA256.hex()},x", f"?,{MD5.hex()},,x", f"7,{MD5.hex()[1:]},?,x", "# a comment", "", "7,"]
    records, report = read(HASHDEEP, HEADER + "\n".join(rows))
    assert records == [Record(MD5, sha256=SHA256, size=7), Record(MD5)]
    assert (report.rows, report.used) == (4, 2)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no usable hash in the row": [8],
        "no hash in the row": [11],
    }


def test_every_spelling_of_a_column_is_known() -> None:
    content = f"{VERSION}%%%% size,MD5,SHA-1,sha-256,filename\n7,{MD5.hex()},{SHA1.hex()},{SHA256.hex()},x\n"
    assert HASHDEEP.recognise(InMemory(content.replace("\n", "\r\n")))
    assert read(HASHDEEP, content)[0] == [Record(MD5, SHA1, SHA256, size=7)]


@pytest.mark.parametrize("content", [VERSION, f"{VERSION}%%%% nothing\n", VERSION + "\n" * 100])
def test_a_file_without_its_columns_is_refused(content: str) -> None:
    with pytest.raises(SourceError, match="no header"):
        read(HASHDEEP, content)


def test_other_files_are_not_recognised() -> None:
    for content in ("", "%%%% HASHDEEP-2.0\n", f"x\n{VERSION}", "md5,name\n"):
        assert not HASHDEEP.recognise(InMemory(content))
