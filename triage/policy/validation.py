"""Values from outside made into frozen sections: unknown keys, wrong types and values out of bounds are refused.

Every refusal is a UsageError of one line: the file, the key, what it is, what is allowed.
"""

from collections.abc import Collection, Mapping
from dataclasses import Field, field, fields
from typing import Any, TypeVar

from triage.model.errors import UsageError

_LONGEST = 200

Given = Mapping[str, object]
Section = TypeVar("Section")


def number(default: float, least: float, most: float) -> Any:
    """Return a field of a section for a number within bounds, whole if the default is."""
    return field(default=default, metadata={"least": least, "most": most})


def names() -> Any:
    """Return a field of a section for a list of names, kept folded and sorted; None where it is left out."""
    return field(default=None, metadata={"names": True})


def section(kind: type[Section], given: Given, name: str, origin: str) -> Section:
    """Return the section in the table `name`, with its defaults where the table or a key is left out."""
    table = given.get(name, {})
    if not isinstance(table, Mapping):
        raise refused(origin, name, table, f"a table [{name}]")
    known: dict[str, Field[Any]] = {one.name: one for one in fields(kind)}  # type: ignore[arg-type] # a dataclass
    refuse_unknown(table, known, origin, within=name)
    return kind(**{key: _value(known[key], value, f"{name}.{key}", origin) for key, value in table.items()})


def text(given: Given, key: str, origin: str) -> str:
    """Return one printable line of text."""
    value = given.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST:
        raise refused(origin, key, value, f"one line of text in quotation marks, up to {_LONGEST} characters")
    return value


def refuse_unknown(given: Given, known: Collection[str], origin: str, *, within: str = "") -> None:
    """Raise UsageError for a key that is not among the known."""
    for key in given:
        if key not in known:
            place = f"of [{within}]" if within else "of a policy"
            raise UsageError(f"policy {origin}: {_shown(key)} is not a key {place}; allowed: {', '.join(known)}")


def refused(origin: str, key: str, value: object, allowed: str) -> UsageError:
    """Return the error for a value that is not allowed; None stands for a key that is missing."""
    shown = "missing" if value is None else _shown(value)
    return UsageError(f"policy {origin}: {key} is {shown}; allowed: {allowed}")


def _value(one: Field[Any], value: object, key: str, origin: str) -> object:
    if "names" in one.metadata:
        return _names(value, key, origin)
    if "least" in one.metadata:
        return _number(value, one, key, origin)
    if not isinstance(value, bool):
        raise refused(origin, key, value, "true or false")
    return value


def _number(value: object, one: Field[Any], key: str, origin: str) -> float:
    whole, least, most = isinstance(one.default, int), one.metadata["least"], one.metadata["most"]
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not least <= value <= most:
        raise refused(origin, key, value, f"{'a whole number' if whole else 'a number'} from {least} to {most}")
    return value if whole else float(value)  # type: ignore[return-value,arg-type] # as above; 100 and 100.0 are one


def _names(value: object, key: str, origin: str) -> tuple[str, ...]:
    given = value if isinstance(value, list) else []
    folded = {name.strip().casefold() for name in given if isinstance(name, str)}
    if not folded or "" in folded or not all(isinstance(name, str) for name in given):
        raise refused(origin, key, value, 'a list of names such as ["A", "B"], or no such key for every one')
    return tuple(sorted(folded))


def _shown(value: object) -> str:
    try:
        return f"{value!r:.{_LONGEST}}"
    except ValueError:  # Python writes no number of thousands of digits
        return "a number too long to show"
