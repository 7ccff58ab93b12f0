"""Bare lists of PDQ hashes: 64 hexadecimal digits a line, more columns after a comma.

Source of the facts: the PDQ tools of ThreatExchange, which print a hash, its quality and a file name to the line. A
hash looks like a SHA-256 digest, so this format is never guessed: it must be named.
"""

from collections.abc import Iterator
from typing import BinaryIO

from triage.hashsets.formats.decoding import lines
from triage.hashsets.formats.reader import Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.values import parse_picture_hash, settle
from triage.hashsets.record import Record


def _never(_head: bytes) -> bool:
    return False


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Record]:
    for line in lines(stream, report):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        report.rows += 1
        value = text.partition(",")[0]
        record = settle(Record(pdq=parse_picture_hash("pdq", value, report)), report, had_hash=True)
        if record is not None:
            yield record


PDQ_LIST = Reader(name="pdq", unit="line", recognise=_never, read=_read)
