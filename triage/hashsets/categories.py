"""What the publishers' category codes mean, one TOML file for each list of codes; what no file tells is never guessed.

The files lie in `regions/` here and in the folder `categories` of a library, where a force puts its own; a file there
comes before one of ours for the same region. The form of a file::

    title = "project-vic"            # how a set names it
    regions = ["Default", "US"]      # the regions of VICS files that use these codes

    [categories.0]                   # a code, as it stands in the records
    name = "non-pertinent"
    notable = false                  # true: never merely known; false: never notable; left out: neither is said
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from triage.hashsets.regular_file import open_regular
from triage.model.errors import DigiVanError, StoreError, UsageError
from triage.model.finding import SetKind
from triage.model.item import printable

NO_MAP = "none"
NO_CATEGORIES = "absent"
FOLDER = "categories"
"""The folder of a library where a force puts its own maps."""

_MAX_BYTES = 1 << 20
_LONGEST_NUMBER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryMap:
    """The meaning of one list of codes: their names, which are never notable, and which are never merely known."""

    name: str
    names: Mapping[str, str]
    not_notable: frozenset[str]
    not_known: frozenset[str]

    def exclusion(self, category: str | None, kind: SetKind) -> str | None:
        """Return why a record of this category has no place in a set of this kind, None where it has."""
        if kind is SetKind.NOTABLE and category in self.not_notable:
            return f"category {category} ({self.names[category]}) is not notable"
        if kind is SetKind.KNOWN and category in self.not_known:
            return f"category {category} ({self.names[category]}) is notable, so never merely known"
        return None


class CategoryMaps:
    """The maps that an import can use, by region."""

    def __init__(self, by_region: Mapping[str, CategoryMap], named: CategoryMap | None = None) -> None:
        self.named = named
        self._by_region = by_region

    @classmethod
    def load(cls, library: Path, *, named: Path | None = None) -> "CategoryMaps":
        """Read our own maps, those of a library, which come first, and one that is named for whatever is imported.

        Raises StoreError for a file of the library that is no such map, UsageError for one that is named.
        """
        by_region: dict[str, CategoryMap] = {}
        for file in _files(library):
            regions, meaning = _parse(file, StoreError)
            by_region |= dict.fromkeys(regions, meaning)
        return cls(by_region, None if named is None else _parse(named, UsageError)[1])

    def of_region(self, region: str | None) -> CategoryMap | None:
        """Return the map of a VICS region, None where no file gives one."""
        return self._by_region.get((region or "").casefold())

    def of_name(self, name: str) -> CategoryMap | None:
        """Return the map of that title, None where there is none."""
        known = (*self._by_region.values(), *filter(None, [self.named]))
        return next((meaning for meaning in known if meaning.name == name), None)


def _files(library: Path) -> Iterator[Traversable]:
    yield from _sorted_toml(resources.files("triage.hashsets") / "regions")
    yield from _sorted_toml(library / FOLDER)


def _sorted_toml(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _parse(file: Traversable, failure: type[DigiVanError]) -> tuple[list[str], CategoryMap]:
    """Return the regions of a map, folded, and the map."""
    try:
        with open_regular(file) if isinstance(file, Path) else file.open("rb") as stream:
            fields = _fields(stream.read(_MAX_BYTES + 1))
        codes = {_code(code): entry for code, entry in fields["categories"].items()}
        meaning = CategoryMap(
            name=_text(fields["title"]),
            names={code: _text(entry["name"]) for code, entry in codes.items()},
            not_notable=frozenset(code for code, entry in codes.items() if _notable(entry) is False),
            not_known=frozenset(code for code, entry in codes.items() if _notable(entry) is True),
        )
        return _regions(fields["regions"]), meaning
    except OSError as error:
        raise failure(f"{_shown(file)}: cannot be read: {error.strerror}: check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        cause = " ".join(str(error).split())
        raise failure(
            f"{_shown(file)}: no map of categories ({cause}): it needs title, regions, and categories with names"
        ) from error


def _fields(raw: bytes) -> dict[str, Any]:
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
    return tomllib.loads(raw.decode())


def _regions(value: object) -> list[str]:
    if not isinstance(value, list) or not value:
        raise TypeError("regions is not a list of names")
    return [_text(region).casefold() for region in value]


def _code(text: str) -> str:
    """Return a code as records have it: `01` is `1`."""
    return str(int(text)) if text.isdecimal() and len(text) < _LONGEST_NUMBER else text


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{value!r} is not a name")
    return value


def _notable(entry: Mapping[str, object]) -> bool | None:
    value = entry.get("notable")
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"notable = {value!r} is neither true nor false")
    return value


def _shown(file: Traversable) -> str:
    return printable(str(file))
