"""From the texts of a row to a record: every value that is not what its name says is counted and dropped."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from triage.hashsets.batch import Bytes
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import DIGEST_BYTES, EMPTY_DIGESTS, HASH_BYTES, Record

ONLY_PHOTODNA = "only PhotoDNA, which is licensed and not read"
EMPTY_FILE = "the empty file"
NO_HASH = "no hash in the row"
AMBIGUOUS = "64 digits taken for SHA-256; give --format pdq for a PDQ list"
NO_USABLE_HASH = "no usable hash in the row"
NOT_A_SIZE = "size is not a number of bytes"
NOT_YES_OR_NO = "a flag is neither yes nor no"

HASH_LABELS: Mapping[str, str] = MappingProxyType(
    {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "pdq": "PDQ", "phash": "pHash"}
)
"""What a person calls each hash."""

BY_DIGITS: Mapping[int, str] = MappingProxyType({2 * length: name for name, length in DIGEST_BYTES.items()})
"""The digest that has so many hexadecimal digits."""

MAX_SIZE = 1 << 62
"""Bytes; no file has as many."""

_NOT_HEX = {name: f"{HASH_LABELS[name]} is not {2 * length} hexadecimal digits" for name, length in HASH_BYTES.items()}
_PLACEHOLDER = {name: f"{HASH_LABELS[name]} of zeros or of ones alone, which is no file's" for name in DIGEST_BYTES}
_BLANK_PICTURE = {name: f"{label} of a blank picture" for name, label in HASH_LABELS.items()}
_PLACEHOLDERS = {name: (bytes(length), b"\xff" * length) for name, length in DIGEST_BYTES.items()}

# The digests that there is something to tell of, and their first four bytes, by which nearly all others are passed.
_TOLD = {
    name: np.frombuffer(b"".join((EMPTY_DIGESTS[name], *_PLACEHOLDERS[name])), np.uint8).reshape(-1, length)
    for name, length in DIGEST_BYTES.items()
}
_TOLD_BEGIN = {name: digests[:, :4].copy().view(np.uint32)[:, 0] for name, digests in _TOLD.items()}

_YES = frozenset[object]({True, "y", "yes", "t", "true", "1"})
_NO = frozenset[object]({False, None, "", "n", "no", "f", "false", "0"})


def parse_hash(name: str, value: object, report: ReadReport) -> bytes | None:
    """Return the bytes of a hash (md5, sha1, sha256, pdq, phash); None where it is absent or bad (then counted)."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        length = HASH_BYTES[name]
        if len(raw) == length and len(text) == 2 * length:  # fromhex passes over blanks inside
            return check_hash(name, raw, report)
    report.drop_value(_NOT_HEX[name])
    return None


def check_hash(name: str, raw: bytes, report: ReadReport) -> bytes | None:
    """Return a hash of the right length, None where it says nothing of a file (then counted).

    Publishers fill columns with digests of zeros. A perceptual hash has half of its bits set, for its median cut; one
    with fewer than a quarter or more than three quarters of them is of a blank picture or made up, and would come near
    to every other blank picture.
    """
    if name in DIGEST_BYTES:
        if raw not in _PLACEHOLDERS[name]:
            return raw
        report.drop_value(_PLACEHOLDER[name])
    else:
        bits = 8 * len(raw)
        if bits // 4 <= int.from_bytes(raw).bit_count() <= bits - bits // 4:
            return raw
        report.drop_value(_BLANK_PICTURE[name])
    return None


def are_plain(name: str, raw: Bytes) -> NDArray[np.bool_]:
    """Tell of which hashes (n, length) there is nothing to tell, not even that they are of the empty file."""
    if name not in DIGEST_BYTES:
        bits = 8 * raw.shape[1]
        ones = np.bitwise_count(raw).sum(axis=1, dtype=np.int64)
        return np.asarray((bits // 4 <= ones) & (ones <= bits - bits // 4))
    plain = np.ones(len(raw), np.bool_)
    begin = np.ascontiguousarray(raw[:, :4]).view(np.uint32)[:, 0]
    for told in _TOLD_BEGIN[name]:
        plain &= begin != told
    suspects = np.flatnonzero(~plain)
    plain[suspects] = (raw[suspects, None] != _TOLD[name]).any(axis=2).all(axis=1)
    return plain


def parse_size(value: object, report: ReadReport) -> int | None:
    """Return a size in bytes from a number or its text."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and value.strip().isdecimal() and len(value) < 32:  # noqa: PLR2004 - a size has 19
        size = int(value)
    else:
        size = -1
    if 0 <= size < MAX_SIZE:
        return size
    report.drop_value(NOT_A_SIZE)
    return None


def parse_flag(value: object, report: ReadReport) -> bool:
    """Tell whether a truth value, a number or a text says yes; values that are equal say the same."""
    if isinstance(value, str):
        value = value.strip().casefold()
    if isinstance(value, list | dict) or value not in _YES | _NO:
        report.drop_value(NOT_YES_OR_NO)
        return False
    return value in _YES


def _without_empty(record: Record) -> Record | None:
    """Return the record without the digests of the empty file, None where it has no other."""
    left = {
        name: None if value == empty else value
        for value, (name, empty) in zip(record, EMPTY_DIGESTS.items(), strict=False)
    }
    return record._replace(**left) if any(left.values()) else None  # type: ignore[arg-type] # by name


def settle(record: Record, report: ReadReport, *, had_hash: bool, photo_dna: bool = False) -> Record | None:
    """Return the record if it can be used, else count the row as skipped under its reason.

    A digest of the empty file beside one that is not says nothing, and is dropped.
    """
    if record.md5 or record.sha1 or record.sha256 or record.pdq or record.phash:
        if not record.is_empty_file:
            return record
        if (rest := _without_empty(record)) is not None:
            report.drop_value(EMPTY_FILE)
            return rest
        report.skip(EMPTY_FILE)
    elif had_hash:
        report.skip(NO_USABLE_HASH)
    else:
        report.skip(ONLY_PHOTODNA if photo_dna else NO_HASH)
    return None
