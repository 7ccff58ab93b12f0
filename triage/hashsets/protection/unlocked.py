"""The sets of an encrypted library in plain: a private folder in memory, called by the id of its vault.

Beside the sets lies the library's key. It proves that the folder is this vault's, whoever named it, and it lets a set
be added without the secret. While the folder is being filled or removed it has another name, so that under its own
name it is always whole; what a killed process left under the other name is removed by the next one.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from triage.hashsets.protection.encrypted import (
    ENCRYPTED_SUFFIX,
    KEY_SIZE,
    SUFFIX,
    Progress,
    Step,
    decrypt,
    new_private,
    plain_size,
    stepping,
)
from triage.hashsets.protection.envelope import Envelope
from triage.hashsets.protection.memory import choose_place, require_private
from triage.model.errors import StoreError
from triage.model.item import printable

_KEY = ".key"
_PARTIAL = ".partial"


def find(places: Sequence[Path], envelope: Envelope) -> Path | None:
    """Return the folder that holds this vault unlocked, None if it is locked; raises StoreError for an unsafe one."""
    for place in places:
        folder = place / envelope.id
        with suppress(FileNotFoundError):
            require_private(place)
            require_private(folder)
            if envelope.belongs(key_in(folder)):
                return folder
    return None


def key_in(folder: Path) -> bytes:
    """Return the library's key that lies in an unlocked folder."""
    with (folder / _KEY).open("rb") as file:
        return file.read(KEY_SIZE + 1)


def first_stale(folder: Path, encrypted: Sequence[Path]) -> str | None:
    """Return the name of a set that is not in the folder as it lies in the library now, or not there any more.

    None if the two agree.
    """
    names = {_plain_name(path) for path in encrypted}
    for left in folder.glob("*" + SUFFIX):
        if left.name not in names:
            return left.name
    for path in encrypted:
        plain = folder / _plain_name(path)
        try:
            there, here = path.stat(), plain.stat()
        except FileNotFoundError:
            return plain.name
        if (here.st_size, here.st_mtime_ns) != (plain_size(path, there.st_size), there.st_mtime_ns):
            return plain.name
    return None


def stamp(plain: Path, encrypted: Path) -> None:
    """Mark a plain file as the same as an encrypted one: it gets its time of modification."""
    time = encrypted.stat().st_mtime_ns
    os.utime(plain, ns=(time, time))


def fill(
    places: Sequence[Path], envelope: Envelope, key: bytes, encrypted: Sequence[Path], progress: Progress | None
) -> Path:
    """Decrypt the sets into the first place that fits and return the folder; whatever goes wrong, nothing stays."""
    try:
        whole = sum(plain_size(path, path.stat().st_size) for path in encrypted)
        place = choose_place(places, whole)
        partial = place / (envelope.id + _PARTIAL)
        partial.mkdir(mode=0o700)
        try:
            _decrypt_into(partial, key, encrypted, stepping(progress, whole))
            return partial.rename(place / envelope.id)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        cause = error.strerror or str(error)
        raise StoreError(
            f"the hash sets of {envelope.id} cannot be unlocked into memory: {cause}: try again"
        ) from error


def remove(places: Sequence[Path], envelope: Envelope) -> bool:
    """Remove what lies unlocked of this vault, or was left of it; tells whether there was something."""
    removed = [_remove(place, envelope.id + ending) for place in places for ending in (_PARTIAL, "")]
    return any(removed)


def _remove(place: Path, name: str) -> bool:
    path = place / name
    if not os.path.lexists(path):
        return False
    require_private(place)
    require_private(path)
    try:
        shutil.rmtree(path.rename(path.with_suffix(_PARTIAL)))
    except OSError as error:
        raise StoreError(
            f"{printable(str(path))}: cannot remove it from memory: {error.strerror}: try again"
        ) from error
    return True


def _decrypt_into(folder: Path, key: bytes, encrypted: Sequence[Path], step: Step) -> None:
    for path in encrypted:
        plain = folder / _plain_name(path)
        with new_private(plain) as file:
            for chunk in decrypt(path, key, plain.name):
                file.write(chunk)
                step(len(chunk))
        stamp(plain, path)
    with new_private(folder / _KEY) as file:
        file.write(key)


def _plain_name(encrypted: Path) -> str:
    return encrypted.name.removesuffix(ENCRYPTED_SUFFIX) + SUFFIX
