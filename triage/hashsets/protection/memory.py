"""A private folder in memory: the only place where an encrypted library lies in plain.

It must be on tmpfs, which the kernel keeps in memory (and in swap space, if there is any), belong to this user and be
closed to all others. Sources: tmpfs(5); the device number and type of every mount: proc_pid_mountinfo(5);
`MemAvailable`: proc_meminfo(5); the runtime folder of a user: XDG Base Directory Specification.
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from triage.model.errors import StoreError
from triage.model.item import printable

_SPARED = 1 << 30  # bytes of memory left to the examination itself
_MIB = 1 << 20
_OTHERS = 0o077


def memory_places(runtime: str | None, user: int) -> tuple[Path, ...]:
    """Return where unlocked libraries of a user may lie, the best first; `runtime` is what XDG_RUNTIME_DIR says."""
    shared = Path(f"/dev/shm/digivan-{user}")  # noqa: S108 - checked to be this user's own before it is used
    return (Path(runtime) / "digivan", shared) if runtime else (shared,)


def choose_place(places: Sequence[Path], needed: int) -> Path:
    """Return the first place that is in memory and has room for `needed` bytes; it is made if need be.

    Raises StoreError, with the reason for each place, if there is none, and where one is not this user's own.
    """
    reasons = []
    for place in places:
        try:
            reason = _unfit(place.parent, needed)
            if reason is None:
                place.mkdir(mode=0o700, exist_ok=True)
                require_private(place)
                return place
        except OSError as error:
            reason = error.strerror or str(error)
        reasons.append(f"{printable(str(place))}: {reason}")
    raise StoreError(f"no place in memory for the unlocked hash sets: {'; '.join(reasons)}: free some memory")


def require_private(folder: Path) -> None:
    """Raise StoreError unless this is a folder in memory, no link, of this user and closed to all others."""
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode):
        cause = "it is a link or a file, not a folder"
    elif state.st_uid != os.geteuid():
        cause = "it belongs to another user"
    elif state.st_mode & _OTHERS:
        cause = "other users may enter it"
    elif not _is_tmpfs(state.st_dev):
        cause = "it is not in memory (tmpfs)"
    else:
        return
    raise StoreError(f"{printable(str(folder))}: hash sets cannot lie there unlocked: {cause}: remove it")


def _unfit(parent: Path, needed: int) -> str | None:
    if not _is_tmpfs(parent.stat().st_dev):
        return "it is not in memory (tmpfs)"
    free = _free(parent)
    if needed > free:
        return f"{-(-needed // _MIB):,} MiB are needed, {free // _MIB:,} MiB are free"
    return None


def _is_tmpfs(device: int) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as mounts:
        return any(
            fields.split()[2] == number and kind.split()[0] == "tmpfs"
            for fields, _, kind in (line.partition(" - ") for line in mounts)
        )


def _free(parent: Path) -> int:
    """Return how many bytes may be put there: no more than the file system allows and the memory has."""
    system = os.statvfs(parent)
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    available = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo, re.MULTILINE)
    in_memory = int(available[1]) * 1024 - _SPARED if available else 0
    return max(0, min(system.f_bavail * system.f_frsize, in_memory))
