import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import nsrl

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sql import sql_script, statements
from triage.hashsets.formats.sql.nsrl_delta import NSRL_DELTA
from triage.model.errors import SourceError

A, B, C = "AB" * 32, "CD" * 20, "EF" * 16
HEAD = "INSERT INTO FILE(sha256,sha1,md5,crc32,file_name,file_size,package_id) VALUES"
QUOTED = "''); DELETE FROM FILE; --''"

Found = list[tuple[int, str, int]]


def read(path: Path, content: str | bytes) -> tuple[Found, ReadReport]:
    """Return (place, MD5, size) of each record."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    report = ReadReport(path.name, unit="row")
    found: Found = []
    for batch in NSRL_DELTA.read(Published(path), report):
        md5s = [raw.tobytes().hex().upper() for raw in batch.hashes["md5"]]
        found += zip(batch.place.tolist(), md5s, batch.size.tolist(), strict=True)
    return found, report


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "RDS_2026.06.1_modern_minimal_delta.sql"


def row(number: int, name: str = "x.dll") -> str:
    return f"('{A}','{B}','{number:032X}','0','{name}',{number},1)"


def md5(number: int) -> str:
    return f"{number:032X}"


def test_what_a_delta_adds_is_what_sqlite_would_add(script: Path) -> None:
    text = "".join(nsrl.delta(3000))
    connection = sqlite3.connect(":memory:")
    connection.executescript(nsrl.MINIMAL_SCHEMA.replace(" NOT NULL", "") + text)
    truth = connection.execute("SELECT md5, file_size FROM FILE WHERE file_size > 0 ORDER BY rowid").fetchall()
    connection.close()
    found, report = read(script, text)
    assert NSRL_DELTA.recognise(Published(script))
    assert [(digest, size) for _, digest, size in found] == truth
    assert (report.rows, report.used) == (3001, 2999)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        statements.DELETES: [1],
        "the empty file": [2],
    }
    assert report.notes[1].startswith("2 statements that list no files were passed over: 'pkg' 1")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{row(1)},\n {row(2)} , {row(3)};",
        f"{HEAD}{row(1)};{HEAD}{row(2)};\r\n\r\n{HEAD}\r\n{row(3)}\r\n;\r\n",
        f"""-- made; by hand
        /* {HEAD}{row(9)}; */ insert or ignore into main.file values {row(1)};
        INSERT INTO "main"."FILE" VALUES{row(2)};REPLACE INTO [FILE] VALUES{row(3)}; -- end""",
        f"{HEAD}{row(1, 'a;b')};{HEAD}{row(2, QUOTED)};{HEAD}{row(3, 'a(,)/*--')};",
        "".join(f"INSERT INTO METADATA(md5,path,bytes) VALUES('{md5(n)}',x'00',{n});" for n in (1, 2, 3)),
        "".join(f"INSERT INTO FILE(file_size,[md5],x) VALUES({n},'{md5(n)}',f(1,(2)));" for n in (1, 2, 3)),
        f"{HEAD}{row(1)} ON CONFLICT DO NOTHING;{HEAD}{row(2)} RETURNING (1);{HEAD}{row(3)};",
        f"\ufeffPRAGMA foreign_keys=OFF;BEGIN;{HEAD}{row(1)},{row(2)},{row(3)};END;",
    ],
)
def test_every_way_to_write_it_gives_the_same_rows(text: str, script: Path) -> None:
    found, report = read(script, text)
    assert found == [(number, md5(number), number) for number in (1, 2, 3)]
    assert NSRL_DELTA.recognise(Published(script))
    assert report.used == 3


def test_utf_16_with_a_mark_is_read(script: Path) -> None:
    assert read(script, f"{HEAD}{row(1)};".encode("utf-16"))[0] == [(1, md5(1), 1)]


@given(chunk=st.integers(1, 400), name=st.text("';()-/*x \n,\"[", max_size=12))
def test_a_script_read_in_any_pieces_is_read_alike(
    chunk: int, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    quoted = name.replace("'", "''")
    text = (
        f"BEGIN;/* a * b */{HEAD}{row(1, quoted)};{HEAD}{row(2, quoted)};--c\n{HEAD}{row(3)},{row(4, quoted)};COMMIT;"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_script, "CHUNK_CHARACTERS", max(chunk, 60))
        found, report = read(tmp_path_factory.mktemp("delta") / "x.sql", text)
    assert [place for place, _, _ in found] == [1, 2, 3, 4]
    assert len(report.notes) == 1


def test_rows_that_cannot_be_read_are_counted_by_row(script: Path) -> None:
    found, report = read(
        script,
        f"{HEAD}('{A[1:]}','{B}','{C}','0','x',-1,1);{HEAD}({C},NULL,NULL,'0','x',1,1);{HEAD}('{A}');"
        "INSERT INTO FILE VALUES('a','b');INSERT INTO FILE SELECT * FROM other;INSERT INTO FILE DEFAULT VALUES;"
        "UPDATE FILE SET md5='x' WHERE file_size=1;UPDATE METADATA SET path='md5' WHERE md5='x';"
        f"DELETE FROM METADATA WHERE metadata_id=1;{HEAD}{row(10)};",
    )
    assert found == [(1, C, -1), (9, md5(10), 10)]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no usable hash in the row": [2],
        statements.UNEVEN: [3],
        statements.UNNAMED: [4],
        statements.NOT_WRITTEN_OUT: [5, 6],
        statements.UPDATES: [7],
        statements.DELETES: [8],
    }
    assert "1 statements that list no files were passed over: 'metadata (other columns)' 1" in report.notes


@pytest.mark.parametrize(
    "text",
    [
        f"BEGIN;{HEAD}{row(1)};{HEAD}('{A}','{B}",
        f"BEGIN;{HEAD}{row(1)};{HEAD}('{A}'",
        f"{HEAD}{row(1)}",
        f"{HEAD}{row(1)};/* never closed",
    ],
)
def test_a_script_that_is_cut_off_is_refused(text: str, script: Path) -> None:
    with pytest.raises(SourceError, match=r"ends in the middle of a .* at row 1: nothing was imported; get it again"):
        read(script, text)


def test_a_script_cut_between_statements_is_noted(script: Path) -> None:
    assert statements.NOT_COMMITTED in read(script, f"BEGIN;{HEAD}{row(1)};")[1].notes
    assert statements.NOT_COMMITTED not in read(script, f"BEGIN;{HEAD}{row(1)};COMMIT;")[1].notes


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (f"CREATE TRIGGER t AFTER INSERT ON x BEGIN {HEAD}{row(1)}; END;", "makes a trigger"),
        (f"BEGIN;{HEAD}{row(1)};ROLLBACK;", "takes back"),
        (f"{HEAD}('{'x' * 5_000_000}');", "more than 1048576 characters"),
        (f"{HEAD}({'1,' * 3000}1);", "more than 2000 values"),
        ("INSERT x;", "without INTO"),
    ],
)
def test_what_is_no_delta_is_refused(text: str, cause: str, script: Path) -> None:
    with pytest.raises(SourceError, match=cause):
        read(script, text)


@pytest.mark.parametrize(
    "text", ["", "Create,Category\n", "Begin,End\n", C, "update note\n", '{"value": []}', "DELETE\n"]
)
def test_other_texts_are_not_recognised(text: str, script: Path) -> None:
    script.write_text(text)
    assert not NSRL_DELTA.recognise(Published(script))


def test_a_delta_of_many_tables_is_told_in_a_short_line(script: Path) -> None:
    _, report = read(script, "".join(f'INSERT INTO "t{n}\n" VALUES(1);' for n in range(500)))
    assert len(report.notes[1]) < 300
    assert "\n" not in report.notes[1]
