"""The table of what names stand for: read from TOML, checked, and refused with the place where it is wrong."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from triage.items.names import folded
from triage.model.errors import UsageError
from triage.model.indication import Indication

LEAST_START = 3
"""Characters before the `*` of a name."""

_MAX_BYTES = 1 << 20
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRule:
    """One indication and the names that give it; see `indicators.toml` for the form of the patterns."""

    group: str
    label: str
    text: str
    names: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()

    @property
    def indication(self) -> Indication:
        """What an item that meets the rule is told by."""
        return Indication(group=self.group, label=self.label, text=self.text)


def load_rules(place: Path | None) -> tuple[IndicatorRule, ...]:
    """Return the rules of a file, the shipped ones for None, in their order. Raises UsageError for what is none."""
    shipped = resources.files("triage.items") / "indicators.toml"
    origin = "indicators.toml" if place is None else repr(str(place))
    tables = _tables(shipped if place is None else place, origin)
    return tuple(_rule(table, f"indicators {origin}: indicator {number}") for number, table in enumerate(tables, 1))


def _tables(file: Traversable, origin: str) -> list[object]:
    try:
        if not file.is_file():
            raise UsageError(f"indicators {origin}: no such file; check the path")
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise UsageError(f"indicators {origin}: larger than {_MAX_BYTES:,} bytes; leave some out")
        given = tomllib.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"indicators {origin}: cannot be read: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:  # what is not UTF-8 or not TOML
        raise UsageError(
            f"indicators {origin}: not a TOML file ({' '.join(str(error).split())}); correct it"
        ) from error
    tables = given.get("indicator")
    if list(given) != ["indicator"] or not isinstance(tables, list):
        raise UsageError(f"indicators {origin}: it must hold [[indicator]] tables and nothing else")
    return tables


def _rule(table: object, place: str) -> IndicatorRule:
    if not isinstance(table, Mapping):
        raise UsageError(f"{place}: not a table; write [[indicator]] above it")
    known = [one.name for one in fields(IndicatorRule)]
    for key in table:
        if key not in known:
            raise UsageError(f"{place}: {key!r:.{_LONGEST}} is not a key of an indicator; allowed: {', '.join(known)}")
    if not any(table.get(key) for key in ("names", "extensions", "paths")):
        raise UsageError(f"{place}: nothing to know it by; give names, extensions or paths")
    return IndicatorRule(
        group=_text(table.get("group"), "group", place),
        label=_text(table.get("label"), "label", place),
        text=_text(table.get("text"), "text", place),
        names=_patterns(table.get("names", []), "names", place),
        extensions=_patterns(table.get("extensions", []), "extensions", place),
        paths=_patterns(table.get("paths", []), "paths", place),
        not_paths=_patterns(table.get("not_paths", []), "not_paths", place),
    )


def _text(value: object, key: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST:
        shown = "missing" if value is None else f"{value!r:.{_LONGEST}}"
        raise UsageError(f"{place}: {key} is {shown}; allowed: one line of up to {_LONGEST} characters")
    return value


def _patterns(value: object, key: str, place: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UsageError(f"{place}: {key} is {value!r:.{_LONGEST}}; allowed: a list of patterns")
    return tuple(_pattern(one, key, place) for one in value)


def _pattern(value: object, key: str, place: str) -> str:
    pattern = _text(value, key, place)
    fits, allowed = {
        "names": (_is_name(pattern), f"a name without '/', or {LEAST_START} characters or more and one '*' at the end"),
        "extensions": (not set(pattern) & set("/.*"), "an extension without its dot"),
    }.get(key, (_is_path(pattern), "names with '/' between them, '*' for a whole name, one at least without"))
    if not fits:
        raise UsageError(f"{place}: {key} holds {pattern!r}; allowed: {allowed}")
    return pattern


def _is_name(pattern: str) -> bool:
    start, star, rest = pattern.partition("*")
    return "/" not in pattern and not rest and (not star or len(folded(start)) >= LEAST_START)


def _is_path(pattern: str) -> bool:
    names = pattern.removeprefix("/").split("/")
    return all(name == "*" or (name and "*" not in name) for name in names) and set(names) != {"*"}
