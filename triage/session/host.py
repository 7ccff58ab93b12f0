"""What the machine and its user give: the time, a name, the folder of the hash sets."""

import getpass
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from triage.engine.workers.server import start_server
from triage.model.errors import UsageError


def now() -> str:
    """Return the time as ISO 8601 UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def person() -> str:
    """Return the name of the person at the keyboard as the system knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def library_folder(named: Path | None) -> Path:
    """Return the folder of the hash-set library: the one named, else below DIGIVAN_HOME, else the XDG data folder."""
    if named is not None:
        return named
    if home := os.environ.get("DIGIVAN_HOME"):
        return Path(home) / "hashsets"
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data) / "digivan" / "hashsets"
    try:
        return Path.home() / ".local" / "share" / "digivan" / "hashsets"
    except RuntimeError as error:
        raise UsageError(
            "this user has no home folder for the hash-set library; name the folder of one", field="library"
        ) from error


@dataclass(slots=True)
class RunClock:
    """The time, and the seconds since an examination began; `before` is what earlier runs of it took."""

    before: float
    started: float = field(default_factory=time.monotonic)

    def now(self) -> str:
        """Return the time as ISO 8601 UTC."""
        return now()

    def seconds(self) -> float:
        """Return the seconds since the examination began, over all its runs."""
        return self.before + time.monotonic() - self.started


def lies_on(path: Path, device: Path) -> bool:
    """Tell whether a path (or what exists of it) lies on a block device, one of its partitions, or its disk."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    target = _block_device(device.stat().st_rdev)
    holder = _block_device(existing.stat().st_dev)
    return holder.is_relative_to(target) or target.is_relative_to(holder)


def is_removable(source: Path) -> bool:
    """Tell whether the system calls a block device, or the disk that it is a partition of, a removable one."""
    if not source.is_block_device():
        return False
    place = _block_device(source.stat().st_rdev)
    for folder in (place, place.parent):
        with suppress(OSError):
            return (folder / "removable").read_text(encoding="ascii").strip() == "1"
    return False


def ready_workers(*, pictures: bool) -> None:
    """Start what workers are forked from; called first, it loads while this process loads its own part."""
    start_server(pictures=pictures)


def _block_device(number: int) -> Path:
    """Return where the kernel shows a block device; a partition lies below its disk there."""
    return Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
