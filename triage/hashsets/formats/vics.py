"""VICS JSON, the exchange format of Project VIC and CAID: 1.1 to 1.3 and 2.0, every region, hash sets and case files.

Source of the facts: public readers and writers of the format. The envelope's first member is `odata.metadata` (1.x)
or `@odata.context` (2.0, with a region in its path); then `value`, an array of Media records, or of case objects that
hold them under `Media`. Publishers differ in the type of nearly every member, so each is read as whatever it is.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping
from functools import lru_cache
from typing import Any, BinaryIO

from triage.hashsets.formats.decoding import head_text
from triage.hashsets.formats.json_stream import JsonStream
from triage.hashsets.formats.reader import Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.values import parse_hash, parse_picture_hash, parse_size, settle
from triage.hashsets.record import Record

_CONTEXTS = frozenset({"odata.metadata", "@odata.context"})
_REGION = re.compile(r"/DataModels/2\.[0-9]+\.xml/([^/]+)/\$metadata", re.IGNORECASE)
_VERSION_1 = re.compile(r"/DataModels/1\.[0-9]+\.xml", re.IGNORECASE)
_CONTAINERS = frozenset({"value", "Cases", "Media"})
_MARKS = frozenset({"MD5", "SHA1", "PhotoDNA", "MediaID", "AlternativeHashes", "MediaFiles"})
_DEPTH = 3  # envelope, case, media

_ALTERNATIVE = frozenset({"md5", "sha1", "sha256", "pdq", "phash", "photodna"})

# A publisher's 1.x file names no region: the regions came with 2.0, and 1.x had one list of categories.
_REGION_OF_1 = "Default"

Members = Mapping[str, Any]


def _recognise(head: bytes) -> bool:
    return head_text(head).lstrip("\ufeff \t\r\n").startswith(("{", "["))


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Record]:
    source = JsonStream(stream, report)
    if not source.peek():
        raise report.refuse("an empty file", "get it again from its publisher")
    for value in _values(source, report, 0):
        report.place += 1
        report.rows += 1
        if isinstance(value, dict):
            record = _record(value, report)
            if record is not None:
                yield record
        else:
            report.skip("not a record")
    if source.peek():
        raise report.refuse("more text after the end of the JSON", "import each JSON text as a file of its own")


def _values(source: JsonStream, report: ReadReport, depth: int) -> Iterator[Any]:
    """Yield the Media records of the value that comes next, an object or an array of them."""
    if source.take_if("["):
        if not source.take_if("]"):
            yield from _array(source, report, depth)
    elif source.peek() == "{":
        yield from _object(source, report, depth)
    else:
        yield source.value()


def _array(source: JsonStream, report: ReadReport, depth: int) -> Iterator[Any]:
    """Yield the elements: walked one by one until one is a Media record, then taken whole."""
    while True:
        if source.peek() == "{":
            is_media = yield from _object(source, report, depth)
        else:
            is_media = False
            yield source.value()
        if not source.more("]"):
            return
        if is_media:
            for value in source.rest():
                yield from _nested(value)
            return


def _nested(value: Any) -> Iterator[Any]:
    """Yield a value, or what it holds where cases follow Media records."""
    if isinstance(value, dict) and isinstance(value.get("Media"), list):
        yield from value["Media"]
        if _MARKS.isdisjoint(value):
            return
    yield value


def _object(source: JsonStream, report: ReadReport, depth: int) -> Generator[Any, None, bool]:
    """Walk an object: yield the records it holds, and itself if it is one. Returns whether it is."""
    members: dict[str, Any] = {}
    source.take("{")
    if source.take_if("}"):
        return False
    while True:
        name = source.key()
        if name in _CONTAINERS and depth < _DEPTH and source.peek() == "[":
            yield from _values(source, report, depth + 1)
        else:
            members[name] = source.value()
            if name in _CONTEXTS:
                report.region = _region(members[name])
        if not source.more("}"):
            break
    is_media = not _MARKS.isdisjoint(members)
    if is_media:
        yield members
    return is_media


def _region(context: object) -> str | None:
    """Return the region that the envelope names, None where it names none."""
    if not isinstance(context, str):
        return None
    if match := _REGION.search(context):
        return match[1]
    return _REGION_OF_1 if _VERSION_1.search(context) else None


def _record(members: Members, report: ReadReport) -> Record | None:
    texts = {"md5": members.get("MD5"), "sha1": members.get("SHA1")}
    photo_dna = bool(members.get("PhotoDNA"))
    alternatives = members.get("AlternativeHashes")
    if alternatives:
        photo_dna |= _add_alternatives(texts, alternatives)
    if not texts["md5"]:
        texts["md5"] = _md5_of_files(members)
    record = Record(
        parse_hash("md5", texts["md5"], report),
        parse_hash("sha1", texts["sha1"], report),
        parse_hash("sha256", texts.get("sha256"), report),
        parse_picture_hash("pdq", texts.get("pdq"), report),
        parse_picture_hash("phash", texts.get("phash"), report),
        parse_size(members.get("MediaSize"), report),
        _category(members.get("Category"), report),
        None,
        _series(members.get("Series")),
    )
    return settle(record, report, had_hash=any(texts.values()), photo_dna=photo_dna)


def _add_alternatives(texts: dict[str, Any], alternatives: object) -> bool:
    """Add the hashes that the record itself does not carry; tell whether PhotoDNA is among them."""
    photo_dna = False
    for entry in alternatives if isinstance(alternatives, list) else [alternatives]:
        if isinstance(entry, dict):
            name = _hash_name(str(entry.get("HashName")))
            if name == "photodna":
                photo_dna = True
            elif name is not None and not texts.get(name):
                texts[name] = entry.get("HashValue")
    return photo_dna


@lru_cache(maxsize=64)
def _hash_name(text: str) -> str | None:
    """Return our name of a hash whatever its spelling (`SHA-256`, `pHash`), None for one that is not read."""
    plain = re.sub(r"[^a-z0-9]", "", text.casefold())
    return plain if plain in _ALTERNATIVE else None


def _md5_of_files(members: Members) -> object:
    """Return the MD5 by which the record's files point back to it, where the record itself has none."""
    files = members.get("MediaFiles")
    if isinstance(files, list):
        return next((file.get("MD5") for file in files if isinstance(file, dict) and file.get("MD5")), None)
    return None


def _category(value: object, report: ReadReport) -> str | None:
    """Return the raw code as text, from a number, its text, or nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = value.strip()
        return str(int(text)) if text.isdecimal() and len(text) < 10 else text or None  # noqa: PLR2004 - "01" is 1
    report.drop_value("category is neither a number nor a text")
    return None


def _series(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


VICS = Reader(name="vics", unit="record", recognise=_recognise, read=_read)
