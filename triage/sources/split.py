"""Split raw images: one disk cut into numbered files (`.001`, `.000`, `.aa`), all but the last of equal size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

from triage.model.errors import SourceError
from triage.model.evidence import SourceInfo
from triage.model.runs import ByteRun
from triage.sources.evidence_files import EvidenceFiles
from triage.sources.raw import Part, RawSource
from triage.sources.source import EvidenceSource

_DIGITS = re.compile(r"[0-9]{2,5}\Z")
_LETTERS = re.compile(r"(?:[a-z]{2,4}|[A-Z]{2,4})\Z")

WIDEST_GAP = 16
"""Missing parts in a row that are still bridged: `disk.aa` and `disk.dd` are two images, not one with a hole."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the parts of one set are named: `stem` with its dot, then `width` digits of `alphabet`."""

    folder: Path
    stem: str
    alphabet: str
    width: int

    def path(self, number: int) -> Path:
        """Return the path of the part with that number, counted from zero."""
        text = ""
        for _ in range(self.width):
            number, digit = divmod(number, len(self.alphabet))
            text = self.alphabet[digit] + text
        return self.folder / f"{self.stem}{text}"

    def number(self, name: str) -> int | None:
        """Return the number in a file's name, None where the name is not of this set."""
        text = name.removeprefix(self.stem)
        if text == name or len(text) != self.width or any(sign not in self.alphabet for sign in text):
            return None
        number = 0
        for sign in text:
            number = number * len(self.alphabet) + self.alphabet.index(sign)
        return number


def numbering_of(path: Path) -> tuple[Numbering, int] | None:
    """Return how a set would be named that this file is part of, and the file's number in it."""
    stem, dot, suffix = path.name.rpartition(".")
    for pattern, alphabets in ((_DIGITS, ("0123456789",)), (_LETTERS, (ascii_lowercase, ascii_uppercase))):
        if dot and pattern.match(suffix):
            alphabet = next(signs for signs in alphabets if suffix[0] in signs)
            numbering = Numbering(path.parent, stem + dot, alphabet, len(suffix))
            number = numbering.number(path.name)
            assert number is not None
            return numbering, number
    return None


def open_split(path: Path) -> EvidenceSource | None:
    """Open a set by its first part; None where there is no second part beside it.

    A missing part before the last one is unreadable and taken to be as long as its neighbours, and so is the end of
    a part that is shorter than they are. Raises SourceError when the file named is a later part of a set.
    """
    named = numbering_of(path) if path.is_file() else None
    if named is None:
        return None
    numbering, number = named
    present = _present(numbering)
    first = _first(numbering, number, present)
    if first < number:
        raise SourceError(f"{path}: a later part of a split image: give the first segment {numbering.path(first).name}")
    last = _last(number, present)
    return None if last == number else _open_parts(numbering, range(number, last + 1), present)


def _present(numbering: Numbering) -> frozenset[int]:
    numbers = (numbering.number(entry.name) for entry in numbering.folder.iterdir() if entry.is_file())
    return frozenset(number for number in numbers if number is not None)


def _first(numbering: Numbering, number: int, present: frozenset[int]) -> int:
    """Return where the unbroken row of parts down from this one begins, if that is where a set can begin."""
    *_, first = number, *takewhile(present.__contains__, range(number - 1, -1, -1))
    return first if _can_begin(numbering, first) else number


def _can_begin(numbering: Numbering, number: int) -> bool:
    return number == 0 or (number == 1 and numbering.alphabet.isdigit())


def _last(first: int, present: frozenset[int]) -> int:
    """Return the last part of the set; it goes on behind a gap unless the gap is too wide to be one set."""
    last = first
    for number in sorted(number for number in present if number > first):
        if number - last - 1 > WIDEST_GAP:
            break
        last = number
    return last


def _open_parts(numbering: Numbering, numbers: range, present: frozenset[int]) -> EvidenceSource:
    files = EvidenceFiles()
    sizes = {number: files.size(numbering.path(number)) for number in numbers if number in present}
    parts = tuple(_parts(numbering, numbers, sizes))
    troubles = [part.missing for part in parts if part.missing is not None]
    if not _can_begin(numbering, numbers[0]):
        troubles.append(f"the segments before {numbering.path(numbers[0]).name} are missing: offsets begin with it")
    strays = [numbering.path(number).name for number in sorted(present) if number > numbers[-1]]
    if strays:
        troubles.append(f"{strays[0]} is too far from {numbering.path(numbers[-1]).name} to be of the set: not read")
    info = SourceInfo(
        kind="split-raw",
        files=tuple(str(numbering.path(number)) for number in numbers if number in present),
        size=parts[-1].run.end,
        troubles=tuple(troubles),
    )
    return RawSource(info, parts, files)


def _parts(numbering: Numbering, numbers: range, sizes: dict[int, int]) -> Iterator[Part]:
    """Lay the parts end to end; every one but the last has the usual size, whatever of it is there."""
    before_last = [sizes[number] for number in numbers[:-1] if number in sizes]
    usual = max(before_last, key=lambda size: (before_last.count(size), size))
    position = 0
    for number in numbers:
        path = numbering.path(number)
        size = sizes.get(number, 0)
        lost = max(0, usual - size) if number != numbers[-1] else 0
        if size:
            yield Part(ByteRun(position, size), path)
        if lost:
            state = "is missing" if number not in sizes else f"is cut: {size} of {usual} bytes"
            yield Part(ByteRun(position + size, lost), path, f"segment {path.name} {state}")
        position += size + lost
