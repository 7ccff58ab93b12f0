"""A force's own words, looked for in names all at once (Aho and Corasick, 1975).

A list is a text file in UTF-8: one word or phrase a line, blank lines and lines that begin with `#` left out. None is
shipped. A word is found anywhere in a name, also inside of other words.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

from triage.items.names import folded
from triage.model.errors import UsageError

_MAX_BYTES = 16 << 20
_MAX_WORDS = 1_000_000
_LONGEST = 255
_LEAST = 2  # characters: a single one is in nearly every name
_BETWEEN = b"\0"  # in no name and in no word


class Keywords:
    """A list of words; `words` are folded, sorted and each once."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(sorted({folded(word) for word in words}))
        # Bytes: names that are not valid UTF-8 are searched like any other
        self._automaton = BytesAhoCorasick([_bytes(word) for word in self.words]) if self.words else None

    @classmethod
    def load(cls, place: Path) -> "Keywords":
        """Read a list. Raises UsageError, with the line, for what is no word."""
        return cls([_checked(word, line, place) for line, word in _lines(place)])

    def find(self, names: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the position of a name, folded, and a word in it, each once, sorted by position, then by word."""
        if self._automaton is None:
            return
        raw = [_bytes(name) for name in names]
        starts = [0, *accumulate(len(one) + 1 for one in raw)]
        matches = self._automaton.find_matches_as_indexes(_BETWEEN.join(raw), overlapping=True)
        met = {(bisect_right(starts, start) - 1, number) for number, start, _ in matches}
        yield from ((position, self.words[number]) for position, number in sorted(met))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _lines(place: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold a word, with their numbers."""
    words = 0
    for number, raw in enumerate(_read(place).split(b"\n"), 1):
        try:
            word = raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise UsageError(f"keywords {str(place)!r}: line {number} is not UTF-8; save the list as UTF-8") from error
        if word and not word.startswith("#"):
            words += 1
            yield number, word
    if not words:
        raise UsageError(f"keywords {str(place)!r}: no word in it; give a list with one word a line")
    if words > _MAX_WORDS:
        raise UsageError(f"keywords {str(place)!r}: {words:,} words; {_MAX_WORDS:,} are allowed: leave some out")


def _read(place: Path) -> bytes:
    try:
        if not place.is_file():
            raise UsageError(f"keywords {str(place)!r}: no such file; check the path")
        with place.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"keywords {str(place)!r}: cannot be read: {error.strerror}; check the path") from error
    if len(raw) > _MAX_BYTES:
        raise UsageError(f"keywords {str(place)!r}: larger than {_MAX_BYTES:,} bytes; leave some words out")
    return raw.removeprefix(b"\xef\xbb\xbf")


def _checked(word: str, line: int, place: Path) -> str:
    wrong = ""
    if "/" in word:
        wrong = "has a '/', which no name has"
    elif not word.isprintable():
        wrong = "holds characters that cannot be printed"
    elif not _LEAST <= len(word) <= _LONGEST:
        wrong = f"has {len(word)} characters"
    if wrong:
        allowed = f"{_LEAST} to {_LONGEST} printable characters without '/'"
        raise UsageError(f"keywords {str(place)!r}: the word in line {line} {wrong}; allowed: {allowed}")
    return word
