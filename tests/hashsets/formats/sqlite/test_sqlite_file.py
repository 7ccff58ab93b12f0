import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synthetic import nsrl

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sqlite.nsrl_rds import NSRL_RDS
from triage.model.errors import SourceError

PAGE = 4096
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS md5, 1 AS file_size FROM n"


def read(path: Path) -> tuple[int, ReadReport]:
    report = ReadReport(path.name, unit="row")
    return sum(len(batch) for batch in NSRL_RDS.read(Published(path), report)), report


def run(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def rds_root(path: Path) -> int:
    """Return the page number of the root of FILE."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'FILE'").fetchone()
    connection.close()
    return int(page)


@pytest.fixture
def rds(tmp_path: Path) -> Path:
    return nsrl.write_minimal(tmp_path / "rds 100%?#.db", 2000)


def test_nothing_is_made_beside_the_file_nor_changed_in_it(rds: Path) -> None:
    before = rds.read_bytes()
    rds.parent.chmod(0o500)
    try:
        assert read(rds)[0] == 1999
        assert list(rds.parent.iterdir()) == [rds]
    finally:
        rds.parent.chmod(0o700)
    assert rds.read_bytes() == before


def test_a_log_beside_the_file_is_noted_and_not_read(tmp_path: Path) -> None:
    live = nsrl.write_minimal(tmp_path / "live.db", 3)
    writer = sqlite3.connect(live)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("INSERT INTO FILE VALUES ('a', 'b', 'c', 'd', 'e', 1, 1)")
    writer.commit()
    copy = tmp_path / "copy.db"
    shutil.copy(live, copy)
    shutil.copy(tmp_path / "live.db-wal", tmp_path / "copy.db-wal")
    writer.close()
    _, report = read(copy)
    assert report.rows == 3
    assert any(note.startswith("copy.db-wal lies beside the file") for note in report.notes)


@pytest.mark.parametrize(
    "script",
    [
        f"CREATE VIEW FILE AS {ENDLESS};",
        "CREATE VIRTUAL TABLE FILE USING fts5(md5);",
    ],
)
def test_a_view_that_never_ends_and_a_virtual_table_are_not_read(script: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="without a table FILE or METADATA"):
        read(run(tmp_path / "hostile.db", script))


def test_a_generated_column_is_not_evaluated(tmp_path: Path) -> None:
    path = run(
        tmp_path / "hostile.db",
        "CREATE TABLE FILE (x, md5 AS (hex(zeroblob(10000000)))); INSERT INTO FILE(x) VALUES (1);",
    )
    with pytest.raises(SourceError, match="has no column sha256, sha1 or md5"):
        read(path)


@pytest.mark.parametrize("cut", [100, 4096, 100_000])
def test_a_truncated_database_is_refused_in_one_line(cut: int, rds: Path) -> None:
    os.truncate(rds, cut)
    with pytest.raises(SourceError, match=r"an SQLite database that cannot be read: .*get the file again") as refused:
        read(rds)
    assert "\n" not in str(refused.value)


def test_a_damaged_page_is_refused_with_the_row_that_was_reached(rds: Path) -> None:
    data = bytearray(rds.read_bytes())
    root = (rds_root(rds) - 1) * PAGE
    last_child = int.from_bytes(data[root + 8 : root + 12])
    data[(last_child - 1) * PAGE : last_child * PAGE] = b"\xff" * PAGE
    rds.write_bytes(data)
    with pytest.raises(SourceError, match=r"malformed, at row \d+: nothing was imported"):
        read(rds)


def test_pages_that_are_named_many_times_end(rds: Path) -> None:
    """A root that names one page in every cell, which names one leaf in every cell: more rows than there is room."""
    data = bytearray(rds.read_bytes())
    root = (rds_root(rds) - 1) * PAGE
    first = root + int.from_bytes(data[root + 12 : root + 14])  # a cell begins with the number of its child
    leaf, inner = data[first : first + 4], data[root + 8 : root + 12]
    for cell in range(int.from_bytes(data[root + 3 : root + 5])):
        data[root + 12 + 2 * cell : root + 14 + 2 * cell] = (first - root).to_bytes(2)
    copied = (int.from_bytes(inner) - 1) * PAGE
    data[copied : copied + PAGE] = data[root : root + PAGE]
    data[copied + 8 : copied + 12] = leaf
    data[first : first + 4] = inner
    rds.write_bytes(data)
    with pytest.raises(SourceError, match="more rows than the file has room for: its pages run in a circle"):
        read(rds)


@pytest.mark.parametrize(
    "content", [b"SQLite format 3\0", b"SQLite format 3\0" + bytes(4080), b"SQLite format 3\0" * 999]
)
def test_a_file_that_only_begins_like_a_database_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "begins.json"
    path.write_bytes(content)
    assert NSRL_RDS.recognise(Published(path))
    with pytest.raises(SourceError, match=r"begins\.json: an SQLite database"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\x8b\x1f" * 4096, b'{"value": []}'])
def test_empty_encrypted_and_other_files_are_not_recognised(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rds.db"
    path.write_bytes(content)
    assert not NSRL_RDS.recognise(Published(path))


def test_a_schema_that_names_control_characters_is_told_in_one_line(tmp_path: Path) -> None:
    path = run(
        tmp_path / "hostile.db",
        "CREATE TABLE x(y); PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE ' || char(27) || '[2J' || char(10) || ' broken';",
    )
    with pytest.raises(SourceError, match="an SQLite database that cannot be read") as refused:
        read(path)
    assert str(refused.value).isprintable()


def test_ctrl_c_ends_a_long_read_at_once(tmp_path: Path) -> None:
    path = nsrl.write_minimal(tmp_path / "rds.db", 20_000)
    program = (
        "import sys, pathlib\n"
        "from triage.hashsets.formats.sqlite.nsrl_rds import NSRL_RDS\n"
        "from triage.hashsets.formats.reader import Published\n"
        "from triage.hashsets.formats.report import ReadReport\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for _ in NSRL_RDS.read(Published(pathlib.Path(sys.argv[1])), ReadReport('x', unit='row')): pass\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=10)
    assert "KeyboardInterrupt" in err
