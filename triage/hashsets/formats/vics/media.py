"""One Media record of a VICS file: its members as whatever type the publisher gave them, and the record made of it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.values import EMPTY_FILE, parse_flag, parse_hash, parse_size, settle
from triage.hashsets.record import EMPTY_DIGESTS, HASH_BYTES, Flag, Label, Record

FLAGS: Mapping[str, Flag] = {
    "victim_identified": Flag.VICTIM_IDENTIFIED,
    "offender_identified": Flag.OFFENDER_IDENTIFIED,
    "is_distributed": Flag.DISTRIBUTED,
    "is_suspected": Flag.SUSPECTED,
    "self_generated": Flag.SELF_GENERATED,
    "is_precategorized": Flag.PRECATEGORIZED,
}

_NAMES = {"md5": "MD5", "sha1": "SHA1", "photo_dna": "PhotoDNA", "_cases": "Media"}
_ALTERNATIVES = frozenset({"md5", "sha1", "sha256", "pdq", "phash", "photodna"})
_EXACT_FLOAT = 1 << 53  # below it every whole number is a float of its own


def published_name(name: str) -> str:
    """Return what VICS calls a field: `media_size` is `MediaSize`."""
    return _NAMES.get(name) or name.title().replace("_", "")


class Alternative(msgspec.Struct, gc=False, rename=published_name):
    """One of the further hashes of a record."""

    hash_name: Any = None
    hash_value: Any = None


class MediaFile(msgspec.Struct, gc=False, rename=published_name):
    """One of the files in which a medium was found."""

    md5: Any = None


class Media(msgspec.Struct, gc=False, rename=published_name):
    """The members that are read; None where absent. `_cases` is there where this is no medium but what holds some."""

    md5: Any = None
    sha1: Any = None
    photo_dna: Any = None
    media_size: Any = None
    category: Any = None
    series: Any = None
    victim_identified: Any = None
    offender_identified: Any = None
    is_distributed: Any = None
    is_suspected: Any = None
    self_generated: Any = None
    is_precategorized: Any = None
    alternative_hashes: list[Alternative] | None = None
    media_files: list[MediaFile] | None = None
    _cases: Any = None


MEMBERS: Mapping[str, str] = {published_name(name): name for name in Media.__struct_fields__}
"""The names of the members that are read, and of their fields."""

NO_RECORD = Media()
"""What stands for an element that is no object."""


class _Passed(msgspec.Struct, gc=False, rename=published_name):
    """A Media record of which nothing is read."""

    _cases: Any = None


def _several(kind: Any) -> Callable[[str], Sequence[Any] | None]:
    decode = msgspec.json.Decoder(list[kind]).decode

    def several(text: str) -> Sequence[Any] | None:
        try:
            elements = decode(text)
        except (msgspec.DecodeError, RecursionError):
            return None
        return None if any(element._cases is not None for element in elements) else elements  # noqa: SLF001 - ours

    return several


decode_several = _several(Media)
"""Returns the Media records of an array, None where one of them is not of the common shape or no JSON."""

pass_over = _several(_Passed)
"""The same for whoever wants to know no more than how many they are."""


def media_of(value: object) -> Media:
    """Return what is read of one element, `NO_RECORD` where it is no object."""
    if not isinstance(value, dict):
        return NO_RECORD
    fields = {field: value[name] for name, field in MEMBERS.items() if name in value}
    alternatives = fields.get("alternative_hashes")
    fields["alternative_hashes"] = [
        Alternative(entry.get("HashName"), entry.get("HashValue"))
        for entry in (alternatives if isinstance(alternatives, list) else [alternatives])
        if isinstance(entry, dict)
    ]
    files = fields.get("media_files")
    fields["media_files"] = [
        MediaFile(file.get("MD5")) for file in (files if isinstance(files, list) else ()) if isinstance(file, dict)
    ]
    return Media(**fields)


def records_of(media: Media, report: ReadReport) -> list[Record]:
    """Return the records that can be used, one for nearly every medium; all that cannot is counted.

    The first good value of each hash is of the first record. Every other good value is a record of its own: whether it
    goes together with the others is not told, and one that does not must not keep them from being found.
    """
    if media is NO_RECORD:
        report.skip("not a record")
        return []
    texts = _hash_texts(media)
    photo_dna = bool(texts.pop("photodna", None) or media.photo_dna)
    values = {name: _parse_all(name, texts.get(name, ()), report) for name in HASH_BYTES}
    if not values["md5"] and (of_files := _texts_of_files(media)):
        texts["md5"] = of_files
        values["md5"] = _parse_all("md5", of_files, report)
    size = parse_size(media.media_size, report)
    label = label_of(media.category, media.series, [getattr(media, name) for name in FLAGS], report)
    md5, sha1, sha256, pdq, phash = (next(iter(values[name]), None) for name in HASH_BYTES)
    read = Record(md5, sha1, sha256, pdq, phash, size, *label)
    record = settle(read, report, had_hash=bool(texts), photo_dna=photo_dna)
    if record is None:
        return []
    return [record, *(_bare(name, raw, record) for name in HASH_BYTES for raw in values[name][1:])]


def _bare(name: str, raw: bytes, record: Record) -> Record:
    """Return a record of one hash with the size and label of another."""
    md5, sha1, sha256, pdq, phash = (raw if name == other else None for other in HASH_BYTES)
    return Record(md5, sha1, sha256, pdq, phash, record.size, *record.label)


def _hash_texts(media: Media) -> dict[str, list[Any]]:
    """Return the different values published of each hash: the record's own before the alternatives, no empty ones."""
    texts: dict[str, list[Any]] = {"md5": [media.md5], "sha1": [media.sha1]}
    for name, text in alternatives(media):
        texts.setdefault(name, []).append(text)
    return {name: different for name, values in texts.items() if (different := _different(values))}


