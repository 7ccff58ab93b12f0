"""Names compared and found by patterns, whatever their case and however their marks are stored.

A pattern is one name or several with `/` between them. `*` stands for one whole name, a leading `/` for the root of the
volume; without it a pattern holds at any depth. It is met by the item at its end, not by what lies below that.
"""

import unicodedata
from collections.abc import Container
from dataclasses import dataclass, field
from functools import lru_cache

_REMEMBERED = 16_384  # folders
_LONGEST = 1024  # characters of a folder's path that is remembered


def folded(name: str) -> str:
    """Return the form in which names are compared: NFKC and casefold, so that full-width letters are letters too."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


@dataclass(slots=True)
class _Point:
    """A point in a tree of patterns: what may follow, by its name or by any, and the numbers of what ends here."""

    after: dict[str, "_Point"] = field(default_factory=dict)
    any_name: "_Point | None" = None
    ends: set[int] = field(default_factory=set)
    ends_not: set[int] = field(default_factory=set)


Begun = tuple[_Point, ...]
"""The patterns that have begun in a folder; the first is those of a single name at any depth."""


class PathPatterns:
    """Patterns by number; a number may have patterns by which a path is none of its own."""

    def __init__(self) -> None:
        self._anywhere, self._from_root = _Point(), _Point()
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._follow)

    def add(self, pattern: str, number: int, *, excluding: bool = False) -> None:
        """Add a pattern that is not empty. To be called before anything is found."""
        point = self._from_root if pattern.startswith("/") else self._anywhere
        for name in pattern.strip("/").split("/"):
            if name == "*":
                point.any_name = point.any_name or _Point()
                point = point.any_name
            else:
                point = point.after.setdefault(folded(name), _Point())
        (point.ends_not if excluding else point.ends).add(number)

    @property
    def anywhere(self) -> Container[str]:
        """The names with which patterns begin that hold at any depth: all that counts where nothing has begun."""
        return self._anywhere.after

    def begun(self, folder: str) -> Begun:
        """Return what has begun in a folder, given as it stands in a path."""
        return self._remembered(folder) if len(folder) <= _LONGEST else self._follow(folder)

    def ending(self, begun: Begun, name: str) -> set[int]:
        """Return the numbers met by the item of that name, folded."""
        found, excluded = set[int](), set[int]()
        for point in begun:
            for reached in (point.after.get(name), point.any_name):
                if reached is not None:
                    found |= reached.ends
                    excluded |= reached.ends_not
        return found - excluded

    def _follow(self, folder: str) -> Begun:
        """Go through the names of a folder: a pattern may begin at each."""
        points: Begun = (self._anywhere, self._from_root)
        for name in filter(None, folder.split("/")):
            one = folded(name)
            reached = [point.after[one] for point in points if one in point.after]
            points = (self._anywhere, *reached, *(point.any_name for point in points if point.any_name))
        return (self._anywhere, *(point for point in points[1:] if point.after or point.any_name))
