"""The segment files of an EWF set: how they are named, and the chain of sections in each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from triage.sources.evidence_files import EvidenceFiles
from triage.sources.ewf_sections import (
    DESCRIPTOR_SIZE,
    HEADER_SIZE,
    Section,
    find_descriptor,
    parse_descriptor,
)
from triage.sources.split import Numbering, numbering_of

_SUFFIX = re.compile(r"[E-Z](?:[0-9]{2}|[A-Z]{2})\Z", re.IGNORECASE)
_SEARCH = 1 << 20
_MOST_SECTIONS = 1 << 18

DAMAGED = "damaged"
"""The kind given to a stretch of a segment file in which the chain of sections is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment file. `sections` in file order; `ended` unless the file stops before a `next` or `done`."""

    number: int
    path: Path
    size: int
    sections: tuple[Section, ...]
    ended: bool

    @property
    def is_last(self) -> bool:
        """Tell whether the writer closed the set here."""
        return self.ended and self.sections[-1].kind == "done"


def set_names(path: Path, number: int) -> dict[int, Path]:
    """Return the files that by their names are of the set of which `path` is segment `number`, by segment number.

    E01 to E99, then EAA to EZZ, FAA and so on, with any letter to begin with (S01 of SMART); the case of a suffix may
    differ from file to file. A set renamed to .001, .002 is found too. Any other name stands alone.
    """
    found = {number: path}
    stem, _, suffix = path.name.rpartition(".")
    numbering = _digits_of(path)
    first = _first_letter(suffix, number)
    for entry in sorted(path.parent.iterdir()) if first or numbering else ():
        other_stem, _, other_suffix = entry.name.rpartition(".")
        other = None
        if first and other_stem == stem:
            other = _number_of(other_suffix, first)
        elif numbering and not first and (part := numbering[0].number(entry.name)) is not None:
            other = part - numbering[1] + number
        if other is not None and other > 0 and (other not in found or other_suffix.isupper() == suffix.isupper()):
            found[other] = path if other == number else entry
    return found


def segment_name(path: Path, number: int, wanted: int) -> str:
    """Return the name that segment `wanted` would have in the set of which `path` is segment `number`."""
    stem, _, suffix = path.name.rpartition(".")
    first = _first_letter(suffix, number)
    numbering = _digits_of(path)
    if first:
        text = _suffix_of(wanted, first)
        return f"segment {stem}.{text if suffix.isupper() else text.lower()}"
    if numbering:
        return f"segment {numbering[0].path(numbering[1] - number + wanted).name}"
    return f"segment {wanted} of {path.name}"


def read_segment(files: EvidenceFiles, path: Path, number: int) -> Segment:
    """Follow the chain of sections, and find it again where it is broken. Raises OSError."""
    size = files.size(path)
    sections: list[Section] = []
    position = HEADER_SIZE
    while position < size:
        section = parse_descriptor(files.read(path, position, DESCRIPTOR_SIZE), position)
        if section is None or len(sections) >= _MOST_SECTIONS:
            section = _search(files, path, position + 1, size) if len(sections) < _MOST_SECTIONS else None
            sections.append(Section(DAMAGED, position, size if section is None else section.offset))
        if section is None:
            break
        sections.append(section)
        if section.kind in {"next", "done"}:
            return Segment(number=number, path=path, size=size, sections=tuple(sections), ended=True)
        position = section.end
    return Segment(number=number, path=path, size=size, sections=tuple(sections), ended=False)


def _search(files: EvidenceFiles, path: Path, start: int, size: int) -> Section | None:
    for position in range(start, size, _SEARCH):
        raw = files.read(path, position, _SEARCH + DESCRIPTOR_SIZE)
        section = find_descriptor(raw, position)
        if section is not None:
            return section
    return None


def _digits_of(path: Path) -> tuple[Numbering, int] | None:
    named = numbering_of(path)
    return named if named and named[0].alphabet.isdigit() else None


def _first_letter(suffix: str, number: int) -> str | None:
    """Return the letter that segment 1 begins with, None where the suffix does not name segment `number`."""
    if not _SUFFIX.match(suffix):
        return None
    return next(
        (first for first in _letters_down(suffix[0].upper()) if _suffix_of(number, first) == suffix.upper()), None
    )


def _letters_down(letter: str) -> Iterator[str]:
    yield from ascii_uppercase[: ascii_uppercase.index(letter) + 1][::-1]


def _suffix_of(number: int, first: str) -> str:
    if number < 100:  # noqa: PLR2004 - two digits, then letters
        return f"{first}{number:02d}"
    high, low = divmod(number - 100, 26)
    lead, middle = divmod(high, 26)
    return f"{chr(ord(first) + lead)}{ascii_uppercase[middle]}{ascii_uppercase[low]}"


def _number_of(suffix: str, first: str) -> int | None:
    text = suffix.upper()
    if not _SUFFIX.match(text):
        return None
    if text[1:].isdigit():
        return int(text[1:]) if text[0] == first else None
    lead = ord(text[0]) - ord(first)
    if lead < 0 or not text[1:].isalpha():
        return None
    return 100 + (lead * 26 + ascii_uppercase.index(text[1])) * 26 + ascii_uppercase.index(text[2])
