"""Synthetic VICS files of any size, with an account of what an import must report of them.

Usage: python tests/synthetic/vics.py OUT --records N [options]; prints the account as JSON. The hashes are random bytes
from a seeded generator: the same bytes every time, whatever the number of files they are divided over.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

BLOCK = 4096
TRAP_EVERY = 16  # records, where traps are asked for
FILE_SHARE = 0.3

_CATEGORIES = np.array(["0", "1", "2", "3", "4", "5"])
_WEIGHTS = (0.05, 0.3, 0.4, 0.05, 0.05, 0.15)
_COMMON = tuple(
    f'"DateUpdated":"2026-{month:02}-17T09:{month:02}:00Z","MimeType":"{mime}","VictimIdentified":{victim},'
    f'"OffenderIdentified":false,"IsDistributed":{shared},"IsPrecategorized":false,"Series":{series},"Tags":{tags}'
    for month in (1, 5, 11)
    for mime in ("image/jpeg", "image/png", "video/mp4")
    for victim, shared in (("true", "false"), ("false", "true"), ("false", "false"))
    for series, tags in (("null", '""'), ('"Harbour"', '"blue, boat"'), ("null", "null"), ('""', '"tree"'))
)

PHOTODNA_ONLY = "only PhotoDNA, which is licensed and not read"
EMPTY_FILE = "the empty file"
NO_HASH = "no hash in the row"
NO_USABLE_HASH = "no usable hash in the row"
NOT_A_RECORD = "not a record"
BAD_MD5 = "MD5 is not 32 hexadecimal digits"
BAD_SHA1 = "SHA-1 is not 40 hexadecimal digits"
NO_FILES_MD5 = "MD5 of zeros or of ones alone, which is no file's"
NO_FILES_SHA1 = "SHA-1 of zeros or of ones alone, which is no file's"
BLANK_PDQ = "PDQ of a blank picture"
BAD_SIZE = "size is not a number of bytes"
BAD_CATEGORY = "category is neither a number nor a text"
BAD_FLAG = "a flag is neither yes nor no"


@dataclass(frozen=True, kw_only=True)
class Trap:
    """One odd element and what becomes of it; `@id`, `@md5`, `@sha1` and `@long` (64 digits) are filled in.

    `further`: the records it makes beside the first.
    """

    text: str
    skipped: str | None = None
    dropped: tuple[str, ...] = ()
    not_notable: bool = False
    repeats: bool = False
    further: int = 0


def _media(members: str, **outcome: object) -> Trap:
    return Trap(text='{"MediaID":@id,' + members + "}", **outcome)  # type: ignore[arg-type] # the fields of a Trap


def _hash(name: str, value: str) -> str:
    return f'{{"HashName":"{name}","HashValue":"{value}"}}'


def _alternatives(*hashes: str) -> str:
    return f'"AlternativeHashes":[{",".join(hashes)}]'


def _alternative(name: str, value: str) -> str:
    return _alternatives(_hash(name, value))


_GOOD = '"Category":1,"MD5":"@md5"'
_TWICE = hashlib.md5(b"published twice").hexdigest()
_OTHER = hashlib.md5(b"another file").hexdigest()
_PDQ = hashlib.sha256(b"another picture").hexdigest()

TRAPS = (
    _media(_GOOD + ',"SHA1":""'),
    _media(_GOOD + ',"SHA1":null,"MediaSize":"4711"'),
    _media('"Category":"2","MD5":"@md5","SHA1":"@sha1","MediaSize":""'),
    _media('"Category":" 03 ","SHA1":"@sha1"'),
    _media('"Category":null,"MD5":" @md5 "'),
    _media('"MD5":"@md5","SHA1":"  "'),
    _media('"Category":true,"MD5":"@md5"', dropped=(BAD_CATEGORY,)),
    _media('"Category":1.0,"MD5":"@md5"'),
    _media('"Category":1.5,"MD5":"@md5"', dropped=(BAD_CATEGORY,)),
    _media('"Category":[1],"MD5":"@md5","Series":{"a":[1.50,null]}', dropped=(BAD_CATEGORY,)),
    _media('"Category":0,"MD5":"@md5"', not_notable=True),
    _media(_GOOD + ',"VictimIdentified":"True","OffenderIdentified":1,"IsDistributed":"1","IsSuspected":null'),
    _media(_GOOD + ',"SelfGenerated":"false","IsPrecategorized":"","VictimIdentified":0,"IsSuspected":"no"'),
    _media(_GOOD + ',"IsSuspected":"perhaps","SelfGenerated":[]', dropped=(BAD_FLAG, BAD_FLAG)),
    _media(_GOOD + ',"Series":7,"Tags":12'),
    _media(_GOOD + ',"Series":1,"VictimIdentified":true'),
    _media(_GOOD + ',"Series":true'),
    _media(_GOOD + ',"Series":{"SeriesName":"Harbour","Number":2},"Tags":{"x":["y"]}'),
    _media('"Category":1,"PhotoDNA":"' + "Ab+/" * 48 + '"', skipped=PHOTODNA_ONLY),
    _media('"Category":1,"MD5":"","SHA1":"","PhotoDNA":"' + "0f" * 144 + '"', skipped=PHOTODNA_ONLY),
    _media('"Category":1,' + _alternative("PhotoDNA", "Ab+/" * 48), skipped=PHOTODNA_ONLY),
    _media('"PhotoDNA":"' + "Ab+/" * 48 + '",' + _alternative("PhotoDNA", "Ab+/" * 48), skipped=PHOTODNA_ONLY),
    _media(_GOOD + ',"PhotoDNA":"' + "Ab+/" * 48 + '"'),
    _media('"Category":1,' + _alternative("PDQ", "@long")),
    _media('"Category":1,' + _alternative("SHA-256", "@long")),
    _media(_GOOD + "," + _alternative("pHash", "0f1e2d3c4b5a6978")),
    _media(_GOOD + "," + _alternative("ssdeep", "3:abc:def")),
    _media('"Category":1,' + _alternative("Md5", "@md5").replace("[", "").replace("]", "")),
    _media(_GOOD + ',"AlternativeHashes":[null,4,{"HashName":null},{"HashName":"SHA1","HashValue":"@sha1"}]'),
    _media(_GOOD + ',"AlternativeHashes":"none"'),
    _media(_GOOD + "," + _alternative("PDQ", "0" * 64), dropped=(BLANK_PDQ,)),
    _media('"Category":1,' + _alternative("PDQ", "f" * 64), skipped=NO_USABLE_HASH, dropped=(BLANK_PDQ,)),
    _media('"Category":1,"MD5":"","MediaFiles":[{"FileName":"a"},{"FileName":"b","MD5":"@md5"}]'),
    _media('"Category":1,"MediaFiles":[null,{"MD5":"@md5"}]'),
    _media('"Category":1,"MD5":"@sha1"', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":"' + "g" * 32 + '"', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":"' + "ab" * 8 + " " * 16 + '"', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":"' + "ab  " * 8 + '"', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":"' + "\u0661" * 32 + '"', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":12', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":0', skipped=NO_USABLE_HASH, dropped=(BAD_MD5,)),
    _media('"Category":1,"MD5":"N/A",' + _alternative("MD5", "@md5"), dropped=(BAD_MD5,)),
    _media(_GOOD + "," + _alternative("MD5", "@md5")),
    _media(_GOOD + "," + _alternative("SHA1", "N/A"), dropped=(BAD_SHA1,)),
    _media(_GOOD + ',"MediaSize":9,' + _alternative("MD-5", _OTHER), further=1),
    _media(_GOOD + "," + _alternatives(_hash("PDQ", "@long"), _hash("PDQ", _PDQ)), further=1),
    _media(_GOOD + ',"SHA1":"' + "0" * 40 + '"', dropped=(NO_FILES_SHA1,)),
    _media('"Category":1,"MD5":"' + "F" * 32 + '"', skipped=NO_USABLE_HASH, dropped=(NO_FILES_MD5,)),
    _media(_GOOD + ',"SHA1":"@md5"', dropped=(BAD_SHA1,)),
    _media('"Category":1,"MD5":"' + hashlib.md5(b"").hexdigest().upper() + '","SHA1":"@sha1"', dropped=(EMPTY_FILE,)),
    _media('"Category":1,"MD5":"@md5","SHA1":"' + hashlib.sha1(b"").hexdigest() + '"', dropped=(EMPTY_FILE,)),
    _media('"Category":1,"MD5":null', skipped=NO_HASH),
    Trap(text="{}", skipped=NO_HASH),
    *(Trap(text=text, skipped=NOT_A_RECORD) for text in ("7", "null", '"},{"', '[{"MD5":"@md5"}]', "-1.5e3")),
    *(_media(f'{_GOOD},"MediaSize":{size}', dropped=(BAD_SIZE,)) for size in ("-1", "1e3", "true", '"x"', "[]")),
    *(_media(f'{_GOOD},"MediaSize":{"9" * digits}', dropped=(BAD_SIZE,)) for digits in (19, 30, 4301)),
    _media(f'{_GOOD},"Width":{"9" * 5000},"Height":1e999'),
    _media(_GOOD + r',"Comments":"\ud800 \u0000 \" \\ },{\"MediaID\":"'),
    _media(_GOOD + ',"Comments":"one\ntwo\x00\x1f"'),
    _media(_GOOD + ',"Comments":"café 日本 \udcff\udcfe"'),  # written as bytes that are no UTF-8
    _media('"MD5":"x","Category":1,"MD5":"@md5"'),
    _media(_GOOD + ',"Exif":' + "[" * 100 + "]" * 100),
    _media(_GOOD + ',"Exifs":[' + ",".join(['{"PropertyName":"x","PropertyValue":"y"}'] * 300) + "]"),
    Trap(text='{"CaseID":"behind","Media":[{"MediaID":@id,' + _GOOD + "}]}"),
    Trap(text='{"Category":1,"MediaID":@id,"MD5":"@md5"}'),
    Trap(text='\r\n\t{ "MediaID" : @id ,\n "Category" : 1 , "\\u004dD5" : "@md5" } \n'),
    _media('"Category":1,"MD5":"' + _TWICE + '"', repeats=True),
)  # fmt: skip


@dataclass(kw_only=True)
class Account:
    """What an import must report.

    `repeats`: the used records that say what another one says. `further`: the records beside the first of their row.
    """

    rows: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    not_notable: int = 0
    repeats: int = 0
    further: int = 0

    @property
    def used(self) -> int:
        """Rows from which a reader makes a record."""
        return self.rows - self.skipped.total()


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What is to be published. `media_per_case`: make a case file; `pdq`: the share of records with a PDQ hash."""

    records: int
    version: str = "2.0"
    region: str = "Default"
    seed: int = 1
    pdq: float = 0.1
    media_per_case: int | None = None
    traps: bool = False
    context_last: bool = False
    encoding: str = "utf-8"

    def write(self, *paths: Path) -> Account:
        """Write the records, divided over the files; the account is of all of them."""
        account = Account()
        rows = self._rows(account)
        for number, path in enumerate(paths):
            share = (number + 1) * self.records // len(paths) - number * self.records // len(paths)
            with path.open("wb") as file:
                self._write(file, islice(rows, share))
        account.repeats = max(0, account.repeats - 1)  # the first of them repeats nothing
        return account

    def _write(self, file: BinaryIO, rows: Iterator[str]) -> None:
        errors = "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"
        name, context = self._context()
        start, end = f'"{name}":{json.dumps(context)},', ""
        if self.context_last:
            start, end = "", f',"{name}":{json.dumps(context)}'
        encoding = self.encoding
        for text in chain([f'{{{start}"value":['], self._joined(rows), [f"]{end}}}"]):
            file.write(text.encode(encoding, errors))
            encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)  # the mark comes once

    def _context(self) -> tuple[str, str]:
        if self.version.startswith("1."):
            model = f"http://github.com/ICMEC/ProjectVic/DataModels/{self.version}.xml#Media"
            return "odata.metadata", model
        kind = "Media" if self.media_per_case is None else "Cases"
        model = f"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/{self.version}.xml"
        return "@odata.context", f"{model}/{self.region}/$metadata#{kind}"

    def _joined(self, rows: Iterator[str]) -> Iterator[str]:
        """Yield the elements of `value`, many in one text."""
        for number in count():
            some = list(islice(rows, self.media_per_case or BLOCK))
            if not some:
                return
            text = ",".join(some)
            if self.media_per_case is not None:
                text = f'{{"CaseID":"case {number}","CaseNumber":"{number}","Media":[{text}]}}'
            yield f",{text}" if number else text

    def _rows(self, account: Account) -> Iterator[str]:
        for start in range(0, self.records, BLOCK):
            for text in self._block(start, account)[: self.records - start]:
                account.rows += 1
                yield text

    def _block(self, start: int, account: Account) -> list[str]:
        chance = np.random.default_rng((self.seed, start))
        md5 = _hex(chance, 16)
        sha1 = _hex(chance, 20)
        categories = chance.choice(_CATEGORIES, BLOCK, p=_WEIGHTS).tolist()
        sizes = np.exp(chance.normal(12, 2, BLOCK)).astype(np.int64).tolist()
        common = chance.integers(0, len(_COMMON), BLOCK).tolist()
        further = self._further(chance, md5)
        rows = [
            f'{{"MediaID":{number},"Category":{category},"MD5":"{one}","SHA1":"{other}","MediaSize":{size},'
            f"{_COMMON[kind]}{more}}}"
            for number, category, one, other, size, kind, more in zip(
                range(start, start + BLOCK), categories, md5, sha1, sizes, common, further, strict=True
            )
        ]
        ours = min(BLOCK, self.records - start)
        if self.traps:
            long = _hex(chance, 32)
            for row in range(TRAP_EVERY - 1, ours, TRAP_EVERY):
                categories[row] = ""
                trap = TRAPS[(start + row) // TRAP_EVERY % len(TRAPS)]
                rows[row] = _filled(trap.text, start + row, md5[row], sha1[row], long[row])
                _count(trap, account)
        account.not_notable += categories[:ours].count("0")
        return rows

    def _further(self, chance: np.random.Generator, md5: list[str]) -> list[str]:
        """Return for each record what only some have: the files it was found in, and a PDQ hash."""
        files = (chance.random(BLOCK) < FILE_SHARE).tolist()
        hashed = (chance.random(BLOCK) < self.pdq).tolist()
        pdq = _hex(chance, 32)
        found = ',"MediaFiles":[{"FileName":"IMG_1.jpg","FilePath":"Pictures/2026","Unallocated":false,"MD5":"%s"}]'
        return [
            (found % one if file else "")
            + (f',"AlternativeHashes":[{{"HashName":"PDQ","HashValue":"{two}"}}]' if known else "")
            for one, two, file, known in zip(md5, pdq, files, hashed, strict=True)
        ]  # fmt: skip


def _hex(chance: np.random.Generator, length: int) -> list[str]:
    digits = chance.bytes(length * BLOCK).hex().upper()
    return [digits[at : at + 2 * length] for at in range(0, len(digits), 2 * length)]


def _filled(text: str, number: int, md5: str, sha1: str, long: str) -> str:
    for mark, value in (("@id", str(number)), ("@md5", md5), ("@sha1", sha1.lower()), ("@long", long)):
        text = text.replace(mark, value)
    return text


def _count(trap: Trap, account: Account) -> None:
    account.dropped.update(trap.dropped)
    account.not_notable += trap.not_notable
    account.repeats += trap.repeats
    account.further += trap.further
    if trap.skipped is not None:
        account.skipped[trap.skipped] += 1


def main() -> None:
    """Write the files and print the account."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the file, with a number before its suffix where there are several")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--version", default="2.0", choices=("1.1", "1.2", "1.3", "2.0"))
    parser.add_argument("--region", default="Default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pdq", type=float, default=0.1, help="the share of records with a PDQ hash")
    parser.add_argument("--media-per-case", type=int, help="make a case file")
    parser.add_argument("--encoding", default="utf-8", choices=("utf-8", "utf-8-sig", "utf-16"))
    parser.add_argument("--traps", action="store_true", help="put everything odd among the records")
    parser.add_argument("--context-last", action="store_true", help="name the region behind the records")
    options = vars(parser.parse_args())
    out, files = options.pop("out"), options.pop("files")
    paths = [out] if files == 1 else [out.with_stem(f"{out.stem}-{number}") for number in range(1, files + 1)]
    account = Publication(**options).write(*paths)
    print(json.dumps({**vars(account), "used": account.used}))  # noqa: T201 - the account is the result


if __name__ == "__main__":
    main()
