"""The library: a folder of sealed sets, one file each."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from triage.hashsets.hashset import HashSet
from triage.hashsets.naming import file_stem
from triage.hashsets.protection.encrypted import SUFFIX, flush_folder
from triage.hashsets.protection.signing import (
    Seal,
    SealState,
    Signer,
    TrustedKeys,
    check_seal,
    fingerprint,
    read_public_key,
)
from triage.hashsets.protection.vault import Vault
from triage.hashsets.sample import Hashes
from triage.hashsets.sealed import SealedFile, SetHeader, open_sealed
from triage.hashsets.sealing import put_seal
from triage.hashsets.selfcheck import check_members
from triage.hashsets.workshop import PREFIX, locked, sweep, workshop
from triage.model.errors import StoreError, UsageError
from triage.model.item import printable

TRUSTED = "trusted"
"""The folder of a library that holds the public keys whose seals count."""

_KEY_IN_HAND = ".trusting-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One file of the library: its header and what its seal says, or the one line that says why it cannot be used.

    `verified` tells whether every byte was compared with what was sealed, or the header alone.
    """

    path: Path
    header: SetHeader | None
    seal: SealState | None = None
    problem: str | None = None
    verified: bool
    size: int = 0


class Library:
    """A folder of sealed sets; the folder is made by the first set and need not exist before.

    `places` are where an encrypted library may lie unlocked.
    """

    def __init__(self, folder: Path, places: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.places = places

    @property
    def plain(self) -> Path:
        """The folder where the sets lie in plain: this one, or in memory that of an encrypted library.

        Raises StoreError where that is locked.
        """
        vault = self._vault()
        folder = self.folder if vault is None else vault.unlocked
        if folder is None:
            raise StoreError(f"{_shown(self.folder)}: the hash-set library is locked: triage hashset unlock opens it")
        return folder

    def _vault(self) -> Vault | None:
        return Vault.find(self.folder, self.places)

    @property
    def trusted(self) -> TrustedKeys:
        """The keys whose seals count; where there are any, no other set is used. Raises StoreError."""
        return TrustedKeys.load(self.folder / TRUSTED)

    def sets(self, *, verify: bool = False) -> tuple[Listing, ...]:
        """Return every set, sorted by file name, the unreadable ones with their problem; `verify` reads them all."""
        trusted = self.trusted
        return tuple(_listing(path, trusted, verify=verify) for path in self.paths())

    def listing(self, name: str) -> Listing:
        """Return one set by its name, not verified; raises UsageError where there is none."""
        return self.listing_of(self.existing(name), verify=False)

    def listing_of(self, path: Path, *, verify: bool) -> Listing:
        """Return the set in one file of the library."""
        return _listing(path, self.trusted, verify=verify)

    def size(self) -> int:
        """Return the bytes of all sets together."""
        return sum(_size(path) for path in self.paths())

    def open_all(self, *, verify: bool = True) -> tuple[HashSet, ...]:
        """Open every set in the order of `sets`; raises StoreError if one is refused: no run goes on without it."""
        trusted = self.trusted
        return tuple(HashSet(_opened(path, trusted, verify=verify)[0]) for path in self.paths())

    def open(self, name: str, *, verify: bool = False) -> HashSet:
        """Open one set by its name; raises UsageError where there is none, StoreError if it is refused."""
        return HashSet(_opened(self.existing(name), self.trusted, verify=verify)[0])

    def path_of(self, name: str) -> Path:
        """Return where the set of that name lies, or would lie; raises UsageError for what is no name of a set."""
        return self.plain / (file_stem(name) + SUFFIX)

    def existing(self, name: str) -> Path:
        """Return where the set of that name lies; raises UsageError where there is none."""
        path = self.path_of(name)
        if not path.exists():
            raise UsageError(f"{name}: no such hash set in {_shown(self.folder)}: triage hashset list shows what is")
        return path

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """Give a folder of its own in the library to make a set in; see `workshop.py`.

        A library that was not there is only there afterwards if a set lies in it. Raises StoreError where it cannot be
        written.
        """
        is_new = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with workshop(self.plain) as place:
                yield place
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            if is_new:
                with suppress(OSError):  # a set lies there now
                    self.folder.rmdir()

    def header_of(self, name: str) -> SetHeader | None:
        """Return the header of the set of that name, None where there is none, or none that can be read."""
        try:
            return open_sealed(self.path_of(name), verify=False).header
        except StoreError:
            return None

    def is_whole(self, name: str) -> bool:
        """Tell whether every byte of a set is what was sealed."""
        try:
            open_sealed(self.path_of(name))
        except StoreError:
            return False
        return True

    def put(self, name: str, made: Path, sample: Iterable[Hashes], *, before: SetHeader | None) -> Path:
        """Check a set made in a workshop and put it in the place of `before`, which was there when that began.

        Raises StoreError where the set misses a member of its own or one of the sample of what was read, or its seal
        would be refused here, and where somebody else has put another set in that place meanwhile.
        """
        target = self.path_of(name)
        check_members(HashSet(_opened(made, self.trusted, verify=False, shown=target)[0]), sample)
        with locked(self.plain):
            if self.header_of(name) != before:
                raise StoreError(f"{_shown(target)}: another set took this place meanwhile: look at it, and try again")
            if vault := self._vault():
                vault.store(made, target.name)
            made.chmod(0o600)
            made.replace(target)
            flush_folder(self.folder)
        return target

    def seal(self, name: str, signer: Signer) -> SealState:
        """Put a seal on a set, after every byte of it was compared with what was made; raises StoreError if it differs.

        A seal that was there before gives way.
        """
        path = self.existing(name)
        sealed = open_sealed(path)
        digest = bytes.fromhex(sealed.header.digest)
        seal = signer.seal(digest)
        state = check_seal(path, seal, digest, self.trusted)
        with self.workshop() as folder:
            copy = folder / path.name
            shutil.copyfile(path, copy)
            put_seal(copy, seal.to_bytes())
            self.put(name, copy, (), before=sealed.header)
        return state

    def trust(self, public: Path) -> SealState:
        """Put a public key among the trusted ones, under the name of its file; raises UsageError for any other file."""
        raw = read_public_key(public)
        pem = public.read_bytes()
        folder = self.folder / TRUSTED
        target = folder / (public.stem + ".pem")
        if target.exists():
            raise UsageError(f"{_shown(target)} is there already: give the new key's file another name")
        if raw in (names := self.trusted.names):
            raise UsageError(f"{_shown(public)}: this key is trusted already, as {names[raw]}: nothing needs doing")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, made = tempfile.mkstemp(dir=self.folder, prefix=_KEY_IN_HAND)
            try:  # half of a key among the trusted ones would make every set refused
                with os.fdopen(handle, "wb") as file:
                    file.write(pem)
                Path(made).replace(target)
            finally:
                Path(made).unlink(missing_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from error
        return SealState(fingerprint(raw), self.trusted.names[raw])

    def sweep(self) -> None:
        """Remove what killed processes left of sets in the making; raises StoreError while one is being made."""
        try:
            with locked(self.folder):
                sweep(self.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._cannot_write(error) from error
        if making := sorted(self.folder.glob(PREFIX + "*")):
            raise StoreError(f"{_shown(making[0])}: a set is being made there: wait for its end, then try again")

    def remove(self, name: str) -> None:
        """Take a set out of the library for good; raises UsageError where there is none."""
        path = self.existing(name)
        try:
            if vault := self._vault():
                vault.remove(path.name)
            else:
                path.unlink()
                flush_folder(self.folder)
        except OSError as error:
            raise self._cannot_write(error) from error

    def paths(self) -> list[Path]:
        """Return the files of all sets, sorted by name."""
        try:
            entries = sorted(self.plain.iterdir(), key=lambda path: os.fsencode(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            text = f"{_shown(self.folder)}: cannot list the hash-set library: {error.strerror}: name another folder"
            raise StoreError(text, field="library") from error
        return [path for path in entries if path.name.endswith(SUFFIX) and not path.name.startswith(".")]

    def _cannot_write(self, error: OSError) -> StoreError:
        cause = error.strerror or str(error)
        text = f"{_shown(self.folder)}: cannot write the hash-set library: {cause}: choose another folder"
        return StoreError(text, field="library")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # its listing tells why


def _opened(
    path: Path, trusted: TrustedKeys, *, verify: bool, shown: Path | None = None
) -> tuple[SealedFile, SealState]:
    """Open a set whose seal this library accepts; raises StoreError for any other, naming `shown`."""
    sealed = open_sealed(path, verify=verify)
    if shown is None and not _is_named(path, sealed.header.meta.name):
        raise StoreError(
            f"{_shown(path)}: the hash set is refused: it is the set {sealed.header.meta.name!r} under another name: "
            "remove one of the copies"
        )
    seal = Seal.from_bytes(sealed.seal)
    return sealed, check_seal(shown or path, seal, bytes.fromhex(sealed.header.digest), trusted)


def _is_named(path: Path, name: str) -> bool:
    try:
        return path.stem == file_stem(name)
    except UsageError:
        return False


def _listing(path: Path, trusted: TrustedKeys, *, verify: bool) -> Listing:
    try:
        sealed, seal = _opened(path, trusted, verify=verify)
    except StoreError as error:
        return Listing(path=path, header=None, problem=str(error), verified=verify, size=_size(path))
    return Listing(path=path, header=sealed.header, seal=seal, verified=verify, size=sealed.size)


def _shown(path: Path) -> str:
    return printable(str(path))
