"""Records to columns: what a sealed set stores, built in memory at about 100 bytes a record.

Column shapes, `n` records, `k` members with that hash; every integer is little-endian:

- `md5`, `sha1`, `sha256`: `k` fixed-width digests, sorted bytewise; `md5_record`, ...: the record of each;
- `md5_at`, ...: for each of `n` records the position of its digest in the sorted column, `ABSENT` where it has none;
- `pdq`: 4 rows of `k` 64-bit words, word `i` of each hash in row `i`; `pdq_record`; `phash`: `k` words; `phash_record`;
- `size`: `n` sizes in bytes, -1 where unknown; `category`, `grade`, `series`: `n` numbers of texts, 0 for none;
- `text`: the texts end to end in UTF-8, `text_end`: where each ends; text number 1 is the first.
"""

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.record import DIGEST_BYTES, PDQ_BYTES, PHASH_BYTES, Record

ABSENT = 0xFFFF_FFFF

Column = NDArray[Any]
Columns = Mapping[str, Column]

COLUMN_TYPES: Mapping[str, str] = {
    **{name: f"S{length}" for name, length in DIGEST_BYTES.items()},
    "pdq": "<u8",
    "phash": "<u8",
    **{f"{name}_record": "<u4" for name in (*DIGEST_BYTES, "pdq", "phash")},
    **{f"{name}_at": "<u4" for name in DIGEST_BYTES},
    "size": "<i8",
    **dict.fromkeys(("category", "grade", "series"), "<u4"),
    "text_end": "<u8",
    "text": "u1",
}

_HASH_BYTES = {**DIGEST_BYTES, "pdq": PDQ_BYTES, "phash": PHASH_BYTES}
_TEXTS = ("category", "grade", "series")


class ColumnBuilder:
    """Takes records one by one; `build` sorts them, drops those that say the same twice, and returns the columns.

    The columns do not depend on the order of the records.
    """

    def __init__(self) -> None:
        self.added = 0
        self._hashes = {name: (bytearray(), array("I")) for name in _HASH_BYTES}
        self._sizes = array("q")
        self._texts = {name: array("I") for name in _TEXTS}
        self._numbers: dict[str | None, int] = {None: 0}

    def add(self, record: Record) -> None:
        """Take one record."""
        number = self.added
        for value, (hashes, records) in zip(record[:5], self._hashes.values(), strict=True):
            if value is not None:
                hashes.extend(value)
                records.append(number)
        self._sizes.append(-1 if record.size is None else record.size)
        numbers = self._numbers
        for text, column in zip(record[6:], self._texts.values(), strict=True):
            column.append(numbers.setdefault(text, len(numbers)))
        self.added += 1

    def build(self) -> dict[str, Column]:
        """Return the columns of the distinct records."""
        columns = _text_columns(self._numbers)
        sizes = np.frombuffer(self._sizes, "<i8")
        renumber = _sorted_numbers(self._numbers)
        texts = {name: renumber[np.frombuffer(self._texts[name], "<u4")] for name in _TEXTS}
        keys, ranks = self._ranked()
        kept = _distinct([*ranks.values(), *texts.values(), *_halves(sizes)])
        for name in _HASH_BYTES:
            columns |= _hash_columns(name, keys[name], ranks[name][kept])
        columns |= {name: column[kept] for name, column in texts.items()}
        return columns | {"size": sizes[kept]}

    def _ranked(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """Return for each hash its sorted distinct values, and for each record the rank of its own, from 1."""
        keys: dict[str, Column] = {}
        ranks: dict[str, Column] = {}
        for name, length in _HASH_BYTES.items():
            hashes, records = self._hashes[name]
            keys[name], inverse = np.unique(np.frombuffer(hashes, f"S{length}"), return_inverse=True)
            ranks[name] = np.zeros(self.added, "<u4")
            ranks[name][np.frombuffer(records, "<u4")] = inverse + 1
        return keys, ranks


def _distinct(fields: list[Column]) -> Column:
    """Return the index of the first of each distinct record, in the order of their fields."""
    rows = np.stack(fields, axis=1).astype(">u4")
    _, first = np.unique(rows.view(f"S{rows.shape[1] * 4}").ravel(), return_index=True)
    return np.asarray(first)


def _halves(sizes: Column) -> tuple[Column, Column]:
    words = np.ascontiguousarray(sizes).view("<u4").reshape(-1, 2)
    return words[:, 1], words[:, 0]


def _hash_columns(name: str, keys: Column, ranks: Column) -> dict[str, Column]:
    """Return the columns of one hash for the kept records, whose ranks in `keys` are given."""
    present = np.flatnonzero(ranks)
    order = present[np.argsort(ranks[present], kind="stable")]
    values = keys[ranks[order] - 1]
    if name not in DIGEST_BYTES:
        return {name: _words(values), f"{name}_record": order.astype("<u4")}
    at = np.full(len(ranks), ABSENT, "<u4")
    at[order] = np.arange(len(order))
    return {name: values, f"{name}_record": order.astype("<u4"), f"{name}_at": at}


def _words(values: Column) -> Column:
    """Return hashes as 64-bit words, most significant first: one row of words for 8 bytes, four rows for 32."""
    words = np.frombuffer(values.tobytes(), ">u8").astype("<u8")
    if values.dtype.itemsize == PHASH_BYTES:
        return words
    return np.ascontiguousarray(words.reshape(-1, 4).T)


def _text_columns(numbers: Mapping[str | None, int]) -> dict[str, Column]:
    encoded = [text.encode("utf-8", "replace") for text in _sorted_texts(numbers)]
    ends = np.cumsum([len(text) for text in encoded], dtype="<u8")
    return {"text": np.frombuffer(b"".join(encoded), "u1"), "text_end": ends}


def _sorted_numbers(numbers: Mapping[str | None, int]) -> Column:
    """Return the final number of each text by the number it was first given."""
    final = np.zeros(len(numbers), "<u4")
    for number, text in enumerate(_sorted_texts(numbers), start=1):
        final[numbers[text]] = number
    return final


def _sorted_texts(numbers: Mapping[str | None, int]) -> list[str]:
    return sorted(text for text in numbers if text is not None)
