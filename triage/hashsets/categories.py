"""What the publishers' category codes mean, region by region; a region that is not here is never guessed at."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from triage.model.finding import SetKind

NO_MAP = "none"
NO_CATEGORIES = "absent"


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


PROJECT_VIC = CategoryMap(
    name="project-vic",
    names=MappingProxyType(
        {
            "0": "non-pertinent",
            "1": "child abuse material",
            "2": "child exploitive or age difficult",
            "3": "CGI or animation",
            "4": "comparison",
            "5": "uncategorised",
        }
    ),
    not_notable=frozenset({"0"}),
    not_known=frozenset({"1", "2", "3"}),
)

_REGIONS: Mapping[str, CategoryMap] = MappingProxyType({"default": PROJECT_VIC, "us": PROJECT_VIC})


def map_of_region(region: str | None) -> CategoryMap | None:
    """Return the map of a VICS region, None where no public table gives one."""
    return _REGIONS.get((region or "").casefold())
