"""What a volume holds: the readers in their order, and an honest word for what none of them reads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from triage.content.noise import noise
from triage.filesystems.apfs import ApfsFileSystem, open_apfs
from triage.filesystems.btrfs import open_btrfs
from triage.filesystems.decrypted import DecryptedFileSystem
from triage.filesystems.filesystem import FileSystem
from triage.filesystems.folder import open_folder_filesystem
from triage.filesystems.side_by_side import SideBySide
from triage.filesystems.tsk import open_tsk
from triage.filesystems.xfs import open_xfs
from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun
from triage.model.secret import NO_SECRETS, Secrets
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.blankness import is_blank
from triage.volumes.containers import unsupported_container
from triage.volumes.locked import Locked, detect
from triage.volumes.signatures import file_system_at
from triage.volumes.unlock import unlock
from triage.volumes.volume import Volume

_MOST_LAYERS = 4  # of encryption, one inside the other


def _openers(secrets: Secrets) -> tuple[Callable[[Volume], FileSystem | None], ...]:
    """Return the readers in their order. Every one is asked, so that two that are valid at once come to light."""
    return (open_tsk, partial(open_apfs, secrets=secrets), open_xfs, open_btrfs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What a volume holds. `state` and `text` as in `VolumeReport`; `troubles` are what recognising it met."""

    filesystem: FileSystem | None
    state: str
    text: str
    troubles: tuple[Trouble, ...] = ()


def recognise(volume: Volume, secrets: Secrets = NO_SECRETS, layers: int = _MOST_LAYERS) -> Recognition:
    """Open the file system of a volume, or say why there is none to open. Never raises for what is in the volume.

    An encrypted volume is opened where a secret does, and what its plain bytes hold is recognised in its turn, up to
    `layers` times.
    """
    folder = open_folder_filesystem(volume)
    if folder is not None:
        # The bytes of a folder are those of its files, end to end: a signature among them is that of a file.
        return _read(volume, [folder], [])
    locked = detect(volume)
    if locked is not None:
        return _unlocked(volume, locked, secrets, layers)
    opened: list[FileSystem] = []
    refusals: list[str] = []
    for opener in _openers(secrets):
        try:
            filesystem = opener(volume)
        except EvidenceError as error:
            refusals.append(str(error))
            continue
        if filesystem is not None:
            opened.append(filesystem)
    if opened:
        return _read(volume, opened, refusals)
    if refusals:
        return _unread(volume, "unsupported", TroubleCode.DAMAGED, "; ".join(refusals))
    return _nothing(volume)


def _unlocked(volume: Volume, locked: Locked, secrets: Secrets, layers: int) -> Recognition:
    """Say what the plain bytes of an encrypted volume hold; where they cannot be had, that it is encrypted."""
    opened = unlock(volume, locked, secrets) if layers else f"{locked.text}; encrypted {_MOST_LAYERS} times over"
    if isinstance(opened, str):
        return _unread(volume, "encrypted", TroubleCode.ENCRYPTED, opened)
    inner = recognise(opened.volume, secrets, layers - 1)
    text = f"{locked.method} volume, unlocked with {opened.means}: {inner.text}"
    if inner.filesystem is None and inner.state != "empty":
        unread = _unread(volume, "encrypted", TroubleCode.ENCRYPTED, text)
        return replace(unread, troubles=(*unread.troubles, *inner.troubles))
    filesystem = inner.filesystem and DecryptedFileSystem(inner.filesystem, opened.volume.is_mapped)
    return replace(inner, filesystem=filesystem, text=text)


def _read(volume: Volume, opened: list[FileSystem], refusals: list[str]) -> Recognition:
    filesystem = opened[0] if len(opened) == 1 else SideBySide(volume, tuple(opened))
    troubles = tuple(_trouble(volume, TroubleCode.DAMAGED, refusal) for refusal in refusals)
    if isinstance(filesystem, SideBySide):
        text = f"more than one file system is valid here ({filesystem.kind}): each is listed, only one was in use"
        troubles = (_trouble(volume, TroubleCode.AMBIGUOUS, text), *troubles)
        return Recognition(filesystem=filesystem, state="ambiguous", text=text, troubles=troubles)
    if isinstance(filesystem, ApfsFileSystem) and filesystem.locked_volumes:
        names = ", ".join(filesystem.locked_volumes)
        state = "read" if filesystem.open_volumes else "encrypted"
        text = f"APFS container with locked volumes: {names}; a password is needed, or refer it to the lab"
        return Recognition(filesystem=filesystem, state=state, text=text, troubles=troubles)
    if isinstance(filesystem, ApfsFileSystem) and filesystem.unlocked_volumes:
        text = f"apfs, unlocked: {', '.join(filesystem.unlocked_volumes)}"
        return Recognition(filesystem=filesystem, state="read", text=text, troubles=troubles)
    return Recognition(filesystem=filesystem, state="read", text=filesystem.kind, troubles=troubles)


def _nothing(volume: Volume) -> Recognition:
    """Say what a volume is in which no reader found a file system."""
    container = unsupported_container(volume)
    if container is not None:
        return _unread(volume, "unsupported", TroubleCode.UNSUPPORTED, container)
    named = file_system_at(volume, 0)
    if named is not None:
        text = f"{named} file system that cannot be opened: damaged, or of a kind not known here; refer it to the lab"
        return _unread(volume, "unsupported", TroubleCode.DAMAGED, text)
    if not volume.info.size:
        return Recognition(filesystem=None, state="empty", text="no bytes at all")
    blankness = is_blank(volume)
    if blankness.blank:
        troubles = () if blankness.complete else (_trouble(volume, TroubleCode.LIMIT, blankness.text),)
        return Recognition(filesystem=None, state="empty", text=blankness.text, troubles=troubles)
    entropy = noise(volume.read_at, volume.size)
    if entropy is not None:
        text = (
            f"possibly encrypted, or wiped: no file system, {entropy:.2f} bits of entropy a byte; refer it to the lab"
        )
        return _unread(volume, "encrypted", TroubleCode.ENCRYPTED, text)
    text = "no file system that is known here; refer it to the lab"
    return _unread(volume, "no-file-system", TroubleCode.NO_FILE_SYSTEM, text)


def _unread(volume: Volume, state: str, code: TroubleCode, text: str) -> Recognition:
    return Recognition(filesystem=None, state=state, text=text, troubles=(_trouble(volume, code, text),))


def _trouble(volume: Volume, code: TroubleCode, text: str) -> Trouble:
    run = ByteRun(volume.run.offset, volume.info.size)
    return Trouble(address=volume.address, code=code, text=text, run=run)
