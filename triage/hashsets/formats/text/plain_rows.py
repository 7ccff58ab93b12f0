"""Table rows of which there is nothing to tell, thousands at a time: cells whole, values what they should be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from triage.hashsets.batch import UNKNOWN_SIZE, Bytes
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Ints, Rows
from triage.hashsets.formats.text.layout import FLAGS, GENERIC, LABELS, Layout
from triage.hashsets.formats.text.lines import Lines
from triage.hashsets.formats.values import are_plain, parse_flag
from triage.hashsets.record import DIGEST_BYTES, HASH_BYTES, Label


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where the cells of some lines are: `line` (n,), `start` and `end` (n, columns), without their quotes."""

    line: Ints
    start: Ints
    end: Ints

    def kept(self, keep: Flags) -> "_Cells":
        return _Cells(self.line[keep], self.start[keep], self.end[keep])


@dataclass(frozen=True, slots=True)
class _Hashes:
    """The values of one column that are hashes of one kind: `rows` (n,) where, `raw` (n, length) what."""

    name: str
    rows: Flags
    raw: Bytes


def fill_plain_rows(lines: Lines, begin: int, layout: Layout, rows: Rows) -> tuple[Flags, frozenset[str]]:
    """Fill the plain rows from line `begin` on.

    Returns for each line whether it is one, and which hashes were told by their length alone. A row that a report
    would say anything of is left to be read alone, and so is one without a hash.
    """
    plain = np.zeros(lines.count, np.bool_)
    cells = _cells(lines, begin, layout)
    found = list(_hashes(lines, cells, layout))
    fine = _whole(cells, found, layout)
    sizes = np.full(len(cells.line), UNKNOWN_SIZE, np.int64)
    if "size" in layout.columns:
        start, end = cells.start[:, layout.columns["size"]], cells.end[:, layout.columns["size"]]
        numbers, good = lines.numbers(start, end)
        fine &= good | (start == end)
        sizes[good] = numbers[good]
    labels, which = _labels(lines, cells.kept(fine), layout)
    clear = np.array([label is not None for label in labels], np.bool_)[which]
    fine[fine] = clear
    for value in found:
        rows.put_hashes(value.name, cells.line[fine & value.rows], value.raw[fine & value.rows])
    rows.put_sizes(cells.line[fine], sizes[fine])
    rows.put_labels(cells.line[fine], [label or Label() for label in labels], which[clear])
    plain[cells.line[fine]] = True
    guessed = frozenset() if "algorithm" in layout.columns else layout.by_digits.values() - layout.hashes.keys()
    return plain, frozenset(value.name for value in found if value.name in guessed and (fine & value.rows).any())


def _cells(lines: Lines, begin: int, layout: Layout) -> _Cells:
    """Return the cells of the lines that have as many as there are columns."""
    marks = lines.occurrences(layout.delimiter)
    first = np.searchsorted(marks, lines.start)
    count = np.searchsorted(marks, lines.end) - first
    inner = layout.width - 1
    whole = (count == inner) if layout.quoted else (count >= inner)
    whole[:begin] = False
    line = np.flatnonzero(whole)
    between = marks[first[line][:, None] + np.arange(inner)] if inner else np.empty((len(line), 0), np.int64)
    start = np.hstack((lines.start[line][:, None], between + 1))
    end = np.hstack((between, lines.end[line][:, None]))
    return _unquoted(lines, _Cells(line, start, end)) if layout.quoted else _Cells(line, start, end)


def _unquoted(lines: Lines, cells: _Cells) -> _Cells:
    """Return the lines in which every quote is the first or the last character of a whole cell."""
    marks = lines.occurrences('"')
    if not len(marks):
        return cells
    line = cells.line
    quotes = np.searchsorted(marks, lines.end[line]) - np.searchsorted(marks, lines.start[line])
    around = (
        (lines.data[cells.start] == ord('"'))
        & (lines.data[np.maximum(cells.end - 1, 0)] == ord('"'))
        & (cells.end - cells.start > 1)
    )
    inside = _Cells(line, cells.start + around, cells.end - around)
    return inside.kept(quotes == 2 * around.sum(axis=1))


