"""Unlocking an encrypted volume with what the examiner gave: from a locked volume to its plain bytes.

What is supported: BitLocker, LUKS 1 and 2, CoreStorage. Encrypted APFS volumes are opened by the reader of APFS.
VeraCrypt, TrueCrypt, encrypted disk images of macOS and the disk encryption products told by their boot code are not
supported: no well-kept library reads them.
"""

from collections.abc import Callable

from triage.model.errors import EvidenceError
from triage.model.secret import Secrets
from triage.volumes.locked import Locked
from triage.volumes.unlock_bitlocker import unlock_bitlocker
from triage.volumes.unlock_core_storage import unlock_core_storage
from triage.volumes.unlock_luks import unlock_luks
from triage.volumes.unlocking import Opened, Refused
from triage.volumes.volume import Volume

_OPENERS: dict[str, Callable[[Volume, Secrets], Opened | Refused]] = {
    "BitLocker": unlock_bitlocker,
    "BitLocker To Go": unlock_bitlocker,
    "LUKS1": unlock_luks,
    "LUKS2": unlock_luks,
    "CoreStorage": unlock_core_storage,
}


def unlock(volume: Volume, locked: Locked, secrets: Secrets) -> Opened | str:
    """Return the plain bytes of an encrypted volume, or one line that says why there are none.

    `locked` is what `detect` says of the volume. Every secret is tried that can be one of its kind; a volume that
    stores its own key in clear needs none. Never raises for what is in the volume.
    """
    opener = _OPENERS.get(locked.method)
    if not secrets and not locked.has_clear_key:
        return locked.text
    if opener is None:
        return f"{locked.text}; no secret can be tried on it here"
    try:
        opened = opener(volume, secrets)
    except EvidenceError as error:
        opened = Refused((str(error),))
    return opened if isinstance(opened, Opened) else f"{locked.text}; {in_vain(len(secrets), opened.reasons)}"


def in_vain(count: int, reasons: tuple[str, ...] = ()) -> str:
    """Return in words that none of so many secrets opens a volume, and what kept some from being tried."""
    given = {0: "it does not open", 1: "the one secret given does not open it"}
    text = given.get(count, f"none of the {count} secrets given opens it")
    return f"{text} ({'; '.join(reasons)})" if reasons else text
