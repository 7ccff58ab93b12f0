"""Tables with a header: comma, semicolon or tab, in any encoding with a mark, columns found by their names."""

import csv
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from triage.hashsets.formats.decoding import head_lines, lines
from triage.hashsets.formats.reader import HEAD_BYTES, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.values import AMBIGUOUS, parse_hash, parse_picture_hash, parse_size, settle
from triage.hashsets.record import DIGEST_BYTES, Record

_DELIMITERS = (",", ";", "\t")
_NOISE = re.compile(r"hash|value|file|digest|checksum|sum|hex|media|string|[^a-z0-9]")
_COLUMNS = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha2256": "sha256",
    "pdq": "pdq",
    "p": "phash",  # pHash, phash_hex
    "perceptual": "phash",
    "size": "size",
    "sizebytes": "size",
    "sizeinbytes": "size",
    "length": "size",
    "bytes": "size",
    "category": "category",
    "grade": "grade",
    "series": "series",
    "photodna": "photodna",
    "quality": "quality",
    "algorithm": "algorithm",
}
_HASHES = ("md5", "sha1", "sha256", "pdq", "phash")
_GENERIC = "hash"  # one column of digests told apart by length, as PowerShell's Get-FileHash writes
_GENERIC_NAMES = frozenset({"hash", "hashvalue", "filehash", "digest", "checksum"})
_BY_DIGITS = {2 * length: name for name, length in DIGEST_BYTES.items()}
_PREAMBLE = 3  # lines such as PowerShell's `#TYPE` before the header

Columns = Mapping[str, int]


def _recognise(head: bytes) -> bool:
    return any(_delimiter(line) is not None for line in head_lines(head, HEAD_BYTES)[:_PREAMBLE])


def _delimiter(line: str) -> str | None:
    """Return the delimiter under which the line is a header with most columns known, None if under none."""
    known = {delimiter: _columns(_cells(line, delimiter)) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: len(known[delimiter]))
    return best if any(name in known[best] for name in (*_HASHES, _GENERIC)) else None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _columns(cells: list[str]) -> Columns:
    """Return where each known column is; the first of two of the same name counts."""
    columns: dict[str, int] = {}
    for index, cell in enumerate(cells):
        plain = re.sub(r"[^a-z0-9]", "", cell.casefold())
        name = _GENERIC if plain in _GENERIC_NAMES else _COLUMNS.get(_NOISE.sub("", plain))
        if name is not None:
            columns.setdefault(name, index)
    return columns


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Record]:
    texts = lines(stream, report)
    delimiter, columns = _header(texts, report)
    rows = csv.reader(texts, delimiter=delimiter, strict=True)
    while True:
        first_line = report.place + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise report.refuse(f"not a table: {error}") from error
        if row is None:
            return
        if not any(row):
            continue
        report.place, last_line = first_line, report.place  # a quoted cell may span lines: name the first
        report.rows += 1
        record = _record({name: row[index] for name, index in columns.items() if index < len(row)}, report)
        if record is not None:
            yield record
        report.place = last_line


def _header(texts: Iterator[str], report: ReadReport) -> tuple[str, Columns]:
    for line in texts:
        delimiter = _delimiter(line)
        if delimiter is not None:
            return delimiter, _columns(_cells(line, delimiter))
        if report.place >= _PREAMBLE:
            break
    raise report.refuse("no header with a column of hashes (md5, sha1, sha256, pdq or phash)")


def _record(row: Mapping[str, str], report: ReadReport) -> Record | None:
    texts = dict(row)
    generic = texts.pop(_GENERIC, "").strip()
    if generic:
        name = _BY_DIGITS.get(len(generic), "md5")
        if name == "sha256" and "quality" in texts:
            name = "pdq"  # no other hash has a quality
        elif name == "sha256" and "algorithm" not in texts:
            report.note(AMBIGUOUS)
        texts.setdefault(name, generic)
    record = Record(
        parse_hash("md5", texts.get("md5"), report),
        parse_hash("sha1", texts.get("sha1"), report),
        parse_hash("sha256", texts.get("sha256"), report),
        parse_picture_hash("pdq", texts.get("pdq"), report),
        parse_picture_hash("phash", texts.get("phash"), report),
        parse_size(texts.get("size"), report),
        *(texts.get(name, "").strip() or None for name in ("category", "grade", "series")),
    )
    had_hash = any(texts.get(name, "").strip() for name in _HASHES)
    return settle(record, report, had_hash=had_hash, photo_dna=bool(texts.get("photodna")))


CSV_TABLE = Reader(name="csv", unit="line", recognise=_recognise, read=_read)
