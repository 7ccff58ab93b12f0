"""The lock of a case: one process writes at a time, and a killed one leaves nothing to clean up."""

import fcntl
import os
from pathlib import Path

from triage.model.errors import StoreError

_held: set[int] = set()


def _let_go_in_child() -> None:
    """Close inherited locks: a forked worker that outlives its killed parent must not keep the case locked."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class WriterLock:
    """An exclusive lock on one file, held from construction to `release`."""

    def __init__(self, path: Path) -> None:
        """Take the lock or raise StoreError, naming the process that has it."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"the case {path.parent} cannot be written: {error.strerror}; choose a folder that can be written"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreError(
                f"the case {path.parent} is in use by process {holder}; wait until it ends, then run again"
            ) from error
        _held.add(self._descriptor)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; calling it twice is harmless."""
        if self._descriptor in _held:
            _held.remove(self._descriptor)
            os.close(self._descriptor)
