"""From the texts of a row to a record: every value that is not what its name says is counted and dropped."""

from triage.hashsets.formats.report import ReadReport
from triage.hashsets.record import DIGEST_BYTES, PDQ_BYTES, PHASH_BYTES, Record

ONLY_PHOTODNA = "only PhotoDNA, which is licensed and not read"
EMPTY_FILE = "the empty file"
NO_HASH = "no hash in the row"
AMBIGUOUS = "64 digits taken for SHA-256; give --format pdq for a PDQ list"
NO_USABLE_HASH = "no usable hash in the row"

_LABELS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "pdq": "PDQ", "phash": "pHash"}
_LENGTHS = {**DIGEST_BYTES, "pdq": PDQ_BYTES, "phash": PHASH_BYTES}
_REASONS = {name: f"{_LABELS[name]} is not {2 * length} hexadecimal digits" for name, length in _LENGTHS.items()}
_MAX_SIZE = 1 << 62


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
        length = _LENGTHS[name]
        if len(raw) == length and len(text) == 2 * length:  # fromhex passes over blanks inside
            return raw
    report.drop_value(_REASONS[name])
    return None


def parse_picture_hash(name: str, value: object, report: ReadReport) -> bytes | None:
    """Return a perceptual hash as `parse_hash` does, and refuse one that is no picture's.

    A median cut sets half of the bits. A hash with fewer than a quarter or more than three quarters of them is of a
    blank picture or made up, and would come near to every other blank picture.
    """
    raw = parse_hash(name, value, report)
    if raw is None:
        return None
    bits = 8 * len(raw)
    if not bits // 4 <= int.from_bytes(raw).bit_count() <= bits - bits // 4:
        report.drop_value(f"{_LABELS[name]} of a blank picture")
        return None
    return raw


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
    if 0 <= size < _MAX_SIZE:
        return size
    report.drop_value("size is not a number of bytes")
    return None


def settle(record: Record, report: ReadReport, *, had_hash: bool, photo_dna: bool = False) -> Record | None:
    """Return the record if it can be used, else count the row as skipped under its reason."""
    if record.md5 or record.sha1 or record.sha256 or record.pdq or record.phash:
        if not record.is_empty_file:
            return record
        report.skip(EMPTY_FILE)
    elif had_hash:
        report.skip(NO_USABLE_HASH)
    else:
        report.skip(ONLY_PHOTODNA if photo_dna else NO_HASH)
    return None
