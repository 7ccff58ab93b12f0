"""EnCase hash sets (`.hash`) of its versions 4 to 6: MD5 digests in records of fixed length.

Source of the facts: the readers of hashdeep, The Sleuth Kit and Autopsy, and the description on the Forensics Wiki.
Little-endian: a signature and a version of 16 bytes, the number of digests (u32) at 16, the name of the set (UTF-16, 80
bytes) at 1032, its category (40 bytes) at 1112; from 1152 on, 16 bytes of MD5 and 2 of zero for each.
"""

import struct
from collections.abc import Iterator

import numpy as np

from triage.hashsets.batch import BATCH_ROWS, Batch
from triage.hashsets.formats.reader import Published, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Rows
from triage.hashsets.formats.values import are_plain, check_hash, settle
from triage.hashsets.record import Record

_SIGNATURE = b"HASH\r\n\xff\0"
_VERSION = (2, 1)
_HEADER = struct.Struct("<8sIII1012x80s40s")
_RECORD = 18
_AGAIN = "get the file again from its publisher"

NO_RECORD = "two bytes that are not zero behind the MD5"


def _recognise(published: Published) -> bool:
    return published.head.startswith(_SIGNATURE)


def _read(published: Published, report: ReadReport) -> Iterator[Batch]:
    try:
        with published.open() as stream:
            _check_header(stream.read(_HEADER.size), published.size, report)
            while data := stream.read(_RECORD * BATCH_ROWS):
                yield _batch(data, report)
    except OSError as error:
        raise published.unreadable(error) from error


def _check_header(header: bytes, size: int, report: ReadReport) -> None:
    """Tell what the header says; raises SourceError for another version and for a file that is cut."""
    if len(header) < _HEADER.size:
        raise report.refuse("an EnCase hash set cut in its header", _AGAIN)
    _, *version, count, name, category = _HEADER.unpack(header)
    if tuple(version) != _VERSION:
        shown = ".".join(map(str, version))
        raise report.refuse(f"an EnCase hash set of version {shown}, which is not read", "export it as text")
    held, over = divmod(size - _HEADER.size, _RECORD)
    if held < count:
        raise report.refuse(f"an EnCase hash set cut after {held} of {count} digests", _AGAIN)
    if held > count or over:
        report.note(
            f"the header says {count} digests, the file holds {held} and {over} bytes more: all digests were read"
        )
    report.note(f"the set calls itself {_text(name)!r}, of category {_text(category)!r}")


def _text(field: bytes) -> str:
    return field.decode("utf-16-le", "replace").partition("\0")[0]


def _batch(data: bytes, report: ReadReport) -> Batch:
    records = np.frombuffer(data[: len(data) // _RECORD * _RECORD], np.uint8).reshape(-1, _RECORD)
    md5 = records[:, :16]
    first = report.place + 1
    rows = Rows(np.arange(first, first + len(records)))
    broken: Flags = np.asarray(records[:, 16:].any(axis=1))
    plain = ~broken & are_plain("md5", md5)
    rows.put_hashes("md5", plain, md5[plain])
    report.rows += len(records)
    for row in np.flatnonzero(~plain).tolist():
        report.place = first + row
        if broken[row]:
            report.skip(NO_RECORD)
        else:
            settle(Record(check_hash("md5", md5[row].tobytes(), report)), report, had_hash=True)
    report.place = first + len(records) - 1
    return rows.batch()


ENCASE_HASH = Reader(name="encase", unit="record", recognise=_recognise, read=_read, binary=True)