def _hashes(lines: Lines, cells: _Cells, layout: Layout) -> Iterator[_Hashes]:
    """Yield the good values: of the columns of one kind, then of the column that may hold any."""
    for name, column in layout.hashes.items():
        yield _of_kind(lines, name, cells.start[:, column], cells.end[:, column])
    if GENERIC in layout.columns:
        column = layout.columns[GENERIC]
        for name in DIGEST_BYTES if "algorithm" in layout.columns else layout.by_digits.values():
            if name not in layout.columns:
                named = _of_algorithm(lines, cells, layout, name)
                yield _of_kind(lines, name, cells.start[:, column], cells.end[:, column], named)


def _of_algorithm(lines: Lines, cells: _Cells, layout: Layout, name: str) -> Flags:
    """Tell which rows have this for their algorithm, in capitals as it is usual; all where no column tells."""
    if "algorithm" not in layout.columns:
        return np.ones(len(cells.line), np.bool_)
    column = layout.columns["algorithm"]
    start, end = cells.start[:, column], cells.end[:, column]
    return np.asarray((end - start == len(name)) & lines.holds(name.upper(), start))


def _of_kind(lines: Lines, name: str, start: Ints, end: Ints, among: Flags | None = None) -> _Hashes:
    length = HASH_BYTES[name]
    rows = end - start == 2 * length
    if among is not None:
        rows &= among
    raw = np.zeros((len(rows), length), np.uint8)
    raw[rows], good = lines.hashes(start[rows], length)
    rows[rows] = good & are_plain(name, raw[rows])
    return _Hashes(name, rows, raw)


def _whole(cells: _Cells, found: list[_Hashes], layout: Layout) -> Flags:
    """Tell which rows have a hash, and nothing but a hash or nothing where one should be."""
    some = np.zeros(len(cells.line), np.bool_)
    fine = np.ones(len(cells.line), np.bool_)
    of_column: dict[int, Flags] = {}
    for value in found:
        some |= value.rows
        column = layout.columns[value.name if value.name in layout.columns else GENERIC]
        of_column[column] = of_column.get(column, np.zeros_like(some)) | value.rows
    for column in (layout.columns[name] for name in (*HASH_BYTES, GENERIC) if name in layout.columns):
        empty = cells.start[:, column] == cells.end[:, column]
        fine &= empty | of_column.get(column, np.zeros_like(some))
    return fine & some


def _labels(lines: Lines, cells: _Cells, layout: Layout) -> tuple[list[Label | None], Ints]:
    """Return the different labels, None for what there is something to tell of, and which of them each row has."""
    names = [name for name in LABELS if name in layout.columns]
    if not names:
        return [Label()], np.zeros(len(cells.line), np.int64)
    columns = [layout.columns[name] for name in names]
    known: dict[tuple[bytes, ...], int] = {}
    which = []
    for starts, ends in zip(cells.start[:, columns].tolist(), cells.end[:, columns].tolist(), strict=True):
        told = tuple(lines.raw[start:end] for start, end in zip(starts, ends, strict=True))
        which.append(known.setdefault(told, len(known)))
    labels = [_plain_label(dict(zip(names, told, strict=True))) for told in known]
    return labels, np.array(which, np.int64)


def _plain_label(told: Mapping[str, bytes]) -> Label | None:
    seen = ReadReport("")
    label = label_of({name: text.decode("utf-8", "replace") for name, text in told.items()}, seen)
    return None if seen.bad_values else label


def label_of(texts: Mapping[str, str], report: ReadReport) -> Label:
    """Return the label that the cells of a row say; only yes is a flag."""
    category, grade, series = (texts.get(name, "").strip() or None for name in ("category", "grade", "series"))
    flags = sum(flag for name, flag in FLAGS.items() if name in texts and parse_flag(texts[name], report))
    return Label(category, grade, series, flags)
