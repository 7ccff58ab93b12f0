"""Where the columns of a table are: by the words of its header, or, without one, by the values of its first rows.

Source of the facts: the headers that public readers and writers of these formats name: NSRL RDS 1.5 and 2.0,
HashKeeper, iLook 1, 3 and 4, INTERPOL ICSE, the exports of ThreatExchange's tools, PowerShell's `Get-FileHash`.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from triage.hashsets.formats.values import AMBIGUOUS, BY_DIGITS, HASH_LABELS
from triage.hashsets.record import HASH_BYTES, Flag

DELIMITERS = (",", ";", "\t", "|")
GENERIC = "hash"
"""One column of hashes told apart by their length, or by what a column beside it says."""

SAMPLE_LINES = 50
FLAGS: Mapping[str, Flag] = {str(flag.name).lower(): flag for flag in Flag}
LABELS = ("category", "grade", "series", *FLAGS)

_NOISE = re.compile(r"(?<!p)hash|value|file|digest|checksum|sum|hex|media|string|[^a-z0-9]")
_KNOWN = {
    "md5": "md5",
    "v3": "md5",  # iLook: V3Hash, V4Hash
    "v4": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha2256": "sha256",
    "pdq": "pdq",
    "phash": "phash",
    "perceptual": "phash",
    "size": "size",
    "sizebytes": "size",
    "sizeinbytes": "size",
    "length": "size",
    "bytes": "size",
    "category": "category",
    "grade": "grade",
    "series": "series",
    "seriesname": "series",
    "photodna": "photodna",
    "quality": "quality",
    "algorithm": "algorithm",
    "signaltype": "algorithm",
    "isdistributed": "distributed",
    "victimidentified": "victim_identified",
    "offenderidentified": "offender_identified",
    "issuspected": "suspected",
    "selfgenerated": "self_generated",
    "isprecategorized": "precategorized",
}
_GENERIC_NAMES = frozenset({"hash", "hashvalue", "filehash", "digest", "checksum", "v1hash", "signalstr"})
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
_DIGEST = re.compile(r"[0-9A-Fa-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a table.

    - `columns`: the index of each known one, of `width` columns in all
    - `by_digits`: which hash the `GENERIC` column holds, by its number of digits
    - `quoted`: cells may be in quotes, as in CSV; otherwise the last column takes every further delimiter
    - `skipped`: lines up to the first row
    - `notes`: what was taken for granted
    """

    delimiter: str
    width: int
    columns: Mapping[str, int]
    by_digits: Mapping[int, str]
    quoted: bool = True
    skipped: int = 0
    notes: tuple[str, ...] = ()

    @property
    def hashes(self) -> dict[str, int]:
        """The index of each column of one kind of hash."""
        return {name: self.columns[name] for name in HASH_BYTES if name in self.columns}

    def filled(self, cells: Sequence[str]) -> set[int]:
        """Return which columns of hashes have digits of the right number."""
        digits = {column: {2 * HASH_BYTES[name]} for name, column in self.hashes.items()}
        if GENERIC in self.columns:
            digits[self.columns[GENERIC]] = {2 * length for length in HASH_BYTES.values()}
        return {column for column, lengths in digits.items() if _digits(cells[column]) in lengths}


def cells_of(text: str, delimiter: str, *, strict: bool = True) -> list[str]:
    """Return the cells of a row; raises csv.Error where it is none."""
    return next(csv.reader([text], delimiter=delimiter, strict=strict), [])


def find_layout(sample: Sequence[str], by_digits: Mapping[int, str] = BY_DIGITS) -> Layout | None:
    """Return the layout of a table by its first lines, None where they are not of a table of hashes."""
    above = takewhile(lambda line: not _DIGEST.search(line), sample)  # a row may hold a file named md5
    headers = (_of_header(line, by_digits, number) for number, line in enumerate(above, 1))
    header = next((found for found in headers if found is not None), None)
    return _of_values(sample, by_digits) if header is None else header


def _of_header(line: str, by_digits: Mapping[int, str], number: int) -> Layout | None:
    """Return the layout that a line gives as a header, under the delimiter with most known columns."""
    layouts = (_under_delimiter(line, delimiter, by_digits, number) for delimiter in DELIMITERS)
    return max(filter(None, layouts), key=lambda layout: len(layout.columns), default=None)


def _under_delimiter(line: str, delimiter: str, by_digits: Mapping[int, str], number: int) -> Layout | None:
    cells = _tolerant(line, delimiter)
    columns = _columns(cells)
    is_comment = len(cells) == 1 and line.lstrip().startswith("#")
    if is_comment or not any(name in columns for name in (*HASH_BYTES, GENERIC)):
        return None
    if "quality" in columns:  # no other hash has one
        by_digits = {**by_digits, 2 * HASH_BYTES["pdq"]: "pdq"}
    return Layout(delimiter=delimiter, width=len(cells), columns=columns, by_digits=by_digits, skipped=number)


def _tolerant(line: str, delimiter: str) -> list[str]:
    try:
        return cells_of(line, delimiter, strict=False)
    except csv.Error:
        return []


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """Return where each known column is; the first of two of the same name counts."""
    columns: dict[str, int] = {}
    for index, cell in enumerate(cells):
        plain = re.sub(r"[^a-z0-9]", "", cell.casefold())
        name = GENERIC if plain in _GENERIC_NAMES else _KNOWN.get(_NOISE.sub("", plain))
        if name is not None:
            columns.setdefault(name, index)
    return columns


def _of_values(sample: Sequence[str], by_digits: Mapping[int, str]) -> Layout | None:
    """Return the layout of a table without a header: columns of which most values are hashes of one length."""
    lines = [line for line in sample if line.strip() and not line.startswith("#")]
    found = (_of_delimiter(lines, delimiter, by_digits) for delimiter in DELIMITERS)
    return next((layout for layout in found if layout is not None), None)


def _of_delimiter(lines: Sequence[str], delimiter: str, by_digits: Mapping[int, str]) -> Layout | None:
    rows = [_tolerant(line, delimiter) for line in lines]
    widths = Counter(len(row) for row in rows)
    columns: dict[str, int] = {}
    for (index, name), count in sorted(Counter(_hashes_in(rows, by_digits)).items()):
        if 2 * count > len(rows):
            columns.setdefault(name, index)
    if not columns:
        return None
    width = widths.most_common(1)[0][0]
    taken = ", ".join(f"column {index + 1} for {HASH_LABELS[name]}" for name, index in columns.items())
    notes = [f"no header: {taken}, by their values"] if width > 1 else []
    if list(columns) == ["sha256"]:
        notes.append(AMBIGUOUS)
    return Layout(delimiter=delimiter, width=width, columns=columns, by_digits=by_digits, notes=tuple(notes))


def _hashes_in(rows: Sequence[Sequence[str]], by_digits: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    for row in rows:
        for index, cell in enumerate(row):
            name = by_digits.get(_digits(cell))
            if name is not None:
                yield index, name


def _digits(cell: str) -> int:
    """Return how many hexadecimal digits a cell has, 0 where it has anything else."""
    value = cell.strip().removeprefix("hash=")
    return len(value) if _HEX.match(value) else 0
