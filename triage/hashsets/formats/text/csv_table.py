"""Tables of hashes: comma, semicolon, tab or bar, in any encoding, columns found by their names or their values.

NSRL RDS 1.5 and 2.0 text, HashKeeper `.hsh`, iLook, INTERPOL ICSE and the exports of ThreatExchange's tools are such
tables, and differ in the names of their columns only.
"""

from collections.abc import Iterator
from typing import BinaryIO

from triage.hashsets.batch import Batch
from triage.hashsets.formats.decoding import head_lines
from triage.hashsets.formats.reader import HEAD_BYTES, Published, Reader, streamed
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.text.layout import SAMPLE_LINES, find_layout
from triage.hashsets.formats.text.table import read_table


def _recognise(published: Published) -> bool:
    layout = find_layout(head_lines(published.head, HEAD_BYTES)[:SAMPLE_LINES])
    return layout is not None and (layout.skipped > 0 or layout.width > 1)


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Batch]:
    return read_table(stream, report, find_layout)


CSV_TABLE = Reader(name="csv", unit="line", recognise=_recognise, read=streamed(_read))
