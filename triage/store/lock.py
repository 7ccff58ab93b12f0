"""Locks of a case: each is held by one process, and a killed one leaves nothing to clean up."""

import errno
import fcntl
import os
import time
from pathlib import Path

from triage.model.errors import StoreError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_PAUSE = 0.05  # seconds

_held: set[int] = set()


def _let_go_in_child() -> None:
    """Close inherited locks: a forked worker that outlives its killed parent must not keep what they are of."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class InUseError(StoreError):
    """Another process holds a lock."""


class ProcessLock:
    """An exclusive lock on one file in the folder of a case, held from construction to `release`."""

    def __init__(self, path: Path, what: str, *, patience: float = 0.0) -> None:
        """Take the lock, which is of `what`, within so many seconds.

        Raises InUseError, naming the process that has it, and StoreError where the file cannot be written.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            _take(self._descriptor, path, what, patience)
        except BaseException:
            os.close(self._descriptor)
            raise
        _held.add(self._descriptor)

    def release(self) -> None:
        """Give the lock back; calling it twice is harmless."""
        if self._descriptor in _held:
            _held.remove(self._descriptor)
            os.close(self._descriptor)


def _take(descriptor: int, path: Path, what: str, patience: float) -> None:
    """Lock the file and write this process's number into it."""
    try:
        while not _is_locked(descriptor):
            if patience <= 0:
                holder = _holder(descriptor)
                raise InUseError(f"{what} is in use by process {holder}; wait until it ends, then run again")
            time.sleep(_PAUSE)
            patience -= _PAUSE
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise _unwritable(path, error) from error


def _is_locked(descriptor: int) -> bool:
    """Tell whether the lock could be taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    try:
        return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
    except OSError:
        return "unknown"


def _unwritable(path: Path, error: OSError) -> StoreError:
    step = "choose a folder that can be written"
    if error.errno in _FULL:
        step = "free some space on that disk, then run again"
    return StoreError(f"the case {path.parent} cannot be written: {error.strerror}; {step}")
