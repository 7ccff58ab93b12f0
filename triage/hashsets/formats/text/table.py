"""Reading the rows of a table: in bulk where a row is plain, one by one where there is anything to tell of it."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np

from triage.hashsets.batch import Batch
from triage.hashsets.formats.decoding import blocks
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Rows
from triage.hashsets.formats.text.layout import GENERIC, LABELS, SAMPLE_LINES, Layout
from triage.hashsets.formats.text.lines import Lines
from triage.hashsets.formats.text.plain_rows import fill_plain_rows, label_of
from triage.hashsets.formats.text.quoted_rows import QuotedRow, QuotedRows
from triage.hashsets.formats.values import AMBIGUOUS, parse_hash, parse_size, settle
from triage.hashsets.record import HASH_BYTES, Record

NO_ROW = "not a row of the table's columns"
QUOTES = "quotes that are not balanced, in a row whose columns are all there"
SURPLUS = "size and labels of a row with more cells than columns"
OTHER_ALGORITHM = "hash of an algorithm that is not read"
OTHER_LENGTH = "hash of no length that is read"

FindLayout = Callable[[Sequence[str]], Layout | None]

_MOVABLE = frozenset({"size", *LABELS})
_ALGORITHM = re.compile(r"(?:^|_)(md5|sha-?1|sha-?(?:2-)?256|pdq|phash)$", re.IGNORECASE)


def read_table(stream: BinaryIO, report: ReadReport, find: FindLayout) -> Iterator[Batch]:
    """Yield the rows of a table in batches; `find` says where its columns are from its first lines.

    Raises SourceError where they have no column of hashes, and as `blocks` does.
    """
    table: _Table | None = None
    rest, first = b"", 1
    for raw in blocks(stream, report):
        lines = Lines.of(rest + raw, first)
        if table is None:
            table = _Table(_layout(lines, find, report), report)
        read = yield from table.read(lines, is_last=False)
        rest = lines.raw[lines.start[read] :] if read < lines.count else b""
        first += read
    if table is None:
        raise report.refuse("an empty file", "get it again from its publisher")
    if rest:
        first += yield from table.read(Lines.of(rest, first), is_last=True)
    report.place = first - 1


def _layout(lines: Lines, find: FindLayout, report: ReadReport) -> Layout:
    layout = find([lines.text(line) for line in range(min(SAMPLE_LINES, lines.count))])
    if layout is None:
        raise report.refuse("no header with a column of hashes (md5, sha1, sha256, pdq or phash), nor such values")
    for note in layout.notes:
        report.note(note)
    return layout


class _Table:
    """The reading of one table; what it tells is the same whether a row was read in bulk or alone."""

    def __init__(self, layout: Layout, report: ReadReport) -> None:
        self._layout = layout
        self._report = report
        self._begin = layout.skipped

    def read(self, lines: Lines, *, is_last: bool) -> Generator[Batch, None, int]:
        """Yield the batch of these lines; returns how many were read, as a quoted cell may need those that follow."""
        rows = Rows(lines.places())
        plain, guessed = fill_plain_rows(lines, self._begin, self._layout, rows)
        if "sha256" in guessed:
            self._report.note(AMBIGUOUS)
        self._report.rows += int(plain.sum())
        following, self._begin = self._begin, 0
        row_at = self._rows_of(lines, is_last=is_last)
        for line in np.flatnonzero(~plain & (lines.start < lines.end)).tolist():
            if line < following:
                continue
            row = row_at(line)
            if row is None:
                break
            following = row.following
            self._report.place = lines.first + line
            self._put(rows, line, row)
        else:
            line = lines.count
        yield rows.batch()
        return line

    def _rows_of(self, lines: Lines, *, is_last: bool) -> Callable[[int], QuotedRow | None]:
        """Return what takes the row that begins at a line."""
        layout = self._layout
        if layout.quoted:
            return QuotedRows(lines, layout, is_last=is_last).row

        def row(line: int) -> QuotedRow:
            text = lines.text(line)
            cells = [text] if text.startswith("#") else text.split(layout.delimiter, layout.width - 1)
            return QuotedRow(cells, line + 1)

        return row

    def _put(self, rows: Rows, line: int, row: QuotedRow) -> None:
        report = self._report
        if row.cells is None:
            report.rows += 1
            report.skip(NO_ROW)
            return
        is_comment = len(row.cells) == 1 and row.cells[0].startswith("#")
        if any(row.cells) and not is_comment:
            report.rows += 1
            if row.is_repaired:
                report.drop_value(QUOTES)
            record = self._record(row.cells)
            if record is not None:
                rows.put(line, record)

    def _record(self, cells: list[str]) -> Record | None:
        layout, report = self._layout, self._report
        texts = {name: cells[index].strip() for name, index in layout.columns.items() if index < len(cells)}
        if layout.quoted and any(cell.strip() for cell in cells[layout.width :]):
            texts = self._without_movable(texts)
        generic = texts.pop(GENERIC, "")
        told = any(texts.get(name) for name in HASH_BYTES) or bool(generic)
        if generic and (name := self._kind(generic, texts)) is not None and not texts.get(name):
            texts[name] = generic
        md5, sha1, sha256, pdq, phash = (_parse(name, texts.get(name), report) for name in HASH_BYTES)
        size = parse_size(texts.get("size"), report)
        record = Record(md5, sha1, sha256, pdq, phash, size, *label_of(texts, report))
        return settle(record, report, had_hash=told, photo_dna=bool(texts.get("photodna")))

    def _without_movable(self, texts: dict[str, str]) -> dict[str, str]:
        """Return the cells of a row with a delimiter too many: a hash is known by its form, the others are not."""
        if _MOVABLE.isdisjoint(texts):
            return texts
        self._report.drop_value(SURPLUS)
        return {name: text for name, text in texts.items() if name not in _MOVABLE}

    def _kind(self, value: str, texts: Mapping[str, str]) -> str | None:
        """Return which hash the value of the generic column is: as a column beside it says, else by its length."""
        algorithm = texts.get("algorithm")
        if algorithm:
            named = _ALGORITHM.search(algorithm)
            if named is None:
                self._report.drop_value(OTHER_ALGORITHM)
                return None
            name = named[1].casefold().replace("-", "")
            return "sha256" if name.endswith("256") else name
        by_length = self._layout.by_digits.get(len(value.removeprefix("hash=")))
        if by_length is None:
            self._report.drop_value(OTHER_LENGTH)
        elif by_length == "sha256" and "algorithm" not in self._layout.columns:
            self._report.note(AMBIGUOUS)
        return by_length


def _parse(name: str, text: str | None, report: ReadReport) -> bytes | None:
    return parse_hash(name, text.removeprefix("hash="), report) if text else None
