"""The examiner's PIN, which opens a locked console: kept as an Argon2 hash, and slow to guess.

It keeps a passer-by from the keyboard; it encrypts nothing. The parameters of the hash are the library's, which are
those of RFC 9106, section 4, second choice.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from triage.model.errors import UsageError

_LEAST, _MOST = 4, 64  # characters
_FREE = 3  # wrong tries without a delay
_FIRST, _LONGEST = 5.0, 900.0  # seconds

_hasher = PasswordHasher()


class Pin:
    """The PIN of one person, in a file of the user's configuration that nobody else may read.

    Wrong tries are counted in that file, so that a restart does not forget them; `clock` is the time in seconds since
    1970.
    """

    def __init__(self, person: str, *, folder: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Name the person; `folder` is that of the configuration, that of XDG where it is not given."""
        name = hashlib.sha256(person.strip().casefold().encode("utf-8", "surrogateescape")).hexdigest()
        self._file = (folder or _configuration()) / "pins" / f"{name}.json"
        self._clock = clock

    @property
    def is_set(self) -> bool:
        """Whether there is a PIN."""
        return "hash" in self._read()

    def set(self, pin: str, *, old: str | None = None) -> None:
        """Set the PIN; the `old` one is needed where there is one.

        Raises UsageError for one too easy, for a wrong old one, and where the file cannot be written.
        """
        if self.is_set and (old is None or not self.verify(old)):
            raise UsageError("the old PIN is not this one; give it first, or have the file of the PIN removed")
        if problem := weakness(pin):
            raise UsageError(problem)
        self._write({"hash": _hasher.hash(pin), "wrong": 0, "last": 0.0})

    def verify(self, pin: str) -> bool:
        """Tell whether this is the PIN, in about 0.1 s: not on an event loop. False, too, while `wait` is not over."""
        kept = self._read()
        if "hash" not in kept or self.wait() > 0:
            return False
        try:
            _hasher.verify(kept["hash"], pin)
        except VerifyMismatchError:
            self._write({**kept, "wrong": kept["wrong"] + 1, "last": self._clock()})
            return False
        except (VerificationError, InvalidHashError):
            return False
        if kept["wrong"]:
            self._write({**kept, "wrong": 0})
        return True

    def wait(self) -> float:
        """Return the seconds until the next try counts, 0.0 where one may try: from the third wrong one on they double.

        A clock that was set back does not shorten them.
        """
        kept = self._read()
        wrong = int(kept.get("wrong", 0))
        if wrong < _FREE:
            return 0.0
        delay = min(_LONGEST, _FIRST * 2.0 ** min(wrong - _FREE, 16))
        return max(0.0, delay - max(0.0, self._clock() - float(kept["last"])))

    def _read(self) -> dict[str, Any]:
        """Return what is kept; a file that is none of ours is as good as none."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return {"hash": str(kept["hash"]), "wrong": int(kept["wrong"]), "last": float(kept["last"])}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"the PIN in {self._file} cannot be read: {error.strerror}; check its owner") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self._file} holds no PIN; remove the file and set a new one") from error

    def _write(self, kept: dict[str, Any]) -> None:
        """Put the file in place as a whole: a power cut leaves the one before or this one."""
        fresh = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            raise UsageError(f"the PIN cannot be kept in {self._file}: {error.strerror}; check the folder") from error


def weakness(pin: str) -> str:
    """Return why a PIN is too easy, in one sentence; empty where it is not."""
    if not _LEAST <= len(pin) <= _MOST:
        return f"a PIN has {_LEAST} to {_MOST} characters; this one has {len(pin)}"
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        return "a PIN of one character repeated, or of a row such as 1234, is the first that anybody tries"
    return ""


def _configuration() -> Path:
    """Return the folder of the user's configuration, by the XDG base directory specification."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        return (Path(named) if Path(named).is_absolute() else Path.home() / ".config") / "digivan"
    except RuntimeError as error:
        raise UsageError("this user has no home folder to keep a PIN in; set XDG_CONFIG_HOME") from error
