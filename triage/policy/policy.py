"""The policy of a force: what indicates seizure, what a return demands, and what is tolerated.

A policy is a TOML file; shipped ones lie in `profiles/`. What a file leaves out has its strictest value, and every
value has bounds, so that no policy tolerates everything. What no policy can change is in `triage.policy.evaluate`.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from triage.model.custody import canonical
from triage.model.errors import UsageError
from triage.policy.validation import names, number, refuse_unknown, refused, section, text

SHIPPED = ("uk-scene", "uk-lab", "strict")
DEFAULT = "uk-scene"

_MAX_BYTES = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seizure:
    """Matches in which categories indicate seizure.

    `categories` as the hash sets call them, folded and sorted; None: every one. `uncategorised`: also matches without
    a category. A match elsewhere does not indicate seizure, and never allows return.
    """

    categories: tuple[str, ...] | None = names()
    uncategorised: bool = True

    def by(self, category: str | None) -> bool:
        """Tell whether a match in this category of a notable set indicates seizure."""
        if category is None:
            return self.uncategorised
        return self.categories is None or category.strip().casefold() in self.categories


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What an examination and its notable hash sets must be for a return.

    `any_time_result`: one that was stopped may serve, if what its random draws leave possible is little enough.
    """

    self_test: bool = True
    any_time_result: bool = False
    hash_set_days: int = number(30, 1, 3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the examination must have come: either of the two.

    `least_percent` of the bytes of files are examined, or left out by a rule that knows what it leaves out; or with
    `confidence_percent` no more than `most_pictures` of all listed pictures can match.
    """

    least_percent: float = number(100.0, 90.0, 100.0)
    most_pictures: int = number(0, 0, 1000)
    confidence_percent: float = number(99.0, 95.0, 99.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerated:
    """What does not stand in the way of a return, up to a number; it is stated all the same.

    `undecodable_pictures_percent` is of the allocated pictures. `high_entropy_files` have no signature and could be
    encrypted. `limited_items` were left out because a limit was reached. `empty_volumes` are zero throughout.
    """

    unreadable_bytes: int = number(0, 0, 64 << 20)
    unreadable_items: int = number(0, 0, 100)
    undecodable_pictures_percent: float = number(0.0, 0.0, 5.0)
    high_entropy_files: int = number(0, 0, 100)
    limited_items: int = number(0, 0, 100)
    empty_volumes: bool = False
    undated_hash_sets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, validated. Equal policies have equal digests, whatever the comments and the order of their files."""

    name: str
    version: str
    description: str = ""
    seizure: Seizure = Seizure()
    demanded: Demands = Demands()
    reach: Reach = Reach()
    tolerated: Tolerated = Tolerated()

    @classmethod
    def load(cls, choice: str) -> "Policy":
        """Return a shipped policy by its name, else the policy in the file of that path.

        Raises UsageError for a file that cannot be read or is no policy.
        """
        if choice in SHIPPED:
            return _shipped(choice)
        path = Path(choice)
        if not _is_file(path):
            raise UsageError(f"no policy {choice!r}: name one of {', '.join(SHIPPED)}, or the path of a TOML file")
        return _read(path, repr(choice))

    @classmethod
    def from_fields(cls, given: Mapping[str, object], origin: str) -> "Policy":
        """Return the policy with these fields, as TOML or `as_fields` gives them; `origin` names them in an error.

        Raises UsageError for a key or a value that is not allowed.
        """
        refuse_unknown(given, [one.name for one in fields(cls)], origin)
        return cls(
            name=_name(given, origin),
            version=text(given, "version", origin),
            description=text(given, "description", origin) if "description" in given else "",
            seizure=section(Seizure, given, "seizure", origin),
            demanded=section(Demands, given, "demanded", origin),
            reach=section(Reach, given, "reach", origin),
            tolerated=section(Tolerated, given, "tolerated", origin),
        )

    def as_fields(self) -> dict[str, Any]:
        """Return every value as it goes into JSON; `from_fields` is the inverse."""
        given = asdict(self, dict_factory=_given)
        return given if self.description else {key: given[key] for key in given if key != "description"}

    def digest(self) -> str:
        """Return the hexadecimal SHA-256 of the canonical JSON of all values."""
        return hashlib.sha256(canonical(self.as_fields()).encode()).hexdigest()


def _given(values: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in values if value is not None}


@cache
def _shipped(name: str) -> Policy:
    return _read(resources.files("triage.policy") / "profiles" / f"{name}.toml", f"{name}.toml")


def _read(file: Traversable, origin: str) -> Policy:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise UsageError(f"policy {origin}: larger than {_MAX_BYTES} bytes; give the TOML file of a policy")
        given = tomllib.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"policy {origin}: cannot be read: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:  # what is not UTF-8 or not TOML
        cause = " ".join(str(error).split())
        raise UsageError(f"policy {origin}: not a TOML file ({cause}); correct it") from error
    return Policy.from_fields(given, origin)


def _name(given: Mapping[str, object], origin: str) -> str:
    name = text(given, "name", origin)
    if not _NAME.fullmatch(name):
        raise refused(origin, "name", name, "up to 64 letters, digits, dots, hyphens and underscores")
    return name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
