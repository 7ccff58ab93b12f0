"""Opening a source: what a path is gets decided by its content, in one visible order."""

import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

from triage.model.errors import SourceError
from triage.sources.badsectors import reason_of
from triage.sources.device import open_device
from triage.sources.dmg import open_dmg
from triage.sources.ewf import open_ewf
from triage.sources.ewf2 import open_ewf2
from triage.sources.folder import open_folder
from triage.sources.qcow2 import open_qcow2
from triage.sources.raw import open_raw
from triage.sources.source import EvidenceSource
from triage.sources.split import open_split
from triage.sources.vhd import open_vhd
from triage.sources.vmdk import open_vmdk

Opener = Callable[[Path], EvidenceSource | None]


def _open_backing(path: Path) -> EvidenceSource | None:
    """Open what a QCOW2 may lie upon beside QCOW2 and raw: another container."""
    return next((source for opener in (open_vmdk, open_vhd, open_dmg, open_ewf) if (source := opener(path))), None)


OPENERS: tuple[Opener, ...] = (
    open_folder,
    open_device,
    open_ewf,
    open_ewf2,
    open_vmdk,
    open_vhd,
    partial(open_qcow2, opener=_open_backing),
    open_dmg,
    open_split,
    open_raw,
)
"""Asked in this order; the first that knows the content wins. Raw takes whatever is left."""


def open_source(path: Path) -> EvidenceSource:
    """Open a file, a block device or a folder, read-only.

    Raises SourceError, in one line, when there is nothing at the path, it may not be read, or it is no evidence.
    Damage inside a container is no error: it is in the source's troubles and unreadable runs.
    """
    try:
        _refuse_streams(path)
        for opener in OPENERS:
            source = opener(path)
            if source is not None:
                return source
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file, device or folder: check the name") from error
    except PermissionError as error:
        raise SourceError(f"{path}: may not be read: get read permission or run as its owner") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {reason_of(error)}: check the medium that holds it") from error
    raise SourceError(f"{path}: neither a file, a block device nor a folder: give a disk image")


def _refuse_streams(path: Path) -> None:
    """Refuse what has no bytes by offset, before an open could wait for a writer for ever."""
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        raise SourceError(f"{path}: a pipe or socket has no bytes by offset: give a disk image, a device or a folder")
