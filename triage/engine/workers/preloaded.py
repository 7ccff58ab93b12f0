"""What the server loads before the first worker is forked: all that a worker imports, and the compiled digests."""

import atexit
import os
import signal

from triage.content import lanes
from triage.engine.workers import worker

__all__ = ["worker"]

signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes is the business of the run
lanes.warm()
# Taking all this apart takes a third of a second, in which whoever reads the output of the run waits for its end.
atexit.register(os._exit, 0)
