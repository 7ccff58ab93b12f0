"""What a worker works with, whatever is asked of it."""

import time
from collections.abc import Callable
from ctypes import c_int64
from dataclasses import dataclass

from triage.engine.learning.examining import Examiner
from triage.engine.messages import NOTHING, Setup
from triage.engine.trace import Trace
from triage.items.evidence import Evidence
from triage.items.indicators import Indicators

FLUSH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Tools:
    """`examiner` and `indicators` are made at their first use; `in_hand` is shared with the run, see `work`."""

    setup: Setup
    evidence: Evidence
    examiner: Callable[[], Examiner]
    indicators: Callable[[], Indicators]
    in_hand: c_int64
    trace: Trace

    def begin(self, number: int) -> None:
        """Say which item, or where in the source what has no name, is touched from now on."""
        self.in_hand.value = number

    def rest(self) -> None:
        """Say that nothing hostile is touched until the next item begins."""
        self.in_hand.value = NOTHING


class Pace:
    """Tells when results have waited long enough to be sent."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Tell whether it is time; if so the next time is counted from now on."""
        now = time.monotonic()
        if now - self._last <= FLUSH_SECONDS:
            return False
        self._last = now
        return True
