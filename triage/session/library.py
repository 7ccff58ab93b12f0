"""The hash-set library as a person uses it: what it holds, how old that is, whether it is whole, what is taken out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.hashsets.categories import CategoryMaps
from triage.hashsets.conflicts import Conflict, conflicts_of
from triage.hashsets.hashset import HashSet
from triage.hashsets.library import Library, Listing
from triage.hashsets.protection.memory import memory_places
from triage.hashsets.record import Label
from triage.hashsets.sealed import SetMeta
from triage.hashsets.selfcheck import check_members
from triage.model.errors import StoreError
from triage.model.finding import SetKind
from triage.session.host import library_folder, now

OLD_DAYS = 180
"""Notable sets are published every few weeks; one that nobody renewed for half a year misses what is new since."""

_VERIFIED_BELOW = 1 << 30  # bytes, which take a second or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """All there is to tell of one set: its labels with their names and the number of their records."""

    listing: Listing
    age_days: int | None
    labels: tuple[tuple[Label, str | None, int], ...]
    conflicts: tuple[Conflict, ...]


def library_at(named: Path | None) -> Library:
    """Return the library that is named, or that of this user; an encrypted one is used where it lies unlocked."""
    return Library(library_folder(named), memory_places(os.environ.get("XDG_RUNTIME_DIR"), os.geteuid()))


def listing(named: Path | None) -> tuple[Listing, ...]:
    """Return every set of the library, with the problem of those that cannot be used; a small one is verified."""
    library = library_at(named)
    return library.sets(verify=library.size() < _VERIFIED_BELOW)


def names(named: Path | None) -> tuple[str, ...]:
    """Return the names of the sets that can be used."""
    return tuple(entry.header.meta.name for entry in library_at(named).sets() if entry.header is not None)


def require(name: str, named: Path | None) -> None:
    """Raise UsageError where no set has that name."""
    library_at(named).existing(name)


def describe(name: str, named: Path | None) -> Description:
    """Return what there is to tell of one set. Raises UsageError where there is none, StoreError if it is refused."""
    library = library_at(named)
    opened = library.open(name)
    meaning = CategoryMaps.load(library.folder).of_name(opened.header.meta.category_map)
    labels = tuple(
        (label, None if meaning is None else meaning.names.get(label.category or ""), count)
        for label, count in opened.labels.counts()
    )
    return Description(
        listing=library.listing(name),
        age_days=age_days(opened.header.meta),
        labels=labels,
        conflicts=conflicts_of(name, library),
    )


def verify(names: tuple[str, ...], named: Path | None) -> Iterator[Listing]:
    """Read every byte of the sets of those names, or of all, look members of theirs up, and yield what came of it.

    A set that is refused has its problem in the listing. Raises UsageError for a name that is none.
    """
    library = library_at(named)
    for path in [library.existing(name) for name in names] or library.paths():
        yield _verified(library, path)


def _verified(library: Library, path: Path) -> Listing:
    listing = library.listing_of(path, verify=True)
    if listing.problem is None:
        try:
            check_members(HashSet.open(path, verify=False))
        except StoreError as error:
            return Listing(path=path, header=None, problem=str(error), verified=True, size=listing.size)
    return listing


def remove(name: str, named: Path | None) -> None:
    """Take one set out of the library for good; raises UsageError where there is none."""
    library_at(named).remove(name)


def missing(named: Path | None) -> Path | None:
    """Return the folder of the library if somebody named it and it is not there, else None."""
    folder = library_folder(named)
    meant = named is not None or "DIGIVAN_HOME" in os.environ
    try:
        folder.stat()
    except FileNotFoundError:
        return folder if meant else None
    except OSError:
        return None  # whoever opens it tells why
    return None


def warnings(named: Path | None) -> tuple[str, ...]:
    """Return what a person should know of the library before an examination. Raises StoreError as `listing`."""
    library = library_at(named)
    notable = [
        entry.header.meta
        for entry in library.sets()
        if entry.header is not None and entry.header.meta.kind is SetKind.NOTABLE
    ]
    if not notable:
        cause = f"no notable hash set in {library.folder}: nothing can match"
        return (f"{cause}; import or build one first, or name the folder of another library",)
    return tuple(filter(None, map(_age_warning, notable)))


def _age_warning(meta: SetMeta) -> str | None:
    days = age_days(meta)
    if days is None or days < -1:  # it may be tomorrow where the publisher is
        return (
            f"hash set {meta.name} {meta.version} is of {meta.published or meta.date}, which cannot be: check its age"
        )
    if days > OLD_DAYS:
        return (
            f"hash set {meta.name} {meta.version} is {days} days old: what became known since is not found; update it"
        )
    return None


def age_days(meta: SetMeta) -> int | None:
    """Return how many days ago a set was published, or made where nobody said; None where that is no date."""
    try:
        then = datetime.fromisoformat(meta.published or meta.date)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (datetime.fromisoformat(now()) - then).days
