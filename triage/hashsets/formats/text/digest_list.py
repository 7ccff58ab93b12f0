"""Text lists: md5sum, sha1sum, sha256sum, their BSD form, md5deep with sizes, and bare digests one a line.

Source of the facts: the manual pages of GNU coreutils (`md5sum`, `--tag`, the backslash before an escaped name), of
FreeBSD's `md5`, of OpenSSL's `dgst` and of md5deep (`-z`: the size before the digest). The digest is known by its
length: 32, 40 or 64 hexadecimal digits.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from triage.hashsets.batch import UNKNOWN_SIZE, Batch
from triage.hashsets.formats.decoding import head_lines
from triage.hashsets.formats.reader import HEAD_BYTES, Published, Reader, streamed
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Ints, Rows
from triage.hashsets.formats.text.lines import Lines, lines_in_blocks
from triage.hashsets.formats.values import AMBIGUOUS, BY_DIGITS, are_plain, parse_hash, parse_size, settle
from triage.hashsets.record import DIGEST_BYTES, Record

_GNU = re.compile(r"\\?([0-9A-Za-z]+)(?:\s.*)?\Z", re.DOTALL)
_SIZED = re.compile(r"([0-9]{1,19})\s+([0-9A-Za-z]{32,})(?:\s.*)?\Z", re.DOTALL)
_BSD = re.compile(r"\\?(MD5|SHA-?1|SHA-?(?:2-)?256) ?\(.*\) ?= ?([0-9A-Za-z]+)\s*\Z", re.DOTALL | re.IGNORECASE)
_HEX = frozenset("0123456789abcdefABCDEF")
_SHA256_DIGITS = 2 * DIGEST_BYTES["sha256"]
_BLANKS = np.frombuffer(b" \t", np.uint8)
_SAMPLE = 50
_SIZE_COLUMNS = 10  # of md5deep -z, for sizes below 10 GB
_AFTER_SIZE = "  "

NO_ROW = "not a line of 32, 40 or 64 hexadecimal digits and a name"

Found = tuple[str, str, str]


def _recognise(published: Published) -> bool:
    return any(_is_row(line.strip()) for line in head_lines(published.head, HEAD_BYTES)[:_SAMPLE])


def _is_row(line: str) -> bool:
    found = _split(line)
    return found is not None and len(found[1]) == 2 * DIGEST_BYTES[found[0]] and _HEX.issuperset(found[1])


def _split(line: str) -> Found | None:
    """Return the name of the digest, its text and that of the size, None where the line has no known form."""
    if bsd := _BSD.match(line):
        name = bsd[1].lower().replace("-", "")
        return ("sha256" if name.endswith("256") else name), bsd[2], ""
    sized = _SIZED.match(line)
    digest, size = (sized[2], sized[1]) if sized else ("", "")
    if not sized and (gnu := _GNU.match(line)):
        digest = gnu[1]
    name = BY_DIGITS.get(len(digest), "")
    return (name, digest, size) if name else None


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Batch]:
    for lines in lines_in_blocks(stream, report):
        rows = Rows(lines.places())
        told = _fill(lines, rows, report)
        for line in np.flatnonzero(~told).tolist():
            report.place = lines.first + line
            record = _record(lines.text(line).strip(" \t"), report)
            if record is not None:
                rows.put(line, record)
        report.place = lines.first + lines.count - 1
        yield rows.batch()


def _fill(lines: Lines, rows: Rows, report: ReadReport) -> Flags:
    """Fill the rows of the usual forms with a good digest, as nearly all are, and return those lines and blank ones."""
    told: Flags = lines.start == lines.end
    sizes, begin = _sizes(lines)
    for name, length in DIGEST_BYTES.items():
        for some, first in (_gnu(lines, begin, length), _tagged(lines, name, length)):
            raw, good = lines.hashes(first, length)
            good &= are_plain(name, raw)
            good_lines = some[good]
            rows.put_hashes(name, good_lines, raw[good])
            rows.put_sizes(good_lines, sizes[good_lines])
            told[good_lines] = True
            report.rows += len(good_lines)
            if name == "sha256" and (lines.end - lines.start == _SHA256_DIGITS)[good_lines].any():
                report.note(AMBIGUOUS)
    return told


def _sizes(lines: Lines) -> tuple[Ints, Ints]:
    """Return the sizes as md5deep puts them before digests, in columns of ten, and where the rest of each line begins.

    `UNKNOWN_SIZE` for the lines that do not begin with one.
    """
    begin = lines.start
    sizes = np.full(lines.count, UNKNOWN_SIZE, np.int64)
    end = lines.start + _SIZE_COLUMNS
    some = np.flatnonzero(lines.holds(_AFTER_SIZE, end) & (end < lines.end))
    if len(some):
        first = lines.first_but(" ", lines.start[some], _SIZE_COLUMNS)
        numbers, good = lines.numbers(first, end[some])
        sizes[some[good]] = numbers[good]
        begin = np.where(sizes == UNKNOWN_SIZE, lines.start, end + len(_AFTER_SIZE))
    return sizes, begin


def _gnu(lines: Lines, begin: Ints, length: int) -> tuple[Ints, Ints]:
    """Return the lines that may be a digest and nothing or a name, and where their digest would begin."""
    first = begin + ((lines.data[begin] == ord("\\")) & (begin == lines.start))
    after = np.minimum(first + 2 * length, lines.end)
    ends = np.isin(lines.data[after], _BLANKS) | (after == lines.end)
    blank_end = np.isin(lines.data[np.maximum(lines.end - 1, 0)], _BLANKS)
    some = np.flatnonzero(ends & ~blank_end & (after - first == 2 * length))
    return some, first[some]


def _tagged(lines: Lines, name: str, length: int) -> tuple[Ints, Ints]:
    """Return the lines of the BSD form as coreutils writes it, and where their digest would begin."""
    first = lines.end - 2 * length
    some = np.flatnonzero(lines.holds(f"{name.upper()} (", lines.start) & lines.holds(") = ", first - 4))
    some = some[first[some] - 4 > lines.start[some]]
    return some, first[some]


def _record(text: str, report: ReadReport) -> Record | None:
    """Return the record of one line, with the report told of all that is to be told."""
    if not text or text.startswith("#"):
        return None
    report.rows += 1
    found = _split(text)
    if found is None:
        report.skip(NO_ROW)
        return None
    name, digest, size = found
    if name == "sha256" and len(text) == _SHA256_DIGITS:
        report.note(AMBIGUOUS)
    raw = parse_hash(name, digest, report)
    record = Record(
        md5=raw if name == "md5" else None,
        sha1=raw if name == "sha1" else None,
        sha256=raw if name == "sha256" else None,
        size=parse_size(size, report),
    )
    return settle(record, report, had_hash=True)


DIGEST_LIST = Reader(name="text", unit="line", recognise=_recognise, read=streamed(_read))
