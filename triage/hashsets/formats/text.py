"""Text lists: md5sum, sha1sum, sha256sum, their BSD form, and bare digests one a line.

Source of the facts: the manual pages of GNU coreutils (`md5sum`, `--tag`, the backslash before an escaped name) and
of FreeBSD's `md5`. The digest is known by its length: 32, 40 or 64 hexadecimal digits.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from triage.hashsets.formats.decoding import head_lines, lines
from triage.hashsets.formats.reader import HEAD_BYTES, Reader
from triage.hashsets.formats.report import ReadReport
from triage.hashsets.formats.values import AMBIGUOUS, parse_hash, settle
from triage.hashsets.record import DIGEST_BYTES, Record

_GNU = re.compile(r"\\?([0-9A-Za-z]+)(?:\s.*)?\Z", re.DOTALL)
_BSD = re.compile(r"(MD5|SHA-?1|SHA-?(?:2-)?256) ?\(.*\) ?= ?([0-9A-Za-z]+)\s*\Z", re.DOTALL | re.IGNORECASE)
_BY_DIGITS = {2 * length: name for name, length in DIGEST_BYTES.items()}
_HEX = frozenset("0123456789abcdefABCDEF")
_SHA256_DIGITS = 2 * DIGEST_BYTES["sha256"]
_SAMPLE = 50


def _recognise(head: bytes) -> bool:
    return any(_is_row(line.strip()) for line in head_lines(head, HEAD_BYTES)[:_SAMPLE])


def _is_row(line: str) -> bool:
    found = _split(line)
    return found is not None and len(found[1]) == 2 * DIGEST_BYTES[found[0]] and _HEX.issuperset(found[1])


def _split(line: str) -> tuple[str, str] | None:
    """Return the name of the digest and its text, None where the line has neither form."""
    if bsd := _BSD.match(line):
        name = bsd[1].lower().replace("-", "")
        return ("sha256" if name.endswith("256") else name), bsd[2]
    if gnu := _GNU.match(line):
        name = _BY_DIGITS.get(len(gnu[1]), "")
        return (name, gnu[1]) if name else None
    return None


def _read(stream: BinaryIO, report: ReadReport) -> Iterator[Record]:
    for line in lines(stream, report):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        report.rows += 1
        found = _split(text)
        if found is None:
            report.skip("not a line of 32, 40 or 64 hexadecimal digits and a name")
            continue
        if len(text) == _SHA256_DIGITS:
            report.note(AMBIGUOUS)
        record = settle(_record(*found, report), report, had_hash=True)
        if record is not None:
            yield record


def _record(name: str, value: str, report: ReadReport) -> Record:
    raw = parse_hash(name, value, report)
    return Record(
        md5=raw if name == "md5" else None,
        sha1=raw if name == "sha1" else None,
        sha256=raw if name == "sha256" else None,
    )


TEXT = Reader(name="text", unit="line", recognise=_recognise, read=_read)
