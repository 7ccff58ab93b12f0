import sqlite3
import subprocess
from pathlib import Path

from suite import Tool
from synthetic import nsrl

from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sqlite.kdb import KDB

MD5S = [f"{number:032x}" for number in range(1, 6)]


def read(path: Path) -> tuple[list[tuple[str, ...]], ReadReport]:
    report = ReadReport(path.name, unit="row")
    assert KDB.recognise(Published(path))
    found = [
        tuple(f"{name} {raw[row].tobytes().hex()}" for name, raw in batch.hashes.items())
        for batch in KDB.read(Published(path), report)
        for row in range(len(batch))
    ]
    return found, report


def made(path: Path, *rows: tuple[object, object, object]) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE hashes (id INTEGER PRIMARY KEY AUTOINCREMENT, md5 BINARY(16) UNIQUE, sha1 BINARY(20),"
        " sha2_256 BINARY(32)); CREATE TABLE comments (comment TEXT NOT NULL, hash_id INTEGER NOT NULL);"
    )
    connection.executemany("INSERT INTO hashes(md5, sha1, sha2_256) VALUES (?,?,?)", rows)
    connection.commit()
    connection.close()
    return path


def test_a_set_made_by_hfind_is_read(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "made.kdb"
    subprocess.run([tool("hfind"), "-c", str(path)], check=True, capture_output=True)
    subprocess.run([tool("hfind"), "-a", str(path), *MD5S], check=True, capture_output=True)
    found, report = read(path)
    assert found == [(f"md5 {md5}",) for md5 in MD5S]
    assert (report.rows, report.used) == (5, 5)


def test_raw_bytes_and_digits_are_both_read_and_bad_values_counted_by_row(tmp_path: Path) -> None:
    path = made(
        tmp_path / "made.kdb",
        (b"\x11" * 16, b"\x22" * 20, b"\x33" * 32),
        ("4a" * 16, None, "5B" * 32),
        (b"\x66" * 15, None, None),
        (bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e"), None, None),
        (None, None, None),
        (7, b"\x77" * 20, None),
        (b"\x00" * 16, b"\x88" * 20, "f" * 64),
    )
    found, report = read(path)
    assert found == [
        (f"md5 {'11' * 16}", f"sha1 {'22' * 20}", f"sha256 {'33' * 32}"),
        (f"md5 {'4a' * 16}", f"sha1 {'00' * 20}", f"sha256 {'5b' * 32}"),
        (f"md5 {'00' * 16}", f"sha1 {'77' * 20}", f"sha256 {'00' * 32}"),
        (f"md5 {'00' * 16}", f"sha1 {'88' * 20}", f"sha256 {'00' * 32}"),  # zeros where a row has none
    ]
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no usable hash in the row": [3],
        "the empty file": [4],
        "no hash in the row": [5],
    }
    assert [tally.places for tally in report.bad_values.values()] == [[3, 6], [7], [7]]


def test_other_databases_and_other_files_are_not_recognised(tmp_path: Path) -> None:
    text = tmp_path / "list.kdb"
    text.write_text(MD5S[0])
    damaged = tmp_path / "damaged.kdb"
    damaged.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 32)
    for path in (text, damaged, nsrl.write_minimal(tmp_path / "rds.db", 3)):
        assert not KDB.recognise(Published(path))