def alternatives(media: Media) -> Iterator[tuple[str, Any]]:
    """Yield the further hashes that are read, and PhotoDNA, by our name."""
    for entry in media.alternative_hashes or ():
        name = _hash_name(entry.hash_name) if isinstance(entry.hash_name, str) else None
        if name is not None:
            yield name, entry.hash_value


def _texts_of_files(media: Media) -> list[Any]:
    """Return the MD5s by which the record's files point back to it; they count where the record itself has none."""
    return _different(file.md5 for file in media.media_files or ())


def _different(values: Iterable[Any]) -> list[Any]:
    """Return the values that are not empty: every text once, then what is no text."""
    texts = [value for value in values if value is not None and value != ""]
    if len(texts) < 2:  # noqa: PLR2004 - as nearly always
        return texts
    others = [value for value in texts if not isinstance(value, str)]
    return [*dict.fromkeys(value for value in texts if isinstance(value, str)), *others]


def _parse_all(name: str, texts: Sequence[Any], report: ReadReport) -> list[bytes]:
    """Return the different good values; the digest of the empty file only where it is the only one."""
    parsed = (parse_hash(name, text, report) for text in texts)
    values = list(dict.fromkeys(raw for raw in parsed if raw is not None))
    empty = EMPTY_DIGESTS.get(name)
    if len(values) > 1 and empty in values:
        report.drop_value(EMPTY_FILE)
        values.remove(empty)
    return values


@lru_cache(maxsize=64)
def _hash_name(text: str) -> str | None:
    """Return our name of a hash whatever its spelling (`SHA-256`, `pHash`), None for one that is not read."""
    plain = re.sub(r"[^a-z0-9]", "", text.casefold())
    return plain if plain in _ALTERNATIVES else None


def label_of(category: object, series: object, flags: Sequence[object], report: ReadReport) -> Label:
    """Return what the publisher says of a member; the flags in the order of `FLAGS`."""
    yes = sum(flag for flag, value in zip(FLAGS.values(), flags, strict=True) if parse_flag(value, report))
    return Label(_category(category, report), None, series_text(series), yes)


def _category(value: object, report: ReadReport) -> str | None:
    """Return the raw code as text, from a number, its text, or nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = value.strip()
        return str(int(text)) if text.isdecimal() and len(text) < 10 else text or None  # noqa: PLR2004 - "01" is 1
    report.drop_value("category is neither a number nor a text")
    return None


def series_text(value: object) -> str | None:
    """Return the series as text, an object or a number as its JSON."""
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
