import sqlite3
from pathlib import Path

import pytest
from synthetic import nsrl

from triage.hashsets.batch import Batch
from triage.hashsets.formats.nsrl_rows import KNOWN_IS_NOT_GOOD
from triage.hashsets.formats.reader import Published
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sqlite.nsrl_rds import NSRL_RDS
from triage.hashsets.record import HASH_BITS
from triage.model.errors import SourceError

SHA256, SHA1, MD5 = "AB" * 32, "CD" * 20, "EF" * 16
ROWS = 5000

Member = tuple[str, str, str, int]  # SHA-256, SHA-1, MD5, size


def read(path: Path) -> tuple[list[Batch], ReadReport]:
    report = ReadReport(path.name, unit="row")
    published = Published(path)
    assert NSRL_RDS.recognise(published)
    return list(NSRL_RDS.read(published, report)), report


def members(batches: list[Batch]) -> list[Member]:
    """Return each row in the order of the file; an absent hash is empty."""
    found: dict[int, Member] = {}
    for batch in batches:
        for row, place in enumerate(batch.place.tolist()):
            sha256, sha1, md5 = (
                batch.hashes[name][row].tobytes().hex() if batch.present[row] & HASH_BITS[name] else ""
                for name in ("sha256", "sha1", "md5")
            )
            found[place] = sha256, sha1, md5, int(batch.size[row])
    return [found[place] for place in sorted(found)]


def expected(rows: int) -> list[Member]:
    files = list(nsrl.listed(rows))[1:]
    return [(row.sha256.lower(), row.sha1.lower(), row.md5.lower(), row.size) for row in files]


@pytest.mark.parametrize("write", [nsrl.write_minimal, nsrl.write_full])
def test_every_row_of_a_release_is_read_in_order_with_its_place(write: type, tmp_path: Path) -> None:
    batches, report = read(write(tmp_path / "rds.db", ROWS))
    assert members(batches) == expected(ROWS)
    assert [place for batch in batches for place in batch.place.tolist()] == list(range(2, ROWS + 1))
    assert (report.rows, report.used) == (ROWS, ROWS - 1)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {"the empty file": [1]}
    assert report.notes == (KNOWN_IS_NOT_GOOD,)
    assert report.bad_values == {}


def test_a_digest_with_many_names_is_yielded_as_often(tmp_path: Path) -> None:
    batches, _ = read(nsrl.write_minimal(tmp_path / "rds.db", ROWS))
    rows = members(batches)
    assert rows.count(rows[0]) == nsrl.ROWS_A_FILE


def table(tmp_path: Path, *rows: tuple[object, ...], columns: str = "sha256, sha1, md5, file_size") -> Path:
    path = tmp_path / "made.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE file ({columns})")
    connection.executemany(f"INSERT INTO file VALUES ({','.join('?' * len(columns.split(',')))})", rows)
    connection.commit()
    connection.close()
    return path


def test_odd_rows_are_read_with_care_and_the_others_are_not_lost(tmp_path: Path) -> None:
    batches, report = read(
        table(
            tmp_path,
            (SHA256, SHA1, MD5, 1),
            (None, SHA1.lower(), "", "2"),  # what can be used is
            (SHA256[:-1], SHA1 + "0", b"\x00" * 16, 3),
            (SHA256[:-1] + "g", SHA1, MD5, -4),
            (12345, None, None, None),
            (None, None, None, 6),
            (SHA256, SHA1, "d41d8cd98f00b204e9800998ecf8427e", 0),
            (SHA256, SHA1, MD5, 1.5),
            (" " + SHA256[1:], SHA1, MD5, 1 << 62),
            (SHA256, SHA1, MD5, 10),
            ("0" * 64, SHA1, "F" * 32, 11),
        )
    )
    a, b, c = SHA256.lower(), SHA1.lower(), MD5.lower()
    assert members(batches) == [
        (a, b, c, 1),
        ("", b, "", 2),
        ("", b, c, -1),
        (a, b, "", 0),
        (a, b, c, -1),
        ("", b, c, -1),
        (a, b, c, 10),
        ("", b, "", 11),
    ]
    assert (report.rows, report.used) == (11, 8)
    assert {reason: tally.places for reason, tally in report.skipped.items()} == {
        "no usable hash in the row": [3, 5],
        "no hash in the row": [6],
    }
    assert {reason: tally.places for reason, tally in report.bad_values.items()} == {
        "MD5 is not 32 hexadecimal digits": [3],
        "SHA-1 is not 40 hexadecimal digits": [3],
        "SHA-256 is not 64 hexadecimal digits": [3, 4, 5, 9],
        "size is not a number of bytes": [4, 8, 9],
        "the empty file": [7],
        "MD5 of zeros or of ones alone, which is no file's": [11],
        "SHA-256 of zeros or of ones alone, which is no file's": [11],
    }


def test_a_column_of_zeros_in_rows_that_are_all_regular_is_dropped(tmp_path: Path) -> None:
    batches, report = read(table(tmp_path, *((SHA256, "0" * 40, MD5, size) for size in range(3))))
    assert members(batches) == [(SHA256.lower(), "", MD5.lower(), size) for size in range(3)]
    assert [(tally.count, tally.places) for tally in report.bad_values.values()] == [(3, [1, 2, 3])]


def test_columns_are_found_by_name_in_any_case_and_order(tmp_path: Path) -> None:
    batches, _ = read(table(tmp_path, (7, MD5, "x", SHA1), columns="BYTES, Md5, file_name, SHA1"))
    assert members(batches) == [("", SHA1.lower(), MD5.lower(), 7)]


def test_a_long_value_is_not_taken_into_memory(tmp_path: Path) -> None:
    batches, report = read(table(tmp_path, ("a" * 5_000_000, SHA1, MD5, "9" * 1000)))
    assert members(batches) == [("", SHA1.lower(), MD5.lower(), -1)]
    assert len(report.bad_values) == 2


def test_progress_ends_at_the_size_of_the_file_and_never_goes_back(tmp_path: Path) -> None:
    path = nsrl.write_minimal(tmp_path / "rds.db", ROWS)
    told: list[int] = []
    list(NSRL_RDS.read(Published(path, told.append), ReadReport("rds.db", unit="row")))
    assert sum(told) == path.stat().st_size
    assert min(told) >= 0
    assert len(told) > ROWS // 4096


def test_a_table_without_row_numbers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE FILE (md5 TEXT PRIMARY KEY, file_size INTEGER) WITHOUT ROWID")
    connection.execute("INSERT INTO FILE VALUES (?, 3)", (MD5,))
    connection.commit()
    connection.close()
    assert members(read(path)[0]) == [("", "", MD5.lower(), 3)]


def test_a_table_without_digests_and_a_database_without_the_table_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"made\.db: its table file has no column sha256, sha1 or md5"):
        read(table(tmp_path, (1, 2), columns="name, size"))
    path = tmp_path / "other.json"
    connection = sqlite3.connect(path)
    connection.executescript('CREATE TABLE moz_places(x); CREATE TABLE "a\nb"(x); CREATE VIEW FILE AS SELECT 1 AS md5;')
    connection.close()
    with pytest.raises(SourceError, match=r"without a table FILE or METADATA: it has moz_places, a\?b,.*nothing was"):
        read(path)
