"""A library that is encrypted where it lies, and unlocked into memory for as long as it is used.

The library's folder holds `vault.json` (see `envelope.py`) and one `NAME.hashset.enc` a set (see `encrypted.py`). To
unlock decrypts all of them into a private folder in memory (see `unlocked.py`), from where they are mapped as any set.
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from triage.hashsets.protection import unlocked
from triage.hashsets.protection.encrypted import (
    ENCRYPTED_SUFFIX,
    KEY_SIZE,
    SUFFIX,
    Progress,
    encrypt_file,
    flush_folder,
    stepping,
)
from triage.hashsets.protection.envelope import NAME, Envelope, Secret, Slot, read_envelope, write_envelope
from triage.model.errors import StoreError, UsageError
from triage.model.item import printable

_IMPORTS = ".making-*"


class Vault:
    """The encrypted library in a folder; `places` are where it may lie unlocked, the first that fits is taken.

    It keeps no state: every method looks at the folder as it is now. Those that change something wait for each other,
    across processes.
    """

    def __init__(self, folder: Path, places: Sequence[Path]) -> None:
        self.folder = folder
        self._places = tuple(places)

    @classmethod
    def create(cls, folder: Path, secret: Secret, places: Sequence[Path]) -> Self:
        """Make a vault of a folder, which is made if need be; raises UsageError if it is one already.

        Sets that lie there stay as they are until `encrypt_existing`.
        """
        vault = cls(folder, places)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise vault._cannot("make the folder", error) from error
        with vault._alone():
            if cls.find(folder, places):
                raise UsageError(f"{_shown(folder)} is encrypted already: change its secret instead")
            write_envelope(folder, Envelope.seal(os.urandom(KEY_SIZE), secret))
        return vault

    @classmethod
    def find(cls, folder: Path, places: Sequence[Path]) -> Self | None:
        """Return the vault in a folder, None if there is none; raises StoreError if it cannot be told or used."""
        vault = cls(folder, places)
        if os.path.lexists(folder / NAME):
            read_envelope(folder)
            return vault
        if vault._encrypted():
            raise StoreError(
                f"{_shown(folder)}: the encrypted hash sets cannot be opened: {NAME} is missing: bring back a copy"
            )
        return None

    @property
    def unlocked(self) -> Path | None:
        """The folder that holds every set in plain, None if the vault is locked.

        Raises StoreError where that folder is not this user's own, or is not what lies in the library now: no set may
        be missing in silence.
        """
        folder = unlocked.find(self._places, read_envelope(self.folder))
        if folder is not None:
            self._require_no_plain()
            if stale := unlocked.first_stale(folder, self._encrypted()):
                raise StoreError(
                    f"{_shown(self.folder)}: the unlocked hash sets are not those of the library: {printable(stale)} "
                    "is missing or another: unlock again"
                )
        return folder

    def unlock(self, secret: Secret, progress: Progress | None = None) -> Path:
        """Decrypt every set into memory and return the folder; if that was done before, the secret is still checked.

        `progress` gets plain bytes done and in all. Raises UsageError for a wrong secret, StoreError if a set is
        damaged or lies there in plain, or if there is no room: nothing is unlocked then.
        """
        with self._alone():
            envelope = read_envelope(self.folder)
            key, _ = envelope.open(secret)
            self._require_no_plain()
            encrypted = self._encrypted()
            folder = unlocked.find(self._places, envelope)
            if folder is not None and unlocked.first_stale(folder, encrypted) is None:
                return folder
            unlocked.remove(self._places, envelope)
            return unlocked.fill(self._places, envelope, key, encrypted, progress)

    def lock(self) -> bool:
        """Remove everything in plain, and what an interrupted `unlock` left; tells whether there was something.

        A process that has a set open keeps it until it ends.
        """
        with self._alone():
            return unlocked.remove(self._places, read_envelope(self.folder))

    def store(self, plain: Path, name: str, progress: Progress | None = None) -> None:
        """Encrypt a file as the set file `name`, in the place of the one of that name; the plain file stays.

        When this returns the set is safe in the library. The plain file belongs into the unlocked folder under that
        name then: it bears the time by which the two are known to be the same. Raises UsageError if the vault is
        locked.
        """
        with self._alone():
            folder = unlocked.find(self._places, read_envelope(self.folder))
            if folder is None:
                raise UsageError(f"{_shown(self.folder)} is locked: unlock it, then try again")
            step = stepping(progress, 2 * _state(plain).st_size)
            unlocked.stamp(plain, encrypt_file(plain, self._path(name), unlocked.key_in(folder), step))

    def remove(self, name: str) -> None:
        """Remove the set file `name` from the library and from memory; raises UsageError if there is none."""
        with self._alone():
            path = self._path(name)
            if not path.exists():
                raise UsageError(f"{_shown(path)} is not there: see what the library lists")
            self._unlink(path)
            folder = unlocked.find(self._places, read_envelope(self.folder))
            if folder is not None:
                (folder / name).unlink(missing_ok=True)

    def change_secret(self, old: Secret, new: Secret) -> None:
        """Let the new secret open the vault in the place of the old one; raises UsageError for a wrong old one."""
        with self._alone():
            envelope = read_envelope(self.folder)
            key, number = envelope.open(old)
            slots = list(envelope.slots)
            slots[number] = Slot.wrap(key, new, envelope.id)
            write_envelope(self.folder, envelope.with_slots(tuple(slots)))

    def add_secret(self, known: Secret, new: Secret) -> None:
        """Let one more secret open the vault; raises UsageError for a wrong known one."""
        with self._alone():
            envelope = read_envelope(self.folder)
            key, _ = envelope.open(known)
            write_envelope(self.folder, envelope.with_slots((*envelope.slots, Slot.wrap(key, new, envelope.id))))

    def keep_only(self, known: Secret) -> None:
        """Let no other secret open the vault any more; raises UsageError for a wrong one."""
        with self._alone():
            envelope = read_envelope(self.folder)
            _, number = envelope.open(known)
            write_envelope(self.folder, envelope.with_slots((envelope.slots[number],)))

    def encrypt_existing(self, secret: Secret, progress: Progress | None = None) -> tuple[str, ...]:
        """Encrypt every set that lies in the folder in plain, remove the plain ones, and return their names.

        A plain set is removed when its encrypted copy has been decrypted and compared and is on the disc: whenever
        this is interrupted, each set is whole in one of the two forms, and calling it again ends the work. `progress`
        counts every byte twice. Raises UsageError for a wrong secret, StoreError if a plain copy would be left.
        """
        with self._alone():
            key, _ = read_envelope(self.folder).open(secret)
            self._require_no_import()
            plain = self._plain()
            step = stepping(progress, 2 * sum(_state(path).st_size for path in plain))
            for path in plain:
                before = _removable(path)
                encrypt_file(path, self._path(path.name), key, step)
                if _removable(path) != before:
                    raise StoreError(f"{_shown(path)} changed while it was encrypted: encrypt the library again")
                self._unlink(path)
            return tuple(path.name for path in plain)

    def _path(self, name: str) -> Path:
        """Return where the set file of that name lies encrypted."""
        if not name.endswith(SUFFIX) or name.startswith(".") or "/" in name:
            raise UsageError(f"{printable(name)} is not the name of a set file: it ends with {SUFFIX}")
        return self.folder / (name.removesuffix(SUFFIX) + ENCRYPTED_SUFFIX)

    def _encrypted(self) -> list[Path]:
        return self._files(ENCRYPTED_SUFFIX)

    def _plain(self) -> list[Path]:
        return self._files(SUFFIX)

    def _files(self, suffix: str) -> list[Path]:
        try:
            entries = sorted(self.folder.iterdir(), key=lambda path: os.fsencode(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._cannot("list the folder", error) from error
        return [path for path in entries if path.name.endswith(suffix) and not path.name.startswith(".")]

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink()
            flush_folder(self.folder)
        except OSError as error:
            raise self._cannot(f"remove {printable(path.name)}", error) from error

    def _require_no_plain(self) -> None:
        if plain := self._plain():
            raise StoreError(f"{_shown(plain[0])} lies unencrypted in an encrypted library: encrypt the library again")

    def _require_no_import(self) -> None:
        if started := sorted(self.folder.glob(_IMPORTS)):
            raise StoreError(
                f"{_shown(started[0])} is a set in plain that is being made, or was when something stopped it: "
                "let that end"
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process changes this vault, and keep others out; a killed process keeps nobody out."""
        try:
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._cannot("open the folder", error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _cannot(self, what: str, error: OSError) -> StoreError:
        cause = error.strerror or str(error)
        return StoreError(f"{_shown(self.folder)}: cannot {what}: {cause}: check the library")


def _removable(path: Path) -> tuple[int, ...]:
    """Return what tells a plain set from another; raises StoreError if its bytes would stay when its name goes."""
    state = _state(path)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
        raise StoreError(
            f"{_shown(path)} is a link, or has another name besides: put the file itself there and remove the others"
        )
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _state(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except OSError as error:
        raise StoreError(f"{_shown(path)}: cannot read the hash set: {error.strerror}: try again") from error


def _shown(path: Path) -> str:
    return printable(str(path))
