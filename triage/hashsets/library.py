"""The library: a folder of sealed sets, one file each."""

import os
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from triage.hashsets.hashset import HashSet
from triage.hashsets.sealed import SetHeader, open_sealed
from triage.hashsets.selfcheck import check_members
from triage.model.errors import StoreError, UsageError
from triage.model.item import printable

SUFFIX = ".hashset"

_MAX_STEM = 200  # bytes; file systems allow 255 with the suffix and what a temporary file adds

Write = Callable[[BinaryIO], SetHeader]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One file of the library: its header, or the one line that says why it cannot be used.

    `verified` tells whether every byte was compared with what was sealed, or the header alone.
    """

    path: Path
    header: SetHeader | None
    problem: str | None = None
    verified: bool


class Library:
    """A folder of sealed sets; the folder is made by the first `add` and need not exist before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sets(self, *, verify: bool = False) -> tuple[Listing, ...]:
        """Return every set, sorted by file name, the unreadable ones with their problem; `verify` reads them all."""
        return tuple(_listing(path, verify=verify) for path in self._paths())

    def size(self) -> int:
        """Return the bytes of all sets together."""
        return sum(_size(path) for path in self._paths())

    def open_all(self, *, verify: bool = True) -> tuple[HashSet, ...]:
        """Open every set in the order of `sets`; raises StoreError if one is refused: no run goes on without it."""
        return tuple(HashSet.open(path, verify=verify) for path in self._paths())

    def path_of(self, name: str) -> Path:
        """Return where the set of that name lies, or would lie; raises UsageError for what is no name of a set."""
        return self.folder / (_stem(name) + SUFFIX)

    def add(self, name: str, write: Write) -> Path:
        """Let `write` fill a new file, check it, and put it in the place of the set of that name, if there was one.

        Until the last step the file has a temporary name that is no set's; whatever goes wrong, it is removed.
        """
        target = self.path_of(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".import-", suffix=".partial")
        except OSError as error:
            raise self._cannot_write(error) from error
        partial = Path(temporary)
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
            check_members(partial)
            partial.replace(target)
            self._flush_folder()
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    def _paths(self) -> list[Path]:
        try:
            entries = sorted(self.folder.iterdir(), key=lambda path: os.fsencode(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{_shown(self.folder)}: cannot list the hash-set library: {error.strerror}: name another --library"
            ) from error
        return [path for path in entries if path.name.endswith(SUFFIX) and not path.name.startswith(".")]

    def _flush_folder(self) -> None:
        """Make the new name last through a loss of power."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _cannot_write(self, error: OSError) -> StoreError:
        cause = error.strerror or str(error)
        return StoreError(
            f"{_shown(self.folder)}: cannot write the hash-set library: {cause}: choose another --library"
        )


def set_name(text: str) -> str:
    """Return the one spelling of a set's name; raises UsageError for an empty one or one with control characters."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name or any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in name):
        raise UsageError(f"{text!r} cannot name a hash set: give letters, digits and signs, at least one")
    return name


def _stem(name: str) -> str:
    """Return a file name for a set: letters and digits of any script stay, every sign but `-_ ` is escaped."""
    stem = "".join(char if char.isalnum() or char in "-_ " else quote(char, safe="") for char in set_name(name))
    stem = stem.replace(".", "%2E")
    if len(stem.encode()) > _MAX_STEM:
        raise UsageError(f"{name[:40]!r}... is too long to name a hash set: give a shorter name")
    return stem


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # its listing tells why


def _listing(path: Path, *, verify: bool) -> Listing:
    try:
        return Listing(path=path, header=open_sealed(path, verify=verify).header, verified=verify)
    except StoreError as error:
        return Listing(path=path, header=None, problem=str(error), verified=verify)


def _shown(path: Path) -> str:
    return printable(str(path))
