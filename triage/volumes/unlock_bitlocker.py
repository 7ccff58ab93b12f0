"""BitLocker volumes opened through libbde: password, recovery password, startup key file, or the key stored in clear.

The library decrypts every method that Windows had (AES-CBC with and without diffuser, AES-XTS). It refuses volumes
whose conversion by encrypt-on-write is under way. Its messages may repeat what was typed: they are never passed on.
"""

import os
from contextlib import suppress
from typing import Any

import pybde

from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secret, SecretKind, Secrets
from triage.volumes.decrypted import DecryptedVolume, VolumeFile, decrypted, library_reader
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

_CLEAR_KEY, _STARTUP_KEY, _RECOVERY, _PASSWORD = 0x0000, 0x0200, 0x0800, 0x2000
_UNIT = 4096  # a multiple of every sector size: what one unreadable sector can spoil


def unlock_bitlocker(volume: Volume, secrets: Secrets = NO_SECRETS) -> Opened | Refused:
    """Open a BitLocker volume; one that is suspended opens without a secret. Raises EvidenceError for an odd one."""
    file, library = _opened(volume)
    kinds = {protector.type for protector in library.key_protectors}
    if not library.is_locked():
        return Opened(_plain(volume, file, library), "the clear key stored on it")
    library.close()
    for secret in secrets:
        for kind, word, words in _ways(secret):
            if kind in kinds and (opened := _tried(volume, kind, word)) is not None:
                return Opened(_plain(volume, *opened), words)
    return Refused()


def _ways(secret: Secret) -> list[tuple[int, Any, str]]:
    """Return what a secret can be: the kind of protector, what the library is given, and what it is called."""
    if secret.kind is SecretKind.KEY_FILE:
        return [(_STARTUP_KEY, secret.value, "a startup key file")]
    ways: list[tuple[int, Any, str]] = []
    if secret.bitlocker_recovery is not None:
        ways.append((_RECOVERY, secret.bitlocker_recovery, "a recovery password"))
    if secret.text is not None:
        ways.append((_PASSWORD, secret.text, "a password"))
    return ways


def _opened(volume: Volume) -> tuple[VolumeFile, Any]:
    file, library = VolumeFile(volume), pybde.volume()
    try:
        library.open_file_object(file)
        library.is_locked()
    except Exception as error:  # the library meets hostile bytes: any type of error is evidence trouble
        raise EvidenceError("libbde cannot read its metadata: damaged, or being encrypted just then") from error
    return file, library


def _tried(volume: Volume, kind: int, word: Any) -> tuple[VolumeFile, Any] | None:
    """Return the file and the library's volume if a secret opens it, None for a wrong one and for an odd one."""
    file, library = VolumeFile(volume), pybde.volume()
    with suppress(Exception):  # its messages may repeat the secret
        if kind == _STARTUP_KEY:
            _read_startup_key(library, word)
        elif kind == _RECOVERY:
            library.set_recovery_password(word)
        else:
            library.set_password(word)
        library.open_file_object(file)
        if not library.is_locked():
            return file, library
        library.close()
    return None


def _read_startup_key(library: Any, content: bytes | bytearray) -> None:
    """Give the library a startup key, which it takes from a file only: from one without a name, in memory."""
    with os.fdopen(os.memfd_create("startup key", os.MFD_CLOEXEC), "r+b", buffering=0) as file:
        file.write(content)
        library.read_startup_key(f"/proc/self/fd/{file.fileno()}")
        file.seek(0)
        file.write(bytes(len(content)))


def _plain(volume: Volume, file: VolumeFile, library: Any) -> DecryptedVolume:
    run = ByteRun(0, min(int(library.get_size()), volume.size))
    return decrypted(volume, run, library_reader(library, file, run, "BitLocker"), _UNIT, "bitlocker")
