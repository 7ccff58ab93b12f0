"""NSRL RDSv3 releases of invented files: databases in the schema that NIST ships, and the deltas that follow them."""

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROWS_A_FILE = 4
HACKING_TOOL_PACKAGE = 7
_PACKAGES = 50

MINIMAL_SCHEMA = """
CREATE TABLE FILE (
  sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL,
  file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL,
  CONSTRAINT PK_FILE__FILE PRIMARY KEY (sha256, sha1, md5, crc32, file_name, file_size, package_id));
CREATE TABLE MFG (manufacturer_id INTEGER NOT NULL, name VARCHAR NOT NULL);
CREATE TABLE OS (operating_system_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL,
  manufacturer_id INTEGER NOT NULL);
CREATE TABLE PKG (package_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL,
  operating_system_id INTEGER NOT NULL, manufacturer_id INTEGER NOT NULL, language VARCHAR NOT NULL,
  application_type VARCHAR NOT NULL);
CREATE TABLE VERSION (version VARCHAR UNIQUE NOT NULL, build_set VARCHAR NOT NULL, build_date TIMESTAMP NOT NULL,
  release_date TIMESTAMP NOT NULL, description VARCHAR NOT NULL);
CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5, crc32 FROM FILE;
"""

FULL_SCHEMA = """
CREATE TABLE PACKAGE_OBJECT (package_object_id INTEGER UNIQUE NOT NULL, package_id INTEGER NOT NULL,
  object_id INTEGER UNIQUE NOT NULL, CONSTRAINT PK_PACKAGE_OBJECT PRIMARY KEY (package_object_id));
CREATE TABLE METADATA (
  metadata_id NUMERIC UNIQUE NOT NULL, object_id INTEGER, key_hash VARCHAR NOT NULL, image_hash VARCHAR,
  path VARCHAR NOT NULL, path_b64 VARCHAR, path_coding VARCHAR, file_name VARCHAR NOT NULL, file_name_b64 VARCHAR,
  file_name_coding VARCHAR, extension VARCHAR DEFAULT '' NOT NULL, extension_b64 VARCHAR, extension_coding VARCHAR,
  bytes INTEGER NOT NULL, mtime TIMESTAMP, used_in_rds TIMESTAMP,
  update_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL, recursion_level INTEGER, extractee_id INTEGER DEFAULT 0,
  crc32 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
  CONSTRAINT PK_METADATA__METADATA_ID PRIMARY KEY (metadata_id));
CREATE VIEW FILE AS SELECT UPPER(md.sha256) AS sha256, UPPER(md.sha1) AS sha1, UPPER(md.md5) AS md5,
  CASE md.extension WHEN '' THEN md.file_name ELSE md.file_name||'.'||md.extension END AS file_name,
  md.bytes AS file_size, po.package_id FROM METADATA AS md, PACKAGE_OBJECT AS po WHERE md.object_id = po.object_id;
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list. The digests are random, except those of the empty file."""

    sha256: str
    sha1: str
    md5: str
    name: str
    size: int
    package: int

    @property
    def values(self) -> tuple[str, str, str, str, str, int, int]:
        """The values in the order of the table FILE."""
        return self.sha256, self.sha1, self.md5, self.md5[:8], self.name, self.size, self.package

    @property
    def insert(self) -> str:
        """The statement of a delta that adds it, as NIST's scripts write one."""
        *texts, size, package = self.values
        quoted = ",".join("'" + str(text).replace("'", "''") + "'" for text in texts)
        columns = "sha256,sha1,md5,crc32,file_name,file_size,package_id"
        return f"INSERT INTO FILE({columns}) VALUES({quoted},{size},{package});\n"


def listed(rows: int, seed: int = 1) -> Iterator[Listed]:
    """Yield rows: the empty file, then files with `ROWS_A_FILE` names each, some in a package of hacking tools."""
    chance = random.Random(seed)
    empty = [hashlib.new(name).hexdigest().upper() for name in ("sha256", "sha1", "md5")]
    digits, size = "".join(empty), 0
    for number in range(rows):
        name = f'it\'s file {number}; part "{number % 3}".dll'
        package = HACKING_TOOL_PACKAGE if number % 11 == 0 else number % _PACKAGES
        yield Listed(digits[:64], digits[64:104], digits[104:], name, size, package)
        if number % ROWS_A_FILE == 0:
            digits, size = chance.randbytes(68).hex().upper(), chance.randrange(1, 1 << 24)


def write_minimal(path: Path, rows: int, seed: int = 1) -> Path:
    """Write a minimal release."""
    with _made(path, MINIMAL_SCHEMA) as connection:
        connection.execute(f"INSERT INTO PKG VALUES ({HACKING_TOOL_PACKAGE}, 'made', '1', 1, 1, 'en', 'Hacker Tool')")
        connection.executemany("INSERT INTO FILE VALUES (?,?,?,?,?,?,?)", (row.values for row in listed(rows, seed)))
    connection.close()
    return path


def write_full(path: Path, rows: int, seed: int = 1) -> Path:
    """Write a full release: digests in small letters, as its table may hold them and its view does not."""
    columns = "metadata_id, object_id, key_hash, path, file_name, extension, bytes, crc32, md5, sha1, sha256"
    values = (
        (
            n,
            row.package,
            "k",
            "/",
            row.name,
            "dll",
            row.size,
            "0",
            row.md5.lower(),
            row.sha1.lower(),
            row.sha256.lower(),
        )
        for n, row in enumerate(listed(rows, seed), 1)
    )
    with _made(path, FULL_SCHEMA) as connection:
        connection.executemany("INSERT INTO PACKAGE_OBJECT VALUES (?,?,?)", ((n, n, n) for n in range(_PACKAGES)))
        connection.executemany(f"INSERT INTO METADATA({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", values)
    connection.close()
    return path


def delta(rows: int, seed: int = 2) -> Iterator[str]:
    """Yield a delta as text: rows that are added, one that is deleted, and statements on the other tables."""
    yield "BEGIN TRANSACTION;\n"
    deleted = next(listed(1, seed))
    yield f"DELETE FROM FILE WHERE sha256='{deleted.sha256}' AND package_id={deleted.package};\n"
    for row in listed(rows, seed):
        yield row.insert
    yield "INSERT INTO PKG(package_id,name) VALUES(8,'made; and named');\n"
    yield "UPDATE VERSION SET description='delta' WHERE version='2026.06.1';\n"
    yield "COMMIT;\n"


def _made(path: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(schema)
    return connection
