"""Every process that a test starts, and all that those start: none may outlive the test, whichever way it ends."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_END = 20.0  # seconds that a process may take to end by itself
_LOOK = 0.05


@dataclass(slots=True)
class Household:
    """The processes with `mark`, "NAME=value", in the environment that they were started with, and some sessions.

    A program that writes over its environment, as browsers do, is known by its session alone.
    """

    mark: str
    sessions: set[int] = field(default_factory=set)

    def members(self) -> dict[int, str]:
        """Return the command line of each that runs, by its process number."""
        found = {int(place.name): place for place in Path("/proc").iterdir() if place.name.isdigit()}
        return {
            number: (place / "cmdline").read_text(errors="replace").replace("\0", " ")
            for number, place in found.items()
            if number != os.getpid() and self._is_member(place)
        }

    def _is_member(self, place: Path) -> bool:
        try:
            variables = (place / "environ").read_bytes().split(b"\0")
            state, _, _, session = (place / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            return False
        return state not in "ZX" and (self.mark.encode() in variables or int(session) in self.sessions)

    def end(self, seconds: float = _END) -> dict[int, str]:
        """Wait so long for all to end by themselves, then end the others at once; return those."""
        latest = time.monotonic() + seconds
        while self.members() and time.monotonic() < latest:
            time.sleep(_LOOK)
        left = self.members()
        while living := self.members():
            for number in living:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(_LOOK)
        return left
