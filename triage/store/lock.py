"""The lock of a case: one process writes at a time, and a killed one leaves nothing to clean up."""

import errno
import fcntl
import os
from pathlib import Path

from triage.model.errors import StoreError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

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
            raise _unwritable(path, error) from error
        try:
            _take(self._descriptor, path)
        except BaseException:
            os.close(self._descriptor)
            raise
        _held.add(self._descriptor)

    def release(self) -> None:
        """Give the lock back; calling it twice is harmless."""
        if self._descriptor in _held:
            _held.remove(self._descriptor)
            os.close(self._descriptor)


def _take(descriptor: int, path: Path) -> None:
    """Lock the file and write this process's number into it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError as error:
        raise StoreError(
            f"the case {path.parent} is in use by process {_holder(descriptor)}; wait until it ends, then run again"
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error


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
