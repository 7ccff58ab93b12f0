"""NSRL RDSv3 deltas: the SQL scripts that bring a full release up to date, read as text and never run.

Source of the facts: NIST's description of RDSv3 (a script of INSERT, UPDATE and DELETE statements) and published
looks into the scripts of 2023 to 2026: `BEGIN TRANSACTION;`, then one statement a row, `INSERT INTO FILE(sha256,sha1,
md5,crc32,file_name,file_size,package_id) VALUES('...',...);`, of a full release `INSERT INTO METADATA(...)`.

Only what a delta adds can be read out of it alone: what it deletes may still be in other rows of the full release.
Running the script in SQLite was turned down: it needs the full release beside it, writes tens of gigabytes, and the
script may hold any SQL at all.
"""

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import numpy as np

from triage.hashsets.batch import BATCH_ROWS, Batch
from triage.hashsets.formats.decoding import encoding_of, head_text
from triage.hashsets.formats.nsrl_rows import KNOWN_IS_NOT_GOOD, batch_of_rows
from triage.hashsets.formats.reader import Published, Reader, streamed
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.sql.inserted_values import DIGESTS
from triage.hashsets.formats.sql.sql_script import SqlScript
from triage.hashsets.formats.sql.statements import Statements

_START = re.compile(
    r"\ufeff? (?: \s++ | --[^\n]*+\n | /\*(?:[^*]++|\*(?!/))*+\*/ )*+"
    r"(?: BEGIN (?: \s+ \w+ )* \s* ; | (?: INSERT | REPLACE ) \s+ (?: OR \s+ \w+ \s+ )? INTO \s"
    r" | UPDATE \s+ \S+ \s+ SET \s | DELETE \s+ FROM \s | CREATE \s+ (?: TABLE | VIEW | INDEX ) \s"
    r" | PRAGMA \s+ \w+ \s* [=;(] )",
    re.VERBOSE | re.IGNORECASE,
)


def _recognise(published: Published) -> bool:
    return _START.match(head_text(published.head)) is not None


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Batch]:
    report.note(KNOWN_IS_NOT_GOOD)
    encoding = encoding_of(stream.read(4))
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    try:
        inserted = Statements(SqlScript(text, report), report).inserted()
        while some := tuple(islice(inserted, BATCH_ROWS)):
            places, rows = zip(*some, strict=True)
            batch = batch_of_rows(DIGESTS, rows, np.array(places), report)
            if len(batch):
                yield batch
    finally:
        if not stream.closed:  # the stream is the caller's to close
            text.detach()


NSRL_DELTA = Reader(name="nsrl-delta", unit="row", recognise=_recognise, read=streamed(_read))
