"""Media records to a batch: all that is plain in bulk, and each odd record by itself, as if there were no bulk."""

import re
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from triage.hashsets.batch import UNKNOWN_SIZE, Batch, Bytes
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.rows import Flags, Ints, Rows
from triage.hashsets.formats.values import are_plain
from triage.hashsets.formats.vics.media import FLAGS, Media, alternatives, label_of, records_of, series_text
from triage.hashsets.record import HASH_BYTES, Label

_ODD_SIZE = -2
_PLAIN_SIZE_DIGITS = 18

_Types = frozenset[type[Any]]

_TEXT: _Types = frozenset({str, type(None)})
_NUMBER_OR_TEXT: _Types = _TEXT | {int}

# Values that are equal share a label: True, 1 and 1.0 mean the same in a flag, but not in the other two, whose types
# are looked at.
_label_values = attrgetter("series", "category", *FLAGS)


def batch_of_media(several: Sequence[Media], first: int, report: ReadReport) -> Batch:
    """Return the records that can be used, the first of them at the place `first`, and count all the others."""
    rows = Rows(np.arange(first, first + len(several)))
    odd = _put_plain(several, rows)
    for row in np.flatnonzero(odd).tolist():
        report.place = first + row
        records = records_of(several[row], report)
        if records:
            rows.put(row, *records)
    return rows.batch()


def _put_plain(several: Sequence[Media], rows: Rows) -> Flags:
    """Put every row in which there is nothing to report, and tell which the others are."""
    texts, odd_rows = _texts(several)
    odd, present = np.zeros(len(several), np.bool_), np.zeros(len(several), np.bool_)
    odd[odd_rows] = True
    hashes = {}
    for name, column in texts.items():
        raw, given, other = _from_hex(column, HASH_BYTES[name])
        odd |= other
        odd[given] |= ~are_plain(name, raw)
        present |= given
        hashes[name] = given, raw
    odd |= ~present
    sizes = _sizes(several)
    odd |= sizes == _ODD_SIZE
    labels, which = _labels(several, odd)
    plain = ~odd
    for name, (given, raw) in hashes.items():
        rows.put_hashes(name, plain & given, raw if plain.all() else raw[plain[given]])
    rows.put_sizes(plain, sizes[plain])
    rows.put_labels(plain, labels, which)
    return odd


def _texts(several: Sequence[Media]) -> tuple[dict[str, list[Any]], list[int]]:
    """Return for each hash what is published of it, row by row, and which rows want a closer look."""
    texts: dict[str, list[Any]] = {
        "md5": [media.md5 for media in several],
        "sha1": [media.sha1 for media in several],
    }
    md5, odd = texts["md5"], []
    for row, media in enumerate(several):
        if media.alternative_hashes and not _put_alternatives(texts, row, media):
            odd.append(row)
        if not md5[row] and media.media_files:
            odd.append(row)
    return texts, odd


def _put_alternatives(texts: dict[str, list[Any]], row: int, media: Media) -> bool:
    """Put what a row has no other value of; False where there is one."""
    is_alone = True
    for name, text in alternatives(media):
        if name not in texts:
            if name not in HASH_BYTES:
                continue
            texts[name] = [None] * len(texts["md5"])
        present = texts[name][row]
        if present is None or present == "":
            texts[name][row] = text
        elif text not in (None, "", present):
            is_alone = False
    return is_alone


def _sizes(several: Sequence[Media]) -> Ints:
    sizes = [media.media_size for media in several]
    if not _are_plain_sizes(sizes):
        sizes = list(map(_plain_size, sizes))
    return np.array(sizes, np.int64)


def _labels(several: Sequence[Media], odd: Flags) -> tuple[list[Label], Ints]:
    """Return the different labels, and which of them each row has that is not odd; mark those without one as odd."""
    values = list(map(_label_values, several))
    if not _TEXT.issuperset(type(media.series) for media in several):
        values = [(series_text(series), *others) for series, *others in values]
    odd |= _of_other_types([media.category for media in several], _NUMBER_OR_TEXT)
    odd |= _unhashable(values)
    rows = np.flatnonzero(~odd)
    distinct: dict[tuple[Any, ...], int] = {}
    which = np.array([distinct.setdefault(values[row], len(distinct)) for row in rows.tolist()], np.int64)
    labels = [_plain_label(*key) for key in distinct]
    clear = np.array([label is not None for label in labels], np.bool_)[which]
    odd[rows[~clear]] = True
    return [label or Label() for label in labels], which[clear]


def _from_hex(texts: list[Any], length: int) -> tuple[Bytes, Flags, Flags]:
    """Return the bytes of hashes in hexadecimal, a row for each, which texts are one, and which are something else."""
    odd = np.zeros(len(texts), np.bool_)
    if not _are_plain(texts, length):
        plain = re.compile(f"(?:[0-9A-Fa-f]{{{2 * length}}})?")
        odd = np.array([text is not None and not (isinstance(text, str) and plain.fullmatch(text)) for text in texts])
        texts = [None if bad else text for text, bad in zip(texts, odd.tolist(), strict=True)]
    present = np.fromiter(map(bool, texts), np.bool_, len(texts))
    raw = np.frombuffer(bytes.fromhex("".join(filter(None, texts))), np.uint8).reshape(-1, length)
    return raw, present, odd


def _are_plain(texts: list[Any], length: int) -> bool:
    if not _TEXT.issuperset(map(type, texts)):
        return False
    given = list(filter(None, texts))
    if not {2 * length}.issuperset(map(len, given)):
        return False
    try:
        return len(bytes.fromhex("".join(given))) == length * len(given)  # fromhex passes over blanks
    except ValueError:
        return False


def _are_plain_sizes(sizes: list[Any]) -> bool:
    return {int}.issuperset(map(type, sizes)) and min(sizes) >= 0 and max(sizes) < 10**_PLAIN_SIZE_DIGITS


def _plain_size(value: object) -> int:
    if value is None or value == "":
        return UNKNOWN_SIZE
    if type(value) is str and len(value) <= _PLAIN_SIZE_DIGITS and value.isdecimal():
        return int(value)
    return value if type(value) is int and 0 <= value < 10**_PLAIN_SIZE_DIGITS else _ODD_SIZE


def _of_other_types(column: Sequence[Any], types: _Types) -> Flags:
    """Tell which values are of none of the types, exactly."""
    if types.issuperset(map(type, column)):
        return np.zeros(len(column), np.bool_)
    return np.array([type(value) not in types for value in column])


def _unhashable(values: list[tuple[Any, ...]]) -> Flags:
    """Tell which rows have a list or an object where a label has none."""
    try:
        set(map(hash, values))
    except TypeError:
        return np.array([any(isinstance(value, list | dict) for value in row) for row in values])
    return np.zeros(len(values), np.bool_)


def _plain_label(series: object, category: object, *flags: object) -> Label | None:
    """Return the label, None where there is something to report."""
    seen = ReadReport("")
    label = label_of(category, series, flags, seen)
    return None if seen.bad_values else label
