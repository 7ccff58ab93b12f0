"""The facts of a custody event in words: a person reads them, who may not know the signs of a notation."""

from collections.abc import Mapping
from typing import Any

from triage.ui.symbols import symbol


def told(facts: Mapping[str, Any]) -> str:
    """Return every fact as `name: value`, those that consist of others in brackets; not yet safe for a terminal."""
    return f" {symbol('dot')} ".join(f"{_named(name)}: {_said(value)}" for name, value in facts.items())


def _named(name: str) -> str:
    return name.replace("_", " ")


def _said(value: object) -> str:
    match value:
        case None:
            return "not stated"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Mapping():
            return f"({', '.join(f'{_named(name)} {_said(part)}' for name, part in value.items())})"
        case list() | tuple():
            return ", ".join(map(_said, value)) or "none"
        case _:
            return str(value)
