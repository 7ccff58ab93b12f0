"""Folders in a library where sets are made: each held by its maker's lock, and swept when its maker is gone."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".making-"


@contextmanager
def workshop(library: Path) -> Iterator[Path]:
    """Give a folder of its own in a library; it is no set, and goes at the end.

    Those that killed processes left are removed first. Raises OSError where the library cannot be written.
    """
    with locked(library):  # or another process would sweep the new one before it is locked
        sweep(library)
        place = Path(tempfile.mkdtemp(dir=library, prefix=PREFIX))
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process holds this folder, and hold it; a killed process holds nothing."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove workshops whose process is gone: nobody holds their lock."""
    for place in folder.glob(PREFIX + "*"):
        try:
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # its maker has just removed it, or it is no workshop
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
